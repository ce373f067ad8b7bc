import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../capacity/cache/memory-store.js";
import { patientStore } from "../../capacity/cache/patient-store.js";
import { sqliteStore } from "../../capacity/cache/sqlite-store.js";
import type { CacheBounds, CacheStore } from "../../capacity/cache/store.js";
import type { CapacityEvent } from "../../capacity/index.js";
import { storeSuite } from "./cache-store.js";
import { FakeClock } from "./support.js";

const file = () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-cache-"));
  return { path: join(folder, "new", "cache.db"), remove: () => rmSync(folder, { recursive: true, force: true }) };
};

describe("in memory", () => {
  storeSuite(async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    return { store, pass: (ms) => clock.advance(ms), [Symbol.asyncDispose]: () => store.close() };
  });
});

describe("in a SQLite file", () => {
  storeSuite(async () => {
    const clock = new FakeClock();
    const { path, remove } = file();
    const store = sqliteStore({ path, clock });
    const other = sqliteStore({ path, clock });
    return {
      store,
      other,
      pass: (ms) => clock.advance(ms),
      async [Symbol.asyncDispose]() {
        await store.close();
        await other.close();
        remove();
      },
    };
  });

  test("survives the process, is its owner's only, and opens nothing before it is used", async () => {
    const { path, remove } = file();
    const clock = new FakeClock();
    const first = sqliteStore({ path, clock });
    expect(existsSync(path)).toBe(false);
    await first.put("a", "text", 1000);
    expect(statSync(path).mode & 0o077).toBe(0);
    await first.close();
    await expect(first.get("a")).rejects.toThrow("was closed");
    const second = sqliteStore({ path, clock });
    expect(await second.get("a")).toEqual({ text: "text", ageMs: 0 });
    await second.close();
    await second.close();
    remove();
  });

  test("says which file it is that cannot be used", async () => {
    const { path, remove } = file();
    const place = join(path, "..", "..", "notes.txt");
    writeFileSync(place, "these are notes and no database at all, and there is enough of them to tell");
    const store = sqliteStore({ path: place, clock: new FakeClock() });
    await expect(store.get("a")).rejects.toThrow(/notes\.txt cannot be used .*name another file/);
    remove();
  });
});

describe.each<[string, (clock: FakeClock, bounds: CacheBounds) => { store: CacheStore; remove: () => void }]>([
  ["memory", (clock, bounds) => ({ store: memoryStore({ clock, ...bounds }), remove: () => {} })],
  [
    "SQLite",
    (clock, bounds) => {
      const { path, remove } = file();
      return { store: sqliteStore({ path, clock, ...bounds }), remove };
    },
  ],
])("the bounds of %s", (_name, open) => {
  const kept = async (store: CacheStore, keys: string) => {
    const found = await Promise.all([...keys].map(async (key) => ((await store.get(key)) === undefined ? "" : key)));
    return found.join("");
  };

  test("the oldest go when there are too many, and a newer text counts as new", async () => {
    const { store, remove } = open(new FakeClock(), { maxEntries: 3 });
    for (const key of "abcad") await store.put(key, key, 1000);
    expect(await kept(store, "abcd")).toBe("acd");
    await store.close();
    remove();
  });

  test("the oldest go when they are too large together; one that alone is too large never comes in", async () => {
    const clock = new FakeClock();
    const { store, remove } = open(clock, { maxBytes: 10 });
    for (const key of "abc") {
      await store.put(key, "éé", 1000);
      await clock.advance(1);
    }
    expect(await kept(store, "abc")).toBe("bc");
    await store.put("d", "x".repeat(11), 1000);
    expect(await kept(store, "bcd")).toBe("bc");
    await store.put("e", "x".repeat(10), 1000);
    expect(await kept(store, "bcde")).toBe("e");
    await store.close();
    remove();
  });

  test("refuses bounds that keep nothing", () => {
    expect(() => open(new FakeClock(), { maxEntries: 0 })).toThrow("maxEntries is 0");
    expect(() => open(new FakeClock(), { maxBytes: 0 })).toThrow("maxBytes is 0");
  });
});

describe("patientStore", () => {
  const never = <Value>() => new Promise<Value>(() => {});
  const events: CapacityEvent[] = [];
  const patient = (clock: FakeClock, get: CacheStore["get"]) => {
    events.length = 0;
    const store: CacheStore = {
      get,
      put: async () => {},
      lock: { hold: async () => "somebody else", release: async () => {} },
      close: async () => {},
    };
    return patientStore({ store, clock, tell: (event) => events.push(event) });
  };

  test("waits 250 ms for a store that says nothing, then leaves it alone for a second, and tells it once", async () => {
    const clock = new FakeClock();
    let asked = 0;
    let answers = false;
    const store = patient(clock, () => {
      asked += 1;
      return answers ? Promise.resolve({ text: "x", ageMs: 1 }) : never();
    });
    const waits = [store.get("a"), store.get("b")];
    let done = 0;
    for (const wait of waits) void wait.then(() => (done += 1));
    await clock.advance(249);
    expect(done).toBe(0);
    await clock.advance(1);
    expect(await Promise.all(waits)).toEqual([undefined, undefined]);
    expect(events).toEqual([{ kind: "cache", state: "lost", reason: "the answer cache did not answer within 250 ms" }]);
    // Nobody waits for it now, and a lock is whoever's asks for it: the call goes on.
    expect(await store.get("c")).toBeUndefined();
    expect(await store.lock?.hold("c", "mine", 1000)).toBe("mine");
    expect(asked).toBe(2);
    await clock.advance(1000);
    // One looks; the others do not wait for that.
    const looking = store.get("d");
    expect(await store.get("e")).toBeUndefined();
    expect(asked).toBe(3);
    await clock.advance(250);
    expect(await looking).toBeUndefined();
    answers = true;
    await clock.advance(1000);
    expect(await store.get("f")).toEqual({ text: "x", ageMs: 1 });
    expect(events.map((event) => "state" in event && event.state)).toEqual(["lost", "back"]);
    expect(await store.lock?.hold("c", "mine", 1000)).toBe("somebody else");
    expect(clock.sleeping).toBe(0);
  });

  test("refuses a patience that is none", () => {
    const store = memoryStore({ clock: new FakeClock() });
    expect(() => patientStore({ store, patienceMs: 0, tell: () => {}, clock: new FakeClock() })).toThrow(
      "patienceMs is 0",
    );
    expect(() => patientStore({ store, restMs: -1, tell: () => {}, clock: new FakeClock() })).toThrow("restMs is -1");
  });
});
