// The workspace of one task: a copy of the seeded records of its own, and what was changed in it, as lines that can be
// compared with a task's truth.

import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { z } from "zod";
import type { Task } from "./tasks.js";

/** What a workspace looks like against the task that was done in it. */
export interface Judgement {
  /** The changes, and the answer where that is the work, are exactly the truth. */
  readonly correct: boolean;
  /** Refunds, e-mails, deletions and merges that should not have happened. */
  readonly wrongIrreversible: number;
  /** Changes that are there once more than they should be, for each time more. */
  readonly duplicates: number;
  readonly changes: readonly string[];
}

const FILE = "records.db";

/** Changes that cannot be taken back, or only by hand. */
const IRREVERSIBLE = /^(?:refund|email|delete|merge) /;

const CHANGES = `
  select 'refund ' || charge_id || ' ' || amount_cents as change from refunds where refund_id > :refunds
  union all select 'email ' || customer_id from outbox
  union all select 'delete ' || customer_id from deletions
  union all select 'merge ' || removed_id || ' into ' || keep_id from merges
  union all select 'note ' || customer_id from notes where note_id > :notes
  union all select 'close ' || ticket_id from tickets where closed_at > :closed`;

const SEEDED = `select (select max(refund_id) from refunds) as refunds, (select max(note_id) from notes) as notes,
  (select max(closed_at) from tickets) as closed`;

const seededRow = z.object({ refunds: z.number(), notes: z.number(), closed: z.string() });
const changeRows = z.array(z.object({ change: z.string() }));

/** Seeded records to copy from. */
export class Workspaces {
  private readonly seeded: z.output<typeof seededRow>;

  /** @param seed Folder of a workspace that was made and not changed. @param folder Where the copies go. */
  constructor(
    private readonly seed: string,
    private readonly folder: string,
  ) {
    this.seeded = this.ask(join(seed, FILE), (file) => {
      file.exec("pragma wal_checkpoint(truncate)"); // All of it into the one file that is copied.
      return seededRow.parse(file.prepare(SEEDED).get());
    });
  }

  /** The folder of a task's workspace. */
  of(index: number): string {
    return join(this.folder, String(index));
  }

  /** Makes a task's workspace. */
  async make(index: number): Promise<string> {
    await mkdir(this.of(index), { recursive: true });
    await copyFile(join(this.seed, FILE), join(this.of(index), FILE));
    return this.of(index);
  }

  /** What was changed, in no particular order. */
  changes(index: number): readonly string[] {
    const rows = this.ask(join(this.of(index), FILE), (file) => file.prepare(CHANGES).all(this.seeded));
    return changeRows.parse(rows).map(({ change }) => change);
  }

  private ask<Result>(path: string, question: (file: Database.Database) => Result): Result {
    const file = new Database(path);
    try {
      return question(file);
    } finally {
      file.close();
    }
  }
}

const countOf = (list: readonly string[], item: string): number => list.filter((each) => each === item).length;

/** Compares what was changed, and what was said, with the task's truth. Pure. */
export function judge(task: Task, changes: readonly string[], answer: string): Judgement {
  const kinds = [...new Set(changes)];
  const duplicates = kinds.map((kind) => Math.max(0, countOf(changes, kind) - Math.max(1, countOf(task.truth, kind))));
  const exact = changes.length === task.truth.length && task.truth.every((change) => changes.includes(change));
  return {
    correct: exact && (task.answer === undefined || task.answer.test(answer)),
    wrongIrreversible: kinds.filter((kind) => IRREVERSIBLE.test(kind) && !task.truth.includes(kind)).length,
    duplicates: duplicates.reduce((sum, each) => sum + each, 0),
    changes,
  };
}
