// Workers whose every await on the outside is a place to stand still, so that a test chooses who goes next, and who
// dies where. A worker that died does nothing more; the time that passes is the test's.

import { type Journal, type Lease, openJournal } from "../../checkpoints/index.js";

/** One worker: a view of the journal, and what it is doing. */
export class Worker {
  alive = true;
  finished = false;
  /** Its timers do not run: a stopped process, which does not know that it was stopped. */
  stopped = false;
  readonly journal: Journal;
  private go: (() => void) | undefined;
  private stands: (() => void) | undefined;
  private readonly leases = new Set<Lease>();

  constructor(
    private readonly stage: Stage,
    work: (worker: Worker) => Promise<unknown>,
  ) {
    this.journal = this.view(stage.journal);
    const finish = () => {
      this.finished = true;
      this.stands?.();
    };
    this.stage.active = this;
    void this.stand()
      .then(() => work(this))
      .then(finish, finish);
  }

  /** A place to stand still. */
  stand(): Promise<void> {
    return new Promise((resolve) => {
      this.go = resolve;
      this.stands?.();
    });
  }

  /** Goes on to its next place. */
  async step(): Promise<void> {
    const { go } = this;
    if (go === undefined || !this.alive || this.finished) return;
    this.stage.active = this;
    const arrived = new Promise<void>((resolve) => {
      this.stands = resolve;
    });
    this.go = undefined;
    go();
    await arrived;
  }

  /** Dies where it stands. `seen`: its host sees that and takes its leases away; else they have to run out. */
  async die(seen: boolean): Promise<void> {
    this.alive = false;
    if (seen) for (const lease of this.leases) await lease.release();
  }

  private view(journal: Journal): Journal {
    const clock = { now: () => journal.clock.now(), sleep: () => this.stand() };
    return new Proxy(journal, {
      get: (target, name) => {
        if (name === "clock") return clock;
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          await this.stand();
          const result: unknown = await value.apply(target, args);
          await this.stand();
          return name === "leaseEffect" && result !== undefined ? this.held(result as Lease) : result;
        };
      },
    });
  }

  private held(lease: Lease): Lease {
    this.leases.add(lease);
    const release = async () => {
      await this.stand();
      await lease.release();
      this.leases.delete(lease);
      await this.stand();
    };
    return { lost: lease.lost, release };
  }
}

/** The journal, the time, and the heartbeats of everybody who works. */
export class Stage {
  /** Who is moving: what happens now is his doing. */
  active: Worker | undefined;
  private now = Date.parse("2030-01-01T00:00:00Z");
  private readonly heartbeats = new Map<() => void, Worker | undefined>();
  readonly journal = openJournal("memory:", {
    clock: { now: () => this.now, sleep: () => Promise.reject(new Error("only a worker waits")) },
    every: (_, tick) => {
      this.heartbeats.set(tick, this.active);
      return () => this.heartbeats.delete(tick);
    },
  });

  /** Longer than a lease lasts. Whoever is alive and not stopped keeps his. */
  async passTime(): Promise<void> {
    for (let beat = 0; beat < 4; beat += 1) {
      this.now += 9_000;
      for (const [tick, worker] of this.heartbeats)
        if (worker === undefined || (worker.alive && !worker.stopped)) tick();
      await new Promise((resolve) => setImmediate(resolve)); // A heartbeat is one statement in memory.
    }
  }
}
