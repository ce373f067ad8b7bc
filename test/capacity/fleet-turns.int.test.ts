// Who of a fleet comes when, and how much of the quota it uses. Single turns are counted, and nearly all of the share is
// asked for, so these tests come one at a time.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, expect } from "vitest";
import { withoutRedisServer } from "../support/redis.js";
import { ALLOWED, type Member } from "./fleet.js";
import { test } from "./fleet-scene.js";

type Shared = Member["shared"];
const SECOND = 1_000;

describe.skipIf(withoutRedisServer("the tests of a fleet's turns"))("a fleet", { timeout: 60_000 }, () => {
  test("shares one quota, and uses nearly all of the share that is set", async ({ scene }) => {
    const at = scene.fleet({}, {}, {});
    await scene.ready(at);
    at.work(20, 20);
    await at.during(SECOND);
    const left = await at.during(2 * SECOND);
    expect(left).toBeGreaterThan(0.5 * 2 * 80); // 80 a second are its share; the machine may be busy.
    expect(at.mostWithin(SECOND)).toBeLessThanOrEqual(ALLOWED);
    expect(at.most).toBeLessThanOrEqual(10);
    expect(at.failed).toBe(0);
    expect(at.members.map(({ shared }) => shared.fleet.processes)).toEqual([3, 3, 3]);
  });

  test("a process that stood still for longer than its lease goes on as if nothing had been", async ({ scene }) => {
    const child = await scene.hoarder(3);
    child.kill("SIGSTOP");
    const at = scene.fleet({});
    await scene.ready(at);
    at.work(20, 200);
    await scene.until(() => at.most === 10);
    child.kill("SIGCONT");
    child.send("more"); // It takes one more when it has found its fleet again, should it have lost it meanwhile.
    await once(child, "message");
    await at.stop();
    await scene.until(async () => (await scene.held()) === 4);
    expect(at.failed).toBe(0);
  });

  test("who asks more often is not served more often: processes take turns", async ({ scene }) => {
    // A start every 125 ms: also on a busy machine both ask in between.
    const fleet = await scene.sharing(2, { requestsPerMinute: 600 });
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

  test("who has all the slots leaves those that come back to who waits for one", async ({ scene }) => {
    const fleet = await scene.sharing(2, { requestsPerMinute: 600_000, inFlight: 4 });
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
});
