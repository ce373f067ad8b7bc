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
  /** How the first process ended, and how many effects there were then. */
  readonly killed: { readonly signal: NodeJS.Signals | null; readonly effects: number };
  readonly answer: string | undefined;
  /** All effects of the provider, under whatever key. */
  readonly effects: number;
  readonly ledger: readonly EffectRecord[];
}

/** Two at a time: there may be no more cores. */
async function inPairs<Item>(items: readonly Item[], each: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await each(item);
  };
  await Promise.all([lane(), lane()]);
}

/** Kills one process per boundary, with a run for each kind of provider, and lets a second one resume what it left. */
async function crashAndResume({ url, keyFile }: Place, folder: string): Promise<ReadonlyMap<string, Outcome>> {
  const killed = new Map<string, Outcome["killed"]>();
  const answers = new Map<string, string>();
  await inPairs(BOUNDARIES, async (point) => {
    const cells = KINDS.map((kind) => ({ kind, point }));
    const { signal } = await work({ url, keyFile, folder, work: "run", point, cells });
    for (const cell of cells) {
      killed.set(threadOf(cell), {
        signal,
        effects: new FileProvider(folder, threadOf(cell), cell.kind).effects().length,
      });
    }
    const resumed = await work({ url, keyFile, folder, work: "resume", point, cells });
    for (const [thread, answer] of resumed.answers) answers.set(thread, answer);
  });
  const journal = openJournal(url, { keyFile });
  const outcomes = new Map<string, Outcome>();
  for (const cell of CELLS) {
    const thread = threadOf(cell);
    outcomes.set(thread, {
      killed: killed.get(thread) ?? { signal: null, effects: 0 },
      answer: answers.get(thread),
      effects: new FileProvider(folder, threadOf(cell), cell.kind).effects().length,
      ledger: await journal.effects({ thread }),
    });
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

function crashMatrix(database: string, place: () => Place): void {
  describe(`on ${database}`, () => {
    let at: Place;
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-crash-"));
    let outcomes: ReadonlyMap<string, Outcome>;
    beforeAll(async () => {
      at = place();
      outcomes = await crashAndResume(at, folder);
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
      expect(killed).toEqual({ signal: "SIGKILL", effects: isPast(cell.point, "after provider") ? 1 : 0 });
      expect({ effects, statuses }).toEqual(expected(cell));
      expect(answer).toMatch(statuses.includes("in_doubt") ? /^In doubt: send was sent/ : /^(sent|It was done\.)$/);
    });
  });
}

crashMatrix("sqlite", sqlitePlace);
describe.skipIf(await withoutPostgres())("on a real server", () => crashMatrix("postgres", postgresPlace));
