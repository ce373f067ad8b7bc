// The part of the contract that asks the tool's own functions: a preview and a probe that change nothing and say the
// truth, a compensation that happens once, an error that means what it says.

import type { EffectRecord } from "../../../checkpoints/index.js";
import { compensateEffect } from "../../../nodes/index.js";
import { digest } from "../../../trust/index.js";
import { broken, type ContractCase } from "../broken-promise.js";
import type { Life } from "../lives.js";
import { type Given, type Trial, trialCase } from "./trial.js";

/** The cases that follow from what the tool declares and the options name. */
export function declarationCases(given: Given): readonly ContractCase[] {
  const tool = given.make();
  const { refused, compensations } = given.options;
  return [
    ...(tool.canBeProbed ? [trialCase("its probe changes nothing and tells the truth", given, probing)] : []),
    trialCase("a preview changes nothing", given, previewing),
    ...(refused === undefined ? [] : [trialCase("what is refused has not happened", given, refusing, refused)]),
    ...(tool.canBeCompensated && compensations !== undefined
      ? [
          trialCase("taken back, twice asked", given, (trial) => compensating(trial, compensations, false)),
          trialCase("taken back, and its outcome lost", given, (trial) => compensating(trial, compensations, true)),
        ]
      : []),
  ];
}

const signal = () => new AbortController().signal;

async function probing(trial: Trial): Promise<void> {
  const { tool, lives, args } = trial;
  const unsent = await tool.probe(digest("a key that nobody sent"), args, { signal: signal() });
  if (unsent.status === "committed") {
    broken(
      `the probe of ${tool.name} says "committed" for a key that nobody sent. Look the key up, not the arguments.`,
    );
  }
  if ((await trial.count()) > 0) broken(`the probe of ${tool.name} did the effect. It may only ask.`);
  await lives.next().run("task");
  const { key } = await trial.settle(false);
  const sent = await tool.probe(key, args, { signal: signal() });
  if (sent.status === "failed") {
    broken(
      `the probe of ${tool.name} says "failed" for an effect that happened. "failed" is final: answer "unknown" when the provider cannot say.`,
    );
  }
  await trial.settle(false);
}

async function previewing(trial: Trial): Promise<void> {
  const { tool, args } = trial;
  const first = await tool.preview(args, { signal: signal() });
  const second = await tool.preview(args, { signal: signal() });
  if ((await trial.count()) > 0) broken(`the preview of ${tool.name} did the effect. It may only look.`);
  if (digest(first?.preconditions ?? null) !== digest(second?.preconditions ?? null)) {
    broken(
      `the preconditions of ${tool.name} change by themselves, so no approval of it will ever hold. Name only state that the action rests on: no clock, no counter.`,
    );
  }
  await trial.lives.next().run("task");
  await trial.settle(false);
}

async function refusing(trial: Trial): Promise<void> {
  const { name } = trial.tool;
  await trial.lives.next().run("task");
  const count = await trial.count();
  const last = (await trial.lives.ledger()).at(-1);
  if (count > 0) broken(`${name} did its effect ${count} times with arguments that its provider should refuse`);
  if (last?.status === "committed") broken(`${name} returned a receipt for what was refused. Throw NotDoneError.`);
  if (last?.status === "in_doubt") {
    broken(`${name} is in doubt about what was refused (${last.error ?? ""}). Throw NotDoneError: nothing happened.`);
  }
}

async function compensating(trial: Trial, compensations: () => number | Promise<number>, lost: boolean): Promise<void> {
  const { tool, lives } = trial;
  const before = await compensations();
  const first = lives.next();
  await first.run("task");
  const effect = await trial.settle(false);
  const failing = lost ? lives.next({ fails: "after provider" }) : first;
  await takeBack(failing, effect, lost).catch(() => undefined);
  const { status } = await takeBack(lives.next(), effect, false);
  const times = (await compensations()) - before;
  if (times > 1) {
    broken(`${tool.name} was taken back ${times} times. Hand compensate's idempotencyKey to the provider as well.`);
  }
  if (status === "committed" && times === 0) broken(`${tool.name} says that it was taken back, and nothing happened`);
  if (status === "committed") return;
  if (!lost || tool.honoursKey) broken(`taking ${tool.name} back ended ${status.replace("_", " ")}`);
}

/** `lost`: the process ends before it can record what the tool did. */
function takeBack({ tool, journal }: Life, effect: EffectRecord, lost: boolean): Promise<EffectRecord> {
  if (lost) {
    journal.settleEffect = async () => {
      throw new Error("cut off by the contract");
    };
  }
  return compensateEffect(effect, { tool, journal, by: "contract", signal: signal() });
}
