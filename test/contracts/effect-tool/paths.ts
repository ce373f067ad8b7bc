// The other half of the paths on which LangGraph repeats a node: a retry, a time travel, a fork, a state update, two
// resumes at once. None of them may do the effect again without a person.

import { broken, type ContractCase } from "../broken-promise.js";
import type { Life } from "../lives.js";
import { type Given, type Trial, trialCase } from "./trial.js";

/** The cases in which a run is sent a second time over what it has done. */
export const pathCases = (given: Given): readonly ContractCase[] => [
  trialCase("its node fails after the effect and is retried", given, async (trial) => {
    const life = trial.lives.next({ fails: "after settle" });
    await life.run("task").catch(() => undefined);
    await life.run(null);
    await trial.settle(false);
  }),
  trialCase("sent back in time to before the gate", given, (trial) => again(trial, "gate", 0)),
  trialCase("sent back in time to before the model call", given, (trial) => again(trial, "planner", 0)),
  trialCase("forked before the model call", given, (trial) => again(trial, "planner", 1)),
  trialCase("sent back in time by two at once", given, (trial) => again(trial, "planner", 2)),
];

/** Does it, goes back to before `node` was first run, and goes on from there: as it was, forked, or twice at once. */
async function again(trial: Trial, node: string, how: 0 | 1 | 2): Promise<void> {
  const life = trial.lives.next();
  await life.run("task");
  await trial.settle(false);
  const before = await checkpointBefore(life, node);
  if (before === undefined) return; // A tool that needs no gate never comes by one.
  const from = how === 1 ? await life.graph.updateState(before, { messages: [] }) : before;
  const runs = how === 2 ? [life, trial.lives.alongside()] : [life];
  await Promise.all(runs.map((each) => each.run(null, from)));
  await trial.settle(false);
}

/** The oldest checkpoint from which `node` would be run next. */
async function checkpointBefore({ graph }: Life, node: string): Promise<object | undefined> {
  let found: object | undefined;
  const config = { configurable: { thread_id: "contract" } };
  for await (const { next, config: at } of graph.getStateHistory(config)) if (next.includes(node)) found = at;
  if (found === undefined && node === "planner") broken("the planner was never called");
  return found;
}
