// The environment variables of the house, one row each: name, check, default, and what it is for. Settings are read by
// these rows and the documentation is made from them, so the two cannot drift apart.

import { z } from "zod";
import { BUDGET_FORM, parseBudget } from "../capacity/budget-limits.js";
import { INCOMING } from "../capacity/incoming.js";
import { ADMISSION_POLICIES } from "../capacity/types.js";
import { OFFLINE_QUOTA } from "./offline/types.js";

/** Where OpenAI itself answers. */
export const OPENAI_URL = "https://api.openai.com/v1";

/** One variable. */
export interface Row {
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
const onOrOff = { schema: z.enum(["on", "off"]).transform((value) => value === "on"), must: "on or off" };
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const duration = {
  schema: z
    .string()
    .regex(/^\d{1,6}(ms|s|m|h|d)$/)
    .transform((text) => Number.parseInt(text, 10) * UNITS[text.replace(/\d+/, "") as keyof typeof UNITS]),
  must: "a duration such as 90s, 15m, 12h or 7d",
};
const aliases = {
  schema: z
    .string()
    .transform((text) => text.split(",").map((name) => name.trim()))
    .refine((names) => names.every((name) => /^[^*]+\*?$/.test(name))),
  must: "names separated by commas, of which each may end in *",
};
const share = { schema: z.coerce.number().gt(0).max(1), must: "a number above 0, up to 1" };

const logprobs = {
  schema: z.union([
    z.enum(["on", "off"]).transform((value) => ({ logprobs: value === "on" })),
    z.coerce
      .number()
      .int()
      .min(1)
      .max(20)
      .transform((topLogprobs) => ({ logprobs: true, topLogprobs })),
  ]),
  must: "on, off, or a whole number from 1 to 20",
};
const temperature = {
  schema: z.union([z.literal("none"), z.coerce.number().min(0).max(2)]),
  must: "none, or a number from 0 to 2",
};
const toolContent = { schema: z.enum(["text", "parts"]), must: "text or parts" };

const offlineDefault = {
  requests: String(OFFLINE_QUOTA.requestsPerMinute),
  tokens: String(OFFLINE_QUOTA.tokensPerMinute),
  inFlight: String(OFFLINE_QUOTA.inFlight),
};

/** All variables, by name. */
export const ROWS = {
  OPENAI_API_KEY: {
    ...text,
    description: "Key of the provider. Without it and without `OPENAI_BASE_URL` the offline provider answers.",
  },
  OPENAI_BASE_URL: {
    ...url,
    description: `OpenAI-compatible endpoint: a gateway, Ollama, vLLM, llama.cpp. With a key alone: \`${OPENAI_URL}\`.`,
  },
  BULKHEAD_MODEL: { ...text, default: "gpt-4.1", description: "The pinned primary model of the provider." },
  BULKHEAD_MODEL_ALIASES: {
    ...aliases,
    description:
      "Other names of the primary, separated by commas, under which its provider may report it: a deployment's model, a file's path; `*` at the end for any ending. By any other name it is another model (providers.md).",
  },
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
  BULKHEAD_HEADROOM: {
    ...share,
    default: "0.8",
    description: "The share of the two rates that is used at first, and while a fleet cannot be asked.",
  },
  BULKHEAD_MAX_HEADROOM: {
    ...share,
    default: "0.98",
    description: "The share that is used when the provider has not objected for a while; with its word up to 0.99.",
  },
  BULKHEAD_QUOTA: {
    schema: z.string().regex(/^(process|rediss?:\/\/.+)$/),
    must: "process, redis://HOST:PORT, or rediss:// for TLS",
    default: "process",
    description: "Who shares the quotas: this process alone, or all that name the same Redis (production.md).",
  },
  BULKHEAD_QUOTA_PROCESSES: {
    ...count,
    default: "4",
    description: "Processes to reckon with as long as that Redis has never said how many there are.",
  },
  BULKHEAD_MAX_QUEUED: {
    ...count,
    default: "100000",
    description:
      "Model calls that may wait in one process. Beyond that batch work makes room, and the rest is refused.",
  },
  BULKHEAD_FALLBACK_MODEL: {
    ...text,
    description: "Answers, marked, when the primary cannot. Unset: no fallback (the offline provider always has one).",
  },
  BULKHEAD_FALLBACK_MODEL_ALIASES: { ...aliases, description: "The same for the fallback." },
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
    description: "The share of the fallback's rates that is used at first.",
  },
  BULKHEAD_FALLBACK_MAX_HEADROOM: {
    ...share,
    default: "0.98",
    description: "The share of them that is used when its provider has not objected for a while.",
  },
  BULKHEAD_CONTEXT_TOKENS: { ...count, description: "The longest prompt that the primary takes. Unset: not known." },
  BULKHEAD_FALLBACK_CONTEXT_TOKENS: {
    ...count,
    description: "The longest prompt that the fallback takes: longer ones it is not asked. Unset: not known.",
  },
  BULKHEAD_FALLBACK_TOOLS: {
    ...onOrOff,
    default: "on",
    description: "Whether the fallback can call tools. When it cannot, it is not asked where there are tools.",
  },
  BULKHEAD_SPILL_MS: {
    ...milliseconds,
    description:
      "Longest queue of the primary before a fallback that is free answers, marked. Unset: BULKHEAD_MAX_WAIT_MS.",
  },
  BULKHEAD_ADMISSION: {
    schema: z.enum(ADMISSION_POLICIES),
    must: ADMISSION_POLICIES.join(", "),
    default: "auto",
    description:
      "Whether a run waits for the primary or takes a fallback: `auto`, `trust-first`, `availability-first`.",
  },
  BULKHEAD_PATIENCE: {
    ...duration,
    default: "15m",
    offline: "0s",
    description: "Under `auto`, how long a run that can reach something irreversible waits for the primary.",
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
  BULKHEAD_STREAM_IDLE_MS: {
    ...milliseconds,
    default: String(INCOMING.idleMs),
    description:
      "Longest silence in the middle of an answer, from its first byte on. Comments that keep the connection open are none.",
  },
  BULKHEAD_MAX_BODY_MB: {
    ...count,
    default: String(INCOMING.maxBodyBytes / 2 ** 20),
    description: "Longest answer, decompressed, in MB. A longer one is a bad answer.",
  },
  BULKHEAD_MAX_ARGUMENTS_KB: {
    ...count,
    default: String(INCOMING.maxArgumentCharacters / 1024),
    description: "Longest arguments of one tool call, in KB. An answer with longer ones is a bad answer.",
  },
  BULKHEAD_MAX_TOOL_CALLS: {
    ...count,
    default: String(INCOMING.maxToolCalls),
    description: "Most tool calls in one answer. One with more is a bad answer.",
  },
  BULKHEAD_CACHE: {
    schema: z.string().regex(/^(off|memory|sqlite:.+|rediss?:\/\/.+)$/),
    must: "off, memory, sqlite:PATH, redis://HOST:PORT, or rediss:// for TLS",
    default: "off",
    description:
      "Where answers to cacheable calls are kept. Which calls are cacheable is the graph's to say (cache.md).",
  },
  BULKHEAD_CACHE_TTL: {
    ...duration,
    default: "1h",
    description: "Age up to which a kept answer is fresh: `90s`, `15m`, `12h`, `7d`.",
  },
  BULKHEAD_CACHE_STALE: {
    ...duration,
    default: "0s",
    description:
      "How long beyond that it is kept, for calls that asked for it and for when the primary is paused or down.",
  },
  BULKHEAD_CACHE_ENTRIES: {
    ...count,
    default: "10000",
    description: "Most answers in memory or in the SQLite file; the oldest go first. Redis has its own limits.",
  },
  BULKHEAD_CACHE_SIMILAR: {
    schema: z.union([z.literal("off").transform(() => undefined), share.schema]),
    must: "off, or a number above 0, up to 1, such as 0.9",
    default: "off",
    description:
      "Least similarity of two questions of which one is answered for the other, for calls that asked for it (cache.md).",
  },
  BULKHEAD_LOGPROBS: {
    ...logprobs,
    description:
      "Whether to ask for token log-probabilities; with a number, also for so many of the likeliest tokens at each place. Unset: on for OpenAI's own endpoint, off for others.",
  },
  BULKHEAD_FALLBACK_LOGPROBS: { ...logprobs, description: "The same for the fallback." },
  BULKHEAD_TEMPERATURE: {
    ...temperature,
    description:
      "Sampling temperature, 0 to 2; `none` sends none. Unset: 0, or none for OpenAI's reasoning models, which refuse it.",
  },
  BULKHEAD_FALLBACK_TEMPERATURE: { ...temperature, description: "The same for the fallback." },
  BULKHEAD_RETURN_FIELDS: {
    ...onOrOff,
    default: "on",
    description:
      "Whether reasoning, thought signatures and other fields of an answer go back to the server that sent them (providers.md).",
  },
  BULKHEAD_FALLBACK_RETURN_FIELDS: { ...onOrOff, default: "on", description: "The same for the fallback." },
  BULKHEAD_TOOL_CONTENT: {
    ...toolContent,
    default: "text",
    description: "How a tool's answer that has parts is sent: as `text`, which every server takes, or in `parts`.",
  },
  BULKHEAD_FALLBACK_TOOL_CONTENT: { ...toolContent, default: "text", description: "The same for the fallback." },
  BULKHEAD_DB: {
    schema: z.string().regex(/^(sqlite:.+|postgres(ql)?:\/\/.+|memory:)$/),
    must: "sqlite:PATH, postgres://… or memory:",
    default: "sqlite:.bulkhead/bulkhead.db",
    description: "Database of checkpoints and recordings.",
  },
  BULKHEAD_REDIS: {
    schema: z.string().regex(/^rediss?:\/\/.+/),
    must: "redis://HOST:PORT, or rediss:// for TLS",
    description: "Redis of the queue of runs, for `submit`, `worker` and `queue` (worker.md).",
  },
  BULKHEAD_QUEUE: {
    schema: z.string().regex(/^[\w.-]{1,64}$/),
    must: "1 to 64 letters, digits, dots, dashes or underscores",
    description: "Name of the queue, when several share one Redis. Unset: `bulkhead`.",
  },
  BULKHEAD_BUDGET: {
    schema: z.string().transform((value, context) => {
      try {
        return parseBudget(value);
      } catch {
        context.addIssue({ code: "custom", message: "no budget" });
        return z.NEVER;
      }
    }),
    must: BUDGET_FORM,
    description:
      "What each run may use at most, with its subagents: `calls=50,tokens=200000,usd=1.50,time=10m` (budgets.md). Unset: not limited.",
  },
  BULKHEAD_PRICES: {
    ...text,
    description:
      "Price table, a .json or .yaml file, for budgets in `usd` (budgets.md). Unset: the offline models cost nothing.",
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
  BULKHEAD_SECRETS: {
    ...text,
    description:
      "Names of variables, separated by spaces or commas, whose values are replaced by tags before anything is recorded. The two keys of providers always are.",
  },
  BULKHEAD_SECRET_PATTERNS: {
    ...text,
    description:
      "Regular expressions, separated by spaces: what they match is replaced by tags before anything is recorded (recording.md).",
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
  BULKHEAD_TRACE_CONTENT: {
    ...onOrOff,
    default: "off",
    description: "Whether spans hold what people and models wrote (tracing.md).",
  },
} as const satisfies Readonly<Record<string, Row>>;

/** The name of a variable. */
export type Name = keyof typeof ROWS;
/** What reading it gives. */
export type Value<N extends Name> =
  | z.infer<(typeof ROWS)[N]["schema"]>
  | ((typeof ROWS)[N] extends { readonly default: string } ? never : undefined);

/** All environment variables, for the documentation. */
export const ENVIRONMENT: readonly { readonly name: string; readonly default: string; readonly description: string }[] =
  Object.entries(ROWS).map(([name, row]: [string, Row]) => ({
    name,
    default: `${row.default ?? "none"}${row.offline === undefined ? "" : ` (offline provider: ${row.offline})`}`,
    description: row.description,
  }));
