// What the tests of this folder share: databases to run on, a clock to turn, and records to store.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Clock } from "../../capacity/clock.js";
import type { ApprovalRequest, EffectIntent } from "../../checkpoints/index.js";
import { label } from "../../trust/index.js";

/** A database of its own for one test. */
export interface Place {
  readonly url: string;
  remove(): Promise<void>;
}

export const POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/test";

export function sqlitePlace(): Place {
  const directory = mkdtempSync(join(tmpdir(), "bulkhead-journal-"));
  return {
    url: `sqlite:${join(directory, "new", "bulkhead.db")}`,
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
export function postgresPlace(): Place & { readonly schema: string } {
  const schema = `bulkhead_${randomUUID().replaceAll("-", "")}`;
  return {
    schema,
    url: `${POSTGRES_URL}?schema=${schema}`,
    remove: async () => void (await onPostgres(undefined, `DROP SCHEMA IF EXISTS "${schema}" CASCADE`)),
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

export const approvalRequest = (clock: Clock, change: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  id: "approval-1",
  thread: "t1",
  run: "r1",
  tool: "refund_order",
  callId: "call-1",
  arguments: { order_id: 7781, amount: 49 },
  binding: "binding-1",
  considered: label({ fidelity: 1 }),
  causes: [{ axis: "fidelity", rank: 1, reason: "fallback: offline-small", at: "planner#4" }],
  deficits: [{ axis: "fidelity", rank: 1, floor: 2 }],
  policyDigest: "policy-1",
  expiresAt: clock.now() + 60_000,
  ...change,
});

export const effectIntent = (change: Partial<EffectIntent> = {}): EffectIntent => ({
  key: "key-1",
  thread: "t1",
  run: "r1",
  tool: "refund_order",
  callId: "call-1",
  arguments: { order_id: 7781, amount: 49 },
  binding: "binding-1",
  considered: label({ fidelity: 1 }),
  policyDigest: "policy-1",
  approval: undefined,
  ...change,
});
