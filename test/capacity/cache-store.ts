// What every cache store must do, as one suite.

import { expect, test } from "vitest";
import type { CacheStore } from "../../capacity/cache/store.js";

/** A store under test, and how its time passes. */
export interface StoreUnderTest {
  readonly store: CacheStore;
  /** Another one over the same place, as another process would have it. */
  readonly other?: CacheStore;
  pass(ms: number): Promise<void>;
}

export function storeSuite(open: () => Promise<StoreUnderTest & AsyncDisposable>): void {
  test("keeps text byte for byte, replaces it, and knows nothing of other names", async () => {
    await using under = await open();
    const { store, other = store } = under;
    const text = 'line\n12 "quoted" 🙂 end ';
    expect(await store.get("a")).toBeUndefined();
    await store.put("a", text, 10_000);
    expect((await other.get("a"))?.text).toBe(text);
    await other.put("a", "second", 10_000);
    expect((await store.get("a"))?.text).toBe("second");
    expect(await store.get("b")).toBeUndefined();
  });

  test("knows the age, and forgets when the time is over", async () => {
    await using under = await open();
    const { store, pass } = under;
    await store.put("a", "text", 400);
    const young = (await store.get("a"))?.ageMs ?? -1;
    expect(young).toBeGreaterThanOrEqual(0);
    await pass(150);
    expect((await store.get("a"))?.ageMs).toBeGreaterThanOrEqual(young + 140);
    await pass(400);
    expect(await store.get("a")).toBeUndefined();
  });

  test("its lock has one holder, who can renew it and give it back, and who loses it when the lease ends", async () => {
    await using under = await open();
    const { store, other, pass } = under;
    if (other === undefined) return expect(store.lock).toBeUndefined();
    const hold = (by: CacheStore, token: string, ms = 60_000) => by.lock?.hold("k", token, ms);
    expect(await hold(store, "one")).toBe("one");
    expect(await hold(other, "two")).toBe("one");
    await other.lock?.release("k", "two"); // Not his to give back.
    expect(await hold(other, "two")).toBe("one");
    expect(await hold(store, "one", 200)).toBe("one");
    await pass(300);
    expect(await hold(other, "two")).toBe("two");
    expect(await hold(store, "one")).toBe("two");
    await other.lock?.release("k", "two");
    expect(await hold(store, "one")).toBe("one");
  });
}
