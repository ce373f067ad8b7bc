import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { redisStore } from "../../capacity/cache/redis-store.js";
import { keepingCache, obtainedOf, systemClock, trustOfAnswer } from "../../capacity/index.js";
import { RedisServer, withoutRedis, withoutRedisServer } from "../support/redis.js";
import { redisContent, redisPlace } from "./cache-redis.js";
import { storeSuite } from "./cache-store.js";
import { OpenAIServer } from "./openai-server.js";
import { Events, guarded, routeTo } from "./support.js";

const without = "the tests of the cache in Redis";
describe.skipIf((await withoutRedis(without)) || withoutRedisServer(without))("in Redis", () => {
  storeSuite(async () => {
    const { url, prefix, remove } = redisPlace();
    const store = redisStore({ url, prefix });
    const other = redisStore({ url, prefix });
    return {
      store,
      other,
      pass: async (ms) => void (await delay(ms)), // The server's clock.
      async [Symbol.asyncDispose]() {
        await store.close();
        await other.close();
        await remove();
      },
    };
  });

  test("what lies there tells neither the prompt nor the tenant nor a key, and goes by itself", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "fine" }));
    const { url, prefix, remove } = redisPlace();
    const cache = keepingCache({
      store: redisStore({ url, prefix }),
      ttlMs: 60_000,
      staleMs: 1000,
      clock: systemClock,
    });
    const model = guarded([routeTo(server, "large", { apiKey: "sk-very-secret" })], { cache });
    await model.invoke("the secret plan", { cacheable: true, tenant: "ann@example.com" });
    const rows = await redisContent(prefix);
    expect(rows).toHaveLength(1); // The lock was given back.
    expect(rows[0]?.key.slice(prefix.length)).toMatch(/^\{[0-9a-f]{64}\}$/);
    expect(JSON.stringify(rows)).not.toMatch(/secret|ann@/);
    expect(rows[0]?.leftMs).toBeGreaterThan(0);
    expect(rows[0]?.leftMs).toBeLessThanOrEqual(61_000);
    await cache.close();
    await remove();
  });

  /** A model over a server of one's own, and what its calls are told. */
  const world = async (redis: { readonly url: string }) => {
    const server = await OpenAIServer.start();
    const cache = keepingCache({
      store: redisStore({ url: redis.url }),
      patience: { restMs: 50 },
      ttlMs: 60_000,
      clock: systemClock,
    });
    const model = guarded([routeTo(server, "large")], { cache });
    const events = new Events();
    const states = () => events.all.flatMap((event) => (event.kind === "cache" ? [event.state] : []));
    const ask = async (text: string) => {
      const answer = await model.invoke(text, { cacheable: true, callbacks: [events] });
      return { cached: obtainedOf(answer)?.cache !== undefined, trust: trustOfAnswer(answer) };
    };
    const close = async () => {
      await cache.close();
      await server[Symbol.asyncDispose]();
    };
    return { ask, states, events, server, [Symbol.asyncDispose]: close };
  };

  test("frozen, killed, restarted empty: every call goes on, it is told once, and the cache comes back", async () => {
    await using redis = await RedisServer.open();
    await using under = await world(redis);
    const { ask, states, events } = under;
    await ask("a");
    expect(await ask("a")).toMatchObject({ cached: true });
    redis.freeze();
    for (const text of ["a", "b", "c"])
      expect(await ask(text)).toMatchObject({ cached: false, trust: { currency: 3 } });
    expect(states()).toEqual(["lost"]);
    redis.thaw();
    const back = async () => {
      while (states().at(-1) !== "back") await ask("a");
    };
    await back();
    expect(await ask("a")).toMatchObject({ cached: true });

    await redis.kill();
    for (const text of ["a", "b"]) expect(await ask(text)).toMatchObject({ cached: false });
    expect(states()).toEqual(["lost", "back", "lost"]);
    const reasons = events.all.flatMap((event) => (event.kind === "cache" ? [event.reason] : []));
    expect(reasons[2]).toMatch(/^the answer cache: Redis at 127\.0\.0\.1:\d+ /);
    await redis.start();
    await back();
    await ask("d");
    expect(await ask("d")).toMatchObject({ cached: true });
  });

  test("absent from the start: no call waits for it or fails, and it is used as soon as it is there", async () => {
    await using redis = await RedisServer.open();
    await redis.kill();
    await using under = await world(redis);
    const { ask, states, events } = under;
    for (const text of ["a", "a"]) expect(await ask(text)).toMatchObject({ cached: false });
    expect(states()).toEqual(["lost"]);
    expect(events.all.find(({ kind }) => kind === "cache")).toMatchObject({
      reason: expect.stringContaining("ECONNREFUSED"),
    });
    await redis.start();
    while (states().at(-1) !== "back") await ask("a");
    await ask("b");
    expect(await ask("b")).toMatchObject({ cached: true });
  });
});
