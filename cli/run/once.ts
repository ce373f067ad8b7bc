// One session on a loaded graph, as a person or a program hears of it: what it runs on, how it ended, what to type next.

import { randomUUID } from "node:crypto";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { redactUrl } from "../../checkpoints/index.js";
import type { Settings } from "../../models/index.js";
import type { RunOptions } from "../commands/run.js";
import { exitCodeOf, explain } from "../exit.js";
import type { LoadedGraph } from "../project.js";
import type { Terminal } from "../terminal.js";
import { shellWord } from "../text.js";
import { chooseBudget, moreBudget, reportBudget } from "./budget.js";
import { Interruption } from "./interruption.js";
import { nextCommands } from "./next.js";
import { answerOf } from "./outcome.js";
import { Reporter } from "./reporter.js";
import { resultOf } from "./result.js";
import { Session } from "./session.js";
import { summaryOf } from "./summary.js";

/** The thread to run on. */
export interface Target {
  readonly thread: string;
  readonly mode: "start" | "more" | "resume";
  readonly workspace: string;
}

/** What a session is run with. */
export interface Opened {
  readonly options: Pick<RunOptions, "db" | "workspace" | "json" | "approve" | "budget">;
  readonly settings: Pick<Settings, "budget" | "prices">;
  readonly terminal: Terminal;
  readonly loaded: LoadedGraph;
  readonly saver: BaseCheckpointSaver;
  /** Whether a person may be asked at the terminal. Default `true`. */
  readonly waits?: boolean;
}

/** How it ended. */
export interface Ended {
  readonly code: number;
  readonly thread: string;
  /** Whether what the gate asks about could be mended by going back. */
  readonly canRewind: boolean;
}

/** Runs one session on a loaded graph and tells how it ended. */
export async function runOnce(target: Target, task: string | undefined, opened: Opened): Promise<Ended> {
  const { options, terminal, loaded, saver, settings, waits = true } = opened;
  const { json = false, approve } = options;
  const { journal, model } = loaded.harness;
  const { thread } = target;
  const resumed = target.mode === "resume";
  const own = { ...settings, budget: loaded.harness.budget?.limits ?? settings.budget };
  const budget = await chooseBudget({ journal, thread, resumed, stated: options.budget, settings: own, model });
  const run = randomUUID();
  const say = (line: string) => terminal.err(line);
  const interruption = new Interruption(() => performance.now(), say);
  const stopListening = terminal.onInterrupt(interruption.request);
  if (!json) say(model.sentence);
  const interactive = terminal.interactive && !json && waits;
  const given = { ...target, loaded, saver, terminal, interruption, approve, interactive, run, task, budget };
  const session = new Session(given);
  try {
    const values = async () => (await session.state()).values;
    let ran = false;
    const outcome = await session.execute(() => {
      ran = true;
      const begun = () => json || say(terminal.errStyle.dim(`thread: ${thread}`));
      return Object.assign(new Reporter({ journal, thread }, terminal, json), { begun });
    });
    if (!ran && !json)
      say(`This thread has ${outcome.status === "finished" ? "finished" : "ended"}: there is nothing to resume.`);
    const { status, error } = outcome;
    const pending = await journal.approvals({ thread, status: "pending" });
    const canRewind = pending.some(({ deficits }) => deficits.some(({ axis }) => axis !== "integrity"));
    const used = ran ? await reportBudget(journal, thread, run, budget) : undefined;
    const result = await resultOf({
      journal,
      thread,
      run,
      graph: loaded.name,
      model,
      status,
      answer: answerOf(await values()),
      message: error === undefined ? outcome.message : explain(error).message,
      trust: await session.trust(),
      budget: used,
      next: nextCommands(
        status,
        {
          thread,
          approvals: pending.map(({ id }) => id),
          canRewind,
          more: used === undefined ? undefined : moreBudget(used),
          inDoubt: (await journal.effects({ thread })).flatMap(({ status: state, key }) =>
            state === "in_doubt" ? [key] : [],
          ),
        },
        terminal.program,
        flagsOf(options),
      ),
    });
    if (json) terminal.out(JSON.stringify(result));
    else terminal.out(summaryOf(result, pending, terminal));
    if (error !== undefined) showStack(error, options as { verbose?: boolean }, terminal);
    return { code: exitCodeOf(status), thread, canRewind };
  } finally {
    stopListening();
  }
}

/** The flags that the next command needs as well. A password is not repeated: what we print may be kept. */
const flagsOf = ({ db, workspace }: Pick<RunOptions, "db" | "workspace">) => ({
  journal: db === undefined ? "" : ` --db ${shellWord(redactUrl(db))}`,
  project: workspace === undefined ? "" : ` --workspace ${shellWord(workspace)}`,
});

function showStack(error: unknown, { verbose = false }: { verbose?: boolean }, terminal: Terminal): void {
  if ((verbose || terminal.env["BULKHEAD_DEBUG"]) && error instanceof Error) terminal.err(error.stack ?? error.message);
}
