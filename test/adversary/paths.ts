// A table of ways in which somebody tries to turn one approved refund into another one. Whatever the way, the other
// refund is never made, the approved one at most once, and the record shows the attempt.

import { describe, expect, test } from "vitest";
import { World, type WorldOptions } from "./refund.js";

/** One way. */
export interface Path {
  readonly path: string;
  /** What the adversary does with a fresh world. A run that throws is theirs to catch. */
  readonly attack: (world: World) => Promise<unknown>;
  /** The event that shows the attempt, recorded after the person was asked (or after `world.watch()`). */
  readonly event: Readonly<Record<string, unknown>>;
  /** Where the event is, when not in `t1`. */
  readonly thread?: string;
  /** How often the refund that a person approved is made in the end. Default 0. */
  readonly approved?: 0 | 1;
  readonly world?: WorldOptions;
}

/** Registers one test for each path. */
export function attackTable(title: string, paths: readonly Path[]): void {
  describe(title, () => {
    test.each(paths)("$path", async ({ attack, event, approved = 0, thread, world: options }) => {
      const world = new World(options);
      await attack(world);
      expect(world.providers.count).toEqual({ approved, changed: 0 });
      expect(await world.attempts(thread)).toContainEqual(expect.objectContaining(event));
      await world.journal.close();
    });
  });
}

/** `act` found that what was cleared is not what it is given. */
export const refusedByAct = (why: string) => ({
  kind: "tool.response",
  ok: false,
  error: expect.stringContaining(why) as string,
});

/** The gate asks a person anew: about other arguments, another tool, under another policy. */
export const askedAnew = { kind: "approval.requested", tool: "refund" };

/** The answer of a person who approves. */
export const approve = (id: string) => ({ decisions: [{ id, decision: "approve" }] });
