// Faults the offline provider can be told to have, so that a user can watch the harness meet them. A fault is one
// line of text, and whether it strikes follows from the seed and the request alone: never from `Math.random`.

import { createHash } from "node:crypto";
import type { Clock } from "../../capacity/index.js";
import { OFFLINE_MODELS, type OfflineModel } from "./types.js";

/** What goes wrong, with how long or how often it does when a specification states no `rate`, `for` or `times`. */
const KINDS = {
  /** 429 with `retry-after: 1`, for two seconds from its first hit; then the quota is back. */
  "rate-limit": { forMs: 2_000 },
  /** The same without `retry-after` and without any rate-limit header. */
  "rate-limit-no-header": { forMs: 2_000 },
  /** 503 on every request, for good. */
  outage: {},
  /** Each answer comes 1.5 seconds late. */
  slow: {},
  /** No answer at all: the connection stays open until the caller gives up. Once. */
  timeout: { times: 1 },
  /** The stream ends cleanly half-way without a `finish_reason`; a body that is not streamed is cut. Once. */
  "truncate-stream": { times: 1 },
  /** Status 200 and something that is not JSON. Once. */
  "bad-json": { times: 1 },
  /** 500. Twice. */
  "server-error": { times: 2 },
} as const satisfies Record<string, { readonly forMs?: number; readonly times?: number }>;

/** The kinds of fault. */
export type FaultKind = keyof typeof KINDS;

/** All kinds of fault, for help texts. */
export const FAULT_KINDS = Object.keys(KINDS) as readonly FaultKind[];

/** How a fault is written. */
export const FAULT_FORM = "KIND[:MODEL][,rate=0..1][,for=DURATION][,after=N][,times=N]";

/** A parsed fault. */
export interface Fault {
  readonly kind: FaultKind;
  /** Unset: every model. */
  readonly model?: OfflineModel;
  /** The share of matching requests it strikes, more than 0, at most 1. Default 1. */
  readonly rate: number;
  /** Milliseconds from its first hit after which it is over. Unset: no end. */
  readonly forMs?: number;
  /** Matching requests that pass before it begins. Default 0. */
  readonly after: number;
  /** How often it strikes at most. Unset: no limit. */
  readonly times?: number;
}

/** The text is not a fault. The message names the part and lists what is allowed; correct the text. */
export class FaultError extends Error {
  override readonly name = "FaultError";
  readonly code = "FAULT";

  constructor(text: string, problem: string) {
    super(
      `fault "${text}": ${problem}. Write ${FAULT_FORM}, for example rate-limit:offline-large,for=2s. ` +
        `Kinds: ${FAULT_KINDS.join(", ")}. Models: ${OFFLINE_MODELS.join(", ")}.`,
    );
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * Reads `KIND[:MODEL][,rate=0..1][,for=DURATION][,after=N][,times=N]`; a duration is a number with `ms`, `s` or `m`.
 * A kind's own default limit holds only when none of `rate`, `for` and `times` is stated.
 *
 * @throws {FaultError} naming the part that is wrong.
 */
export function parseFault(text: string): Fault {
  const [head = "", ...parts] = text.trim().split(",");
  const [kind = "", model, ...rest] = head.split(":");
  const isKind = (name: string): name is FaultKind => Object.hasOwn(KINDS, name);
  const isModel = (name: string): name is OfflineModel => OFFLINE_MODELS.some((known) => known === name);
  if (!isKind(kind)) throw new FaultError(text, `unknown kind "${kind}"`);
  if (rest.length > 0 || (model !== undefined && !isModel(model))) {
    throw new FaultError(text, `unknown model "${[model, ...rest].join(":")}"`);
  }

  const stated = new Map<string, string>();
  for (const part of parts) {
    const [name = "", value = ""] = part.split(/=(.*)/s);
    if (!["rate", "for", "after", "times"].includes(name)) throw new FaultError(text, `unknown part "${part}"`);
    if (stated.has(name)) throw new FaultError(text, `"${name}" is given twice`);
    stated.set(name, value);
  }
  const read = <T>(name: string, reader: (value: string) => T | undefined, wanted: string): T | undefined => {
    const value = stated.get(name);
    if (value === undefined) return undefined;
    const result = reader(value);
    if (result === undefined) throw new FaultError(text, `"${name}=${value}" must be ${wanted}`);
    return result;
  };
  const rate = read("rate", share, "a number above 0, up to 1");
  const forMs = read("for", duration, "a duration such as 500ms, 2s or 1m");
  const after = read("after", whole, "a whole number of requests");
  const times = read("times", whole, "a whole number of requests");
  const limits = rate ?? forMs ?? times;
  return {
    kind,
    ...(model === undefined ? {} : { model }),
    rate: rate ?? 1,
    after: after ?? 0,
    ...(limits === undefined ? KINDS[kind] : {}),
    ...(forMs === undefined ? {} : { forMs }),
    ...(times === undefined ? {} : { times }),
  };
}

const whole = (value: string): number | undefined => (/^\d{1,9}$/.test(value) ? Number(value) : undefined);

const share = (value: string): number | undefined => {
  const number = /^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN;
  return number > 0 && number <= 1 ? number : undefined;
};

const duration = (value: string): number | undefined => {
  const [, amount, unit] = /^(\d*\.?\d+)(ms|s|m)$/.exec(value) ?? [];
  return amount === undefined || unit === undefined ? undefined : Number(amount) * (UNITS[unit] ?? 1);
};

/**
 * A number in [0, 1) that is a function of its key: chance that repeats. Parallel requests may arrive in any order
 * and still meet the same luck, which a running generator would not give.
 */
export const chance = (key: string): number => createHash("sha256").update(key).digest().readUInt32BE(0) / 2 ** 32;

/** Decides, request by request, which fault strikes. */
export class FaultInjector {
  readonly #faults: readonly { readonly fault: Fault; seen: number; hits: number; since?: number }[];
  readonly #clock: Clock;

  constructor(faults: readonly Fault[], clock: Clock) {
    this.#faults = faults.map((fault) => ({ fault, seen: 0, hits: 0 }));
    this.#clock = clock;
  }

  /** The first fault, in the order given, that strikes this request. `key` names the request for {@link chance}. */
  strike(model: OfflineModel, key: string): Fault | undefined {
    const now = this.#clock.now();
    let struck: Fault | undefined;
    for (const [index, state] of this.#faults.entries()) {
      const { fault } = state;
      if (fault.model !== undefined && fault.model !== model) continue;
      state.seen += 1;
      if (struck !== undefined || state.seen <= fault.after || state.hits >= (fault.times ?? Infinity)) continue;
      if (now - (state.since ?? now) >= (fault.forMs ?? Infinity)) continue;
      if (chance(`${key}:fault-${index}`) >= fault.rate) continue;
      state.hits += 1;
      state.since ??= now;
      struck = fault;
    }
    return struck;
  }
}
