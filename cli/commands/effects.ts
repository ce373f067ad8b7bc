// `bulkhead effects`: what the tools did, and did perhaps. `resolve`: a person who looked says what became of an effect
// that is in doubt. `compensate`: takes an effect back, where its tool can.

import { Argument, type Command, InvalidArgumentError } from "commander";
import type { EffectRecord } from "../../checkpoints/index.js";
import { viewOfCall } from "../../nodes/view.js";
import { effectNamed, listingOf, SHORT } from "../effect.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { cut, shellWord, table } from "../text.js";
import { compensateCommand } from "./compensate.js";

interface EffectsOptions {
  readonly db?: string;
  readonly json?: boolean;
}

interface ResolveOptions extends EffectsOptions {
  readonly note: string;
}

/** Only an effect in doubt waits for somebody. */
const rank = ({ status }: EffectRecord): number => (status === "in_doubt" ? 0 : 1);

export const effectsCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("effects", "list what the tools did, in doubt first", [
        "bulkhead effects",
        "bulkhead effects THREAD --json",
        'bulkhead effects resolve 3f9c committed --note "refund 812 is in the bank\'s list"',
      ]),
    ),
  )
    .argument("[thread]", "of this thread only")
    .action((thread: string | undefined, options: EffectsOptions) => list(thread, options, terminal))
    .addCommand(resolveCommand(terminal))
    .addCommand(compensateCommand(terminal));

const note = (value: string): string => {
  if (value.trim() !== "") return value;
  throw new InvalidArgumentError("Say what you found; the agent is told.");
};

const resolveCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("resolve", "say what became of an effect in doubt", [
        'bulkhead effects resolve 3f9c committed --note "refund 812 is in the bank\'s list"',
        'bulkhead effects resolve 3f9c failed --note "the bank has no such refund"',
      ]),
    ),
  )
    .argument("<key>", "the effect, by as much of its key as is unique")
    .addArgument(new Argument("<status>", "what became of it").choices(["committed", "failed"]))
    .requiredOption("--note <text>", "what you found; the agent is told", note)
    // Commander gives what both commands know, `--db` and `--json`, to the one above.
    .action((key: string, status: "committed" | "failed", _options: ResolveOptions, self: Command) =>
      resolve(key, status, self.optsWithGlobals<ResolveOptions>(), terminal),
    );

async function list(
  thread: string | undefined,
  { json = false, ...flags }: EffectsOptions,
  terminal: Terminal,
): Promise<void> {
  const { requireThread, withJournal } = await import("../journal.js");
  await withJournal(terminal, flags, async (opened) => {
    if (thread !== undefined) await requireThread(opened, thread, terminal);
    const effects = await opened.journal.effects(thread === undefined ? {} : { thread });
    const sorted = effects.toSorted((left, right) => rank(left) - rank(right) || right.updatedAt - left.updatedAt);
    if (json) return terminal.out(JSON.stringify(sorted.map(listingOf), null, 2));
    if (sorted.length === 0) return terminal.out("No effects.");
    const rows = sorted.map(({ status, tool, arguments: args, key, thread: of, updatedAt, compensates }) => [
      status.replace("_", " "),
      compensates === undefined ? tool : `${tool} (taken back)`,
      cut(JSON.stringify(args), 60),
      key.slice(0, SHORT),
      of,
      new Date(updatedAt).toISOString().slice(0, 16).replace("T", " "),
    ]);
    const head = ["STATUS", "TOOL", "ARGUMENTS", "KEY", "THREAD", "UPDATED (UTC)"];
    for (const line of table([head, ...rows])) terminal.out(line);
    const doubtful = sorted[0]?.status === "in_doubt" ? sorted[0] : undefined;
    const next = doubtful === undefined ? "show THREAD" : "effects resolve KEY committed|failed --note TEXT";
    if (doubtful !== undefined)
      terminal.out("In doubt: it was sent and its outcome is not known. Look there, then say.");
    terminal.out(`Next:\n  ${terminal.program} ${next}`);
  });
}

async function resolve(
  prefix: string,
  status: "committed" | "failed",
  { db, json = false, note: found }: ResolveOptions,
  terminal: Terminal,
): Promise<void> {
  const { redactUrl } = await import("../../checkpoints/database/target.js");
  const { statusOf, withJournal } = await import("../journal.js");
  const { operator } = await import("../run/approvals.js");
  await withJournal(terminal, db === undefined ? {} : { db }, async ({ journal }) => {
    const { key } = await effectNamed(prefix, journal, terminal);
    const effect = await journal.resolveEffect(key, status, operator("cli effects resolve"), found);
    const { thread, run, tool, arguments: args, resolution } = effect;
    const by = resolution?.by ?? operator("cli effects resolve");
    await journal.append({ thread, run }, { kind: "effect", tool, key, status, by, note: found });
    const record = await journal.thread(thread);
    const finished = record === undefined || (await statusOf(journal, record)) === "finished";
    // A finished run has been answered "in doubt"; only a new message tells its agent more.
    const goOn = finished ? shellWord(`${tool} is ${status}: ${found}`) : "--resume";
    const base = `${terminal.program} run --thread ${shellWord(thread)} ${goOn}`;
    const next = db === undefined ? base : `${base} --db ${shellWord(redactUrl(db))}`;
    if (json) {
      return terminal.out(JSON.stringify({ key, thread, tool, arguments: args, status, by, note: found, next }));
    }
    terminal.out(`${status}: ${viewOfCall(tool, args)}`);
    terminal.out(`Next:\n  ${next}`);
  });
}
