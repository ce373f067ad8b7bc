// The effect ledger: intended → dispatched → committed | failed | in_doubt, each step once, whoever tries. A key that
// has failed stays failed: another attempt is another intent with another key. Every row is sealed; one that anything
// but this harness wrote or changed is `forged`, and nothing is done by it. Source: trust-replay.md, section 7.

import { z } from "zod";
import { canonicalJson } from "../../trust/digest.js";
import { parseLabel } from "../../trust/label.js";
import type { Seal } from "../../trust/seal.js";
import { all, first, type Row, type Work } from "../database/database.js";
import { EffectError } from "../errors.js";
import { consumeApproval } from "./approvals.js";
import { isRepetition } from "./deeds.js";
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
  effective: callArguments.nullable().exactOptional(),
  identity: z.array(z.string()).exactOptional(),
  binding: z.string(),
  considered: label,
  policyDigest: z.string(),
  preconditions: z.string().optional(),
  compensates: z.string().optional(),
  mayRepeat: z.boolean().default(false),
  approval: z.string().optional(),
});

const outcomeSchema = z.object({
  receipt: z.string().optional(),
  receiptLabel: z.unknown().transform(parseLabel).optional(),
  error: z.string().optional(),
  learnt: z.string().optional(),
});

const rowSchema = z.object({
  key: z.string(),
  thread: z.string(),
  root: z.string(),
  intent: z.string(),
  status: effectStatus,
  outcome: z.string().nullable(),
  resolution: z.string().nullable(),
  attempts: integer,
  updated_at: integer,
  seal: z.string().nullable(),
});

/** A row as the table has it: documents as text, so that the seal is over the very bytes. */
type Stored = z.output<typeof rowSchema>;

const documents = z.object({
  intent: json(intentSchema),
  outcome: json(outcomeSchema).nullable(),
  resolution: json(z.object({ by: z.string(), note: z.string(), at: integer })).nullable(),
});

/** Everything that decides what is done by a row. */
const signed = ({ key, thread, root, intent, status, outcome, resolution, attempts }: Stored, seal: Seal): string =>
  seal.sign("effect", { key, thread, root, intent, status, outcome, resolution, attempts });

const isForged = (stored: Stored, seal: Seal): boolean => stored.seal !== signed(stored, seal);

function readEffect(stored: Stored, seal: Seal): EffectRecord {
  const { key, thread, root, status, attempts, updated_at } = stored;
  const { intent, outcome, resolution } = readRow(documents, stored, `effect ${key}`);
  const forged = isForged(stored, seal) || intent.key !== key || intent.thread !== thread;
  return {
    ...intent,
    key,
    thread,
    root,
    approval: intent.approval,
    preconditions: intent.preconditions,
    compensates: intent.compensates,
    status: forged ? "forged" : status,
    receipt: outcome?.receipt,
    receiptLabel: outcome?.receiptLabel,
    error: outcome?.error,
    learnt: outcome?.learnt,
    resolution: forged ? undefined : (resolution ?? undefined),
    attempts,
    updatedAt: updated_at,
  };
}

const readStored = (row: Row): Stored => readRow(rowSchema, row, `effect ${String(row["key"])}`);

function* findStored(key: string): Work<Stored | undefined> {
  const row = yield* first("SELECT * FROM h_effect WHERE key = ?", key);
  return row && readStored(row);
}

/** The effect with this key. */
export function* findEffect(key: string, seal: Seal): Work<EffectRecord | undefined> {
  const stored = yield* findStored(key);
  return stored && readEffect(stored, seal);
}

function* requireStored(key: string): Work<Stored> {
  const found = yield* findStored(key);
  if (found !== undefined) return found;
  throw new EffectError("EFFECT_UNKNOWN", key, `no effect ${key} in the ledger. Write its intent first.`);
}

/** Effects of one thread, of all threads of one root, or of all, in the order of their intents. */
export function* listEffects(
  query: { readonly thread?: string; readonly root?: string },
  seal: Seal,
): Work<readonly EffectRecord[]> {
  const conditions = Object.entries(query).filter(([, value]) => value !== undefined);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(([column]) => `${column} = ?`).join(" AND ")}`;
  const values = conditions.map(([, value]) => value);
  const rows = yield* all(`SELECT * FROM h_effect ${where} ORDER BY position`, ...values);
  return rows.map((row) => readEffect(readStored(row), seal));
}

/**
 * Takes one step: from exactly the row that was seen, so that of several workers one succeeds. `undefined` when the row
 * is another one by now, or was changed outside the harness.
 */
function* step(seen: Stored, change: Partial<Stored>, seal: Seal): Work<EffectRecord | undefined> {
  if (isForged(seen, seal)) return undefined;
  const next = { ...seen, ...change };
  const { thread, intent, status, outcome, resolution, attempts, updated_at, key } = next;
  const row = yield* first(
    `UPDATE h_effect SET thread = ?, intent = ?, status = ?, outcome = ?, resolution = ?, attempts = ?, updated_at = ?,
       seal = ? WHERE key = ? AND seal = ? RETURNING *`,
    ...[thread, intent, status, outcome, resolution, attempts, updated_at, signed(next, seal), key, seen.seal],
  );
  return row && readEffect(readStored(row), seal);
}

/**
 * Writes the intent. While an effect is still `intended`, the latest verdict of the gate takes the place of the earlier
 * one, so that an old verdict is never dispatched after the label fell. Later than that, nothing changes.
 *
 * @throws EffectError `EFFECT_MISMATCH` when the key belongs to another action.
 */
export function* intendEffect(intent: EffectIntent, seal: Seal, now: number): Work<EffectRecord> {
  const { key, thread, root } = intent;
  const fresh: Stored = {
    ...{ key, thread, root, intent: JSON.stringify(intent), status: "intended", outcome: null, resolution: null },
    ...{ attempts: 0, updated_at: now, seal: null },
  };
  yield* all(
    `INSERT INTO h_effect (key, thread, root, intent, status, attempts, updated_at, seal)
     VALUES (?, ?, ?, ?, 'intended', 0, ?, ?) ON CONFLICT (key) DO NOTHING`,
    ...[key, thread, root, fresh.intent, now, signed(fresh, seal)],
  );
  const stored = yield* requireStored(key);
  const present = readEffect(stored, seal);
  if (!isSameAction(present, intent)) {
    throw new EffectError(
      "EFFECT_MISMATCH",
      key,
      `effect ${key} is ${present.tool} on thread ${present.thread} with other arguments than this ${intent.tool} on thread ${thread}. Derive the key from the whole action.`,
    );
  }
  if (present.status !== "intended" || stored.intent === fresh.intent) return present;
  const renewed = yield* step(stored, { thread, intent: fresh.intent, updated_at: now }, seal);
  return renewed ?? readEffect(yield* requireStored(key), seal);
}

const isSameAction = (left: EffectIntent, right: EffectIntent): boolean =>
  left.root === right.root &&
  left.tool === right.tool &&
  canonicalJson(left.arguments) === canonicalJson(right.arguments);

/**
 * intended → dispatched, together with its approval. `undefined` when the effect is in another state.
 *
 * @throws EffectError `EFFECT_FORGED`; ApprovalError
 */
export function* dispatchEffect(key: string, seal: Seal, now: number): Work<EffectRecord | undefined> {
  const stored = yield* requireStored(key);
  if (readEffect(stored, seal).status === "forged") return yield* refuse(key, "be dispatched", seal);
  if (stored.status !== "intended") return undefined;
  yield* refuseRepetition(stored, seal);
  const change = { status: "dispatched", attempts: stored.attempts + 1, updated_at: now } as const;
  const effect = yield* step(stored, change, seal);
  if (effect?.approval !== undefined) yield* consumeApproval(effect.approval, effect, seal, now);
  return effect;
}

/** Two workers that both passed the gate: dispatches take turns, so the second one sees the first. */
function* refuseRepetition(stored: Stored, seal: Seal): Work<void> {
  const effect = readEffect(stored, seal);
  if (effect.mayRepeat) return;
  yield* all("UPDATE h_schema SET version = version");
  if (!isRepetition(effect, yield* listEffects({ root: effect.root }, seal))) return;
  const { key, tool } = effect;
  throw new EffectError(
    "EFFECT_REPEATS",
    key,
    `effect ${key} (${tool}): the same action was already done, or may have been, in this thread. Send the action through the gate again.`,
  );
}

/** Counts another request of a dispatched effect. `undefined` when the effect is in another state. */
export function* resendEffect(key: string, seal: Seal, now: number): Work<EffectRecord | undefined> {
  const stored = yield* requireStored(key);
  if (readEffect(stored, seal).status === "forged") return yield* refuse(key, "be sent again", seal);
  if (stored.status !== "dispatched") return undefined;
  return yield* step(stored, { attempts: stored.attempts + 1, updated_at: now }, seal);
}

/**
 * dispatched → committed | failed | in_doubt. Whoever saw that it was done may always say so; anything else is said of
 * `attempts` requests, and does not stand when somebody has sent another one since.
 */
export function* settleEffect(
  key: string,
  { status, ...outcome }: EffectOutcome,
  attempts: number,
  seal: Seal,
  now: number,
): Work<EffectRecord> {
  const stored = yield* requireStored(key);
  if (status !== "committed" && stored.status === "dispatched" && stored.attempts > attempts) {
    const why = `become ${status}: another worker has sent it again since`;
    return yield* refuse(key, why, seal);
  }
  const change = { status, outcome: JSON.stringify(outcome), updated_at: now };
  const settled = stored.status === "dispatched" ? yield* step(stored, change, seal) : undefined;
  return settled ?? (yield* refuse(key, `become ${status}: only a dispatched effect can be settled`, seal));
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
  seal: Seal,
): Work<EffectRecord> {
  const stored = yield* requireStored(key);
  const change = { status, resolution: JSON.stringify(resolution), updated_at: resolution.at };
  const resolved = stored.status === "in_doubt" ? yield* step(stored, change, seal) : undefined;
  return resolved ?? (yield* refuse(key, `be resolved as ${status}: only an effect in doubt can be`, seal));
}

function* refuse(key: string, what: string, seal: Seal): Work<never> {
  const { tool, status } = readEffect(yield* requireStored(key), seal);
  const named = `effect ${key} (${tool})`;
  if (status !== "forged") {
    throw new EffectError(
      "EFFECT_STATE",
      key,
      `${named} is ${status} and cannot ${what}. Read it and act on its state.`,
    );
  }
  const why = "was changed outside the harness, or was sealed with another key file";
  throw new EffectError(
    "EFFECT_FORGED",
    key,
    `${named} ${why}, and cannot ${what}. Find out at the provider what happened.`,
  );
}
