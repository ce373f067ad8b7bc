// What the tests of this folder share: databases to run on, a clock to turn, and records to store.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import pg from "pg";
import type { Clock } from "../../capacity/clock.js";
import type { ApprovalRequest, Approver, EffectIntent } from "../../checkpoints/index.js";
import { label } from "../../trust/index.js";

/** A database of its own for one test. */
export interface Place {
  readonly url: string;
  /** For the key of its journal; the default of Postgres would be in the repository. */
  readonly keyFile?: string;
  remove(): Promise<void>;
}

/** A database that others can get at too. */
export interface Attackable extends Place {
  /** Runs a statement on a connection of its own. */
  sql(statement: string): Promise<readonly Record<string, unknown>[]>;
}

export const POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/test";

export function sqlitePlace(): Attackable {
  const directory = mkdtempSync(join(tmpdir(), "bulkhead-journal-"));
  const file = join(directory, "new", "bulkhead.db");
  return {
    url: `sqlite:${file}`,
    async sql(statement) {
      const handle = new Libsql(file);
      try {
        return handle.prepare(statement).all([]) as Record<string, unknown>[];
      } finally {
        handle.close();
      }
    },
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

export const memoryPlace = (): Place => ({ url: "memory:", remove: async () => undefined });

/** Runs statements on the Postgres server, outside of what is being tested. */
export async function onPostgres(schema: string | undefined, sql: string): Promise<pg.QueryResult["rows"]> {
  const client = new pg.Client({
    connectionString: POSTGRES_URL,
    connectionTimeoutMillis: 3_000,
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
  });
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A schema of its own on the server, dropped at the end. */
export function postgresPlace(): Attackable & { readonly schema: string } {
  const schema = `bulkhead_${randomUUID().replaceAll("-", "")}`;
  const keys = mkdtempSync(join(tmpdir(), "bulkhead-key-"));
  return {
    schema,
    url: `${POSTGRES_URL}?schema=${schema}`,
    keyFile: join(keys, "journal.key"),
    sql: (statement) => onPostgres(schema, statement),
    async remove() {
      rmSync(keys, { recursive: true, force: true });
      await onPostgres(undefined, `DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    },
  };
}

/** Whether to leave the Postgres tests out: never in CI, else when there is no server. */
export async function withoutPostgres(): Promise<boolean> {
  if (process.env["CI"] === "true") return false;
  return onPostgres(undefined, "SELECT 1").then(
    () => false,
    () => {
      process.stderr.write(`no Postgres at ${POSTGRES_URL}: its tests are skipped\n`);
      return true;
    },
  );
}

/** A clock that stands still until it is turned. */
export class TestClock implements Clock {
  private time = Date.parse("2030-01-01T00:00:00Z");
  now(): number {
    return this.time;
  }
  advance(ms: number): void {
    this.time += ms;
  }
  sleep(): Promise<void> {
    throw new Error("nothing here sleeps");
  }
}

export const ann: Approver = { by: "ann", authenticated: "cli" };
export const bob: Approver = { by: "bob", authenticated: "server" };

export const approvalRequest = (clock: Clock, change: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  id: "approval-1",
  thread: "t1",
  root: "t1",
  run: "r1",
  requester: "gate#12",
  tool: "refund_order",
  toolDigest: "tool-1",
  callId: "call-1",
  arguments: { order_id: 7781, amount: 49 },
  view: "refund_order(order_id: 7781, amount: 49)",
  preconditions: "preconditions-1",
  binding: "binding-1",
  considered: label({ fidelity: 1 }),
  causes: [{ axis: "fidelity", rank: 1, reason: "fallback: offline-small", at: "planner#4" }],
  deficits: [{ axis: "fidelity", rank: 1, floor: 2 }],
  reasons: ["done before"],
  violations: 0,
  policyDigest: "policy-1",
  notBefore: clock.now(),
  expiresAt: clock.now() + 60_000,
  ...change,
});

export const effectIntent = (change: Partial<EffectIntent> = {}): EffectIntent => ({
  key: "key-1",
  thread: "t1",
  root: "t1",
  run: "r1",
  tool: "refund_order",
  intent: "message-1",
  callId: "call-1",
  arguments: { order_id: 7781, amount: 49 },
  binding: "binding-1",
  considered: label({ fidelity: 1 }),
  policyDigest: "policy-1",
  preconditions: undefined,
  compensates: undefined,
  mayRepeat: false,
  approval: undefined,
  ...change,
});
