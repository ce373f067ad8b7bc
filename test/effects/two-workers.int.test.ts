// Two processes work on one thread at the same time: the effect's lease lets one of them send it or learn its outcome, and
// the other one waits; and what two runs want to do under two calls is not done twice.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { type Place, postgresPlace, sqlitePlace, withoutPostgres } from "../checkpoints/support.js";
import type { Boundary } from "../contracts/boundaries.js";
import { FileProvider, KINDS, threadOf } from "./matrix.js";
import { work } from "./work.js";

const MINUTES = 60_000;
const POINTS = ["before dispatch", "after provider"] as const satisfies readonly Boundary[];

function twoWorkers(database: string, place: () => Place): void {
  describe(`on ${database}`, () => {
    let at: Place;
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-workers-"));
    beforeAll(() => {
      at = place();
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await at.remove();
    });

    test("given the same task at once", { timeout: 3 * MINUTES }, async () => {
      const { url, keyFile } = at;
      const cells = KINDS.map((kind) => ({ kind, point: "before intent" as const }));
      await Promise.all([1, 2].map(() => work({ url, keyFile, folder, cells, work: "run" })));
      const effects = cells.map((cell) => new FileProvider(folder, threadOf(cell), cell.kind).effects().length);
      expect(effects).toEqual([1, 1, 1]);
    });

    test.each(POINTS)("killed %s, then resumed by two", { timeout: 3 * MINUTES }, async (point) => {
      const { url, keyFile } = at;
      const cells = KINDS.map((kind) => ({ kind, point }));
      const order = { url, keyFile, folder, point, cells };
      expect((await work({ ...order, work: "run" })).signal).toBe("SIGKILL");
      const workers = await Promise.all([1, 2].map(() => work({ ...order, work: "resume" })));
      const journal = openJournal(url, { keyFile });
      for (const cell of cells) {
        const thread = threadOf(cell);
        const ledger = await journal.effects({ thread });
        const effects = new FileProvider(folder, thread, cell.kind).effects();
        const doubtful = cell.kind === "neither" && point === "after provider";
        expect({ thread, effects: effects.length, ledger: ledger.map(({ status }) => status) }).toEqual({
          thread,
          effects: 1,
          ledger: [doubtful ? "in_doubt" : "committed"],
        });
        const answers = workers.map(({ answers }) => answers.get(thread));
        for (const answer of answers)
          expect(answer).toMatch(doubtful ? /^In doubt: send was sent/ : /^(sent|It was done\.)$/);
      }
      await journal.close();
    });
  });
}

twoWorkers("sqlite", sqlitePlace);
describe.skipIf(await withoutPostgres())("on a real server", () => twoWorkers("postgres", postgresPlace));
