// Somebody can write to the journal's database, with a connection of their own, and into the state. What the rows of
// approvals, labels and effects say counts only as far as it is sealed; where a row decides without a seal, a second
// judgement has to. The single columns of an approval are in test/checkpoints/forgery-suite.ts.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Attackable, sqlitePlace } from "../checkpoints/support.js";
import { approve } from "./paths.js";
import { CHANGED, THREAD, World, type WorldOptions } from "./refund.js";

type Row = Record<string, unknown>;

const HOUR = 3_600_000;
const text = (value: unknown): string => `'${JSON.stringify(value).replaceAll("'", "''")}'`;
const nominal = { integrity: 3, fidelity: 3, currency: 3, certainty: 3 };
const cheap = { refund: { floor: "balanced" } } as const;
const keyed = { refund: { honoursKey: true } };

let place: Attackable;
beforeEach(() => {
  place = sqlitePlace();
});
afterEach(() => place.remove());

const rowOf = async (table: "h_approval" | "h_effect"): Promise<Row> =>
  (await place.sql(`SELECT * FROM ${table}`))[0] ?? {};

/** Changes a document in a column of all rows. */
async function change(table: "h_approval" | "h_effect", column: string, alter: (document: Row) => unknown) {
  const document = JSON.parse(String((await rowOf(table))[column])) as Row;
  await place.sql(`UPDATE ${table} SET ${column} = ${text(alter(document))}`);
}

/** The approval was used; now the thread goes back to before `node`. */
async function doneAndBack(world: World, node: string, tamper: () => Promise<unknown>) {
  await world.askAndApprove();
  await world.run(null);
  await world.watch();
  await tamper();
  await world.run(null, await world.before(node));
}

/** An intent as the gate would write it, for the refund that a person was asked about. */
async function insertIntent(world: World, status: "intended" | "dispatched"): Promise<void> {
  const [approval] = await world.journal.approvals();
  if (approval === undefined) throw new Error("nobody was asked");
  const { arguments: args, binding, considered, policyDigest, callId, tool, thread, root, run } = approval;
  const intent = { key: "forged", thread, root, run, tool, callId, arguments: args, binding, considered, policyDigest };
  const complete = { ...intent, intent: await world.intentOf(callId), mayRepeat: true };
  await place.sql(
    `INSERT INTO h_effect (key, thread, root, intent, status, attempts, updated_at)
     VALUES ('forged', '${thread}', '${root}', ${text(complete)}, '${status}', 0, 0)`,
  );
  await world.clear(callId, "forged");
}

interface Tampering {
  readonly what: string;
  readonly tamper: (world: World) => Promise<unknown>;
  readonly approved?: 0 | 1;
  readonly world?: WorldOptions;
  /** What the record shows of it. */
  readonly event: Row;
}

const forgedApproval = { kind: "approval.refused", tool: "refund", why: expect.stringContaining("changed outside") };
const refusedByAct = { kind: "tool.response", tool: "refund", ok: false };

const approvals: readonly Tampering[] = [
  {
    what: "approved in its column",
    tamper: async (world) => {
      await world.ask();
      await place.sql("UPDATE h_approval SET status = 'approved'");
      await world.run(null);
    },
    event: forgedApproval,
  },
  {
    what: "approved in its history, in somebody's name",
    tamper: async (world) => {
      await world.ask();
      await place.sql("UPDATE h_approval SET status = 'approved'");
      await change("h_approval", "history", (history) => {
        const entries = history as unknown as Row[];
        return [...entries, { ...entries[0], status: "approved", by: "ann", authenticated: "cli" }];
      });
      await world.run(null);
    },
    event: forgedApproval,
  },
  {
    what: "with other arguments, and the message to them",
    tamper: async (world) => {
      await world.askAndApprove();
      await change("h_approval", "request", (request) => ({ ...request, arguments: CHANGED }));
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })] }, "planner");
      await world.run(null);
    },
    event: { kind: "gate.decision", verdict: "block", arguments: CHANGED },
  },
  {
    what: "with a longer life",
    tamper: async (world) => {
      await world.stopBeforeAct();
      await place.sql(`UPDATE h_approval SET expires_at = expires_at + ${48 * HOUR}`);
      await change("h_approval", "request", (request) => ({ ...request, expiresAt: Date.now() + 48 * HOUR }));
      world.passed = 25 * HOUR;
      await world.run(null);
    },
    event: refusedByAct,
  },
  {
    what: "unused again after it was used, and the effect gone",
    approved: 1,
    tamper: (world) =>
      doneAndBack(world, "act", async () => {
        await place.sql("UPDATE h_approval SET status = 'approved', used_by = NULL");
        await change("h_approval", "history", (history) => (history as unknown as Row[]).slice(0, 2));
        await place.sql("UPDATE h_effect SET status = 'intended'");
      }),
    event: refusedByAct,
  },
  {
    what: "rejected, then pending again with its first history, and approved",
    tamper: async (world) => {
      const { approval, interrupt } = await world.ask();
      const before = await rowOf("h_approval");
      await world.journal.decideApproval(approval.id, "rejected", { by: "ann", authenticated: "cli" });
      await place.sql(`UPDATE h_approval SET status = 'approved', history = '${String(before["history"])}'`);
      await world.answer(interrupt, approve(approval.id));
    },
    event: forgedApproval,
  },
];

const others: readonly Tampering[] = [
  {
    what: "the labels of all values are raised",
    world: cheap,
    tamper: async (world) => {
      await world.stopBefore("gate");
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })] }, "planner");
      await place.sql(`UPDATE h_label SET label = ${text(nominal)}`);
      await world.run(null);
    },
    event: { kind: "gate.decision", verdict: "block" },
  },
  {
    what: "the thread's floor is raised",
    tamper: async (world) => {
      await world.ask();
      await place.sql(`UPDATE h_thread SET floor = ${text(nominal)}`);
      await world.run(null);
    },
    event: { kind: "gate.decision", verdict: "block" },
  },
  {
    what: "the thread gets another root, after the refund was made",
    approved: 1,
    tamper: (world) => doneAndBack(world, "gate", () => place.sql("UPDATE h_thread SET root = 'elsewhere'")),
    event: { kind: "gate.decision", verdict: "block" },
  },
  {
    what: "the thread gets another root, nobody had to approve the refund, and the thread goes back in time",
    world: cheap,
    approved: 1,
    tamper: async (world) => {
      await world.stopBefore("gate");
      const before = await world.graph.getState(THREAD);
      await world.run(null);
      await place.sql("UPDATE h_thread SET root = 'elsewhere'");
      await world.run(null, before.config);
    },
    event: { kind: "gate.decision", verdict: "block" },
  },
];

const effects: readonly Tampering[] = [
  {
    what: "with other arguments",
    tamper: async (world) => {
      await world.stopBeforeAct();
      await change("h_effect", "intent", (intent) => ({ ...intent, arguments: CHANGED }));
      await world.run(null);
    },
    event: refusedByAct,
  },
  {
    what: "with other arguments, and the message to them",
    tamper: async (world) => {
      await world.stopBeforeAct();
      await change("h_effect", "intent", (intent) => ({ ...intent, arguments: CHANGED }));
      const { cleared } = await world.state();
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })], cleared }, "gate");
      await world.run(null);
    },
    event: refusedByAct,
  },
  {
    what: "without the approval, which has expired",
    tamper: async (world) => {
      await world.stopBeforeAct();
      await change("h_effect", "intent", ({ approval: _, ...intent }) => intent);
      world.passed = 25 * HOUR;
      await world.run(null);
    },
    event: refusedByAct,
  },
  {
    what: "with the approval of another action",
    tamper: async (world) => {
      await world.stopBeforeAct();
      await change("h_effect", "intent", (intent) => ({ ...intent, approval: "approval-0123456789abcdef" }));
      await world.run(null);
    },
    event: refusedByAct,
  },
  {
    what: "made to have been sent already, by a tool that honours keys, after the approval expired",
    world: keyed,
    tamper: async (world) => {
      await world.stopBeforeAct();
      await place.sql("UPDATE h_effect SET status = 'dispatched'");
      world.passed = 25 * HOUR;
      await world.run(null);
    },
    event: refusedByAct,
  },
  {
    what: "set back to intended",
    approved: 1,
    tamper: (world) => doneAndBack(world, "act", () => place.sql("UPDATE h_effect SET status = 'intended'")),
    event: refusedByAct,
  },
  {
    what: "set back to intended, without its approval",
    approved: 1,
    tamper: (world) =>
      doneAndBack(world, "act", async () => {
        await place.sql("UPDATE h_effect SET status = 'intended'");
        await change("h_effect", "intent", ({ approval: _, ...intent }) => intent);
      }),
    event: refusedByAct,
  },
  {
    what: "set back to dispatched, for a tool that honours keys",
    world: keyed,
    approved: 1,
    tamper: (world) => doneAndBack(world, "act", () => place.sql("UPDATE h_effect SET status = 'dispatched'")),
    event: refusedByAct,
  },
  {
    what: "with another receipt",
    approved: 1,
    tamper: (world) => doneAndBack(world, "act", () => change("h_effect", "outcome", () => ({ receipt: "1000000" }))),
    event: refusedByAct,
  },
  {
    what: "gone, although its approval was used",
    approved: 1,
    tamper: (world) => doneAndBack(world, "act", () => place.sql("DELETE FROM h_effect")),
    event: refusedByAct,
  },
  ...(["intended", "dispatched"] as const).flatMap((status): readonly Tampering[] => [
    {
      what: `put in as ${status}, while the person thinks about it`,
      world: keyed,
      tamper: async (world) => {
        await world.ask();
        await insertIntent(world, status);
      },
      event: refusedByAct,
    },
    {
      what: `put in as ${status}, after the person said no`,
      world: keyed,
      tamper: async (world) => {
        const { approval } = await world.ask();
        await world.journal.decideApproval(approval.id, "rejected", { by: "ann", authenticated: "cli" });
        await insertIntent(world, status);
      },
      event: refusedByAct,
    },
  ]),
];

describe.each([
  ["an approval", approvals],
  ["a label, a floor, a root", others],
  ["an effect", effects],
])("in the database: %s", (_, table) => {
  test.each(table)("$what", async ({ tamper, approved = 0, world: options, event }) => {
    const world = new World({ ...options, url: place.url });
    try {
      await tamper(world);
      expect(world.providers.count).toEqual({ approved, changed: 0 });
      expect(await world.attempts()).toContainEqual(expect.objectContaining(event));
    } finally {
      await world.journal.close();
    }
  });
});

test("what no seal can see: the effect's row is gone, nobody had to approve it, and the thread goes back in time", async () => {
  const world = new World({ ...cheap, url: place.url });
  await world.stopBefore("gate");
  const before = await world.graph.getState(THREAD);
  await world.run(null);
  await place.sql("DELETE FROM h_effect");
  await world.run(null, before.config);
  expect(world.providers.count).toEqual({ approved: 2, changed: 0 }); // docs/effects.md says so.
  await world.journal.close();
});
