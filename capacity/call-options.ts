// What a call of the guarded model may ask for beside what every chat model takes, and what of it the routes get.

import type {
  BaseChatModel,
  BaseChatModelCallOptions,
  BindToolsInput,
} from "@langchain/core/language_models/chat_models";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import type { CacheWish } from "./cached-call.js";
import type { Priority } from "./fair-queue.js";
import type { Admission } from "./types.js";

/** Call options beside those of every chat model and of the routes' own models. */
export interface GuardedCallOptions extends BaseChatModelCallOptions {
  /** For the routes' models: tools in OpenAI's format. Set by `bindTools`. */
  tools?: unknown[];
  /** Whether a fallback may answer. Default `any-route`. */
  admission?: Admission;
  /**
   * Milliseconds since the epoch: until then the primary is waited for. What would have gone to a fallback throws a
   * `CapacityWaitError`, unless the wait would last longer. Default: nobody waits.
   */
  primaryUntil?: number;
  /** Milliseconds since the epoch: after it an answer is of no use. Default: `configurable.deadline_at` of the run. */
  deadlineAt?: number;
  /** Whether somebody waits for the answer. Default: `configurable.priority` of the run, else `interactive`. */
  priority?: Priority;
  /**
   * Whether an earlier answer will do, and which. Default `false`: none. A cacheable call streams as one chunk, also where
   * there is no cache: whether there is one changes neither what is sent nor how a record of it replays.
   */
  cacheable?: boolean | CacheWish;
  /** Whose answer it is: equal calls of different tenants share nothing. Default: one tenant. */
  tenant?: string;
  /** The tool whose call is the structured answer and has no effect. Set by `withStructuredOutput`. */
  answerTool?: string;
}

/**
 * The options that the routes' models get: not ours, and no retries whatever anybody asks for. The gate ends their requests
 * when the caller's signal aborts; the client would leave a listener on that for every request there ever was.
 */
export function forRoute(options: Partial<GuardedCallOptions>): BaseChatModel["ParsedCallOptions"] {
  const { admission, primaryUntil, deadlineAt, cacheable, tenant, answerTool, priority, signal, ...theirs } = options;
  return { ...theirs, maxRetries: 0 } as BaseChatModel["ParsedCallOptions"];
}

export function toOpenAITool(tool: BindToolsInput): unknown {
  const known = "type" in tool && tool.type === "function" && "function" in tool;
  return known ? tool : convertToOpenAITool(tool as Parameters<typeof convertToOpenAITool>[0]);
}

/** The names of the tools that a call may call. */
export const toolNames = ({ tools = [] }: Pick<GuardedCallOptions, "tools">): readonly string[] =>
  tools.flatMap((tool) => {
    const name: unknown = (tool as { function?: { name?: unknown } } | null)?.function?.name;
    return typeof name === "string" ? [name] : [];
  });
