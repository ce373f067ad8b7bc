// Runs with a budget in a real graph, and what is to be true of each.

import { HumanMessage } from "@langchain/core/messages";
import { expect } from "vitest";
import type { BudgetLimits } from "../../capacity/index.js";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { BudgetKeeper } from "../../nodes/index.js";
import { again, call, outcome, THREAD } from "../replay/drive.js";
import type { Plan, World, WorldOptions } from "../replay/world.js";

export const go = () => ({ messages: [new HumanMessage("go")] });

/** One run, as a program makes it. */
export const run = (agent: World, limits: BudgetLimits, input: unknown = go(), id = "r1", calling?: "messages") =>
  call(agent, input, {
    run: id,
    ...(calling === undefined ? {} : { calling }),
    callbacks: [new BudgetKeeper(agent.journal, { limits })],
  });

export async function messagesOf({ graph }: World) {
  const { values } = await graph.getState({ configurable: { thread_id: THREAD } });
  return values.messages as { text: string; name?: string; status?: string }[];
}

export const eventsOf = async <Kind extends HarnessEvent["kind"]>({ journal }: World, kind: Kind) =>
  (await journal.events({ thread: THREAD })).flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<HarnessEvent, { kind: Kind }>] : [],
  );

/** The run ended, nothing was asked beyond the limit, and a replay comes to the same. */
export async function expectSame(agent: World, plan: Plan, options: WorldOptions = {}): Promise<void> {
  const { replayed, copy } = await again(agent, plan, options);
  expect(replayed.divergence).toBeUndefined();
  expect(copy.provider.requests).toHaveLength(0);
  expect(await outcome(copy)).toEqual(await outcome(agent));
  await copy.close();
}

export const LOOKS: Plan = { turns: [[["look", { id: "a" }]], [["look", { id: "b" }]], [["look", { id: "c" }]], []] };
