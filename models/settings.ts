// The one place where environment variables are read: into settings that are checked whole, or not at all.

import type { BudgetLimits, CachePlace, CacheSettings, IncomingLimits, Patience, Quota } from "../capacity/index.js";
import { type Name, OPENAI_URL, ROWS, type Row, type Value } from "./environment.js";
import { type Fault, FaultError, parseFault } from "./offline/faults.js";
import { readSecrets, type SecretSettings } from "./secrets.js";

/** A variable, or a pair of them, cannot be used. The message names it and the fix; nothing was started. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly code = "SETTINGS";
}

/** An OpenAI-compatible endpoint, one model of it, and what may be asked of it. */
export interface RouteSettings {
  readonly model: string;
  readonly baseUrl: string;
  /** Unset: the endpoint wants none. */
  readonly apiKey?: string;
  readonly quota: Quota;
  /** Other names under which the endpoint may report the model; a `*` at the end stands for anything. */
  readonly aliases?: readonly string[];
  /** The longest prompt that it takes, in tokens. Unset: not known. */
  readonly contextTokens?: number;
  /** Whether it can call tools. Default `true`. */
  readonly tools?: boolean;
  /** Whether to ask for token log-probabilities. */
  readonly logprobs: boolean;
  /** Unset: 0, or none for models that are known to refuse it. `none`: it is not sent. */
  readonly temperature?: number | "none";
  /** Whether fields that no standard names go back to the server that sent them. Default `true`. */
  readonly returnFields?: boolean;
  /** How a tool's answer in parts is sent. Default `text`. */
  readonly toolContent?: "text" | "parts";
  /** For how many of the likeliest tokens at each place beside the chosen one, 1 to 20. Unset: for the chosen one only. */
  readonly topLogprobs?: number;
}

/** Everything the environment can configure, checked. */
export interface Settings {
  /** The configured provider. Unset: the offline provider answers. */
  readonly provider?: { readonly primary: RouteSettings; readonly fallback?: RouteSettings };
  /** The quotas to keep with the offline provider. Used only when `provider` is unset. */
  readonly offline: { readonly primary: Quota; readonly fallback: Quota };
  /** Redis that keeps the quotas for a fleet. Unset: this process has them for itself. May hold a password. */
  readonly fleet?: { readonly url: string; readonly processes: number };
  /** Model calls that may wait in this process. */
  readonly maxQueued: number;
  /** Longest queue of the primary before a fallback that is free answers, in ms. Unset: `maxWaitMs`. */
  readonly spillMs?: number;
  /** Whether runs wait for the primary, and how long. */
  readonly patience: Patience;
  /** Longest wait of one model call for capacity, in ms. */
  readonly maxWaitMs: number;
  /** Longest model call once it has left, in ms. */
  readonly callTimeoutMs: number;
  /** What the answers of models may be like. */
  readonly incoming: IncomingLimits;
  /** Where answers to cacheable calls are kept. Unset: nowhere. May hold a password. */
  readonly cache?: CacheSettings;
  /** `sqlite:PATH`, `postgres://…` or `memory:`. */
  readonly database: string;
  /** File with the key of the journal's seals. Unset: beside the database. */
  readonly keyFile?: string;
  /** Replaced by tags before anything is recorded. */
  readonly secrets: SecretSettings;
  /** Redis of the queue of runs. Unset: there is no queue. May hold a password. */
  readonly redis?: string;
  /** Name of the queue. Unset: `bulkhead`. */
  readonly queue?: string;
  /** What each run may use at most. Unset: not limited. */
  readonly budget?: BudgetLimits;
  /** The path of a price table. Unset: the built-in one, which knows the offline models only. */
  readonly prices?: string;
  /** `balanced`, `strict`, or the path of a policy file. */
  readonly policy: string;
  /** Folder of the records workspace. */
  readonly workspace: string;
  /** Faults of the offline provider. */
  readonly faults: readonly Fault[];
  /** Seed of the offline provider. */
  readonly seed: number;
  /** Whether spans hold what people and models wrote. Unset: they do not. */
  readonly traceContent?: boolean;
}

/**
 * Reads the environment. A variable that is set to nothing counts as unset.
 *
 * @throws {SettingsError} naming the variable and the fix.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const stated = (name: Name): string | undefined => env[name]?.trim() || undefined;
  const offline = stated("OPENAI_API_KEY") === undefined && stated("OPENAI_BASE_URL") === undefined;
  const read = <N extends Name>(name: N): Value<N> => {
    const row: Row = ROWS[name];
    const value = stated(name) ?? (offline ? (row.offline ?? row.default) : row.default);
    if (value === undefined) return undefined as Value<N>;
    const result = row.schema.safeParse(value);
    if (!result.success) throw new SettingsError(`${name} must be ${row.must}. Correct it, or unset it.`);
    return result.data as Value<N>;
  };
  const quota = (prefix: "BULKHEAD" | "BULKHEAD_FALLBACK"): Quota => {
    const tokensPerMinute = read(`${prefix}_TOKENS_PER_MINUTE`);
    return {
      requestsPerMinute: read(`${prefix}_REQUESTS_PER_MINUTE`),
      ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
      inFlight: read(`${prefix}_IN_FLIGHT`),
      headroom: read(`${prefix}_HEADROOM`),
      maxHeadroom: read(`${prefix}_MAX_HEADROOM`),
    };
  };
  const contextTokens = (name: "BULKHEAD_CONTEXT_TOKENS" | "BULKHEAD_FALLBACK_CONTEXT_TOKENS") => {
    const tokens = read(name);
    return tokens === undefined ? {} : { contextTokens: tokens };
  };
  const route = (
    prefix: "BULKHEAD" | "BULKHEAD_FALLBACK",
    model: string,
    baseUrl: string,
    apiKey: string | undefined,
    limits: Quota,
  ): RouteSettings => {
    const temperature = read(`${prefix}_TEMPERATURE`);
    const aliases = read(`${prefix}_MODEL_ALIASES`);
    return {
      model,
      baseUrl,
      ...(apiKey === undefined ? {} : { apiKey }),
      quota: limits,
      ...(read(`${prefix}_LOGPROBS`) ?? { logprobs: baseUrl === OPENAI_URL }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(aliases === undefined ? {} : { aliases }),
      ...(read(`${prefix}_RETURN_FIELDS`) ? {} : { returnFields: false }),
      ...(read(`${prefix}_TOOL_CONTENT`) === "text" ? {} : { toolContent: "parts" as const }),
    };
  };

  const primaryQuota = quota("BULKHEAD");
  const fallbackQuota = quota("BULKHEAD_FALLBACK");
  const quotas = read("BULKHEAD_QUOTA");
  const spillMs = read("BULKHEAD_SPILL_MS");
  const keyFile = read("BULKHEAD_KEY_FILE");
  const budget = read("BULKHEAD_BUDGET");
  const prices = read("BULKHEAD_PRICES");
  const redis = read("BULKHEAD_REDIS");
  const queue = read("BULKHEAD_QUEUE");
  const settings: Settings = {
    offline: { primary: primaryQuota, fallback: fallbackQuota },
    ...(quotas === "process" ? {} : { fleet: { url: quotas, processes: read("BULKHEAD_QUOTA_PROCESSES") } }),
    maxQueued: read("BULKHEAD_MAX_QUEUED"),
    ...(spillMs === undefined ? {} : { spillMs }),
    patience: { admission: read("BULKHEAD_ADMISSION"), patienceMs: read("BULKHEAD_PATIENCE") },
    maxWaitMs: read("BULKHEAD_MAX_WAIT_MS"),
    callTimeoutMs: read("BULKHEAD_CALL_TIMEOUT_MS"),
    incoming: {
      idleMs: read("BULKHEAD_STREAM_IDLE_MS"),
      maxBodyBytes: read("BULKHEAD_MAX_BODY_MB") * 2 ** 20,
      maxArgumentCharacters: read("BULKHEAD_MAX_ARGUMENTS_KB") * 1024,
      maxToolCalls: read("BULKHEAD_MAX_TOOL_CALLS"),
    },
    ...cacheOf(read, stated),
    database: read("BULKHEAD_DB"),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(redis === undefined ? {} : { redis }),
    ...(queue === undefined ? {} : { queue }),
    ...(budget === undefined ? {} : { budget }),
    ...(prices === undefined ? {} : { prices }),
    secrets: readSecrets(read("BULKHEAD_SECRETS"), read("BULKHEAD_SECRET_PATTERNS"), env, SettingsError),
    policy: read("BULKHEAD_POLICY"),
    workspace: read("BULKHEAD_WORKSPACE"),
    faults: readFaults(read("BULKHEAD_FAULTS")),
    seed: read("BULKHEAD_SEED"),
    ...(read("BULKHEAD_TRACE_CONTENT") ? { traceContent: true } : {}),
  };
  if (offline) {
    refuseStated(
      [
        "BULKHEAD_MODEL",
        "BULKHEAD_MODEL_ALIASES",
        "BULKHEAD_FALLBACK_MODEL",
        "BULKHEAD_FALLBACK_MODEL_ALIASES",
        "BULKHEAD_FALLBACK_BASE_URL",
        "BULKHEAD_FALLBACK_API_KEY",
      ],
      stated,
      "needs a provider: set OPENAI_API_KEY or OPENAI_BASE_URL, or unset it to use the offline provider",
    );
    return settings;
  }

  const key = read("OPENAI_API_KEY");
  const baseUrl = read("OPENAI_BASE_URL") ?? OPENAI_URL;
  const primary = {
    ...route("BULKHEAD", read("BULKHEAD_MODEL"), baseUrl, key, primaryQuota),
    ...contextTokens("BULKHEAD_CONTEXT_TOKENS"),
  };
  const fallbackModel = read("BULKHEAD_FALLBACK_MODEL");
  if (fallbackModel === undefined) {
    const names = (Object.keys(ROWS) as Name[]).filter((name) => name.startsWith("BULKHEAD_FALLBACK_"));
    refuseStated(names, stated, "needs BULKHEAD_FALLBACK_MODEL: set that too, or unset this");
    return { ...settings, provider: { primary } };
  }
  const fallbackUrl = read("BULKHEAD_FALLBACK_BASE_URL") ?? baseUrl;
  // A key belongs to its endpoint: it is never sent to another one.
  const fallbackKey = read("BULKHEAD_FALLBACK_API_KEY") ?? (fallbackUrl === baseUrl ? key : undefined);
  return {
    ...settings,
    provider: {
      primary,
      fallback: {
        ...route("BULKHEAD_FALLBACK", fallbackModel, fallbackUrl, fallbackKey, fallbackQuota),
        ...contextTokens("BULKHEAD_FALLBACK_CONTEXT_TOKENS"),
        ...(read("BULKHEAD_FALLBACK_TOOLS") ? {} : { tools: false }),
      },
    },
  };
}

function cacheOf(
  read: <N extends Name>(name: N) => Value<N>,
  stated: (name: Name) => string | undefined,
): { readonly cache?: CacheSettings } {
  const where = read("BULKHEAD_CACHE");
  if (where === "off") {
    const changed = (Object.entries(ROWS) as [Name, Row][]).filter(
      ([name, row]) => name.startsWith("BULKHEAD_CACHE_") && stated(name) !== row.default,
    );
    const names = changed.map(([name]) => name);
    refuseStated(names, stated, "needs BULKHEAD_CACHE: set that too, or unset this");
    return {};
  }
  const minScore = read("BULKHEAD_CACHE_SIMILAR");
  const ttlMs = read("BULKHEAD_CACHE_TTL");
  if (ttlMs < 1)
    throw new SettingsError("BULKHEAD_CACHE_TTL must be at least 1ms. Correct it, or set BULKHEAD_CACHE=off.");
  return {
    cache: {
      place: placeOf(where),
      ttlMs,
      staleMs: read("BULKHEAD_CACHE_STALE"),
      maxEntries: read("BULKHEAD_CACHE_ENTRIES"),
      ...(minScore === undefined ? {} : { minScore }),
    },
  };
}

function placeOf(where: string): CachePlace {
  if (where === "memory") return { kind: "memory" };
  if (where.startsWith("sqlite:")) return { kind: "sqlite", path: where.slice("sqlite:".length) };
  if (URL.canParse(where)) return { kind: "redis", url: where };
  throw new SettingsError(`BULKHEAD_CACHE must be ${ROWS.BULKHEAD_CACHE.must}. Correct it, or unset it.`);
}

const refuseStated = (names: readonly Name[], stated: (name: Name) => string | undefined, why: string): void => {
  const name = names.find((each) => stated(each) !== undefined);
  if (name !== undefined) throw new SettingsError(`${name} ${why}.`);
};

const readFaults = (specifications: string | undefined): readonly Fault[] => {
  try {
    return (specifications ?? "")
      .split(/[\s;]+/)
      .filter(Boolean)
      .map(parseFault);
  } catch (error) {
    if (error instanceof FaultError) throw new SettingsError(`BULKHEAD_FAULTS: ${error.message}`, { cause: error });
    throw error;
  }
};
