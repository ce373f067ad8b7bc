// Equal calls at the same time are one call, in a process and in a fleet.

import { describe, expect, test } from "vitest";
import type { CacheStore } from "../../capacity/cache/store.js";
import { type KeepingOptions, keepingCache } from "../../capacity/index.js";
import { fleet, textOf, upstream } from "./cache-fleet.js";
import { settle } from "./support.js";

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
