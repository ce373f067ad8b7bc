// The chain that the record of events is: what an event's hash is over, and what the head of a run is. Whoever writes,
// reads or verifies events takes both from here. Source: trust-replay.md, sections 3.4 and 6.

import { createHash } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../../trust/digest.js";
import type { Seal } from "../../trust/seal.js";
import type { Row } from "../database/database.js";
import type { Scope } from "./events.js";
import { integer, json } from "./rows.js";
import type { ThreadKey } from "./thread-key.js";

/** SHA-256 of a text, in lower-case hexadecimal. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** An event as the table and a bundle have it. Header and body are text: the digests are over the very bytes. */
export const storedEvent = z.object({
  run: z.string(),
  /** From 1 within its run. */
  seq: integer,
  thread: z.string(),
  header: z.string(),
  /** As JSON; `""` when it was erased. The table has it encrypted. */
  body: z.string(),
  /** The hash of the event before it; for the first of a run, that of the newest event of its thread, or `""`. */
  prev: z.string(),
  hash: z.string(),
});
export type StoredEvent = z.output<typeof storedEvent>;

/** The head of a run: how many events it has, and the hash of the last one. */
export interface Head {
  readonly thread: string;
  readonly run: string;
  readonly length: number;
  readonly hash: string;
}

/** A head as it is stored. The seal is missing for a run that began before heads were sealed. */
export const storedHead = z.object({
  thread: z.string(),
  run: z.string(),
  length: integer,
  hash: z.string(),
  seal: z.string().nullable(),
});
export type StoredHead = z.output<typeof storedHead>;

const header = z.object({
  thread: z.string(),
  run: z.string(),
  node: z.string().exactOptional(),
  step: z.number().exactOptional(),
  lane: z.string().exactOptional(),
  send: z.number().exactOptional(),
  seq: z.number(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  kind: z.string(),
  /** Names the body's text, see {@link bodyDigest}. The body can go and the chain stays. */
  body: z.string(),
});

/** Reads a header's text. */
export const headerColumn = json(header);

/** The text of an event's header: canonical JSON. `body` is the body's digest. */
export const headerText = (scope: Scope, seq: number, at: number, kind: string, body: string): string => {
  const { thread, run, node, step, lane, send } = scope;
  return canonicalJson({ thread, run, node, step, lane, send, seq, at, kind, body });
};

/**
 * How a header names a body: `hmac:KEY:DIGEST`, by the key of the thread, so that it tells nothing once that is erased.
 * Before there were such keys, and for what must outlive them, it is the SHA-256 of the text.
 */
export const bodyDigest = (body: string, key: ThreadKey | undefined): string =>
  key === undefined ? sha256(body) : `hmac:${key.id}:${key.digest(body)}`;

const KEYED = /^hmac:([0-9a-f]+):/;

/** The name of the key that a body was named and encrypted with; `undefined` for one in the clear. */
export const keyIdOf = (named: string): string | undefined => KEYED.exec(named)?.[1];

/** Whether a header's digest names this text. `false` without the key that it takes. */
export function isNamed(body: string, named: string, keys: ReadonlyMap<string, ThreadKey>): boolean {
  const id = keyIdOf(named);
  const key = id === undefined ? undefined : keys.get(id);
  return (id === undefined || key !== undefined) && bodyDigest(body, key) === named;
}

/** The hash of an event: SHA-256 over the canonical JSON of `{ header, prev, version: 2 }`. */
export const chained = (prev: string, headerJson: string): string =>
  sha256(`{"header":${headerJson},"prev":${JSON.stringify(prev)},"version":2}`);

/** How events were chained before runs were linked and heads sealed: the first event of every run follows nothing. */
export const chainedBefore = (prev: string, headerJson: string): string => sha256(`h1${prev}${headerJson}`);

/** Whether the row's hash is that of its header in its place. */
export const isChained = ({ prev, header, hash }: Pick<StoredEvent, "prev" | "header" | "hash"> | Row): boolean =>
  hash === chained(String(prev), String(header)) || hash === chainedBefore(String(prev), String(header));

const signed = ({ thread, run, length, hash }: Head): Head => ({ thread, run, length, hash });

/** Signs a head. */
export const sealHead = (head: Head, seal: Seal): string => seal.sign("head", signed(head));

/** Whether `given` is this key's seal of the head. */
export const fitsHead = (head: Head, given: unknown, seal: Seal): boolean => seal.verify("head", signed(head), given);
