// Real processes against one database: no lost rows, exactly one winner, and nothing that outlives a kill.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import { ann, approvalRequest, effectIntent, type Place } from "./support.js";
import type { Order } from "./worker.js";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

class Worker {
  private readonly child: ChildProcess;
  private readonly words: AsyncIterator<string>;

  constructor() {
    this.child = spawn(process.execPath, ["--import", "tsx", WORKER], { stdio: ["pipe", "pipe", "inherit"] });
    this.words = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async hear(): Promise<string> {
    return (await this.words.next()).value;
  }

  say(word: string): void {
    this.child.stdin?.write(`${word}\n`);
  }

  /** Whether it was killed, or died. */
  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async kill(): Promise<void> {
    if (this.isOver) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }
}

/** Workers that serve one test after the other. */
export class Workers {
  private all: readonly Worker[] = [];

  /** So many that live; only those that are missing have to be started. */
  take(count: number): readonly Worker[] {
    const living = this.all.filter(({ isOver }) => !isOver);
    this.all = [...living, ...Array.from({ length: count - living.length }, () => new Worker())];
    return this.all.slice(0, count);
  }

  async kill(): Promise<void> {
    for (const worker of this.all) await worker.kill();
  }
}

export function processSuite(name: string, place: () => Place, workers: Workers): void {
  // Starting a process is slow on a busy machine; nothing in here waits for a time to pass.
  describe(`several processes on ${name}`, { timeout: 120_000 }, () => {
    let at: Place;
    let journal: Journal;
    /** Those of the last race. */
    let racing: readonly Worker[] = [];

    beforeEach(() => {
      at = place();
      journal = openJournal(at.url, { keyFile: at.keyFile });
    });
    afterEach(async () => {
      await journal.close();
      await at.remove();
    });

    const race = async (work: Order["work"], count: number): Promise<string[]> => {
      racing = workers.take(count);
      for (const [index, worker] of racing.entries()) {
        const order: Order = { url: at.url, keyFile: at.keyFile, work, name: `worker-${index}` };
        worker.say(JSON.stringify(order));
      }
      expect(await Promise.all(racing.map((worker) => worker.hear()))).toEqual(racing.map(() => "ready"));
      for (const worker of racing) worker.say("go");
      return Promise.all(racing.map((worker) => worker.hear()));
    };

    it("opens a new database in all of them at once", async () => {
      expect(await race("open", 3)).toEqual(["won", "won", "won"]);
    });

    it("makes one key for all of them", async () => {
      const keys = await race("key", 4);
      expect(keys[0]).toMatch(/^[0-9a-f]{16}$/);
      expect(keys).toEqual(keys.map(() => journal.seal.key));
    });

    it("appends without losing or doubling an event", async () => {
      expect(await race("append", 2)).toEqual(["won", "won"]);
      const events = await journal.events({ thread: "t1" });
      expect(events.map((each) => each.seq)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
      for (const node of ["worker-0", "worker-1"]) {
        const own = events.filter((each) => each.scope.node === node).map((each) => each.event);
        expect(own).toEqual(Array.from({ length: 60 }, (_, ms) => ({ kind: "node.end", ms })));
      }
    });

    it("dispatches an effect in one of them, and uses its approval once", async () => {
      await journal.requestApproval(approvalRequest(journal.clock));
      await journal.decideApproval("approval-1", "approved", ann);
      await journal.intendEffect(effectIntent({ approval: "approval-1" }));
      expect((await race("dispatch", 2)).sort()).toEqual(["lost", "won"]);
      expect(await journal.effect("key-1")).toMatchObject({ status: "dispatched", attempts: 1 });
    });

    it("gives a thread to one of them, and at once to the next when that one is killed", async () => {
      const answers = await race("lease", 2);
      expect([...answers].sort()).toEqual(["THREAD_BUSY", "won"]);
      await expect(journal.lease("t1", "next")).rejects.toMatchObject({ code: "THREAD_BUSY" });
      await racing[answers.indexOf("won")]?.kill();
      const before = Date.now();
      const lease = await journal.lease("t1", "next");
      expect(Date.now() - before).toBeLessThan(5_000);
      await lease.release();
    });
  });
}
