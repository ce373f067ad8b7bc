// P12 and P5 of trust-replay.md: a strict replay asks nobody and comes to the same state, labels and verdicts, whatever the
// agent did and in whatever order its branches finished; then, and when it is replayed.

import fc from "fast-check";
import { expect, it } from "vitest";
import { systemClock } from "../../capacity/index.js";
import type { HarnessEvent, Journal } from "../../checkpoints/index.js";
import { again, live, outcome, type Story, THREAD } from "../replay/drive.js";
import { anyStory, randomDelay } from "../replay/stories.js";
import { type World, type WorldOptions, world } from "../replay/world.js";
import { runs, settings } from "./agent.js";

/** What the stories were about: a property of stories in which nothing happens would hold as well. */
class Statistics {
  private readonly counted = new Map<string, number>();

  async count({ journal }: World): Promise<void> {
    const events = (await journal.events({ thread: THREAD })).map(({ event, scope }) => ({ ...event, scope }));
    const has = (kind: HarnessEvent["kind"], like: (event: Record<string, unknown>) => boolean = () => true) =>
      events.some((event) => event.kind === kind && like(event as unknown as Record<string, unknown>));
    const seen = {
      "fan-out": events.some(({ scope }) => (scope.send ?? 0) >= 3),
      subagent: has("tool.output", (event) => (event["scope"] as { lane?: string }).lane !== undefined),
      asked: has("approval.requested"),
      answered: has("approval.decided", ({ by }) => by !== "harness"),
      blocked: has("gate.decision", ({ verdict }) => verdict === "block"),
      dispatched: has("effect", ({ status }) => status === "committed"),
      "in doubt": has("effect", ({ status }) => status === "in_doubt"),
      fallback: has(
        "model.response",
        ({ obtained }) => (obtained as { fallbackReason?: string }).fallbackReason !== undefined,
      ),
      retry: has("capacity", ({ event }) => (event as { kind: string }).kind === "retry"),
      "rate-limited": has("capacity", ({ event }) => (event as { kind: string }).kind === "rate-limited"),
      failed: has("model.error"),
      parked: has("admission", ({ decision }) => decision === "park"),
      compacted: has("compact"),
      recalled: has("recall", ({ keys }) => Array.isArray(keys) && keys.length > 0),
      written: has("state.update"),
      resumed: has("input", ({ as }) => as === "resume"),
    };
    for (const [name, found] of Object.entries(seen))
      if (found) this.counted.set(name, (this.counted.get(name) ?? 0) + 1);
  }

  expectAll(...names: readonly string[]): void {
    expect(names.filter((name) => !this.counted.has(name))).toEqual([]);
  }
}

async function recorded(story: Story, seed: number): Promise<World> {
  const agent = await world(story.plan, { delay: randomDelay(seed) });
  await live(agent, story);
  return agent;
}

async function replays(agent: World, { plan }: Story, options: WorldOptions = {}): Promise<void> {
  const { replayed, copy } = await again(agent, plan, options);
  try {
    expect(replayed.divergence).toBeUndefined();
    expect(replayed).toMatchObject({ identical: true, open: false });
    expect(copy.ran).toEqual([]);
    expect(copy.provider.requests).toHaveLength(0);
    expect(await outcome(copy)).toEqual(await outcome(agent));
  } finally {
    await copy.close();
  }
}

/** A hundred and more: `BULKHEAD_PROPERTY_RUNS=100 npx vitest run test/properties/replay.property.test.ts`. */
const recordings = runs(30);

it("P12: strict replays of recordings with random fan-outs and timings ask nobody, and come to the same", {
  timeout: 60_000 + recordings * 5_000,
}, async () => {
  const statistics = new Statistics();
  const property = fc.asyncProperty(anyStory(3), fc.nat(), async (story, seed) => {
    const agent = await recorded(story, seed);
    try {
      await statistics.count(agent);
      await replays(agent, story);
    } finally {
      await agent.close();
    }
  });
  await fc.assert(property, settings(recordings));
  if (recordings < 100) return;
  statistics.expectAll("fan-out", "subagent", "asked", "answered", "blocked", "dispatched", "fallback", "retry");
  statistics.expectAll("rate-limited", "failed", "compacted", "recalled", "written", "resumed", "in doubt");
});

/** A journal whose every answer takes its time. */
function slow(journal: Journal, seed: number): Journal {
  let state = seed >>> 0;
  return new Proxy(journal, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name === "id" || name === "keep" || name === "subscribe") return value.bind(target);
      return async (...args: unknown[]) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        // The machine's own clock: to wait is the harness's affair, and no node's.
        await systemClock.sleep(state >>> 30);
        return value.apply(target, args);
      };
    },
  });
}

/** Not one at a time: LangGraph 1.7.3 then ends a run after the first node of a superstep. */
const schedules = runs(3);

it("P5: verdicts and labels are the same for all schedules of one recording", {
  timeout: 60_000 + schedules * 15_000,
}, async () => {
  const statistics = new Statistics();
  const schedule = fc.record({ seed: fc.nat(), maxConcurrency: fc.integer({ min: 2, max: 8 }) });
  const several = fc.array(schedule, { minLength: 2, maxLength: 3 });
  const property = fc.asyncProperty(anyStory(3), fc.nat(), several, async (story, seed, all) => {
    const agent = await recorded(story, seed);
    try {
      await statistics.count(agent);
      for (const { seed, maxConcurrency } of all) {
        await replays(agent, story, { maxConcurrency, seenAs: (journal) => slow(journal, seed) });
      }
    } finally {
      await agent.close();
    }
  });
  await fc.assert(property, settings(schedules));
  statistics.expectAll("fan-out", "subagent");
});
