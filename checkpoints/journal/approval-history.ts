// What happened to an approval: one entry for each step. An entry is bound by hash and seal to the request as it was
// stored, to everything before it, and to the key, so that only this harness can have written it.

import { z } from "zod";
import { digest } from "../../trust/digest.js";
import type { Seal } from "../../trust/seal.js";
import { callArguments, json } from "./rows.js";
import type { Approver } from "./types.js";

const PURPOSE = "approval";

/** What a step says. Which of the optional fields it has depends on the status. */
export interface ApprovalStep {
  readonly status: "pending" | "approved" | "rejected" | "cancelled" | "consumed";
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by?: string | undefined;
  readonly authenticated?: Approver["authenticated"] | undefined;
  readonly reason?: string | undefined;
  /** The arguments that a person put in place of the request's. */
  readonly edited?: Readonly<Record<string, unknown>> | undefined;
  /** The key of the effect that used the approval up. */
  readonly usedBy?: string | undefined;
}

/** A step, sealed. */
export interface ApprovalEntry extends ApprovalStep {
  /** Hash of the entry before. For the first one: of the thread's newest earlier approval, `""` when there was none. */
  readonly prev: string;
  /** Names the key of the seal. */
  readonly key: string;
  /** SHA-256 over the request, when it was stored, and everything above. */
  readonly hash: string;
  readonly seal: string;
}

/** What every entry is bound to, beside the entries before it. */
export interface SealedRequest {
  /** The very text in the database. */
  readonly request: string;
  readonly createdAt: number;
}

const entries = z.array(
  z.strictObject({
    status: z.enum(["pending", "approved", "rejected", "cancelled", "consumed"]),
    at: z.number(),
    by: z.string().optional(),
    authenticated: z.enum(["cli", "server", "none"]).optional(),
    reason: z.string().optional(),
    edited: callArguments.optional(),
    usedBy: z.string().optional(),
    prev: z.string(),
    key: z.string(),
    hash: z.string(),
    seal: z.string(),
  }),
);
const column = json(entries);

/** The entries in a `history` column; none when it holds anything else. */
export function readHistory(text: unknown): readonly ApprovalEntry[] {
  const read = column.safeParse(text);
  return read.success ? read.data : [];
}

// Over JSON text in a fixed order: half a surrogate pair, which has no canonical form, must not stop a decision.
const hashOf = ({ request, createdAt }: SealedRequest, entry: Omit<ApprovalEntry, "hash" | "seal">): string => {
  const { status, at, by, authenticated, reason, edited, usedBy, prev, key } = entry;
  const said = JSON.stringify([status, at, by, authenticated, reason, edited, usedBy, prev, key]);
  return digest([request, createdAt, said]);
};

/** Seals `step` after the entry whose hash is `prev`. */
export function sealStep(sealed: SealedRequest, step: ApprovalStep, prev: string, seal: Seal): ApprovalEntry {
  const entry = { ...step, prev, key: seal.key };
  const hash = hashOf(sealed, entry);
  return { ...entry, hash, seal: seal.sign(PURPOSE, hash) };
}

/** Why this history of this request cannot be believed; `undefined` when it can. */
export function historyProblem(
  sealed: SealedRequest,
  history: readonly ApprovalEntry[],
  seal: Seal,
): string | undefined {
  const foreign = history.find(({ key }) => key !== seal.key);
  if (foreign !== undefined) {
    return (
      `it was sealed with the key ${foreign.key} and this journal has the key ${seal.key}: its key file was replaced or ` +
      "deleted, or another one is used here. Use the key file it was made with (BULKHEAD_KEY_FILE)"
    );
  }
  if (history[0]?.status !== "pending") return CHANGED; // The first entry was cut off: no other one is pending.
  let prev = history[0].prev;
  for (const entry of history) {
    const intact = entry.prev === prev && entry.hash === hashOf(sealed, entry);
    if (!intact || !seal.verify(PURPOSE, entry.hash, entry.seal)) return CHANGED;
    prev = entry.hash;
  }
  return undefined;
}

/** The problem of a record that does not fit its seals. */
export const CHANGED = "its record was written or changed by something else than this harness. Find out by what";
