// The other half of the paths on which LangGraph repeats a node: a retry, a time travel, a fork, a state update, two
// resumes at once. None of them may do the effect again without a person.

import { isGated } from "../../../nodes/index.js";
import { broken, type ContractCase } from "../broken-promise.js";
import type { Life } from "../lives.js";
import { type Given, type Trial, trialCase } from "./trial.js";

/** The cases in which a run is sent a second time over what it has done. */
export function pathCases(given: Given): readonly ContractCase[] {
  const gated = isGated(given.make().effect);
  return [
    trialCase("its node fails after the effect and is run again", given, async (trial) => {
      await trial.lives.next({ fails: "after settle", attempts: 2 }).run("task");
      await trial.settle(false);
    }),
    trialCase("sent back in time to before its node", given, (trial) =>
      again(trial, gated ? "gate" : "tools", "as it was"),
    ),
    // A call that the model makes anew is another one. Only the gate knows that it was done before, and asks.
    ...(gated
      ? [
          trialCase("sent back in time to before the model call", given, (trial) =>
            again(trial, "planner", "as it was"),
          ),
          trialCase("forked before the model call", given, (trial) => again(trial, "planner", "forked")),
          trialCase("sent back in time twice at once", given, (trial) => again(trial, "planner", "twice")),
        ]
      : []),
  ];
}

/** Does it, goes back to before `node` was first run, and goes on from there. */
async function again(trial: Trial, node: string, how: "as it was" | "forked" | "twice"): Promise<void> {
  const life = trial.lives.next();
  await life.run("task");
  await trial.settle(false);
  const before = await checkpointBefore(life, node);
  const from = how === "forked" ? await life.graph.updateState(before, { messages: [] }) : before;
  const runs = how === "twice" ? [life, trial.lives.alongside()] : [life];
  await Promise.all(runs.map((each) => each.run(null, from)));
  await trial.settle(false);
}

/** The oldest checkpoint from which `node` would be run next. */
async function checkpointBefore({ graph }: Life, node: string): Promise<object> {
  let found: object | undefined;
  const config = { configurable: { thread_id: "contract" } };
  for await (const { next, config: at } of graph.getStateHistory(config)) if (next.includes(node)) found = at;
  return found ?? broken(`the run never came to ${node}`);
}
