// What an author says of a tool: its schema, its effect, where its results come from, and its functions.

import type { RunnableConfig } from "@langchain/core/runnables";
import type { z } from "zod";
import { type FloorSpecification, type Label, label } from "../trust/index.js";
import type { Preview, ProbeAnswer } from "./look.js";
import type { Permit } from "./permit.js";

/** `none` only reads; `idempotent` may be repeated under its key; `compensable` can be undone; `irreversible` cannot. */
export type Effect = "none" | "idempotent" | "compensable" | "irreversible";

/** Whether an effect has to pass the gate. */
export const isGated = (effect: Effect): boolean => effect === "compensable" || effect === "irreversible";

/** What a tool's function gets beside its arguments. */
export interface ToolContext {
  /** The same on every retry and resume of this call. Hand it to a provider that honours keys. */
  readonly idempotencyKey: string;
  /** Present exactly for compensable and irreversible tools. */
  readonly permit: Permit | undefined;
  readonly signal: AbortSignal;
  readonly config: RunnableConfig;
}

/** A tool's result that is less trustworthy than its source says, for example text from an anonymous form. */
export class LabelledResult {
  constructor(
    readonly value: unknown,
    readonly label: Label,
    readonly reason: string,
  ) {}
}

/** Returns `value` from a tool with a label of its own. The tool's declared source still applies: labels only fall. */
export const labelled = (value: unknown, ranks: Partial<Label>, reason: string): LabelledResult =>
  new LabelledResult(value, label(ranks), reason);

/** What {@link defineTool} takes. */
export interface ToolDefinition<Schema extends z.ZodObject> {
  /** Letters, digits, `_` and `-`; unique within a graph. */
  readonly name: string;
  /** For the model. */
  readonly description: string;
  readonly schema: Schema;
  /** Default `irreversible`: what is not declared harmless is not harmless. */
  readonly effect?: Effect;
  /** What the label must reach before it runs. Default: the policy's floor. */
  readonly floor?: FloorSpecification;
  /**
   * Whether `run` may be called again with the same `idempotencyKey` after a crash without repeating the effect.
   * Default `false`: an effect whose outcome was lost is then in doubt, and a person decides.
   */
  readonly honoursKey?: boolean;
  /**
   * The arguments that identify the effect: `["order_id", "charge_id"]`. A call with the same ones is the same action,
   * however its other arguments are worded, and is asked about before it is done again. Default: all arguments. They are
   * compared as the schema makes them.
   */
  readonly identity?: readonly (keyof z.output<Schema> & string)[];
  /**
   * Asks the provider whether the effect with this key happened, without doing anything. Called only when an effect
   * was sent and its outcome was lost, before it is declared in doubt; a tool that honours keys is sent again instead.
   * `failed` is final: answer it only when the effect did not happen and no longer can. Throwing means `unknown`.
   */
  probe?(key: string, args: z.output<Schema>, context: Pick<ToolContext, "signal">): ProbeAnswer | Promise<ProbeAnswer>;
  /**
   * Says what the action would change, without changing anything. Asked by the gate before every decision, and by `act`
   * right before dispatch. Throwing stops the call.
   */
  preview?(args: z.output<Schema>, context: Pick<ToolContext, "signal">): Preview | Promise<Preview>;
  /**
   * Takes a committed effect back. Run by `bulkhead effects compensate KEY` as an effect of its own: in the ledger, with
   * its own `idempotencyKey`, once. Returns its receipt.
   */
  compensate?(
    receipt: string,
    args: z.output<Schema>,
    context: Pick<ToolContext, "idempotencyKey" | "signal">,
  ): unknown;
  /**
   * Whether a thread that has seen one definition of this tool asks before it uses another one, and lowers the trust.
   * Default `false`; tools that come from elsewhere at run time (MCP) set it.
   */
  readonly pinned?: boolean;
  /** Where the tool comes from, as JSON, when its own code does not say it all. Part of the digest. */
  readonly origin?: Readonly<Record<string, unknown>>;
  /** The label of what it returns, given as the axes below nominal. Default `{ integrity: 0 }`: unlabelled is unknown. */
  readonly source?: Partial<Label>;
  /**
   * A result the planner reads: text, JSON, or {@link labelled}; cut at 1,000,000 characters. Throw to tell the planner
   * what went wrong. From a tool with an effect, throw `NotDoneError` when nothing happened: an error that does not prove
   * it (`docs/effects.md` says which do) leaves the effect in doubt. Do nothing that can fail after the effect.
   */
  run(args: z.output<Schema>, context: ToolContext): unknown;
}
