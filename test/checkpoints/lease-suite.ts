// One run per thread, on any database that several processes can open.

import { hostname } from "node:os";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Journal, openJournal, type Ticker } from "../../checkpoints/index.js";
import { type Place, TestClock } from "./support.js";

/** A timer that ticks when told to. */
class HandTicker {
  private readonly ticks = new Set<() => void>();
  readonly every: Ticker = (_ms, tick) => {
    this.ticks.add(tick);
    return () => void this.ticks.delete(tick);
  };
  get running(): number {
    return this.ticks.size;
  }
  tick(): void {
    this.capture()();
  }
  /** The next tick, to let go later. */
  capture(): () => void {
    const ticks = [...this.ticks];
    return () => {
      for (const tick of ticks) tick();
    };
  }
}

export function leaseSuite(name: string, place: () => Place): void {
  describe(`leases on ${name}`, () => {
    let at: Place;
    let clock: TestClock;
    let ticker: HandTicker;
    let mine: Journal;
    let theirs: Journal;

    beforeEach(() => {
      at = place();
      clock = new TestClock();
      ticker = new HandTicker();
      mine = openJournal(at.url, { clock, every: ticker.every });
      theirs = openJournal(at.url, { clock, every: () => () => undefined });
    });
    afterEach(async () => {
      await mine.close();
      await theirs.close();
      await at.remove();
    });

    it("refuses a second run and names the first one", async () => {
      const since = clock.now();
      const lease = await mine.lease("t1", "run-1");
      clock.advance(1_000);
      const error = await theirs.lease("t1", "run-2").catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: "THREAD_BUSY",
        thread: "t1",
        holder: { owner: "run-1", pid: process.pid, host: hostname(), since, until: since + 30_000 },
      });
      expect(String(error)).toContain(
        `run run-1 (process ${process.pid} on ${hostname()}, since 2030-01-01T00:00:00.000Z)`,
      );
      await expect(mine.lease("t1", "run-1")).rejects.toMatchObject({ code: "THREAD_BUSY" });
      await (await theirs.lease("t2", "run-2")).release();
      await lease.release();
      await lease.release();
      expect(ticker.running).toBe(0);
      await (await theirs.lease("t1", "run-2")).release();
    });

    it("lives as long as it is renewed", async () => {
      const lease = await mine.lease("t1", "run-1");
      for (let beat = 0; beat < 5; beat++) {
        clock.advance(10_000);
        ticker.tick();
        const until = clock.now() + 30_000;
        await vi.waitFor(() => expect(theirs.lease("t1", "run-2")).rejects.toMatchObject({ holder: { until } }));
      }
      expect(lease.lost.aborted).toBe(false);
    });

    it("can be taken over when it ran out, and the loser learns of it and removes nothing", async () => {
      const lease = await mine.lease("t1", "run-1");
      clock.advance(30_000);
      const next = await theirs.lease("t1", "run-2");
      ticker.tick();
      await vi.waitFor(() => expect(lease.lost.aborted).toBe(true));
      expect(lease.lost.reason).toMatchObject({ code: "THREAD_BUSY", holder: { owner: "run-2" } });
      expect(ticker.running).toBe(0);
      await lease.release();
      await expect(mine.lease("t1", "run-3")).rejects.toMatchObject({ holder: { owner: "run-2" } });
      await next.release();
    });

    it("is lost, too, when the one who took it over has gone", async () => {
      const lease = await mine.lease("t1", "run-1");
      clock.advance(30_000);
      await (await theirs.lease("t1", "run-2")).release();
      ticker.tick();
      await vi.waitFor(() => expect(lease.lost.aborted).toBe(true));
      expect(lease.lost.reason).toMatchObject({ name: "JournalError", code: "JOURNAL_LOCKED" });
    });

    it("does not count as lost because it was released", async () => {
      const lease = await mine.lease("t1", "run-1");
      const underWay = ticker.capture();
      await lease.release();
      underWay();
      for (let round = 0; round < 20; round++) await mine.threads(); // More statements than a renewal has.
      expect(lease.lost.aborted).toBe(false);
    });

    it("is given back by close()", async () => {
      await mine.lease("t1", "run-1");
      await mine.close();
      expect(ticker.running).toBe(0);
      await (await theirs.lease("t1", "run-2")).release();
    });

    it("goes to one of many who ask at once", async () => {
      const asked = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => (index % 2 ? mine : theirs).lease("t1", `run-${index}`)),
      );
      expect(asked.filter((each) => each.status === "fulfilled")).toHaveLength(1);
      const busy = asked.flatMap((each) => (each.status === "rejected" ? [each.reason.code] : []));
      expect(new Set(busy)).toEqual(new Set(["THREAD_BUSY"]));
    });
  });
}
