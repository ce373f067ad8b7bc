// The effect ledger: intended → dispatched → committed | failed | in_doubt, each step once, whoever tries. A key that
// has failed stays failed: another attempt is another intent with another key. Source: trust-replay.md, section 7.

import { z } from "zod";
import { canonicalJson, parseLabel, type Seal } from "../../trust/index.js";
import { all, first, type Row, type Work } from "../database/database.js";
import { EffectError } from "../errors.js";
import { consumeApproval } from "./approvals.js";
import { callArguments, effectStatus, integer, json, label, readRow } from "./rows.js";
import type { EffectIntent, EffectOutcome, EffectRecord, EffectResolution } from "./types.js";

const intentSchema = z.object({
  key: z.string(),
  thread: z.string(),
  root: z.string().optional(),
  run: z.string(),
  tool: z.string(),
  callId: z.string(),
  intent: z.string().default(""), // An effect from before there were intents is nobody's call.
  arguments: callArguments,
  binding: z.string(),
  considered: label,
  policyDigest: z.string(),
  preconditions: z.string().optional(),
  compensates: z.string().optional(),
  approval: z.string().optional(),
});

const rowSchema = z.object({
  intent: json(intentSchema),
  status: effectStatus,
  outcome: json(
    z.object({
      receipt: z.string().optional(),
      receiptLabel: z.unknown().transform(parseLabel).optional(),
      error: z.string().optional(),
      learnt: z.string().optional(),
    }),
  ).nullable(),
  resolution: json(z.object({ by: z.string(), note: z.string(), at: integer })).nullable(),
  attempts: integer,
  updated_at: integer,
});

function readEffect(row: Row): EffectRecord {
  const read = readRow(rowSchema, row, `effect ${String(row["key"])}`);
  const { intent, status, outcome, resolution, attempts, updated_at } = read;
  return {
    ...intent,
    root: intent.root ?? intent.thread,
    approval: intent.approval,
    preconditions: intent.preconditions,
    compensates: intent.compensates,
    status,
    receipt: outcome?.receipt,
    receiptLabel: outcome?.receiptLabel,
    error: outcome?.error,
    learnt: outcome?.learnt,
    resolution: resolution ?? undefined,
    attempts,
    updatedAt: updated_at,
  };
}

/** The effect with this key. */
export function* findEffect(key: string): Work<EffectRecord | undefined> {
  const row = yield* first("SELECT * FROM h_effect WHERE key = ?", key);
  return row && readEffect(row);
}

function* requireEffect(key: string): Work<EffectRecord> {
  const found = yield* findEffect(key);
  if (found !== undefined) return found;
  throw new EffectError("EFFECT_UNKNOWN", key, `no effect ${key} in the ledger. Write its intent first.`);
}

/** Effects of one thread, of all threads of one root, or of all, in the order of their intents. */
export function* listEffects(query: {
  readonly thread?: string;
  readonly root?: string;
}): Work<readonly EffectRecord[]> {
  const conditions = Object.entries(query).filter(([, value]) => value !== undefined);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(([column]) => `${column} = ?`).join(" AND ")}`;
  const values = conditions.map(([, value]) => value);
  return (yield* all(`SELECT * FROM h_effect ${where} ORDER BY position`, ...values)).map(readEffect);
}

/**
 * Writes the intent. While an effect is still `intended`, the latest verdict of the gate takes the place of the earlier
 * one, so that an old verdict is never dispatched after the label fell. Later than that, nothing changes.
 *
 * @throws EffectError `EFFECT_MISMATCH` when the key belongs to another action.
 */
export function* intendEffect(intent: EffectIntent, now: number): Work<EffectRecord> {
  const { key, thread, root } = intent;
  const document = JSON.stringify(intent);
  yield* all(
    `INSERT INTO h_effect (key, thread, root, intent, status, attempts, updated_at)
     VALUES (?, ?, ?, ?, 'intended', 0, ?) ON CONFLICT (key) DO NOTHING`,
    ...[key, thread, root, document, now],
  );
  const stored = yield* requireEffect(key);
  if (!isSameAction(stored, intent)) {
    throw new EffectError(
      "EFFECT_MISMATCH",
      key,
      `effect ${key} is ${stored.tool} on thread ${stored.thread} with other arguments than this ${intent.tool} on thread ${thread}. Derive the key from the whole action.`,
    );
  }
  yield* all(
    `UPDATE h_effect SET intent = ?, thread = ?, updated_at = ?
     WHERE key = ? AND status = 'intended' AND intent <> ?`,
    ...[document, thread, now, key, document],
  );
  return yield* requireEffect(key);
}

const isSameAction = (left: EffectIntent, right: EffectIntent): boolean =>
  left.root === right.root &&
  left.tool === right.tool &&
  canonicalJson(left.arguments) === canonicalJson(right.arguments);

/** intended → dispatched, together with its approval. `undefined` when the effect is in another state. */
export function* dispatchEffect(key: string, seal: Seal, now: number): Work<EffectRecord | undefined> {
  const row = yield* first(
    `UPDATE h_effect SET status = 'dispatched', attempts = attempts + 1, updated_at = ?
     WHERE key = ? AND status = 'intended' RETURNING *`,
    ...[now, key],
  );
  if (row === undefined) {
    yield* requireEffect(key);
    return undefined;
  }
  const effect = readEffect(row);
  if (effect.approval !== undefined) yield* consumeApproval(effect.approval, effect, seal, now);
  return effect;
}

/** dispatched → committed | failed | in_doubt. */
export function* settleEffect(key: string, { status, ...outcome }: EffectOutcome, now: number): Work<EffectRecord> {
  const row = yield* first(
    `UPDATE h_effect SET status = ?, outcome = ?, updated_at = ? WHERE key = ? AND status = 'dispatched' RETURNING *`,
    ...[status, JSON.stringify(outcome), now, key],
  );
  if (row !== undefined) return readEffect(row);
  const present = yield* requireEffect(key);
  throw new EffectError(
    "EFFECT_STATE",
    key,
    `effect ${key} (${present.tool}) is ${present.status} and cannot become ${status}: only a dispatched effect can be settled. Read it and act on its state.`,
  );
}

/**
 * in_doubt → committed | failed, by a person. What the effect left behind when it came into doubt stays beside it.
 *
 * @throws EffectError `EFFECT_STATE` when it is not in doubt: what the harness knows itself nobody may overwrite.
 */
export function* resolveEffect(
  key: string,
  status: "committed" | "failed",
  resolution: EffectResolution,
): Work<EffectRecord> {
  const row = yield* first(
    `UPDATE h_effect SET status = ?, resolution = ?, updated_at = ? WHERE key = ? AND status = 'in_doubt' RETURNING *`,
    ...[status, JSON.stringify(resolution), resolution.at, key],
  );
  if (row !== undefined) return readEffect(row);
  const present = yield* requireEffect(key);
  throw new EffectError(
    "EFFECT_STATE",
    key,
    `effect ${key} (${present.tool}) is ${present.status} and cannot be resolved as ${status}: only an effect in doubt can be. Read it and act on its state.`,
  );
}
