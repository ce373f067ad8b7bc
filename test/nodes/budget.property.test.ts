// Any story of an agent under any budget: it never makes more calls than it may in a run, and what was stopped replays as
// what it came to, without a budget and without a call.

import fc from "fast-check";
import { expect, test } from "vitest";
import { BudgetKeeper } from "../../nodes/index.js";
import { again, live, outcome, THREAD } from "../replay/drive.js";
import { anyStory } from "../replay/stories.js";
import { world } from "../replay/world.js";

/** So many stories; the seed is fast-check's, and printed when one fails. */
const RUNS = 10;

test("any story", { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(anyStory(3), fc.integer({ min: 1, max: 12 }), async (story, calls) => {
      const agent = await world(story.plan);
      const keeper = new BudgetKeeper(agent.journal, { limits: { calls } });
      const graph = agent.graph.withConfig({ callbacks: [keeper] }) as unknown as typeof agent.graph;
      await live({ ...agent, graph }, story);
      const events = await agent.journal.events({ thread: THREAD });
      const tasks = events.filter(({ event, scope }) => {
        return event.kind === "input" && event.as === "input" && scope.node === undefined;
      });
      const made = new Set(events.flatMap(({ event }) => (event.kind === "model.request" ? [event.call] : [])));
      expect(made.size).toBeLessThanOrEqual(calls * Math.max(1, tasks.length));
      const { replayed, copy } = await again(agent, story.plan);
      expect(replayed.divergence).toBeUndefined();
      expect(copy.provider.requests).toHaveLength(0);
      expect(await outcome(copy)).toEqual(await outcome(agent));
      await copy.close();
      await agent.close();
    }),
    { numRuns: RUNS },
  );
});
