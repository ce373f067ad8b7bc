// Two processes work on one thread at the same time: the effect's lease lets one of them send it or learn its outcome, and
// the other one waits; and what two runs want to do under two calls is not done twice.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { type Place, postgresPlace, sqlitePlace, withoutPostgres } from "../checkpoints/support.js";
import type { Boundary } from "../contracts/boundaries.js";
import { type Cell, FileProvider, KINDS, threadOf } from "./matrix.js";
import { work } from "./work.js";

const MINUTES = 60_000;
const POINTS = ["before dispatch", "after provider"] as const satisfies readonly Boundary[];
const GIVEN: readonly Cell[] = KINDS.map((kind) => ({ kind, point: "before intent" }));
const KILLED: readonly Cell[] = POINTS.flatMap((point) => KINDS.map((kind) => ({ kind, point })));

function twoWorkers(database: string, place: () => Place): void {
  describe(`on ${database}`, () => {
    let at: Place;
    /** Of each of the two, by thread. */
    let answers: readonly ReadonlyMap<string, string>[];
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-workers-"));
    const effectsOf = (cell: Cell) => new FileProvider(folder, threadOf(cell), cell.kind).effects().length;

    beforeAll(async () => {
      at = place();
      const { url, keyFile } = at;
      await work({ url, keyFile, folder, start: KILLED, crash: true });
      answers = await Promise.all([1, 2].map(() => work({ url, keyFile, folder, start: GIVEN, resume: KILLED })));
    }, 5 * MINUTES);
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await at.remove();
    });

    test("given the same task at once", () => {
      expect(GIVEN.map(effectsOf)).toEqual([1, 1, 1]);
    });

    test.each(KILLED)("killed $point, then resumed by two, provider: $kind", async (cell) => {
      const thread = threadOf(cell);
      const journal = openJournal(at.url, { keyFile: at.keyFile });
      const ledger = await journal.effects({ thread });
      await journal.close();
      const doubtful = cell.kind === "neither" && cell.point === "after provider";
      expect({ effects: effectsOf(cell), ledger: ledger.map(({ status }) => status) }).toEqual({
        effects: 1,
        ledger: [doubtful ? "in_doubt" : "committed"],
      });
      for (const each of answers)
        expect(each.get(thread)).toMatch(doubtful ? /^In doubt: send was sent/ : /^(sent|It was done\.)$/);
    });
  });
}

twoWorkers("sqlite", sqlitePlace);
describe.skipIf(await withoutPostgres())("on a real server", () => twoWorkers("postgres", postgresPlace));
