// The quota of a fleet, whatever happens to Redis, to a process or to a clock: no call fails, nobody hangs, and the quota
// is never passed. The rows are those of capacity.md, section 3.2. Counts are compared, never durations. Nearly all of the
// time is waiting, so the tests wait side by side.

import { randomUUID } from "node:crypto";
import { describe, expect } from "vitest";
import { type RedisServer, withoutRedisServer } from "../support/redis.js";
import { ALLOWED, clockThatIsOff, type Member } from "./fleet.js";
import { test } from "./fleet-scene.js";

type Shared = Member["shared"];
const SECOND = 1_000;

describe
  .skipIf(withoutRedisServer("the tests of a fleet in trouble"))
  .concurrent("a fleet", { timeout: 60_000 }, () => {
    test.for<[string, number]>([
      ["one of three processes is killed with slots", 7],
      ["all are killed with all slots", 10],
    ])("%s: they are free when its lease runs out", async ([, slots], { scene }) => {
      const child = await scene.hoarder(slots);
      const at = scene.fleet({});
      await scene.ready(at);
      expect(await scene.held()).toBe(slots);
      child.kill("SIGKILL");
      at.work(20, 200);
      await scene.until(() => at.most === 10);
      expect(at.failed).toBe(0);
      expect(at.most).toBeLessThanOrEqual(10);
    });

    test("a process that lives keeps its slots, however long that takes", async ({ scene }) => {
      await scene.hoarder(9);
      const at = scene.fleet({});
      await scene.ready(at);
      at.work(20, 10);
      expect(await at.during(3 * SECOND)).toBeGreaterThan(0); // Three leases.
      expect(at.most).toBe(1);
    });

    type Blow = (server: RedisServer) => Promise<void>;
    test.for<[string, Blow, Blow]>([
      ["killed, and back empty", (server) => server.kill(), (server) => server.start()],
      ["frozen", async (server) => server.freeze(), async (server) => server.thaw()],
    ])(
      "Redis is %s: everybody keeps to a safe part meanwhile, says so, and rejoins",
      async ([, strike, heal], { scene }) => {
        const at = scene.fleet({}, {}, {});
        await scene.ready(at);
        at.work(20, 20);
        await at.during(SECOND);
        await strike(scene.server);
        await scene.until(() => at.members.every(({ shared }) => !shared.available));
        const meanwhile = await at.during(3 * SECOND);
        expect(meanwhile).toBeGreaterThan(30); // 3 x 80 at most; the machine may be busy.
        expect(meanwhile).toBeLessThanOrEqual(3 * 80 + 3 * 9);
        await heal(scene.server);
        await scene.ready(at);
        expect(await at.during(SECOND)).toBeGreaterThan(10);
        expect(at.members.map(({ said }) => said)).toEqual([1, 2, 3].map(() => ["lost", "back"]));
        expect(at.failed).toBe(0);
        expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED + 3 * 3);
      },
    );

    test("Redis is killed, and back with what it had: the slots that are held are known at once", async ({ scene }) => {
      await scene.server.kill();
      await scene.server.start({ keeps: true });
      await scene.hoarder(9);
      await scene.server.kill();
      await scene.server.start({ keeps: true });
      expect(await scene.held()).toBe(9);
      const at = scene.fleet({});
      await scene.ready(at);
      at.work(20, 10);
      expect(await at.during(SECOND)).toBeGreaterThan(0);
      expect(at.most).toBe(1);
      expect(at.failed).toBe(0);
    });

    test("retries are one budget for all", async ({ scene }) => {
      const at = scene.fleet({}, {});
      await scene.ready(at);
      const [one, other] = at.members.map(({ shared }) => shared) as [Shared, Shared];
      const granted = [];
      for (const who of [...Array<Shared>(6).fill(one), ...Array<Shared>(6).fill(other)])
        granted.push(await who.retry());
      expect(granted.filter(Boolean)).toHaveLength(10);
      // A tenth of one for each request that leaves.
      await scene.until(async () => {
        const id = randomUUID();
        await one.take(id, 0);
        one.giveBack(id);
        return other.retry();
      });
    });

    test("Redis is gone for good: the work goes on to its end", async ({ scene }) => {
      const at = scene.fleet({}, {}, {});
      await scene.ready(at);
      at.work(5, 20);
      await at.during(500);
      await scene.server.kill();
      await scene.until(() => at.members.every(({ shared }) => !shared.available));
      expect(await at.during(2 * SECOND)).toBeGreaterThan(20);
      await at.stop();
      expect(at.failed).toBe(0);
    });

    test("Redis is away at the start: nobody waits for it, and all join when it comes", async ({ scene }) => {
      await scene.server.kill();
      const at = scene.fleet({ processes: 5 }, { processes: 5 });
      at.work(10, 20);
      const alone = await at.during(2 * SECOND);
      expect(alone).toBeGreaterThan(5);
      expect(alone).toBeLessThanOrEqual(2 * 2 * 16 + 4); // Each of the two has a fifth of 80 a second.
      await scene.server.start();
      await scene.ready(at);
      expect(await at.during(SECOND)).toBeGreaterThan(20);
      expect(at.failed).toBe(0);
    });

    test.for([
      ["FLUSHALL", "FLUSHALL"],
      ["SCRIPT FLUSH", "SCRIPT"],
    ])("%s changes nothing", async ([, command = ""], { scene }) => {
      const at = scene.fleet({}, {});
      await scene.ready(at);
      at.work(20, 20);
      await at.during(SECOND);
      await scene.server.command(command, ...(command === "SCRIPT" ? ["FLUSH"] : []));
      const after = await at.during(2 * SECOND);
      expect(after).toBeGreaterThan(60);
      expect(at.members.map(({ said }) => said)).toEqual([[], []]);
      expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED + 3);
      expect(at.most).toBeLessThanOrEqual(10 + 10); // The slots of before are known again after a third of a lease.
      expect(at.failed).toBe(0);
    });

    test("slots that a process gave out while Redis was away are known when it is back", async ({ scene }) => {
      const at = scene.fleet({});
      await scene.ready(at);
      await scene.server.kill();
      const [{ limiter, shared }] = at.members as [Member];
      const ask = () => limiter.acquire({ key: "", tokens: 0 });
      const [first, second] = [await ask(), await ask()];
      expect(shared.available).toBe(false);
      await scene.server.start();
      await scene.ready(at);
      expect(await scene.held()).toBe(2);
      for (const slot of [first, second]) slot.release();
      await scene.until(async () => (await scene.held()) === 0);
    });

    test("clocks that are twenty seconds off do not matter", async ({ scene }) => {
      const at = scene.fleet({}, { clock: clockThatIsOff(20 * SECOND) }, { clock: clockThatIsOff(-20 * SECOND) });
      await scene.ready(at);
      at.work(20, 20);
      await at.during(SECOND);
      expect(await at.during(2 * SECOND)).toBeGreaterThan(60);
      expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED);
      expect(at.members.map(({ said }) => said)).toEqual([[], [], []]);
    });

    test("a pause and a refusal that one process hears of hold for all", async ({ scene }) => {
      const at = scene.fleet({}, {});
      await scene.ready(at);
      const [one, other] = at.members as [Member, Member];
      one.limiter.pause(60_000);
      one.limiter.refused();
      await scene.until(() => one.shared.fleet.headroom.share < 0.8);
      const refused = other.limiter.acquire({ key: "", tokens: 0, maxPauseMs: 1_000 });
      await expect(refused).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
      await scene.until(() => other.shared.fleet.headroom.share < 0.8);
      expect(other.shared.fleet.headroom).toEqual(one.shared.fleet.headroom);
    });

    test("a route that one process found dead is dead for all, and one of them probes", async ({ scene }) => {
      const heard: string[] = [];
      const onBroken = (_forMs: number, why: string) => heard.push(why);
      const at = scene.fleet({}, { onBroken }, {});
      await scene.ready(at);
      const [one, other, third] = at.members.map(({ shared }) => shared) as [Shared, Shared, Shared];
      one.broke(60_000, "server-error");
      await scene.until(() => other.take("a", 0).then(({ granted }) => !granted));
      expect(await other.take("b", 0)).toMatchObject({ granted: false });
      expect(heard).toContain("server-error");
      one.broke(1, "server-error"); // Its time is over.
      await scene.until(() => other.take("c", 0).then(({ granted }) => granted));
      expect(await third.take("d", 0)).toMatchObject({ granted: false });
      other.broke(0, "");
      await scene.until(() => third.take("e", 0).then(({ granted }) => granted));
    });

    test("tokens are one ledger for all, and corrected for all", async ({ scene }) => {
      // A hundred tokens a millisecond at share 1: 12 seconds' worth may leave at once.
      const quota = { tokensPerMinute: 6_000_000, headroom: 1, maxHeadroom: 1, inFlight: 100 };
      const { members } = await scene.sharing(3, quota);
      const [one, other, third] = members.map(({ shared }) => shared) as [Shared, Shared, Shared];
      expect(await one.take("a", 1_100_000)).toMatchObject({ granted: true });
      one.correct(-1_000_000);
      await one.take("b", 0); // One connection, one order: Redis has heard of the correction.
      expect(await other.take("c", 600_000)).toMatchObject({ granted: true });
      expect(await third.take("d", 1_100_000)).toMatchObject({ granted: false, reason: "pace" });
    });

    test("tokens that come back bring forward who waits for them, and nobody waits for their pace meanwhile", async ({
      scene,
    }) => {
      const quota = { tokensPerMinute: 6_000_000, headroom: 1, maxHeadroom: 1, inFlight: 100 };
      const { members } = await scene.sharing(3, quota);
      const [one, other, third] = members.map(({ shared }) => shared) as [Shared, Shared, Shared];
      expect(await one.take("a", 1_200_000)).toMatchObject({ granted: true });
      expect(await other.take("b", 1_100_000)).toMatchObject({ granted: false });
      one.correct(-1_100_000);
      await one.take("c", 0); // One connection, one order: Redis has heard of the correction.
      expect(await other.take("b", 1_100_000)).toMatchObject({ granted: true });
      expect(await third.take("d", 10)).toMatchObject({ granted: true, startInMs: expect.toSatisfy((ms) => ms < 500) });
    });

    test("who leaves gives back what it holds, and counts no more", async ({ scene }) => {
      const at = scene.fleet({}, {});
      await scene.ready(at);
      const [one, other] = at.members as [Member, Member];
      await one.shared.take("a", 0);
      await other.shared.take("b", 0);
      expect(await scene.held()).toBe(2);
      await one.limiter.close();
      expect(await scene.held()).toBe(1);
      await other.shared.take("c", 0);
      expect(other.shared.fleet.processes).toBe(1);
    });
  });
