// What the capacity layer says to the rest of the house: the quota of a route, how an answer was obtained, what
// happened on the way, and what a call started now would have to wait.

import type { BudgetDimension } from "./budget-limits.js";

/** What a provider allows one model, and how much of it we use. */
export interface Quota {
  /** Requests per minute the provider allows. Minimum 1. */
  readonly requestsPerMinute: number;
  /** Tokens per minute the provider allows, prompt and answer together. Unset: not limited. */
  readonly tokensPerMinute?: number;
  /** Requests in flight at once. Minimum 1. */
  readonly inFlight: number;
  /** The share of the rates that is used at first, and whenever a fleet cannot be asked. Default 0.8, at most 1. */
  readonly headroom?: number;
  /**
   * The share that is used once the provider has not objected for a while. Default 0.98, at most 1; at least
   * `headroom`. While its headers say that there is room, it goes up to 0.99. A 429 takes 15 % of the share away.
   */
  readonly maxHeadroom?: number;
}

/** Token counts as the provider reported them. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the input, what the provider had in its own cache. */
  readonly cachedTokens?: number;
  /** Of the output, what was spent on reasoning. */
  readonly reasoningTokens?: number;
}

/** How one model answer was obtained. Travels in `response_metadata.bulkhead` and becomes the answer's label. */
export interface Obtained {
  /** Who served it: `openai`, `offline`, or the host of a base URL. */
  readonly provider: string;
  /** Whether it came from the offline stand-in and not from a language model. */
  readonly offline: boolean;
  /** The model that was asked on the route that answered. */
  readonly route: string;
  /** The pinned primary model. Differs from `route` after a fallback. */
  readonly primary: string;
  /** The model the provider says it used, when it says so. */
  readonly returnedModel?: string;
  /** The alias of the route that `returnedModel` is: another name of the same model, and not another model. */
  readonly alias?: string;
  /** HTTP requests made for this answer on all routes. 0 for a cache hit. */
  readonly attempts: number;
  /** Of those, how many were refused for rate. */
  readonly rateLimited: number;
  /** Failed attempts whose outcome is unclear: timeouts and streams that broke off. */
  readonly unclearAttempts: number;
  /** Milliseconds spent waiting for capacity, pauses and back-off included. */
  readonly queueMs: number;
  /** Why the primary did not answer. Set exactly when `route` is not `primary`. */
  readonly fallbackReason?: string;
  /**
   * Set for a cache hit: how old the answer is, whether that is within its declared age, and whether its seal is wrong.
   * `similar`: it answers another question, this much like the one that was asked; `matched` is the digest of that one.
   */
  readonly cache?: {
    readonly ageMs: number;
    readonly fresh: boolean;
    readonly forged?: true;
    readonly similar?: { readonly score: number; readonly matched: string };
  };
  readonly requestId?: string;
  /** The id of the message: the harness's own, and the seed of the ids of its calls. */
  readonly messageId?: string;
  /** The provider's name for the answer: `chatcmpl-…`. */
  readonly responseId?: string;
  /** The recorded headers of the answering request, see `limitHeaders`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly systemFingerprint?: string;
  readonly finishReason?: string;
  readonly usage: TokenUsage;
}

/** What happened while a call waited for its answer. Sent as the LangChain custom event `bulkhead.capacity`. */
export type CapacityEvent =
  | {
      readonly kind: "queued";
      readonly route: string;
      readonly waitMs: number;
      readonly reason: "pace" | "pause" | "in-flight";
    }
  | { readonly kind: "rate-limited"; readonly route: string; readonly retryAfterMs: number; readonly hinted: boolean }
  | {
      readonly kind: "retry";
      readonly route: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  | { readonly kind: "fallback"; readonly from: string; readonly to: string; readonly reason: string }
  | {
      readonly kind: "cache-hit";
      readonly route: string;
      readonly ageMs: number;
      readonly fresh: boolean;
      /** Set when it answers a similar question: cosine of the two, and the digest of the other one. */
      readonly score?: number;
      readonly matched?: string;
    }
  | {
      readonly kind: "cache";
      /** The cache is out of reach, back, could not make an answer anew, or could not compare questions. */
      readonly state: "lost" | "back" | "refresh-failed" | "comparison-failed";
      readonly reason: string;
    }
  /** The Redis that keeps the quota for a fleet: without it each process keeps to its part. */
  | { readonly kind: "fleet"; readonly route: string; readonly state: "lost" | "back"; readonly reason: string }
  | {
      readonly kind: "breaker";
      readonly route: string;
      readonly state: "open" | "half-open" | "closed";
      readonly reason: string;
    }
  /** The run's budget is used up to four fifths. In the units of `BudgetLimits`. */
  | {
      readonly kind: "budget";
      readonly dimension: BudgetDimension;
      readonly used: number;
      readonly limit: number;
    };

/** The name under which {@link CapacityEvent}s are dispatched to LangChain callbacks. */
export const CAPACITY_EVENT = "bulkhead.capacity";

/** What one route would do with a call that started now. */
export interface Forecast {
  readonly route: string;
  /** Expected milliseconds until the call could leave. */
  readonly waitMs: number;
  /** `open`: serving. `paused`: the provider said wait. `broken`: the circuit breaker remembers a dead route. */
  readonly state: "open" | "paused" | "broken";
  /** Since when it is broken, in milliseconds since the epoch. */
  readonly since?: number;
  readonly reason?: string;
}

/** How a guard weighs waiting against a fallback. */
export const ADMISSION_POLICIES = ["auto", "trust-first", "availability-first"] as const;
/** One of {@link ADMISSION_POLICIES}. */
export type AdmissionPolicy = (typeof ADMISSION_POLICIES)[number];

/** Whether a run waits for the primary, and how long. Default: what the guarded resource says. */
export interface Patience {
  /**
   * `auto` (default): waits for a paused primary, degrades when it is broken; where the run can reach something
   * irreversible, only when the primary has been in trouble for `patienceMs`. `trust-first`: never degrades, parks instead.
   * `availability-first`: degrades as soon as the fallback is faster. A rewound thread is always trust-first.
   */
  readonly admission?: AdmissionPolicy;
  /**
   * Under `auto`, where something irreversible can be reached: how long runs wait for a primary in trouble, from when that
   * began, before a fallback may answer. In milliseconds, default 900 000: a quarter of an hour. A run's deadline and the
   * end of its budget come before. 0: nobody waits.
   */
  readonly patienceMs?: number;
}

/** Anything a guard node can stand in front of: a chat model, or a tool's own API quota. */
export interface CapacityResource extends Patience {
  readonly name: string;
  /** Routes in order of preference, the primary first. Cheap and without side effects. */
  forecast(): readonly Forecast[];
}

/** Whether a call may be answered by a route other than the primary. Set per call by the guard. */
export type Admission = "primary-only" | "any-route";
