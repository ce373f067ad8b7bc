// The contract between the offline provider's two halves: the server, which speaks the OpenAI protocol, and the
// brain, which decides what to answer. The brain is a pure function: the same request gives the same answer.

import type { Quota } from "../../capacity/index.js";

/** The models the offline provider serves, the stronger one first. */
export const OFFLINE_MODELS = ["offline-large", "offline-small"] as const;

/** A model of the offline provider. `offline-small` is honestly weaker: it takes the first name that matches. */
export type OfflineModel = (typeof OFFLINE_MODELS)[number];

/** What each offline model allows unless told otherwise: generous, and enforced. */
export const OFFLINE_QUOTA: Quota = { requestsPerMinute: 1_200, tokensPerMinute: 600_000, inFlight: 32 };

/** A tool call as it stands in the history. `arguments` is JSON text, as the protocol has it. */
export interface BrainToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** A message of the conversation, its content flattened to text. */
export interface BrainMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly tool_calls?: readonly BrainToolCall[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

/** A bound tool: what the model may call. */
export interface BrainTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Everything the brain may look at. */
export interface BrainRequest {
  readonly model: OfflineModel;
  readonly messages: readonly BrainMessage[];
  readonly tools: readonly BrainTool[];
  /** The protocol's `response_format`, when the caller asked for JSON. */
  readonly response_format?: Readonly<Record<string, unknown>>;
}

/** Text, tool calls, or both. The calls of one answer may run in parallel. */
export interface BrainAnswer {
  readonly content: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
}

/** Decides what to answer. Pure: no clock, no chance, no state. */
export type Brain = (request: BrainRequest) => BrainAnswer;
