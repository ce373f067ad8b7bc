// The crash half of the contract: killed at every boundary of the effect path and resumed, by one process and by two at
// once; and answers that get lost on the wire.

import { OutcomeUnclearError } from "../../../nodes/index.js";
import { BOUNDARIES, type Boundary, isLostAt } from "../boundaries.js";
import { broken, type ContractCase } from "../broken-promise.js";
import { type Given, type Trial, trialCase } from "./trial.js";

/** The cases in which a run is cut off. */
export const crashCases = (given: Given): readonly ContractCase[] => [
  trialCase("done once, with a receipt", given, async (trial) => {
    await trial.lives.next().run("task");
    await trial.settle(false);
  }),
  ...BOUNDARIES.map((boundary) =>
    trialCase(`killed ${boundary}, then resumed`, given, (trial) => crash(trial, boundary, 1)),
  ),
  ...(["before dispatch", "before provider", "after provider"] as const).map((boundary) =>
    trialCase(`killed ${boundary}, then resumed by two workers at once`, given, (trial) => crash(trial, boundary, 2)),
  ),
  trialCase("its request is lost on the wire", given, (trial) => lose(trial, "before provider")),
  trialCase("its answer is lost on the wire", given, (trial) => lose(trial, "after provider")),
];

async function crash(trial: Trial, until: Boundary, workers: 1 | 2): Promise<void> {
  const { lives } = trial;
  const { stood, answer } = await lives.next({ until }).run("task");
  if (!stood) broken(`the run ended before it came to "${until}": ${answer}`);
  const resumed = [lives.next(), ...(workers === 2 ? [lives.alongside()] : [])];
  await Promise.all(resumed.map((life) => life.run(null)));
  await trial.settle(isLostAt(until));
}

async function lose(trial: Trial, fails: Boundary): Promise<void> {
  const error = new OutcomeUnclearError("socket hang up");
  await trial.lives.next({ fails, error }).run("task");
  await trial.settle(true);
}
