// Real processes against one database: no lost rows, exactly one winner, and nothing that outlives a kill.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import { ann, approvalRequest, effectIntent, type Place } from "./support.js";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

class Worker {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly words: AsyncIterator<string>;

  constructor({ url, keyFile }: Place, work: string, name: string) {
    this.child = spawn(
      process.execPath,
      ["--import", "tsx", WORKER, url, work, name, ...(keyFile === undefined ? [] : [keyFile])],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.words = this.lines[Symbol.asyncIterator]();
  }

  async hear(): Promise<string> {
    return (await this.words.next()).value;
  }

  go(): void {
    this.child.stdin?.write("go\n");
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }
}

export function processSuite(name: string, place: () => Place): void {
  // Starting a process is slow on a busy machine; nothing in here waits for a time to pass.
  describe(`several processes on ${name}`, { timeout: 120_000 }, () => {
    let at: Place;
    let journal: Journal;
    let workers: Worker[];

    beforeEach(() => {
      at = place();
      journal = openJournal(at.url, { keyFile: at.keyFile });
      workers = [];
    });
    afterEach(async () => {
      for (const worker of workers) await worker.kill();
      await journal.close();
      await at.remove();
    });

    const race = async (work: string, count: number): Promise<string[]> => {
      workers = Array.from({ length: count }, (_, index) => new Worker(at, work, `worker-${index}`));
      expect(await Promise.all(workers.map((worker) => worker.hear()))).toEqual(workers.map(() => "ready"));
      for (const worker of workers) worker.go();
      return Promise.all(workers.map((worker) => worker.hear()));
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
      await workers[answers.indexOf("won")]?.kill();
      const before = Date.now();
      const lease = await journal.lease("t1", "next");
      expect(Date.now() - before).toBeLessThan(5_000);
      await lease.release();
    });
  });
}
