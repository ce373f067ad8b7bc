// Clock and chance for nodes, through the one door.

import type { RunnableConfig } from "@langchain/core/runnables";
import type { Clock } from "../capacity/index.js";
import { outside } from "./outside.js";

/** Milliseconds since the epoch. */
export const now = (config: RunnableConfig, clock: Clock): Promise<number> =>
  outside(config, {
    kind: "clock",
    asked: {},
    look: async () => clock.now(),
    tell: (at) => ({ kind: "clock", at }),
    read: ({ at }) => at,
  });

/** A number of at least 0 and less than 1. */
export const chance = (config: RunnableConfig): Promise<number> =>
  outside(config, {
    kind: "random",
    asked: {},
    look: async () => Math.random(),
    tell: (value) => ({ kind: "random", value }),
    read: ({ value }) => value,
  });
