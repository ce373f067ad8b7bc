// What a tool may say without doing anything: what an action would change (`preview`), and what became of one (`probe`).

import type { RunnableConfig } from "@langchain/core/runnables";
import { z } from "zod";

const probeStatus = z.enum(["committed", "failed", "unknown"]);
/** What a probe may answer, checked. */
export const probeOutcome = z.object({ status: probeStatus, receipt: z.string().exactOptional() });

/** What a probe may answer. `unknown` is the honest answer whenever the provider cannot say for certain. */
export type ProbeAnswer = z.output<typeof probeStatus> | ProbeOutcome;

/** A probe's answer in its long form. `receipt` is text for the planner. */
export type ProbeOutcome = z.output<typeof probeOutcome>;

/** What a preview may answer, checked. */
export const previewed = z.object({ shows: z.string(), preconditions: z.unknown().optional() });

/** What would change, for the person who decides, and what must still be true when it does. */
export interface Preview {
  /** Text, best as a diff: `balance 49.00 → 0.00`. */
  readonly shows: string;
  /**
   * JSON that names the state the decision rests on: an ETag, a balance, a head commit. It is asked for again right
   * before the action; anything else than the same value stops it.
   */
  readonly preconditions?: unknown;
}

/** What a look at the world needs. `config`: of the node that asks, so that the answer is recorded. */
export interface Looking {
  readonly signal: AbortSignal;
  readonly config?: RunnableConfig;
}
