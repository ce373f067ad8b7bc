import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memoryCache, obtainedOf, openCache, systemClock, trustOfAnswer } from "../../capacity/index.js";
import { type Brain, OfflineProvider, readSettings, resolveModel, SettingsError } from "../../models/index.js";
import { hmacSeal } from "../../trust/index.js";

describe("the settings of the cache", () => {
  test("off is the default; the rest has defaults of its own", () => {
    expect(readSettings({}).cache).toBeUndefined();
    expect(readSettings({ BULKHEAD_CACHE: "off" }).cache).toBeUndefined();
    const defaults = { ttlMs: 3_600_000, staleMs: 0, maxEntries: 10_000 };
    expect(readSettings({ BULKHEAD_CACHE: "memory" }).cache).toEqual({ place: { kind: "memory" }, ...defaults });
    expect(readSettings({ BULKHEAD_CACHE: "sqlite:some/cache.db" }).cache?.place).toEqual({
      kind: "sqlite",
      path: "some/cache.db",
    });
    const url = "rediss://:password@cache.example.com:6380/2";
    expect(readSettings({ BULKHEAD_CACHE: url }).cache?.place).toEqual({ kind: "redis", url });
  });

  test("reads every one", () => {
    const { cache } = readSettings({
      BULKHEAD_CACHE: "memory",
      BULKHEAD_CACHE_TTL: "15m",
      BULKHEAD_CACHE_STALE: "2d",
      BULKHEAD_CACHE_ENTRIES: "7",
      BULKHEAD_CACHE_SIMILAR: "0.93",
    });
    expect(cache).toMatchObject({ ttlMs: 900_000, staleMs: 172_800_000, maxEntries: 7, minScore: 0.93 });
    expect(readSettings({ BULKHEAD_CACHE: "memory", BULKHEAD_CACHE_SIMILAR: "off" }).cache).not.toHaveProperty(
      "minScore",
    );
  });

  test.each([
    [{ BULKHEAD_CACHE: "on" }, "BULKHEAD_CACHE must be off, memory, sqlite:PATH"],
    [{ BULKHEAD_CACHE: "redis://:pass word@:x" }, "BULKHEAD_CACHE must be off, memory, sqlite:PATH"],
    [{ BULKHEAD_CACHE: "memory", BULKHEAD_CACHE_TTL: "1 hour" }, "BULKHEAD_CACHE_TTL must be a duration such as 90s"],
    [{ BULKHEAD_CACHE: "memory", BULKHEAD_CACHE_TTL: "0s" }, "BULKHEAD_CACHE_TTL must be at least 1ms"],
    [{ BULKHEAD_CACHE: "memory", BULKHEAD_CACHE_ENTRIES: "0" }, "BULKHEAD_CACHE_ENTRIES must be a whole number"],
    [{ BULKHEAD_CACHE: "memory", BULKHEAD_CACHE_SIMILAR: "1.5" }, "BULKHEAD_CACHE_SIMILAR must be off, or a number"],
    [{ BULKHEAD_CACHE_TTL: "2h" }, "BULKHEAD_CACHE_TTL needs BULKHEAD_CACHE: set that too, or unset this"],
  ])("refuses %o", (env, message) => {
    expect(() => readSettings(env)).toThrow(SettingsError);
    expect(() => readSettings(env)).toThrow(message);
  });
});

describe("the model that settings resolve to", () => {
  const brain: Brain = () => ({ content: "fine", toolCalls: [] });
  const folder = () => mkdtempSync(join(tmpdir(), "bulkhead-cache-"));

  test("a place that others can write to needs a key to know our own answers by; nothing is made before the first call", async () => {
    const place = folder();
    const path = join(place, "cache.db");
    const settings = readSettings({ BULKHEAD_CACHE: `sqlite:${path}` });
    expect(() => resolveModel(settings)).toThrow(SettingsError);
    expect(() => resolveModel(settings)).toThrow("resolveModel(settings, { seal: journal.seal })");
    await resolveModel(settings, { cache: false }).close();
    const seal = hmacSeal(Buffer.from("the journal's key"));
    const ask = async (cacheable: boolean, key = seal) => {
      const provider = new OfflineProvider({ brain, embed: async () => [] });
      const resolved = resolveModel(settings, { provider, seal: key });
      expect(existsSync(path)).toBe(known);
      const answer = await resolved.model.invoke("hello", { cacheable });
      await resolved.close();
      await provider.close();
      known = existsSync(path);
      return { answer, requests: provider.requests.length };
    };
    let known = false;
    expect((await ask(false)).requests).toBe(1);
    expect(known).toBe(false);
    expect((await ask(true)).requests).toBe(1);
    expect(known).toBe(true);
    const { answer, requests } = await ask(true); // Another process would find it like this.
    expect([requests, obtainedOf(answer)?.cache?.fresh, trustOfAnswer(answer).currency]).toEqual([0, true, 2]);
    const stranger = await ask(true, hmacSeal(Buffer.from("another key")));
    expect(trustOfAnswer(stranger.answer)).toMatchObject({ integrity: 0 });
    rmSync(place, { recursive: true, force: true });
  });

  test("a cache that is given goes before the settings", async () => {
    const provider = new OfflineProvider({ brain, embed: async () => [] });
    const cache = memoryCache({ ttlMs: 1000, maxEntries: 1, clock: systemClock });
    const { model, close } = resolveModel(readSettings({ BULKHEAD_CACHE: "memory" }), { provider, cache });
    await model.invoke("hello", { cacheable: true });
    const other = resolveModel(readSettings({}), { provider, cache });
    await other.model.invoke("hello", { cacheable: true });
    expect(provider.requests).toHaveLength(1);
    await Promise.all([close(), other.close(), provider.close()]);
  });

  test("similar questions need an embedding", () => {
    const settings = { place: { kind: "memory" }, ttlMs: 1, minScore: 0.9 } as const;
    expect(() => openCache(settings)).toThrow("a cache for similar questions needs `embed`");
  });
});
