// The cache over any store: finds an answer, or sees to it that of all the calls that want it now, in this process and
// in others, one makes it. Whoever waits waits for one leader only: when that one fails, everybody makes an own call.

import { randomUUID } from "node:crypto";
import type { CacheHit, CacheReading, KeepingCache, KeptAnswer } from "../cache.js";
import type { Clock, Random } from "../clock.js";
import type { CapacityEvent } from "../types.js";
import { type PatientStoreOptions, patientStore } from "./patient-store.js";
import { type RefreshOptions, refreshes } from "./refreshes.js";
import type { CacheStore, StoredText } from "./store.js";
import { untilAborted } from "./until-aborted.js";

/** What {@link keepingCache} takes. */
export interface KeepingOptions extends RefreshOptions {
  /** Where the answers are. */
  readonly store: CacheStore;
  /** For a store that can be out of reach: how long to wait for it, see {@link patientStore}. Unset: it never is. */
  readonly patience?: Pick<PatientStoreOptions, "patienceMs" | "restMs">;
  /** The declared age in milliseconds: within it an answer is fresh. Minimum 1. */
  readonly ttlMs: number;
  /**
   * How long beyond that an answer is kept, to be used while the primary is paused or down, or while a new one is made
   * for a call that asked for that. Default 0.
   */
  readonly staleMs?: number;
  /** A leader of another process that says nothing for so long is dead, in milliseconds. Default 5000, minimum 100. */
  readonly leaseMs?: number;
  /** The longest wait for a leader in another process, in milliseconds. Default 60 000. */
  readonly followMs?: number;
  readonly clock: Clock;
  readonly random?: Random;
}

/** How many events wait for the next call. */
const MAX_NOTICES = 20;

/** What a call in flight came to: an answer, nothing that is kept, or a leader that left before it began. */
type Landed = { readonly text: string; readonly at: number } | "nothing" | "left";

/** A {@link KeepingCache} over a store. @throws RangeError */
export function keepingCache(options: KeepingOptions): KeepingCache {
  const { patience, ttlMs, staleMs = 0, leaseMs = 5000, followMs = 60_000, clock, random = Math.random } = options;
  if (!(ttlMs >= 1) || !(staleMs >= 0)) throw new RangeError("a cache needs ttlMs >= 1 and staleMs >= 0");
  if (!(leaseMs >= 100)) throw new RangeError(`leaseMs is ${leaseMs} and must be at least 100`);
  const notices: CapacityEvent[] = [];
  const tell = (event: CapacityEvent): void => {
    notices.push(event);
    if (notices.length > MAX_NOTICES) notices.shift();
  };
  const store =
    patience === undefined ? options.store : patientStore({ store: options.store, ...patience, tell, clock });
  const { lock } = store;
  const flights = new Map<string, Promise<Landed>>();

  const hitOf = ({ text, ageMs }: StoredText, acceptStale: boolean): CacheHit | undefined => {
    const fresh = ageMs <= ttlMs;
    if (!fresh && !(acceptStale && ageMs <= ttlMs + staleMs)) return undefined;
    const answer = answerOf(text);
    return answer && { answer, ageMs: Math.round(ageMs), fresh };
  };

  const lookUp = async (key: string, acceptStale = false): Promise<CacheHit | undefined> => {
    const kept = await store.get(key);
    return kept && hitOf(kept, acceptStale);
  };

  const keep = async (key: string, answer: KeptAnswer): Promise<Landed> => {
    const text = JSON.stringify(answer);
    const at = clock.now();
    await store.put(key, text, ttlMs + staleMs);
    return { text, at };
  };

  /** Makes the answer while the lock is held with `token`. */
  const make = async (key: string, token: string, produce: CacheReading["produce"]): Promise<Landed> => {
    const done = new AbortController();
    const renewed = lock === undefined ? undefined : renew(key, token, done.signal);
    try {
      const answer = await produce();
      return answer === undefined ? "nothing" : await keep(key, answer);
    } finally {
      done.abort();
      await renewed;
      await lock?.release(key, token);
    }
  };

  const renew = async (key: string, token: string, done: AbortSignal): Promise<void> => {
    while (!done.aborted) {
      try {
        await clock.sleep(leaseMs / 3, done);
      } catch {
        return; // The answer is made.
      }
      await lock?.hold(key, token, leaseMs);
    }
  };

  /** Waits for the leader in another process, if there is one. Nothing: it is this caller's turn. */
  const follow = async (key: string, token: string, signal?: AbortSignal): Promise<CacheHit | undefined> => {
    const end = clock.now() + followMs;
    let leader: string | undefined;
    for (;;) {
      const holder = (await lock?.hold(key, token, leaseMs)) ?? token;
      const hit = await lookUp(key);
      if (hit !== undefined) {
        if (holder === token) await lock?.release(key, token);
        return hit;
      }
      const failed = leader !== undefined && holder !== leader;
      if (holder === token || failed || clock.now() >= end) return undefined;
      leader = holder;
      await clock.sleep(20 + random() * 30, signal);
    }
  };

  const lead = async (key: string, { produce, signal }: CacheReading): Promise<CacheHit | undefined> => {
    const token = randomUUID();
    let landed: Landed = "left";
    let land = (_: Landed): void => {};
    flights.set(
      key,
      new Promise((resolve) => {
        land = resolve;
      }),
    );
    try {
      const hit = await follow(key, token, signal);
      if (hit !== undefined) {
        landed = { text: JSON.stringify(hit.answer), at: clock.now() - hit.ageMs };
        return hit;
      }
      landed = "nothing";
      landed = await make(key, token, produce);
      return undefined;
    } finally {
      flights.delete(key);
      land(landed);
    }
  };

  const background = refreshes(options, tell, async (key, refresh, signal) => {
    if (!flights.has(key)) await lead(key, { acceptStale: false, signal, produce: () => refresh(signal) });
  });

  const find = async (key: string, reading: CacheReading): Promise<CacheHit | undefined> => {
    const { produce, acceptStale, refresh, signal } = reading;
    for (;;) {
      signal?.throwIfAborted();
      const hit = await lookUp(key, acceptStale || refresh !== undefined);
      if (hit !== undefined) {
        if (!hit.fresh && refresh !== undefined) background.start(key, refresh);
        return hit;
      }
      const flight = flights.get(key);
      if (flight === undefined) return lead(key, reading);
      const landed = await untilAborted(flight, signal);
      if (landed === "left") continue;
      if (landed !== "nothing") {
        const ageMs = Math.max(0, clock.now() - landed.at);
        return { answer: JSON.parse(landed.text) as KeptAnswer, ageMs, fresh: ageMs <= ttlMs };
      }
      const own = await produce();
      if (own !== undefined) await keep(key, own);
      return undefined;
    }
  };

  return {
    async read(key, reading) {
      const hit = await find(key, reading);
      for (const notice of notices.splice(0)) await reading.tell?.(notice);
      return hit;
    },
    peek: lookUp,
    async close() {
      await background.close();
      await store.close();
    },
  };
}

/** What lies there, when it is an answer at all: a store may be open to others. */
function answerOf(text: string): KeptAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as KeptAnswer) : undefined;
  } catch {
    return undefined; // That is the question that was asked.
  }
}
