// A chat model that any LangChain or LangGraph code can use as it is, and that is always served as well as it can be:
// queued, retried once and in one place, cached, or answered by a fallback that says so in the message.

import { randomBytes, randomUUID } from "node:crypto";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import { BaseChatModel, type BindToolsInput } from "@langchain/core/language_models/chat_models";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import { AIMessageChunk, type BaseMessage } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { hmacSeal, type Seal } from "../trust/index.js";
import { announced, announcer, runDeadline, runKey, runPriority, surrounding } from "./announce.js";
import { type AnswerFacts, judgeResult } from "./answer.js";
import { type Booking, bookCall, budgetIn } from "./budget-call.js";
import type { AnswerCache } from "./cache.js";
import { throughCache, wishOf } from "./cached-call.js";
import type { CallInProgress } from "./call.js";
import { forRoute, type GuardedCallOptions, toOpenAITool, toolNames } from "./call-options.js";
import { eventsOf } from "./chat-events.js";
import { type Clock, type Random, systemClock } from "./clock.js";
import { nextMessageId } from "./ids.js";
import { recordedResult } from "./kept-answer.js";
import { aliasOf, OBTAINED_KEY } from "./obtained.js";
import { withServerIds } from "./provider-fields.js";
import type { ModelRoute } from "./route.js";
import { type Served, type ServeOptions, serve } from "./serve.js";
import { streamFrom } from "./streaming.js";
import { answerTool, type StructuredSchema, structuredOutput } from "./structured-output.js";
import type { CapacityResource, Obtained, Patience } from "./types.js";
import { attendanceOf, handlersOf } from "./witness.js";

/** What a {@link GuardedChatModel} takes. */
export interface GuardedChatModelOptions {
  /** In order of preference. The first is the pinned primary; an answer of any other is a fallback. */
  readonly routes: readonly [ModelRoute, ...ModelRoute[]];
  /** Where answers to `cacheable` calls are kept. Default: nowhere. */
  readonly cache?: AnswerCache;
  /**
   * Signs what goes into the cache; an answer without its seal is at the bottom. Default: a random key, with which only
   * this object's own answers are believed. A cache that several models or processes share needs the journal's.
   */
  readonly seal?: Seal;
  /** How long a call may sit out pauses of a route before it falls back or fails, in milliseconds. Default 60 000. */
  readonly maxWaitMs?: number;
  /**
   * When the primary's queue is longer than so many milliseconds, a fallback with a quota of its own that is free sooner
   * answers, marked as one. Default: `maxWaitMs`.
   */
  readonly spillMs?: number;
  /** What the guards of a graph with this model do where they are not told otherwise. */
  readonly patience?: Patience;
  /** Attempts on one route that may fail otherwise than by rate. Default 3, minimum 1. */
  readonly maxAttempts?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The guarded model. `response_metadata.bulkhead` of each answer is its {@link Obtained}. */
export class GuardedChatModel extends BaseChatModel<GuardedCallOptions> {
  /** What guard nodes ask before they let a step begin. */
  readonly capacity: CapacityResource;
  readonly routes: readonly [ModelRoute, ...ModelRoute[]];

  readonly #cache: AnswerCache | undefined;
  readonly #seal: Seal;
  readonly #limits: Pick<ServeOptions, "maxWaitMs" | "maxAttempts" | "spillMs" | "clock" | "random">;

  constructor(options: GuardedChatModelOptions) {
    super({});
    const { routes, cache, maxWaitMs = 60_000, maxAttempts = 3, clock = systemClock, random = Math.random } = options;
    const { spillMs, patience } = options;
    if (!(maxWaitMs >= 0)) throw new RangeError(`maxWaitMs is ${maxWaitMs} and must be at least 0`);
    if (!(maxAttempts >= 1)) throw new RangeError(`maxAttempts is ${maxAttempts} and must be at least 1`);
    this.routes = routes;
    this.capacity = { ...patience, name: routes[0].name, forecast: () => routes.map(({ pool }) => pool.forecast()) };
    this.#cache = cache;
    this.#seal = options.seal ?? hmacSeal(randomBytes(32));
    this.#limits = { maxWaitMs, maxAttempts, spillMs, clock, random };
  }

  override _llmType(): string {
    return "bulkhead";
  }

  /** The primary's parameters, for traces. */
  override invocationParams(options?: this["ParsedCallOptions"]): ReturnType<BaseChatModel["invocationParams"]> {
    return this.#primary.model.invocationParams(forRoute(options ?? {}));
  }

  /** What the primary can do. Agents choose by it, for example how to ask for structured output. */
  override get profile(): BaseChatModel["profile"] {
    return this.#primary.model.profile;
  }

  override getLsParams(options: this["ParsedCallOptions"]): ReturnType<BaseChatModel["getLsParams"]> {
    return { ...super.getLsParams(options), ls_provider: this.#primary.provider, ls_model_name: this.#primary.name };
  }

  override bindTools(
    tools: BindToolsInput[],
    options: Partial<GuardedCallOptions> = {},
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, GuardedCallOptions> {
    return this.withConfig({ ...options, tools: tools.map(toOpenAITool) });
  }

  /** By a forced tool call, whatever `method` is asked for. With `includeRaw` the message comes along. */
  override withStructuredOutput<Output extends Record<string, unknown> = Record<string, unknown>>(
    schema: StructuredSchema<Output>,
    config?: StructuredOutputMethodOptions<false>,
  ): Runnable<BaseLanguageModelInput, Output>;
  override withStructuredOutput<Output extends Record<string, unknown> = Record<string, unknown>>(
    schema: StructuredSchema<Output>,
    config?: StructuredOutputMethodOptions<true>,
  ): Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: Output }>;
  override withStructuredOutput<Output extends Record<string, unknown>>(
    schema: StructuredSchema<Output>,
    config?: StructuredOutputMethodOptions<boolean>,
  ): unknown {
    const tool = answerTool(schema, config?.name);
    const choice = { type: "function", function: { name: tool.function.name } };
    const model = this.withConfig({ tools: [tool], tool_choice: choice, answerTool: tool.function.name });
    return structuredOutput(model, schema, tool, config?.includeRaw);
  }

  override async _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    const cache = this.#cache;
    const messageId = nextMessageId(messages, runManager?.runId);
    const wish = wishOf(options.cacheable);
    if (wish === undefined) return this.#ask(messages, options, runManager, messageId);
    const { standIn, call } = attendanceOf(runManager, surrounding()?.callbacks, randomUUID);
    const recorded = await standIn?.cached(call);
    if (recorded !== undefined) return recordedResult(recorded);
    if (cache === undefined || standIn !== undefined) {
      return this.#ask(messages, options, runManager, messageId);
    }
    const { deadlineAt, ...apart } = options;
    return throughCache({
      cache,
      seal: this.#seal,
      messageId,
      route: this.#primary,
      tenant: options.tenant ?? "",
      messages,
      options: forRoute(options),
      wish,
      answerTool: options.answerTool,
      signal: options.signal,
      emit: announcer(runManager),
      ask: () => this.#ask(messages, options, runManager, messageId),
      askApart: (signal) => this.#ask(messages, { ...apart, signal }, undefined, messageId),
    });
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    if (wishOf(options.cacheable) !== undefined) {
      const { generations } = await this._generate(messages, options, runManager);
      for (const { text, message, generationInfo = {} } of generations) {
        yield await announced(
          new ChatGenerationChunk({ text, generationInfo, message: new AIMessageChunk({ ...message }) }),
          runManager,
        );
      }
      return;
    }
    const plan = this.#plan(messages, options, runManager, nextMessageId(messages, runManager?.runId));
    const stream = streamFrom(plan, toolNames(options), (route) =>
      // Without the run manager: its handlers are told of what is handed out, not of what comes in.
      route.model._streamResponseChunks(withServerIds(messages, route), forRoute(options)),
    );
    try {
      let next = await stream.next();
      for (; !next.done; next = await stream.next()) yield await announced(next.value, runManager);
      const { served, facts, last } = next.value;
      await plan.booking?.answered(served.route.name, facts.usage);
      addObtained(last.message, this.#obtained(plan.call, served, facts));
      yield await announced(last, runManager);
    } finally {
      await stream.return(undefined as never); // The consumer may have walked away.
      plan.booking?.end(plan.call.requests);
    }
  }

  override async *_streamChatModelEvents(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatModelStreamEvent> {
    yield* eventsOf(this._streamResponseChunks(messages, options, runManager), options.signal);
  }

  get #primary(): ModelRoute {
    return this.routes[0];
  }

  async #ask(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager: CallbackManagerForLLMRun | undefined,
    messageId: string,
  ): Promise<ChatResult> {
    const plan = this.#plan(messages, options, runManager, messageId);
    const tools = toolNames(options);
    try {
      const served = await serve(plan, async (route) =>
        judgeResult(await route.model._generate(withServerIds(messages, route), forRoute(options)), {
          messageId: plan.call.messageId,
          limits: route.pool.incoming,
          tools,
        }),
      );
      const { result, facts } = served.value;
      await plan.booking?.answered(served.route.name, facts.usage);
      const obtained = this.#obtained(plan.call, served, facts);
      for (const { message } of result.generations) addObtained(message, obtained);
      return result;
    } finally {
      plan.booking?.end(plan.call.requests);
    }
  }

  #plan(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager: CallbackManagerForLLMRun | undefined,
    messageId: string,
  ): ServeOptions & { readonly booking: Booking | undefined } {
    const emit = announcer(runManager);
    options.signal?.throwIfAborted();
    const callbacks = surrounding()?.callbacks;
    const { call: id, witness, standIn } = attendanceOf(runManager, callbacks, randomUUID);
    // What is answered from a record was paid for when it was recorded, or refused then.
    const budget = standIn ? undefined : budgetIn(runManager?.handlers ?? handlersOf(callbacks), runKey());
    const { clock } = this.#limits;
    const booking = budget && bookCall({ id, budget, routes: this.routes, messages, options, clock, emit });
    const signal = booking === undefined ? options.signal : booking.signal;
    const call: CallInProgress = {
      id,
      messageId,
      witness,
      runKey: runKey(),
      priority: options.priority ?? runPriority(),
      signal,
      deadlineAt: options.deadlineAt ?? runDeadline(),
      onWait: ({ waitMs, reason }) => {
        // LangChain reports what a handler throws; a call in the queue must not fail for it.
        emit({ kind: "queued", route: call.route, waitMs: Math.round(waitMs), reason }).catch(() => {});
      },
      route: this.#primary.name,
      provider: this.#primary.provider,
      pauseLeftMs: this.#limits.maxWaitMs,
      queueMs: 0,
      requests: 0,
      rateLimited: 0,
      last: {},
    };
    const { admission = "any-route", primaryUntil } = options;
    const characters = messages.reduce((sum, { text }) => sum + text.length, 0);
    const needs = { tools: (options.tools?.length ?? 0) > 0, tokens: Math.ceil(characters / 4) };
    return { routes: this.routes, admission, primaryUntil, needs, ...this.#limits, call, emit, standIn, booking };
  }

  #obtained(call: CallInProgress, served: Served<unknown>, facts: AnswerFacts): Obtained {
    const { route, fallbackReason, unclearAttempts } = served;
    const alias = "alias" in served ? served.alias : aliasOf(route, facts.returnedModel);
    route.pool.correctTokens(call.last.charged, facts.usage);
    const { headers } = call.last;
    const requestId = headers?.["x-request-id"];
    return {
      provider: route.provider,
      offline: route.offline,
      route: route.name,
      primary: this.#primary.name,
      attempts: call.requests,
      rateLimited: call.rateLimited,
      unclearAttempts,
      queueMs: Math.round(call.queueMs),
      ...(fallbackReason === undefined ? {} : { fallbackReason }),
      ...(alias === undefined ? {} : { alias }),
      ...(headers === undefined ? {} : { headers }),
      ...(requestId === undefined ? {} : { requestId }),
      ...facts,
    };
  }
}

function addObtained(message: BaseMessage, obtained: Obtained): void {
  message.response_metadata = { ...message.response_metadata, [OBTAINED_KEY]: obtained };
}
