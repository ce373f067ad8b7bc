// kill -9 at every statement boundary of the effect path, for every kind of provider, on both databases. Never two
// effects; exactly one where keys or a probe exist; otherwise zero or one, and then the ledger says that it is in doubt.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EffectRecord, openJournal } from "../../checkpoints/index.js";
import { table } from "../../cli/text.js";
import { type Place, postgresPlace, sqlitePlace, withoutPostgres } from "../checkpoints/support.js";
import { BOUNDARIES, isLostAt, isPast } from "../contracts/boundaries.js";
import { type Cell, FileProvider, KINDS, threadOf } from "./matrix.js";
import { work } from "./work.js";

const MINUTES = 60_000;

const CELLS: readonly Cell[] = BOUNDARIES.flatMap((point) => KINDS.map((kind) => ({ kind, point })));

/** What is known of a cell when all is over. */
interface Outcome {
  /** How many effects there were when the first process was killed. */
  readonly killed: number;
  readonly answer: string | undefined;
  /** All effects of the provider, under whatever key. */
  readonly effects: number;
  readonly ledger: readonly EffectRecord[];
}

/** Kills a process in which each cell stands at its boundary, and lets a second one resume what it left. */
async function crashAndResume(
  { url, keyFile }: Place,
  folder: string,
  cells: readonly Cell[],
): Promise<readonly [string, Outcome][]> {
  const effectsOf = (cell: Cell) => new FileProvider(folder, threadOf(cell), cell.kind).effects().length;
  await work({ url, keyFile, folder, start: cells, crash: true });
  const killed = new Map(cells.map((cell) => [cell, effectsOf(cell)]));
  const answers = await work({ url, keyFile, folder, resume: cells });
  const journal = openJournal(url, { keyFile });
  const outcomes: [string, Outcome][] = [];
  for (const cell of cells) {
    const thread = threadOf(cell);
    const ledger = await journal.effects({ thread });
    const answer = answers.get(thread);
    outcomes.push([thread, { killed: killed.get(cell) ?? 0, answer, effects: effectsOf(cell), ledger }]);
  }
  await journal.close();
  return outcomes;
}

/** What must have come of a cell. */
function expected({ kind, point }: Cell) {
  const happened = isPast(point, "after provider");
  const lost = isLostAt(point);
  if (kind === "neither" && lost) return { effects: happened ? 1 : 0, statuses: ["in_doubt"] };
  const retried = kind === "can be probed" && lost && !happened;
  return { effects: 1, statuses: retried ? ["failed", "committed"] : ["committed"] };
}

const matrix = new Map<string, string[]>(BOUNDARIES.map((point) => [point, [point]]));
const columns = ["KILLED"];
afterAll(() => {
  process.stdout.write(`\n${table([columns, ...matrix.values()]).join("\n")}\n(effects, and what the ledger says)\n`);
});

/** With so many cells in one process: each has connections of its own. */
function crashMatrix(database: string, place: () => Place, atOnce: number): void {
  describe(`on ${database}`, () => {
    let at: Place;
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-crash-"));
    const outcomes = new Map<string, Outcome>();
    beforeAll(async () => {
      at = place();
      for (let from = 0; from < CELLS.length; from += atOnce) {
        const cells = CELLS.slice(from, from + atOnce);
        for (const [thread, outcome] of await crashAndResume(at, folder, cells)) outcomes.set(thread, outcome);
      }
      columns.push(...KINDS.map((kind) => `${database}: ${kind}`));
    }, 5 * MINUTES);
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await at.remove();
    });

    test.for(CELLS)("$point, provider: $kind", (cell) => {
      const outcome = outcomes.get(threadOf(cell));
      const { effects, ledger, killed, answer } = outcome as Outcome;
      const statuses = ledger.map(({ status }) => status);
      matrix.get(cell.point)?.push(`${effects} ${statuses.join(", ").replace("_", " ")}`);
      expect(killed).toBe(isPast(cell.point, "after provider") ? 1 : 0);
      expect({ effects, statuses }).toEqual(expected(cell));
      expect(answer).toMatch(statuses.includes("in_doubt") ? /^In doubt: send was sent/ : /^(sent|It was done\.)$/);
    });
  });
}

crashMatrix("sqlite", sqlitePlace, CELLS.length);
// Eighteen cells take some fifty of the hundred connections that a server has by default.
describe.skipIf(await withoutPostgres())("on a real server", () => crashMatrix("postgres", postgresPlace, 18));
