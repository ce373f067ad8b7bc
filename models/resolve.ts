// Decides which model answers, and says so. There is one code path: `ChatOpenAI` over HTTP through a quota pool, to
// the configured provider or, with none configured, to the offline provider on loopback.

import { createHash } from "node:crypto";
import type { ChatOpenAIFields } from "@langchain/openai";
import {
  type AnswerCache,
  type Clock,
  GuardedChatModel,
  type ModelRoute,
  onOneServer,
  QuotaPool,
  type Random,
} from "../capacity/index.js";
import type { Seal } from "../trust/index.js";
import { openAnswerCache } from "./answer-cache.js";
import { compatibleModel } from "./compatible-model.js";
import { MiniLmEmbeddings } from "./embeddings.js";
import { OPENAI_URL } from "./environment.js";
import { OFFLINE_MODELS, OfflineProvider } from "./offline/index.js";
import { type RouteSettings, type Settings, SettingsError } from "./settings.js";

/** The offline provider's address inside the process. It never reaches the network: the fetch replaces the host. */
const OFFLINE_URL = "http://offline/v1";

/** The longest timer that Node has. Time limits are the pool's: an SDK timer would run while a call is queued. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** What some endpoints without keys still want in the header. */
const NO_KEY = "no-key";

/** Which model answers, for the first line of a run, the trace and the report. */
export interface ModelDescription {
  /** `openai`, `offline`, or the host of the base URL. */
  readonly provider: string;
  readonly model: string;
  readonly fallback?: string;
  readonly offline: boolean;
  /** Unset for the offline provider. */
  readonly baseUrl?: string;
  /** `model: gpt-4.1 at api.openai.com, fallback none` */
  readonly sentence: string;
}

/** A model that is ready to be called, and what it is. */
export interface ResolvedModel {
  readonly model: GuardedChatModel;
  readonly description: ModelDescription;
  /** The embedded provider, when it answers. */
  readonly offline?: OfflineProvider;
  /** An authorised GET below the primary's base URL, outside of the quota: for {@link probeModel}. */
  get(path: string, signal: AbortSignal): Promise<Response>;
  /** Stops what was started here. Nothing here keeps a process alive, so a program that ends need not call it. */
  close(): Promise<void>;
}

/** What {@link resolveModel} can be given from outside. */
export interface ResolveOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Where answers to `cacheable` calls are kept. Default: where the settings say. `false`: nowhere. */
  readonly cache?: AnswerCache | false;
  /** Signs what goes into the cache. Default: a random key for this model; the journal's for a cache that is shared. */
  readonly seal?: Seal;
  /** Spreads retries. Default: the capacity layer's. */
  readonly random?: Random;
  /** An offline provider to use instead of a new one. It keeps its own faults and seed, and stays the caller's to close. */
  readonly provider?: OfflineProvider;
}

/**
 * Resolves the settings to a model. Starts nothing: the offline provider listens from the first call on.
 *
 * @throws {SettingsError} for faults with a configured provider, and for a cache that is shared without a `seal`.
 */
export function resolveModel(settings: Settings, options: ResolveOptions = {}): ResolvedModel {
  const opened =
    options.cache === undefined && settings.cache !== undefined ? openAnswerCache(settings.cache, options) : undefined;
  const given = opened === undefined ? options : { ...options, cache: opened };
  const resolved =
    settings.provider === undefined
      ? resolveOffline(settings, given)
      : resolveConfigured(settings, settings.provider, given);
  return {
    ...resolved,
    close: async () => {
      await opened?.close();
      for (const { pool } of resolved.model.routes) await pool.close();
      await resolved.close();
    },
  };
}

function resolveConfigured(
  settings: Settings,
  { primary, fallback }: NonNullable<Settings["provider"]>,
  options: ResolveOptions,
): ResolvedModel {
  if (settings.faults.length > 0) {
    throw new SettingsError(
      "--fault works with the offline provider only; unset OPENAI_API_KEY / OPENAI_BASE_URL, " +
        "or leave out --fault and BULKHEAD_FAULTS.",
    );
  }
  const route = (of: RouteSettings): ModelRoute => routeTo(of, providerName(of.baseUrl), fetch, settings, options);
  const host = new URL(primary.baseUrl).host;
  const fallbackHost = fallback && new URL(fallback.baseUrl).host;
  const elsewhere = fallbackHost === undefined || fallbackHost === host ? "" : ` at ${fallbackHost}`;
  return {
    model: guard([route(primary), ...(fallback === undefined ? [] : [route(fallback)])], settings, options),
    description: {
      provider: providerName(primary.baseUrl),
      model: primary.model,
      ...(fallback === undefined ? {} : { fallback: fallback.model }),
      offline: false,
      baseUrl: primary.baseUrl,
      sentence: `model: ${primary.model} at ${host}, fallback ${fallback?.model ?? "none"}${elsewhere}`,
    },
    get: (path, signal) =>
      onOneServer(fetch)(`${primary.baseUrl}${path}`, {
        signal,
        headers: { authorization: `Bearer ${primary.apiKey ?? NO_KEY}` },
      }),
    close: async () => {},
  };
}

function resolveOffline(settings: Settings, options: ResolveOptions): ResolvedModel {
  const embeddings = new MiniLmEmbeddings();
  const provider =
    options.provider ??
    new OfflineProvider({
      faults: settings.faults,
      seed: settings.seed,
      embed: (texts) => embeddings.embedDocuments([...texts]),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
  const toProvider: typeof fetch = async (input, init) => {
    const { origin } = new URL(await provider.listen());
    // The OpenAI client passes the address as text; anything else fails here as an invalid URL.
    const { pathname, search } = new URL(String(input));
    return fetch(`${origin}${pathname}${search}`, init);
  };
  const route = (model: string, quota: RouteSettings["quota"]): ModelRoute =>
    routeTo({ model, baseUrl: OFFLINE_URL, quota, logprobs: true }, "offline", toProvider, settings, options);
  const [large, small] = OFFLINE_MODELS;
  return {
    model: guard([route(large, settings.offline.primary), route(small, settings.offline.fallback)], settings, options),
    description: {
      provider: "offline",
      model: large,
      fallback: small,
      offline: true,
      sentence:
        `model: ${large}, a deterministic rule-based stand-in for this workspace, not a language model ` +
        "(set OPENAI_API_KEY or OPENAI_BASE_URL for a real one)",
    },
    offline: provider,
    get: (path, signal) => toProvider(`${OFFLINE_URL}${path}`, { signal }),
    close: async () => {
      await embeddings.close();
      if (options.provider === undefined) await provider.close();
    },
  };
}

/** One model behind its own quota. */
function routeTo(
  {
    model,
    baseUrl,
    apiKey,
    quota,
    logprobs,
    topLogprobs,
    temperature,
    returnFields,
    toolContent,
    ...can
  }: RouteSettings,
  provider: string,
  inner: typeof fetch,
  { callTimeoutMs, incoming, maxQueued, fleet }: Settings,
  time: Pick<ResolveOptions, "clock" | "random">,
): ModelRoute {
  // Who else has the same key at the same place shares its quota; the key itself is nobody's business.
  const account = apiKey === undefined ? "" : `/${createHash("sha256").update(apiKey).digest("hex").slice(0, 12)}`;
  const shared = fleet && { ...fleet, name: `${new URL(baseUrl).host}${account}/${model}` };
  const pool = new QuotaPool({
    ...{ name: model, quota, callTimeoutMs, incoming, highWater: maxQueued, ...timeOf(time) },
    ...(shared === undefined ? {} : { fleet: shared }),
  });
  const sampling = choosesItsOwnSampling(model) ? {} : { temperature: 0, logprobs };
  const chat = compatibleModel(
    {
      model,
      apiKey: apiKey ?? NO_KEY,
      maxRetries: 0,
      timeout: NO_TIMEOUT_MS,
      ...sampling,
      ...(temperature === undefined ? {} : { temperature: temperature === "none" ? undefined : temperature }),
      ...(topLogprobs === undefined ? {} : { topLogprobs }),
      // The client's log goes to the console; its errors reach the caller anyway.
      configuration: { baseURL: baseUrl, fetch: pool.gate(inner), logLevel: "off" },
    } as ChatOpenAIFields,
    { route: { name: model, provider }, returnFields: returnFields ?? true, toolContent: toolContent ?? "text" },
  );
  return { name: model, provider, offline: provider === "offline", model: chat, pool, ...can };
}

const guard = (
  routes: readonly [ModelRoute, ...ModelRoute[]],
  { maxWaitMs, spillMs, patience }: Settings,
  { cache, seal, ...time }: ResolveOptions,
): GuardedChatModel =>
  new GuardedChatModel({
    routes,
    ...{ maxWaitMs, patience },
    ...(spillMs === undefined ? {} : { spillMs }),
    ...(cache === undefined || cache === false ? {} : { cache }),
    ...(seal === undefined ? {} : { seal }),
    ...timeOf(time),
  });

const timeOf = ({ clock, random }: Pick<ResolveOptions, "clock" | "random">) => ({
  ...(clock === undefined ? {} : { clock }),
  ...(random === undefined ? {} : { random }),
});

const providerName = (baseUrl: string): string => (baseUrl === OPENAI_URL ? "openai" : new URL(baseUrl).host);

/** OpenAI's reasoning models refuse `temperature` and `logprobs`, whatever prefix a gateway has for them. */
const choosesItsOwnSampling = (model: string): boolean => /(?:^|[/:])(?:o\d|gpt-[5-9](?!\S*-chat))/i.test(model);
