// A fleet looked at from outside, over a real Redis: what is shown is what there is, and looking changes nothing.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { CircuitBreaker } from "../../capacity/breaker.js";
import { FleetView, type Quota, QuotaPool } from "../../capacity/index.js";
import { quotaKeys } from "../../capacity/redis/scripts.js";
import { REDIS_URL, removeKeys, withoutRedis } from "../support/redis.js";
import { until } from "./support.js";

const PREFIX = `bulkhead:test[${randomUUID()}]:`; // With letters that mean something in a glob.
const QUOTA: Quota = { requestsPerMinute: 600, tokensPerMinute: 60_000, inFlight: 10, headroom: 0.5, maxHeadroom: 0.5 };

describe.skipIf(await withoutRedis("the tests of a fleet from outside"))("a fleet from outside", () => {
  const redis = new Redis(REDIS_URL, { lazyConnect: true });
  const view = new FleetView({ url: REDIS_URL, prefix: PREFIX });
  let name: string;
  const pools: QuotaPool[] = [];
  beforeEach(() => {
    name = `host/${randomUUID()}/large`;
  });
  afterAll(async () => {
    for (const pool of pools) await pool.close();
    await view.close();
    await removeKeys(PREFIX);
    redis.disconnect();
  });

  async function member(quota: Quota = QUOTA): Promise<QuotaPool> {
    const pool = new QuotaPool({ name: "large", quota, fleet: { url: REDIS_URL, prefix: PREFIX, name, leaseMs: 300 } });
    pools.push(pool);
    await until(() => pool.status.fleet?.available === true);
    expect(pool.takeNews()).toEqual([]); // It was never lost.
    return pool;
  }
  const send = (pool: QuotaPool, reply: () => Promise<Response>) => pool.gate(reply)("http://test/v1", { body: "{}" });
  async function eventually(holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 10_000;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error("it never came true");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test("a quota that nobody uses is at rest, and looking does not make it", async () => {
    const seen = await view.look(name);
    expect(seen).toEqual({
      name,
      processes: 0,
      inFlight: 0,
      pausedMs: 0,
      reservedMs: 0,
      owedMs: 0,
      breaker: "closed",
      reports: [],
    });
    expect(await view.names()).not.toContain(name);
    expect(await redis.keys(`*${name}*`)).toEqual([]);
  });

  test("shows slots, tokens owed, a pause and the share, as Redis has them", async () => {
    const pool = await member();
    let end = (): void => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const late = () => held.then(() => new Response("fine"));
    const answers = [send(pool, late), send(pool, late)];
    await eventually(async () => (await view.look(name)).inFlight === 2);
    const busy = await view.look(name);
    expect(busy).toMatchObject({ processes: 1, share: 0.5, pausedMs: 0 });
    const { state } = quotaKeys(PREFIX, name);
    expect(await redis.hmget(state, "tat", "tok")).toEqual([expect.any(String), expect.any(String)]);
    await redis.hset(state, { tat: Date.now() + 60_000, tok: Date.now() + 120_000 });
    const { reservedMs, owedMs } = await view.look(name);
    expect([reservedMs > 30_000, owedMs > 90_000]).toEqual([true, true]);
    expect(await view.look(name)).toMatchObject({ processes: 1, inFlight: 2 }); // The looker is no process.
    end();
    for (const answer of answers) await (await answer).text();
    pool.pause(60_000);
    await eventually(async () => (await view.look(name)).pausedMs > 50_000);
    expect((await view.look(name)).pausedMs).toBeLessThanOrEqual(60_000);
    expect(await view.names()).toContain(name);
  });

  test("each process says how it stands, and is gone when it is gone", async () => {
    const first = await member();
    const second = await member({ ...QUOTA, requestsPerMinute: 300 });
    const refused = send(first, async () => new Response("", { status: 429, headers: { "retry-after": "60" } }));
    expect((await refused).status).toBe(429);
    const enough = new AbortController();
    const waiting = first.gate(fetch)("http://test/v1", { signal: enough.signal });
    const reported = async () => (await view.look(name)).reports;
    await eventually(async () => (await reported()).some(({ queued }) => queued === 1));
    const reports = [...(await reported())].sort((left, right) => right.admitted - left.admitted);
    expect(reports).toMatchObject([
      { host: hostname(), pid: process.pid, requestsPerMinute: 600, tokensPerMinute: 60_000, slots: 10 },
      { requestsPerMinute: 300, admitted: 0, queued: 0 },
    ]);
    expect(reports[0]).toMatchObject({ admitted: 1, rateLimited: 1, shed: 0, timedOut: 0, breaker: "closed" });
    enough.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await second.close();
    expect(await view.look(name)).toMatchObject({ processes: 1, reports: [{ admitted: 1 }] });
    await first.close();
    expect(await redis.exists(quotaKeys(PREFIX, name).reports)).toBe(0);
  });

  test("a dead route is dead for all, until it lives", async () => {
    const pool = await member();
    for (let dead = 0; dead < CircuitBreaker.FAILURES; dead += 1) pool.breaker.enter()?.("dead", "server-error");
    await eventually(async () => (await view.look(name)).breaker === "open");
    const { broken } = await view.look(name);
    expect(broken?.why).toBe("server-error");
    expect(broken?.ms).toBeGreaterThan(10_000);
    await redis.hset(quotaKeys(PREFIX, name).state, "broken", Date.now() - 1_000);
    expect(await view.look(name)).toMatchObject({ breaker: "half-open", broken: { ms: 0, why: "server-error" } });
  });

  test("the report of a process that died goes with its lease, and one that nobody can read is left out", async () => {
    await member();
    const { processes, reports } = quotaKeys(PREFIX, name);
    const now = Date.now();
    await redis.zadd(processes, now + 60_000, "stranger", now - 60_000, "dead");
    const [good = ""] = await redis.hvals(reports);
    await redis.hset(reports, { stranger: `${now} {"host":1}`, dead: good });
    expect(await view.look(name)).toMatchObject({ processes: 2, reports: [{ pid: process.pid }] });
    await eventually(async () => (await redis.hexists(reports, "dead")) === 0); // By the next one that says it lives.
    expect(await redis.hexists(reports, "stranger")).toBe(1);
    expect(await redis.pttl(reports)).toBeGreaterThan(0);
  });
});
