import { describe, expect, test } from "vitest";
import { memoryStore } from "../../capacity/cache/memory-store.js";
import type { CacheLock, CacheStore } from "../../capacity/cache/store.js";
import {
  type CacheReading,
  type CapacityEvent,
  type KeepingOptions,
  type KeptAnswer,
  keepingCache,
} from "../../capacity/index.js";
import { FakeClock, settle } from "./support.js";

/** A lock that several caches share, by one clock. */
function lockOf(clock: FakeClock): CacheLock {
  const held = new Map<string, { token: string; until: number }>();
  return {
    async hold(key, token, leaseMs) {
      const holder = held.get(key);
      if (holder !== undefined && holder.token !== token && holder.until > clock.now()) return holder.token;
      held.set(key, { token, until: clock.now() + leaseMs });
      return token;
    },
    async release(key, token) {
      if (held.get(key)?.token === token) held.delete(key);
    },
  };
}

/** Processes that share a store. */
function fleet(options: Partial<KeepingOptions> = {}) {
  const clock = new FakeClock();
  const store: CacheStore = { ...memoryStore({ clock }), lock: lockOf(clock) };
  const told: CapacityEvent[] = [];
  const tell = async (event: CapacityEvent) => void told.push(event);
  const join = () => keepingCache({ store, ttlMs: 1000, staleMs: 1000, clock, random: () => 0, ...options });
  return { clock, store, told, tell, join };
}

/** A call that the test ends. */
function upstream() {
  const calls: { answer: (text: string | undefined) => void; fail: (error: Error) => void }[] = [];
  const produce = () =>
    new Promise<KeptAnswer | undefined>((resolve, reject) => {
      calls.push({ answer: (text) => resolve(text === undefined ? undefined : { text }), fail: reject });
    });
  const reading = (more: Partial<CacheReading> = {}): CacheReading => ({ produce, acceptStale: false, ...more });
  return { calls, produce, reading };
}

const textOf = (hit: { answer: KeptAnswer } | undefined) => hit?.answer["text"];

describe("single flight", () => {
  test("two processes with twenty equal calls each make one, and it is made once more only when its time is over", async () => {
    const { clock, join } = fleet();
    const processes = [join(), join()];
    const { calls, reading } = upstream();
    const all = processes.flatMap((cache) => Array.from({ length: 20 }, () => cache.read("k", reading())));
    await clock.advance(30);
    expect(calls).toHaveLength(1);
    calls[0]?.answer("x");
    await clock.advance(30);
    const hits = await Promise.all(all);
    expect(hits.filter((hit) => hit === undefined)).toHaveLength(1);
    expect(hits.filter((hit) => textOf(hit) === "x" && hit?.fresh)).toHaveLength(39);
    await clock.advance(1000);
    const again = processes[1]?.read("k", reading());
    await settle();
    expect(calls).toHaveLength(2);
    calls[1]?.answer("y");
    expect(await again).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });

  test("a waiter in another process looks again every 20 to 50 ms", async () => {
    for (const [random, ms] of [[0, 20] as const, [1, 50] as const]) {
      const { clock, store, join } = fleet({ random: () => random });
      let looks = 0;
      const get = store.get;
      const watching: CacheStore = {
        ...store,
        get: (key) => {
          looks += 1;
          return get(key);
        },
      };
      const { calls, reading } = upstream();
      const first = join().read("k", reading());
      await settle();
      const second = keepingCache({ store: watching, ttlMs: 1000, clock, random: () => random }).read("k", reading());
      await settle();
      const before = looks;
      await clock.advance(ms - 1);
      expect(looks).toBe(before);
      await clock.advance(1);
      expect(looks).toBe(before + 1);
      calls[0]?.answer("x");
      await clock.advance(ms);
      expect([await first, textOf(await second)]).toEqual([undefined, "x"]);
    }
  });

  test("a leader holds its place for as long as it works, and one that dies loses it with its lease", async () => {
    const { clock, store, join } = fleet({ leaseMs: 900 });
    const { calls, reading } = upstream();
    const working = join().read("k", reading());
    await settle();
    const waiting = join().read("k", reading());
    await clock.advance(2500);
    expect(calls).toHaveLength(1);
    calls[0]?.answer("x");
    await clock.advance(50);
    expect([await working, textOf(await waiting)]).toEqual([undefined, "x"]);

    await store.lock?.hold("other", "a process that died", 900);
    const left = join().read("other", reading());
    await clock.advance(890);
    expect(calls).toHaveLength(1);
    await clock.advance(30);
    expect(calls).toHaveLength(2);
    calls[1]?.answer("y");
    expect(await left).toBeUndefined();
  });

  test("when the leader fails, each process that waited makes a call of its own and waits for no other leader", async () => {
    const { clock, join } = fleet();
    const { calls, reading } = upstream();
    const leader = join().read("k", reading());
    const failed = expect(leader).rejects.toThrow("no");
    await settle();
    const others = [join(), join(), join()].map((cache) => cache.read("k", reading()));
    await clock.advance(10);
    calls[0]?.fail(new Error("no"));
    await clock.advance(60);
    await failed;
    expect(calls).toHaveLength(4);
    for (const { answer } of calls) answer("x");
    expect(await Promise.all(others)).toEqual([undefined, undefined, undefined]);
  });

  test("so it is when the answer is not worth keeping, and it is not kept", async () => {
    const { clock, store, join } = fleet();
    const { calls, reading } = upstream();
    const both = [join(), join()].map((cache) => cache.read("k", reading()));
    await clock.advance(20);
    calls[0]?.answer(undefined);
    await clock.advance(50);
    expect(calls).toHaveLength(2);
    expect(await store.get("k")).toBeUndefined();
    calls[1]?.answer("x");
    expect(await Promise.all(both)).toEqual([undefined, undefined]);
    expect((await store.get("k"))?.text).toBe('{"text":"x"}');
  });

  test("it does not wait for a leader for ever", async () => {
    const { clock, join } = fleet({ followMs: 5000 });
    const { calls, reading } = upstream();
    const hanging = join().read("k", reading());
    await settle();
    const patient = join().read("k", reading());
    await settle();
    await clock.advance(4990);
    expect(calls).toHaveLength(1);
    await clock.advance(30);
    expect(calls).toHaveLength(2);
    for (const { answer } of calls) answer("x");
    expect(await Promise.all([hanging, patient])).toEqual([undefined, undefined]);
  });

  test("an abort ends the wait only, and whoever waited with the one that left goes on waiting", async () => {
    const { clock, join } = fleet();
    const { calls, reading } = upstream();
    const working = join().read("k", reading());
    await settle();
    const [leaves, stays] = [new AbortController(), new AbortController()];
    const here = join();
    const gone = here.read("k", reading({ signal: leaves.signal }));
    await settle();
    const still = here.read("k", reading({ signal: stays.signal }));
    await settle();
    leaves.abort(new Error("left"));
    await expect(gone).rejects.toThrow("left");
    await clock.advance(100);
    expect(calls).toHaveLength(1);
    calls[0]?.answer("x");
    await clock.advance(50);
    expect([await working, textOf(await still)]).toEqual([undefined, "x"]);
    const late = here.read("k", reading({ signal: leaves.signal }));
    await expect(late).rejects.toThrow("left");
  });

  test("what others wrote into the store and is no answer is as good as nothing", async () => {
    const { store, join } = fleet();
    for (const text of ["", "not JSON", "7", "null"]) {
      await store.put("k", text, 1000);
      expect(await join().read("k", { produce: async () => undefined, acceptStale: true })).toBeUndefined();
    }
  });
});

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

test("refuses options that make no sense", () => {
  const open = (options: Partial<KeepingOptions>) => () => {
    fleet(options).join();
  };
  expect(open({ ttlMs: 0 })).toThrow("ttlMs >= 1");
  expect(open({ staleMs: -1 })).toThrow("staleMs >= 0");
  expect(open({ leaseMs: 50 })).toThrow("leaseMs is 50");
  expect(open({ maxRefreshes: -1 })).toThrow("maxRefreshes is -1");
  expect(open({ refreshMs: 0 })).toThrow("refreshMs is 0");
});
