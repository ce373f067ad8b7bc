// `bulkhead quota` over a real Redis: what a fleet does is what is shown, once and every second, until Ctrl-C.

import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { QuotaPool } from "../../capacity/index.js";
import { showQuota } from "../../cli/quota/quota.js";
import { FakeClock, settle, until } from "../capacity/support.js";
import { REDIS_URL, removeKeys, withoutRedis } from "../support/redis.js";
import { testTerminal } from "./terminal.js";

describe.skipIf(await withoutRedis("the tests of shared quotas"))("a fleet in the terminal", () => {
  const prefix = `bulkhead:test:${randomUUID()}:`;
  const pools: QuotaPool[] = [];
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
    await removeKeys(prefix);
  });

  async function member(name: string): Promise<QuotaPool> {
    const quota = { requestsPerMinute: 600, inFlight: 10 };
    const pool = new QuotaPool({ name: "large", quota, fleet: { url: REDIS_URL, prefix, name, leaseMs: 300 } });
    pools.push(pool);
    await until(() => pool.status.fleet?.available === true);
    return pool;
  }
  const options = { quota: REDIS_URL };

  test("nobody yet", async () => {
    const terminal = testTerminal({ cwd: "/" });
    // The default user of a Redis without passwords takes any.
    await showQuota({ quota: REDIS_URL.replace("//", "//default:hush@") }, terminal, { prefix });
    expect(terminal.written.out).toMatch(/^0 quotas shared at redis:\/\/default:\*\*\*@127\.0\.0\.1:6379\nNobody uses/);
    expect(terminal.written.out).not.toContain("hush");
    expect(terminal.written.out).toMatch(/^offline-large +1,200/m);
  });

  test("two quotas, by name", async () => {
    await member("host/small");
    await member("host/large");
    await member("host/large");
    const terminal = testTerminal({ cwd: "/" });
    await showQuota(options, terminal, { prefix });
    const [head, , large, small] = terminal.written.out.split("\n");
    expect(head).toBe("2 quotas shared at redis://127.0.0.1:6379");
    expect(large).toMatch(/^host\/large +2 +0 of 10 +0 of 600 +0\.80 +0 +0 +0 +0 +closed +free$/);
    expect(small).toMatch(/^host\/small +1 /);

    const json = testTerminal({ cwd: "/" });
    await showQuota({ ...options, json: true }, json, { prefix });
    const { redis, quotas } = JSON.parse(json.written.out);
    expect({ redis, names: quotas.map(({ name }: { name: string }) => name) }).toEqual({
      redis: REDIS_URL,
      names: ["host/large", "host/small"],
    });
    expect(quotas[0]).toMatchObject({ processes: 2, inFlight: 0, share: 0.8, queued: 0, breakers: { closed: 2 } });
    expect(quotas[0].reports).toMatchObject([{ pid: process.pid }, { pid: process.pid }]);
  });

  test("one JSON line a second, until Ctrl-C", async () => {
    const pool = await member("host/large");
    const clock = new FakeClock();
    let interrupt = (): void => {};
    const terminal = {
      ...testTerminal({ cwd: "/" }),
      onInterrupt: (handler: () => void) => {
        interrupt = handler;
        return () => undefined;
      },
    };
    const lines = () =>
      terminal.written.out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    const watched = showQuota({ ...options, watch: true, json: true }, terminal, { prefix, clock });
    await until(() => lines().length === 1 && clock.sleeping === 1);
    pool.pause(60_000);
    await until(() => pool.forecast().state === "paused");
    for (let looks = 2; lines().at(-1).quotas[0].pausedMs === 0; looks += 1) {
      await clock.advance(1_000);
      await until(() => lines().length === looks && clock.sleeping === 1);
    }
    expect(lines()[0]).toMatchObject({ redis: REDIS_URL, quotas: [{ name: "host/large", pausedMs: 0 }] });
    expect(lines().at(-1).quotas[0].pausedMs).toBeGreaterThan(50_000);
    interrupt();
    await watched;
    await settle();
    expect(clock.sleeping).toBe(0);
  });

  test("a person's screen is drawn over, where questions appear", async () => {
    await member("host/large");
    const clock = new FakeClock();
    let interrupt = (): void => {};
    const terminal = {
      ...testTerminal({ cwd: "/", interactive: true }),
      onInterrupt: (handler: () => void) => {
        interrupt = handler;
        return () => undefined;
      },
    };
    const frames = () => terminal.written.err.split("\u001b[H").length - 1;
    const watched = showQuota({ ...options, watch: true }, terminal, { prefix, clock });
    await until(() => frames() === 1 && clock.sleeping === 1);
    await clock.advance(1_000);
    await until(() => frames() === 2 && clock.sleeping === 1);
    interrupt();
    await watched;
    expect(terminal.written.out).toBe("");
    expect(terminal.written.err).toContain("1 quota shared at redis://127.0.0.1:6379");
    expect(terminal.written.err).toContain("host/large");
  });
});
