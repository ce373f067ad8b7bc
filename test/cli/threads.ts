// A database with threads as runs leave them, and the command typed on it: for what `erase` and `gc` do.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import { afterEach, beforeEach } from "vitest";
import { type Journal, openCheckpointer, openJournal, type RunStatus } from "../../checkpoints/index.js";
import { runProgram } from "../../cli/program.js";
import { TOP } from "../../trust/index.js";
import { effectIntent } from "../checkpoints/support.js";
import { testTerminal } from "./terminal.js";

/** In milliseconds. */
export const DAY = 86_400_000;

/** What the contents of every thread say. */
export const MARK = "what the customer wrote";

/** A folder with a database of its own for each test. */
export class Threads {
  folder = "";
  file = "";
  db = "";

  constructor() {
    beforeEach(() => {
      this.folder = mkdtempSync(join(tmpdir(), "bulkhead-erase-"));
      this.file = join(this.folder, "threads.db");
      this.db = `sqlite:${this.file}`;
    });
    afterEach(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  readonly typed = async (args: readonly string[], options: Parameters<typeof testTerminal>[0] = {}) => {
    const terminal = testTerminal({ cwd: this.folder, ...options });
    const code = await runProgram([...args, "--db", this.db], terminal);
    return { code, ...terminal.written, questions: terminal.questions };
  };

  readonly withJournal = async (use: (journal: Journal) => Promise<void>, daysAgo = 0): Promise<void> => {
    const clock = { now: () => Date.now() - daysAgo * DAY, sleep: async () => undefined };
    const journal = openJournal(this.db, { clock });
    await use(journal);
    await journal.close();
  };

  /** A thread as a run leaves it, some days ago. */
  readonly thread = async (name: string, daysAgo = 0, status: RunStatus = "finished", root = name): Promise<void> => {
    await this.withJournal(async (journal) => {
      await journal.beginThread(name, "agent", TOP, root);
      const text = journal.keep(`${MARK} in ${name}`);
      const scope = { thread: name, run: `run of ${name}` };
      await journal.append(scope, { kind: "input", as: "input", value: text.digest }, [text]);
      for (const _ of [1, 2]) await journal.append(scope, { kind: "run.end", status: "finished" });
      await journal.updateThread(name, { status, task: `${MARK} to ${name}` });
    }, daysAgo);
    const { saver, close } = await openCheckpointer(this.db);
    const checkpoint = {
      ...{ v: 4, id: "1ef4f797-8335-6428-8001-8a1503f9b875", ts: "2030-01-01T00:00:00.000Z", versions_seen: {} },
      ...{ channel_values: { messages: [MARK] }, channel_versions: { messages: 1 } },
    };
    const config = { configurable: { thread_id: name, checkpoint_ns: "" } };
    await saver.put(config, checkpoint, { source: "input", step: -1, parents: {} }, { messages: 1 });
    await close();
  };

  readonly rows = (statement: string): readonly Record<string, unknown>[] => {
    const handle = new Libsql(this.file);
    try {
      return handle.prepare(statement).all([]) as Record<string, unknown>[];
    } finally {
      handle.close();
    }
  };

  readonly checkpointsOf = (name: string): number =>
    Number(this.rows(`SELECT count(*) AS n FROM checkpoints WHERE thread_id = '${name}'`)[0]?.["n"]);

  readonly isErased = async (name: string): Promise<boolean> => {
    let erased = false;
    await this.withJournal(async (journal) => {
      erased = (await journal.events({ thread: name })).every(({ event }) => event.kind === "thread.erased");
    });
    return erased;
  };

  readonly openEffect = (name: string, status: "dispatched" | "in_doubt") =>
    this.withJournal(async (journal) => {
      await journal.intendEffect(effectIntent({ thread: name, root: name }));
      await journal.dispatchEffect("key-1");
      if (status === "in_doubt") await journal.settleEffect("key-1", { status });
    }, 90);
}
