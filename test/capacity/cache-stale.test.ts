// An answer beyond its age, and a store out of reach.

import { describe, expect, test } from "vitest";
import { memoryStore } from "../../capacity/cache/memory-store.js";
import type { CacheStore } from "../../capacity/cache/store.js";
import { type CacheReading, type CapacityEvent, type KeepingOptions, keepingCache } from "../../capacity/index.js";
import { fleet, textOf, upstream } from "./cache-fleet.js";
import { FakeClock, settle } from "./support.js";

describe("stale while revalidate", () => {
  const aged = async (options: Partial<KeepingOptions> = {}) => {
    const parts = fleet(options);
    const cache = parts.join();
    await cache.read("k", { produce: async () => ({ text: "old" }), acceptStale: false });
    await parts.clock.advance(1500);
    return { ...parts, cache };
  };
  const unasked = async (): Promise<never> => Promise.reject(new Error("it waited for a call"));

  test("only where it is asked for; the old answer comes at once and the new one is made once, in the background", async () => {
    const { clock, cache, join } = await aged();
    const { calls, produce, reading } = upstream();
    const strict = cache.read("k", reading());
    await settle();
    expect(calls).toHaveLength(1);
    calls[0]?.answer(undefined); // Not kept: the old one is still there.
    expect(await strict).toBeUndefined();

    const read = (by = cache) => by.read("k", { produce: unasked, acceptStale: false, refresh: produce });
    const hits = [await read(), await read(), await read(join())];
    expect(hits).toEqual(Array(3).fill({ answer: { text: "old" }, ageMs: 1500, fresh: false }));
    await clock.advance(100);
    expect(calls).toHaveLength(2);
    calls[1]?.answer("new");
    await clock.advance(100);
    expect(calls).toHaveLength(2);
    expect(await read()).toMatchObject({ answer: { text: "new" }, fresh: true });
    await clock.advance(500);
    expect(await read()).toMatchObject({ answer: { text: "new" }, fresh: true });
    expect(calls).toHaveLength(2);
  });

  test("a refresh that fails or takes too long is told to the next call, and the next one waits a while", async () => {
    const { clock, cache, told, tell } = await aged({ staleMs: 1e6, refreshMs: 3000, refreshRestMs: 5000 });
    let asked = 0;
    const signals: AbortSignal[] = [];
    const read = (refresh: CacheReading["refresh"]) =>
      cache.read("k", { produce: unasked, acceptStale: false, tell, ...(refresh === undefined ? {} : { refresh }) });
    const failing = async (): Promise<never> => {
      asked += 1;
      throw new Error("503");
    };
    await read(failing);
    await settle();
    expect(told).toEqual([]);
    await read(failing);
    expect(told).toEqual([{ kind: "cache", state: "refresh-failed", reason: "503" }]);
    await settle();
    expect(asked).toBe(1);
    await clock.advance(5000);
    const hanging = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    await read(hanging);
    await clock.advance(2999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await read(hanging);
    expect(told[1]).toMatchObject({ state: "refresh-failed", reason: "it took longer than 3000 ms" });
  });

  test("a few at a time, and close ends them", async () => {
    const { clock, cache, store } = await aged({ maxRefreshes: 2 });
    for (const key of "abc") await store.put(key, '{"text":"old"}', 9000);
    await clock.advance(1500);
    const signals: AbortSignal[] = [];
    const refresh = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    for (const key of "aabc") {
      await cache.read(key, { produce: unasked, acceptStale: false, refresh });
      await settle();
    }
    expect(signals).toHaveLength(2);
    await cache.close();
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(clock.sleeping).toBe(0);
  });
});

describe("a store out of reach", () => {
  test("the call goes on without it in time, equal calls of the process are still one, and it is told once each way", async () => {
    const clock = new FakeClock();
    const inner = memoryStore({ clock });
    let frozen = true;
    const when = <Value>(work: () => Promise<Value>) => (frozen ? new Promise<never>(() => {}) : work());
    const store: CacheStore = {
      get: (key) => when(() => inner.get(key)),
      put: (key, text, keepMs) => when(() => inner.put(key, text, keepMs)),
      lock: { hold: (_, token) => when(async () => token), release: () => when(async () => {}) },
      close: () => inner.close(),
    };
    const told: CapacityEvent[] = [];
    const tell = async (event: CapacityEvent) => void told.push(event);
    const cache = keepingCache({ store, patience: {}, ttlMs: 60_000, clock });
    const { calls, reading } = upstream();
    const all = Array.from({ length: 5 }, () => cache.read("k", reading({ tell })));
    await clock.advance(250);
    expect(calls).toHaveLength(1);
    calls[0]?.answer("x");
    await clock.advance(0);
    const hits = await Promise.all(all);
    expect(hits.filter((hit) => hit === undefined)).toHaveLength(1);
    expect(hits.filter((hit) => textOf(hit) === "x")).toHaveLength(4);
    expect(told).toEqual([expect.objectContaining({ kind: "cache", state: "lost" })]);
    frozen = false;
    await clock.advance(1000);
    await cache.read("k", { produce: async () => ({ text: "y" }), acceptStale: false, tell });
    expect(textOf(await cache.read("k", reading({ tell })))).toBe("y");
    expect(told.map((event) => event.kind === "cache" && event.state)).toEqual(["lost", "back"]);
    expect(clock.sleeping).toBe(0);
  });
});
