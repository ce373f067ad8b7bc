// `bulkhead effects compensate KEY`: takes an effect back with its tool's `compensate`, in the graph and on the workspace
// of the thread that did it.

import type { Command } from "commander";
import type { EffectRecord } from "../../checkpoints/index.js";
import { viewOfCall } from "../../nodes/view.js";
import { effectNamed, listingOf, SHORT } from "../effect.js";
import { CommandError } from "../exit.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { cut, shellWord } from "../text.js";

interface CompensateOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly graph?: string;
}

export const compensateCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("compensate", "take back an effect, with its tool's compensate", ["bulkhead effects compensate 3f9c"]),
    ),
  )
    .argument("<key>", "the effect, by as much of its key as is unique")
    .option("--graph <name>", "the graph that has the tool (default: the one that did it)")
    .action((key: string, _options: CompensateOptions, self: Command) =>
      compensate(key, self.optsWithGlobals<CompensateOptions>(), terminal),
    );

async function compensate(prefix: string, options: CompensateOptions, terminal: Terminal): Promise<void> {
  const { db, json = false } = options;
  const { configure, graphName, loadGraph, requireProject } = await import("../project.js");
  const { compensateEffect, HarnessTool } = await import("../../nodes/index.js");
  const { operator } = await import("../run/approvals.js");
  const { redactUrl } = await import("../../checkpoints/index.js");
  const { effect, graph, workspace } = await findOrigin(prefix, options, terminal);
  const project = requireProject(terminal.cwd);
  await configure(terminal, project, {
    ...(db === undefined ? {} : { db }),
    ...(workspace === undefined ? {} : { workspace }),
  });
  const { name, harness } = await loadGraph(project, graphName(project, graph));
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() => aborting.abort(new Error("interrupted")));
  try {
    const tool = harness.toolbox.tools.find((each) => each.name === effect.tool);
    if (!(tool instanceof HarnessTool)) {
      throw new CommandError(`graph ${name} has no tool ${effect.tool}. Name the graph that has it with --graph.`);
    }
    const by = operator("cli effects compensate");
    const { journal } = harness;
    const undone = await compensateEffect(effect, { tool, journal, by, signal: aborting.signal });
    const database = db === undefined ? "" : ` --db ${shellWord(redactUrl(db))}`;
    report(undone, effect, { json, database }, terminal);
  } finally {
    stopListening();
    await harness.close();
  }
}

/** The effect, and the graph and the workspace that it was done with. */
async function findOrigin(prefix: string, { db, graph }: CompensateOptions, terminal: Terminal) {
  const { withJournal } = await import("../journal.js");
  return withJournal(terminal, db === undefined ? {} : { db }, async ({ journal, project }) => {
    const effect = await effectNamed(prefix, journal, terminal);
    const ran = (await journal.thread(effect.thread))?.graph;
    const starts = (await journal.events({ thread: effect.thread })).flatMap(({ event }) =>
      event.kind === "run.start" ? event : [],
    );
    const known = ran !== undefined && ran in (project?.graphs ?? {}) ? ran : undefined;
    return { effect, graph: graph ?? known, workspace: starts.at(-1)?.workspace };
  });
}

/** How a compensation ended, in words. */
const OUTCOMES: Readonly<Record<EffectRecord["status"], string>> = {
  intended: "not taken back",
  dispatched: "perhaps taken back",
  committed: "taken back",
  failed: "not taken back",
  in_doubt: "perhaps taken back",
  forged: "its record was changed outside the harness",
};

function report(
  undone: EffectRecord,
  effect: EffectRecord,
  { json, database }: { readonly json: boolean; readonly database: string },
  terminal: Terminal,
): void {
  const { key, thread, status, receipt, error } = undone;
  const next =
    status === "in_doubt"
      ? `${terminal.program} effects resolve ${key.slice(0, SHORT)} committed|failed --note TEXT${database}`
      : `${terminal.program} effects ${shellWord(thread)}${database}`;
  if (json) terminal.out(JSON.stringify({ ...listingOf(undone), next }));
  else {
    terminal.out(`${OUTCOMES[status]}: ${viewOfCall(effect.tool, effect.arguments)}`);
    if ((receipt ?? error) !== undefined) terminal.out(`  ${cut(receipt ?? error ?? "", 200)}`);
    terminal.out(`Next:\n  ${next}`);
  }
  if (status !== "committed") throw new CommandError(`it was not taken back for certain: ${error ?? status}.`);
}
