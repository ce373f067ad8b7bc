// P3 of trust-replay.md, over real graphs: the trajectory label never rises along any checkpoint path, whatever the
// nodes, the callers and the operators of a thread do; and the thread's history stays readable whatever they wrote.

import fc from "fast-check";
import { expect, it } from "vitest";
import { type Label, meet } from "../../trust/index.js";
import { neverAbove, ranksOf } from "./generators.js";
import { anyScenario, type BuiltScenario, build, handsABeginning, perform, type Scenario } from "./scenario.js";

/** More runs for a long night: `BULKHEAD_PROPERTY_RUNS=5000 npx vitest run test/trust/trajectory`. */
const numRuns = Number(process.env["BULKHEAD_PROPERTY_RUNS"] ?? 200);

const config = { configurable: { thread_id: "thread" } };

/** Failures that an operation may end with. Anything else is a defect of the harness or of the test. */
const EXPECTED = [/^Validation failed for field "trust"/, /^Received no input writes/];

const show = ({ integrity, fidelity, currency, certainty }: Label) => `${integrity}${fidelity}${currency}${certainty}`;

interface Stored {
  readonly trust: unknown;
  readonly parent: string | undefined;
  /** The superstep that ended here. The first node of a graph ends superstep 1; only input comes before it. */
  readonly step: number | undefined;
  readonly root: boolean;
}

async function storedCheckpoints({ saver }: BuiltScenario): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>();
  for await (const { config: at, parentConfig, checkpoint, metadata } of saver.list(config)) {
    const { checkpoint_ns: namespace = "", checkpoint_id: id } = at.configurable ?? {};
    stored.set(`${namespace}/${id}`, {
      trust: checkpoint.channel_values["trust"],
      parent: parentConfig && `${namespace}/${parentConfig.configurable?.["checkpoint_id"]}`,
      step: metadata?.step,
      root: namespace === "",
    });
  }
  return stored;
}

/** Compares every stored checkpoint of the thread, child namespaces included, with its parent. */
async function checkPaths(built: BuiltScenario, begunFromOutside: boolean): Promise<void> {
  const stored = await storedCheckpoints(built);
  for (const [key, { trust, parent, step, root }] of stored) {
    const above = parent === undefined ? undefined : stored.get(parent)?.trust;
    // The one exception: nothing above, and only input so far. A child graph is handed its beginning as input.
    const mayBegin = above === undefined && (step === 1 || begunFromOutside || !root);
    if (mayBegin) continue;
    const [from, to] = [ranksOf(above), ranksOf(trust)];
    expect(neverAbove(to, from), `trust rose from ${show(from)} to ${show(to)} at ${key}, step ${step}`).toBe(true);
  }
}

async function checkHistory({ graph }: BuiltScenario): Promise<void> {
  for await (const snapshot of graph.getStateHistory(config)) expect(snapshot.values).toBeDefined();
}

const statistics = { finished: 0, interrupted: 0, refused: 0, high: 0 };

async function play(scenario: Scenario): Promise<void> {
  const built = await build(scenario, config);
  const begunFromOutside = scenario.operations.some(handsABeginning);
  for (const operation of scenario.operations) {
    built.made.length = 0;
    try {
      const ran = await perform(operation, built, config);
      const { next, values } = await built.graph.getState(config);
      if (values.trust === undefined) continue; // Nothing is stored yet.
      if (ran && next.length === 0) {
        statistics.finished += 1;
        if (values.trust.integrity > 0) statistics.high += 1;
        expect(neverAbove(values.trust, meet(...built.made)), "a finished run kept less than its nodes marked").toBe(
          true,
        );
      } else if (ran) statistics.interrupted += 1;
    } catch (error) {
      statistics.refused += 1;
      if (!(error instanceof Error) || !EXPECTED.some((pattern) => pattern.test(error.message))) throw error;
    }
    await checkHistory(built);
    await checkPaths(built, begunFromOutside);
  }
}

it("P3: trust never rises along any checkpoint path", { timeout: 60_000 + numRuns * 600 }, async () => {
  await fc.assert(fc.asyncProperty(anyScenario, play), { numRuns });
  // A property that never got anywhere would pass too.
  expect(statistics.finished).toBeGreaterThan(numRuns / 4);
  expect(statistics.high).toBeGreaterThan(numRuns / 20);
  expect(statistics.interrupted).toBeGreaterThan(0);
});
