// Works on one job: looks whether the run can go on, and brings it as far as it comes, under the thread's lease. Whether
// the run is started or resumed follows from the journal and not from the queue, so a job that is handed out twice, or
// after its worker died, does nothing twice.

import type { Clock, Priority } from "../../capacity/index.js";
import type { Settings } from "../../models/index.js";
import { CommandError } from "../exit.js";
import { chooseBudget } from "../run/budget.js";
import type { Interruption } from "../run/interruption.js";
import { Session } from "../run/session.js";
import type { Terminal } from "../terminal.js";
import type { Graphs } from "./graphs.js";
import type { QueuedRun } from "./queued-run.js";
import { type Step, stepAfter, stepAfterError, waitFor } from "./step.js";

/** What work is done with. */
export interface Workbench {
  readonly graphs: Pick<Graphs, "of" | "saver">;
  /** The folder that this worker's tools work on. */
  readonly workspace: string;
  /** What a run may use that was given no budget of its own, and what it costs. */
  readonly settings: Pick<Settings, "budget" | "prices">;
  /** Stops every run of this worker. */
  readonly interruption: Interruption;
  readonly terminal: Terminal;
  readonly clock: Pick<Clock, "now">;
  /** How urgent the run's model calls are. */
  readonly priority: Priority;
  /** Ids of runs. */
  readonly ids: () => string;
  /** Called when the run has really begun: from here on the journal has its task. */
  readonly onBegin: (run: string, begun: QueuedRun) => Promise<void>;
}

/** Does what can be done, and says where the job goes. Never throws for what a run does. */
export async function workOn(queued: QueuedRun, bench: Workbench): Promise<Step> {
  const { clock, interruption } = bench;
  if (interruption.requested) return { to: "back" };
  try {
    return await bringOn(queued, bench);
  } catch (error) {
    return redacted(stepAfterError(error, clock.now()), queued, bench);
  }
}

async function bringOn(queued: QueuedRun, bench: Workbench): Promise<Step> {
  const { graphs, workspace, settings, interruption, terminal, clock, priority, ids, onBegin } = bench;
  const { thread, task, sleep } = queued;
  const loaded = graphs.of(queued.graph);
  const { journal } = loaded.harness;
  const looks = sleep?.why === "waiting" ? sleep.looks : 0;
  const pending = async () => (await journal.approvals({ thread, status: "pending" })).length;
  if (looks > 0 && (await pending()) > 0) return waitFor({ now: clock.now(), looks });
  if (queued.workspace !== undefined && queued.workspace !== workspace) {
    throw new CommandError(
      `thread ${thread} worked in ${queued.workspace}, and this worker works in ${workspace}. Start the worker with --workspace ${queued.workspace}, then: ${terminal.program} submit --thread ${thread} --resume`,
    );
  }
  if (task === undefined && (await journal.thread(thread))?.task === undefined) {
    throw new CommandError(`thread ${thread} is not in this worker's database. Were it and the queue emptied apart?`);
  }
  const { model } = loaded.harness;
  const resumed = task === undefined;
  const budget = await chooseBudget({ journal, thread, resumed, stated: queued.budget, settings, model });
  const run = ids();
  const session = new Session({
    ...{ loaded, saver: graphs.saver, terminal, interruption, thread, run, task, workspace },
    ...{ approve: "ask", interactive: false, mode: "queued", budget, priority },
  });
  let begun: Promise<void> | undefined;
  const outcome = await session.execute(() => ({
    begun: () => {
      begun = onBegin(run, { thread, graph: queued.graph, workspace });
    },
    settled: async () => undefined,
    close: async () => undefined,
  }));
  await begun;
  const open = outcome.status === "waiting" ? await pending() : 0;
  return redacted(stepAfter(outcome, { now: clock.now(), looks: 0, pending: open }), queued, bench);
}

/** What is told to the queue is kept in Redis: declared secrets are taken out of it, as they are for the journal. */
function redacted(step: Step, { graph }: QueuedRun, { graphs }: Workbench): Step {
  if (step.to !== "failed") return step;
  try {
    return { ...step, message: graphs.of(graph).harness.journal.keep(step.message).text };
  } catch {
    return step; // There is no such graph, and that is what the message says.
  }
}
