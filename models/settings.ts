// The one place where environment variables are read. Each variable is one row: its name, its check, its default and
// what it is for; the settings and the documentation are both made from the rows, so they cannot drift apart.

import { z } from "zod";
import type { Quota } from "../capacity/index.js";
import { type Fault, FaultError, OFFLINE_QUOTA, parseFault } from "./offline/index.js";

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
  /** Whether to ask for token log-probabilities. */
  readonly logprobs: boolean;
}

/** Everything the environment can configure, checked. */
export interface Settings {
  /** The configured provider. Unset: the offline provider answers. */
  readonly provider?: { readonly primary: RouteSettings; readonly fallback?: RouteSettings };
  /** The quotas to keep with the offline provider. Used only when `provider` is unset. */
  readonly offline: { readonly primary: Quota; readonly fallback: Quota };
  /** Longest wait of one model call for capacity, in ms. */
  readonly maxWaitMs: number;
  /** Longest model call once it has left, in ms. */
  readonly callTimeoutMs: number;
  /** `sqlite:PATH`, `postgres://…` or `memory:`. */
  readonly database: string;
  /** File with the key of the journal's seals. Unset: beside the database. */
  readonly keyFile?: string;
  /** `balanced`, `strict`, or the path of a policy file. */
  readonly policy: string;
  /** Folder of the records workspace. */
  readonly workspace: string;
  /** Faults of the offline provider. */
  readonly faults: readonly Fault[];
  /** Seed of the offline provider. */
  readonly seed: number;
}

/** Where OpenAI itself answers. */
export const OPENAI_URL = "https://api.openai.com/v1";

interface Row {
  readonly schema: z.ZodType;
  /** Completes "NAME must be …". Values are never repeated: they may be secrets. */
  readonly must: string;
  readonly description: string;
  /** Unset: none. */
  readonly default?: string;
  /** The default while the offline provider answers, where it differs. */
  readonly offline?: string;
}

const text = { schema: z.string(), must: "text" };
const url = {
  schema: z.url({ protocol: /^https?$/ }).transform((address) => address.replace(/\/+$/, "")),
  must: "an http:// or https:// address such as http://localhost:11434/v1",
};
const count = { schema: z.coerce.number().int().min(1).max(1e9), must: "a whole number, 1 or more" };
const milliseconds = { schema: z.coerce.number().int().min(1).max(86_400_000), must: "milliseconds, 1 to 86400000" };
const share = { schema: z.coerce.number().gt(0).max(1), must: "a number above 0, up to 1" };

const offlineDefault = {
  requests: String(OFFLINE_QUOTA.requestsPerMinute),
  tokens: String(OFFLINE_QUOTA.tokensPerMinute),
  inFlight: String(OFFLINE_QUOTA.inFlight),
};

const ROWS = {
  OPENAI_API_KEY: {
    ...text,
    description: "Key of the provider. Without it and without `OPENAI_BASE_URL` the offline provider answers.",
  },
  OPENAI_BASE_URL: {
    ...url,
    description: `OpenAI-compatible endpoint: a gateway, Ollama, vLLM, llama.cpp. With a key alone: \`${OPENAI_URL}\`.`,
  },
  BULKHEAD_MODEL: { ...text, default: "gpt-4.1", description: "The pinned primary model of the provider." },
  BULKHEAD_REQUESTS_PER_MINUTE: {
    ...count,
    default: "500",
    offline: offlineDefault.requests,
    description: "Requests a minute that the provider allows for the model.",
  },
  BULKHEAD_TOKENS_PER_MINUTE: {
    ...count,
    offline: offlineDefault.tokens,
    description: "Tokens a minute that the provider allows for the model. Unset: not limited.",
  },
  BULKHEAD_IN_FLIGHT: {
    ...count,
    default: "16",
    offline: offlineDefault.inFlight,
    description: "Requests to the model at once.",
  },
  BULKHEAD_HEADROOM: { ...share, default: "0.8", description: "The share of the two rates that is used." },
  BULKHEAD_FALLBACK_MODEL: {
    ...text,
    description: "Answers, marked, when the primary cannot. Unset: no fallback (the offline provider always has one).",
  },
  BULKHEAD_FALLBACK_BASE_URL: { ...url, description: "Endpoint of the fallback. Unset: that of the primary." },
  BULKHEAD_FALLBACK_API_KEY: {
    ...text,
    description: "Key of the fallback. Unset: that of the primary if the endpoint is the same, else none.",
  },
  BULKHEAD_FALLBACK_REQUESTS_PER_MINUTE: {
    ...count,
    default: "500",
    offline: offlineDefault.requests,
    description: "Requests a minute that the provider allows for the fallback.",
  },
  BULKHEAD_FALLBACK_TOKENS_PER_MINUTE: {
    ...count,
    offline: offlineDefault.tokens,
    description: "Tokens a minute that the provider allows for the fallback. Unset: not limited.",
  },
  BULKHEAD_FALLBACK_IN_FLIGHT: {
    ...count,
    default: "16",
    offline: offlineDefault.inFlight,
    description: "Requests to the fallback at once.",
  },
  BULKHEAD_FALLBACK_HEADROOM: {
    ...share,
    default: "0.8",
    description: "The share of the fallback's rates that is used.",
  },
  BULKHEAD_MAX_WAIT_MS: {
    ...milliseconds,
    default: "60000",
    description: "Longest wait of a model call for capacity.",
  },
  BULKHEAD_CALL_TIMEOUT_MS: {
    ...milliseconds,
    default: "60000",
    offline: "10000",
    description: "Longest model call, from leaving the queue to its last byte.",
  },
  BULKHEAD_LOGPROBS: {
    schema: z.enum(["on", "off"]).transform((value) => value === "on"),
    must: "on or off",
    description: "Whether to ask for token log-probabilities. Unset: on for OpenAI's own endpoint, off for others.",
  },
  BULKHEAD_DB: {
    schema: z.string().regex(/^(sqlite:.+|postgres(ql)?:\/\/.+|memory:)$/),
    must: "sqlite:PATH, postgres://… or memory:",
    default: "sqlite:.bulkhead/bulkhead.db",
    description: "Database of checkpoints and recordings.",
  },
  BULKHEAD_POLICY: {
    ...text,
    default: "balanced",
    description: "What the gate lets pass: `balanced`, `strict`, or the path of a .json or .yaml file (policies.md).",
  },
  BULKHEAD_KEY_FILE: {
    ...text,
    description:
      "File with the key that signs approvals, labels and memories; made at first use. Unset: the SQLite file with `.key` appended, `.bulkhead/journal.key` for Postgres.",
  },
  BULKHEAD_WORKSPACE: { ...text, default: "workspace", description: "Folder of the customer-records workspace." },
  BULKHEAD_FAULTS: {
    ...text,
    description: "Faults of the offline provider, separated by spaces or semicolons, as `--fault` has them.",
  },
  BULKHEAD_SEED: {
    schema: z.coerce
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    must: "a whole number, 0 or more",
    default: "0",
    description: "Seed of the offline provider: ids, and which requests a fault strikes.",
  },
} as const satisfies Readonly<Record<string, Row>>;

type Name = keyof typeof ROWS;
type Value<N extends Name> =
  | z.infer<(typeof ROWS)[N]["schema"]>
  | ((typeof ROWS)[N] extends { readonly default: string } ? never : undefined);

/** All environment variables, for the documentation. */
export const ENVIRONMENT: readonly { readonly name: string; readonly default: string; readonly description: string }[] =
  Object.entries(ROWS).map(([name, row]: [string, Row]) => ({
    name,
    default: `${row.default ?? "none"}${row.offline === undefined ? "" : ` (offline provider: ${row.offline})`}`,
    description: row.description,
  }));

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
    };
  };
  const route = (model: string, baseUrl: string, apiKey: string | undefined, limits: Quota): RouteSettings => ({
    model,
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    quota: limits,
    logprobs: read("BULKHEAD_LOGPROBS") ?? baseUrl === OPENAI_URL,
  });

  const primaryQuota = quota("BULKHEAD");
  const fallbackQuota = quota("BULKHEAD_FALLBACK");
  const keyFile = read("BULKHEAD_KEY_FILE");
  const settings: Settings = {
    offline: { primary: primaryQuota, fallback: fallbackQuota },
    maxWaitMs: read("BULKHEAD_MAX_WAIT_MS"),
    callTimeoutMs: read("BULKHEAD_CALL_TIMEOUT_MS"),
    database: read("BULKHEAD_DB"),
    ...(keyFile === undefined ? {} : { keyFile }),
    policy: read("BULKHEAD_POLICY"),
    workspace: read("BULKHEAD_WORKSPACE"),
    faults: readFaults(read("BULKHEAD_FAULTS")),
    seed: read("BULKHEAD_SEED"),
  };
  if (offline) {
    refuseStated(
      ["BULKHEAD_MODEL", "BULKHEAD_FALLBACK_MODEL", "BULKHEAD_FALLBACK_BASE_URL", "BULKHEAD_FALLBACK_API_KEY"],
      stated,
      "needs a provider: set OPENAI_API_KEY or OPENAI_BASE_URL, or unset it to use the offline provider",
    );
    return settings;
  }

  const key = read("OPENAI_API_KEY");
  const baseUrl = read("OPENAI_BASE_URL") ?? OPENAI_URL;
  const primary = route(read("BULKHEAD_MODEL"), baseUrl, key, primaryQuota);
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
    provider: { primary, fallback: route(fallbackModel, fallbackUrl, fallbackKey, fallbackQuota) },
  };
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
