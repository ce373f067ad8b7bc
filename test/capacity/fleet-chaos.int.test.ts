// The quota of a fleet, whatever happens to Redis, to a process or to a clock: no call fails, nobody hangs, and the quota
// is never passed. The rows are those of capacity.md, section 3.2. Counts are compared, never durations.

import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RedisServer, withoutRedisServer } from "../support/redis.js";
import { clockThatIsOff, Fleet, Member, QUOTA } from "./fleet.js";

type Shared = Member["shared"];
const SECOND = 1_000;
/** What the provider allows within a second, and two that may leave at once. */
const ALLOWED = QUOTA.requestsPerMinute / 60 + 2;

describe.skipIf(withoutRedisServer("the tests of a fleet in trouble"))("a fleet", { timeout: 60_000 }, () => {
  let server: RedisServer;
  let name: string;
  let fleet: Fleet | undefined;
  const worker = fileURLToPath(new URL("./fleet-worker.ts", import.meta.url));
  const children: ReturnType<typeof fork>[] = [];

  beforeEach(async () => {
    server = await RedisServer.open();
    name = randomUUID();
    fleet = undefined;
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await fleet?.stop();
    await server.close();
  });

  const fleetOf = (...changes: object[]): Fleet => {
    fleet = new Fleet(changes.map((change) => new Member({ url: server.url, name, ...change })));
    return fleet;
  };
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const ready = (of: Fleet) => until(() => of.members.every(({ shared }) => shared.available));
  const held = async () => Number(await server.command("ZCARD", `bulkhead:test:quota:{${name}}:leases`));

  /** Takes all slots in a process of its own, and holds them for as long as it lives. */
  async function hoarder(slots: number): Promise<ReturnType<typeof fork>> {
    const child = fork(worker, [server.url, name, String(slots)], { execArgv: ["--import", "tsx"] });
    children.push(child);
    await once(child, "message");
    return child;
  }

  test("shares one quota, and uses nearly all of the share that is set", async () => {
    const at = fleetOf({}, {}, {});
    await ready(at);
    at.work(20, 20);
    await at.during(SECOND);
    const left = await at.during(2 * SECOND);
    expect(left).toBeGreaterThan(0.5 * 2 * 80); // 80 a second are its share; the machine may be busy.
    expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED);
    expect(at.most).toBeLessThanOrEqual(10);
    expect(at.failed).toBe(0);
    expect(at.members.map(({ shared }) => shared.fleet.processes)).toEqual([3, 3, 3]);
  });

  test.each([
    ["one of three processes is killed with slots", 7],
    ["all are killed with all slots", 10],
  ])("%s: they are free when its lease runs out", async (_, slots) => {
    const child = await hoarder(slots);
    const at = fleetOf({});
    await ready(at);
    expect(await held()).toBe(slots);
    child.kill("SIGKILL");
    at.work(20, 200);
    await until(() => at.most === 10);
    expect(at.failed).toBe(0);
    expect(at.most).toBeLessThanOrEqual(10);
  });

  test("a process that lives keeps its slots, however long that takes", async () => {
    await hoarder(9);
    const at = fleetOf({});
    await ready(at);
    at.work(20, 10);
    expect(await at.during(3 * SECOND)).toBeGreaterThan(0); // Three leases.
    expect(at.most).toBe(1);
  });

  const trouble: [string, () => Promise<void>, () => Promise<void>][] = [
    ["killed, and back empty", () => server.kill(), () => server.start()],
    ["frozen", async () => server.freeze(), async () => server.thaw()],
  ];
  test.each(trouble)(
    "Redis is %s: everybody keeps to a safe part meanwhile, says so, and rejoins",
    async (_, strike, heal) => {
      const at = fleetOf({}, {}, {});
      await ready(at);
      at.work(20, 20);
      await at.during(SECOND);
      await strike();
      await until(() => at.members.every(({ shared }) => !shared.available));
      const meanwhile = await at.during(3 * SECOND);
      expect(meanwhile).toBeGreaterThan(30); // 3 x 80 at most; the machine may be busy.
      expect(meanwhile).toBeLessThanOrEqual(3 * 80 + 3 * 9);
      await heal();
      await ready(at);
      expect(await at.during(SECOND)).toBeGreaterThan(10);
      expect(at.members.map(({ said }) => said)).toEqual([1, 2, 3].map(() => ["lost", "back"]));
      expect(at.failed).toBe(0);
      expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED + 3 * 3);
    },
  );

  test("Redis is killed, and back with what it had: the slots that are held are known at once", async () => {
    await server.kill();
    await server.start({ keeps: true });
    await hoarder(9);
    await server.kill();
    await server.start({ keeps: true });
    expect(await held()).toBe(9);
    const at = fleetOf({});
    await ready(at);
    at.work(20, 10);
    expect(await at.during(SECOND)).toBeGreaterThan(0);
    expect(at.most).toBe(1);
    expect(at.failed).toBe(0);
  });

  test("who asks more often is not served more often: processes take turns", async () => {
    // A start every 125 ms: also on a busy machine both ask in between.
    const quota = { ...QUOTA, requestsPerMinute: 600 };
    fleet = new Fleet([1, 2].map(() => new Member({ url: server.url, name }, quota)));
    await ready(fleet);
    const [eager, patient] = fleet.members.map(({ shared }) => shared) as [Shared, Shared];
    const served = new Map<Shared, number>();
    const ask = async (who: Shared) => {
      const id = randomUUID();
      if (!(await who.take(id, 0)).granted) return;
      who.giveBack(id);
      served.set(who, (served.get(who) ?? 0) + 1);
    };
    while ((served.get(patient) ?? 0) < 8) {
      for (let times = 0; times < 10; times += 1) await ask(eager);
      await ask(patient);
    }
    // Before the pace is full it is first come, first served.
    expect(served.get(eager)).toBeLessThanOrEqual(8 + 4);
  });

  test("who has all the slots leaves those that come back to who waits for one, until both have as many", async () => {
    const quota = { ...QUOTA, requestsPerMinute: 600_000, inFlight: 4 };
    fleet = new Fleet([1, 2].map(() => new Member({ url: server.url, name }, quota)));
    await ready(fleet);
    const [one, other] = fleet.members.map(({ shared }) => shared) as [Shared, Shared];
    const taken = async (who: Shared) => {
      const id = randomUUID();
      return (await who.take(id, 0)).granted ? id : undefined;
    };
    const first = [await taken(one), await taken(one), await taken(one), await taken(one)] as string[];
    const asks = [];
    for (const id of first.slice(0, 3)) {
      // Who waits asks again now and then; whoever gives back asks in the same moment.
      asks.push((await taken(other)) !== undefined);
      one.giveBack(id);
      asks.push((await taken(one)) !== undefined, (await taken(other)) !== undefined);
    }
    const [no, yes] = [false, true];
    // At two and two everybody takes his own again.
    expect(asks).toEqual([no, no, yes, no, no, yes, no, yes, no]);
  });

  test("retries are one budget for all", async () => {
    const at = fleetOf({}, {});
    await ready(at);
    const [one, other] = at.members.map(({ shared }) => shared) as [Shared, Shared];
    const granted = [];
    for (const who of [...Array<Shared>(6).fill(one), ...Array<Shared>(6).fill(other)]) granted.push(await who.retry());
    expect(granted.filter(Boolean)).toHaveLength(10);
    // A tenth of one for each request that leaves.
    await until(async () => {
      const id = randomUUID();
      await one.take(id, 0);
      one.giveBack(id);
      return other.retry();
    });
  });

  test("Redis is gone for good: the work goes on to its end", async () => {
    const at = fleetOf({}, {}, {});
    await ready(at);
    at.work(5, 20);
    await at.during(500);
    await server.kill();
    await until(() => at.members.every(({ shared }) => !shared.available));
    expect(await at.during(2 * SECOND)).toBeGreaterThan(20);
    await at.stop();
    expect(at.failed).toBe(0);
  });

  test("Redis is away at the start: nobody waits for it, and all join when it comes", async () => {
    await server.kill();
    const at = fleetOf({ processes: 5 }, { processes: 5 });
    at.work(10, 20);
    const alone = await at.during(2 * SECOND);
    expect(alone).toBeGreaterThan(5);
    expect(alone).toBeLessThanOrEqual(2 * 2 * 16 + 4); // Each of the two has a fifth of 80 a second.
    await server.start();
    await ready(at);
    expect(await at.during(SECOND)).toBeGreaterThan(20);
    expect(at.failed).toBe(0);
  });

  test.each([
    ["FLUSHALL", "FLUSHALL"],
    ["SCRIPT FLUSH", "SCRIPT"],
  ])("%s changes nothing", async (_, command) => {
    const at = fleetOf({}, {});
    await ready(at);
    at.work(20, 20);
    await at.during(SECOND);
    await server.command(command, ...(command === "SCRIPT" ? ["FLUSH"] : []));
    const after = await at.during(2 * SECOND);
    expect(after).toBeGreaterThan(60);
    expect(at.members.map(({ said }) => said)).toEqual([[], []]);
    expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED + 3);
    expect(at.most).toBeLessThanOrEqual(10 + 10); // The slots of before are known again after a third of a lease.
    expect(at.failed).toBe(0);
  });

  test("a process that stood still for longer than its lease goes on as if nothing had been", async () => {
    const child = await hoarder(3);
    child.kill("SIGSTOP");
    const at = fleetOf({});
    await ready(at);
    at.work(20, 200);
    await until(() => at.most === 10);
    child.kill("SIGCONT");
    child.send("more"); // It takes one more when it has found its fleet again, should it have lost it meanwhile.
    await once(child, "message");
    await at.stop();
    await until(async () => (await held()) === 4);
    expect(at.failed).toBe(0);
  });

  test("clocks that are twenty seconds off do not matter", async () => {
    const at = fleetOf({}, { clock: clockThatIsOff(20 * SECOND) }, { clock: clockThatIsOff(-20 * SECOND) });
    await ready(at);
    at.work(20, 20);
    await at.during(SECOND);
    expect(await at.during(2 * SECOND)).toBeGreaterThan(60);
    expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED);
    expect(at.members.map(({ said }) => said)).toEqual([[], [], []]);
  });

  test("a pause and a refusal that one process hears of hold for all", async () => {
    const at = fleetOf({}, {});
    await ready(at);
    const [one, other] = at.members as [Member, Member];
    one.limiter.pause(60_000);
    one.limiter.refused();
    await until(() => one.shared.fleet.headroom.share < 0.8);
    const refused = other.limiter.acquire({ key: "", tokens: 0, maxPauseMs: 1_000 });
    await expect(refused).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
    await until(() => other.shared.fleet.headroom.share < 0.8);
    expect(other.shared.fleet.headroom).toEqual(one.shared.fleet.headroom);
  });

  test("a route that one process found dead is dead for all, and one of them probes", async () => {
    const heard: string[] = [];
    const onBroken = (_forMs: number, why: string) => heard.push(why);
    const at = fleetOf({}, { onBroken }, {});
    await ready(at);
    const [one, other, third] = at.members.map(({ shared }) => shared) as [Shared, Shared, Shared];
    one.broke(60_000, "server-error");
    await until(() => other.take("a", 0).then(({ granted }) => !granted));
    expect(await other.take("b", 0)).toMatchObject({ granted: false });
    expect(heard).toContain("server-error");
    one.broke(1, "server-error"); // Its time is over.
    await until(() => other.take("c", 0).then(({ granted }) => granted));
    expect(await third.take("d", 0)).toMatchObject({ granted: false });
    other.broke(0, "");
    await until(() => third.take("e", 0).then(({ granted }) => granted));
  });

  test("tokens are one ledger for all, and corrected for all", async () => {
    // A hundred tokens a millisecond at share 1: 12 seconds' worth may leave at once.
    const quota = { ...QUOTA, tokensPerMinute: 6_000_000, headroom: 1, maxHeadroom: 1, inFlight: 100 };
    fleet = new Fleet([1, 2].map(() => new Member({ url: server.url, name }, quota)));
    await ready(fleet);
    const [one, other] = fleet.members as [Member, Member];
    expect(await one.shared.take("a", 1_100_000)).toMatchObject({ granted: true });
    expect(await other.shared.take("b", 600_000)).toMatchObject({ granted: false, reason: "pace" });
    one.shared.correct(-1_000_000);
    await until(async () => (await other.shared.take("b", 600_000)).granted);
  });

  test("who leaves gives back what it holds, and counts no more", async () => {
    const at = fleetOf({}, {});
    await ready(at);
    const [one, other] = at.members as [Member, Member];
    await one.shared.take("a", 0);
    await other.shared.take("b", 0);
    expect(await held()).toBe(2);
    await one.limiter.close();
    expect(await held()).toBe(1);
    await other.shared.take("c", 0);
    expect(other.shared.fleet.processes).toBe(1);
  });
});
