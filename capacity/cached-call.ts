// A model call through the cache: what may be read for it, what of its answer may be kept, and what its run is told.

import type { BaseMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import type { Seal } from "../trust/index.js";
import type { AnswerCache } from "./cache.js";
import { answerKey, type CallQuestion, keptOf, questionOf, resultOf, withIds } from "./kept-answer.js";
import type { ModelRoute } from "./route.js";
import type { CapacityEvent } from "./types.js";

/** Which earlier answers will do for a call, and which answers to it are kept. */
export interface CacheWish {
  /**
   * An answer that calls tools is kept only if all of them are named here. Default: none, because an answer from the
   * cache would have their effects once more. Structured output needs nothing.
   */
  readonly tools?: readonly string[] | "all";
  /** Whether an answer beyond its declared age will do while a new one is made in the background. Default `false`. */
  readonly staleWhileRevalidate?: boolean;
  /**
   * Whether the answer to a similar question will do, where the cache can find one. It must be of the same tenant, model
   * and parameters, with the same tools and the same messages before it; its fidelity is 1. Default `false`.
   */
  readonly similar?: boolean;
}

/** What {@link throughCache} takes. */
export interface CachedCall {
  readonly cache: AnswerCache;
  readonly seal: Seal;
  /** The id that the answer's message gets. */
  readonly messageId: string;
  readonly route: ModelRoute;
  readonly tenant: string;
  readonly messages: readonly BaseMessage[];
  /** As the route's model gets them. */
  readonly options: CallQuestion["options"];
  readonly wish: CacheWish;
  /** The tool whose call is the structured answer. */
  readonly answerTool: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly emit: (event: CapacityEvent) => Promise<void>;
  /** Makes the call. */
  readonly ask: () => Promise<ChatResult>;
  /** Makes it on behalf of nobody: no run hears of it, and no caller's signal ends it. */
  readonly askApart: (signal: AbortSignal) => Promise<ChatResult>;
}

/** What the caller wishes; none when the call is not cacheable. */
export const wishOf = (cacheable: boolean | CacheWish | undefined): CacheWish | undefined =>
  cacheable === true ? {} : cacheable || undefined;

/** An answer from the cache, or the call's own. @throws what the call throws; the signal's reason. */
export async function throughCache(call: CachedCall): Promise<ChatResult> {
  const { cache, seal, messageId, route, tenant, messages, options, wish, answerTool, signal, emit, ask, askApart } =
    call;
  const tools =
    wish.tools === "all" ? "all" : [...(wish.tools ?? []), ...(answerTool === undefined ? [] : [answerTool])];
  const asked: CallQuestion = { route, tenant, messages, options, tools };
  const key = answerKey(asked);
  const question = wish.similar ? questionOf(asked) : undefined;
  let own: ChatResult | undefined;
  const hit = await cache.read(key, {
    acceptStale: route.pool.forecast().state !== "open",
    ...(signal === undefined ? {} : { signal }),
    ...(question === undefined ? {} : { question: { ...question, fits: ({ toolCalls }) => toolCalls === 0 } }),
    ...(wish.staleWhileRevalidate
      ? { refresh: async (end: AbortSignal) => keptOf(await outsideOfRuns(() => askApart(end)), key, seal, tools) }
      : {}),
    produce: async () => {
      own = await ask();
      return keptOf(own, key, seal, tools);
    },
    tell: emit,
  });
  if (hit === undefined) return own as ChatResult;
  const { ageMs, fresh, similar } = question === undefined ? { ...hit, similar: undefined } : hit;
  const likeness = similar === undefined ? {} : { score: similar.score, matched: similar.key };
  await emit({ kind: "cache-hit", route: route.name, ageMs, fresh, ...likeness });
  return withIds(resultOf(hit, similar?.key ?? key, seal), messageId);
}

/** The surrounding run is over before this is: it is none of that run's. */
const outsideOfRuns = <Value>(work: () => Value): Value =>
  AsyncLocalStorageProviderSingleton.getInstance().run(undefined, work);
