// The recording of a thread as a folder that can be verified without the database: a manifest with heads, lengths and
// seals; the events; and what they refer to. One seal is over the manifest, and the manifest over every file.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { JournalError } from "../errors.js";
import { sha256, storedEvent, storedHead } from "./chain.js";
import { keptHead } from "./kept-heads.js";
import { type Recording, type StoredRecording, storedRecording } from "./recording.js";
import { json } from "./rows.js";
import { type Verification, verifyRecording } from "./verify.js";

const FORMAT = "bulkhead recording";
const VERSION = 2;
/** Version 1 has neither keys nor texts: its events are in the clear. */
const READABLE = [1, VERSION] as const;

/** The name of the file that makes a folder a bundle. */
export const MANIFEST = "manifest.json";
const EVENTS = "events.jsonl";
const PARTS = ["documents", "approvals", "effects", "keys"] as const;
const PARTS_BEFORE: readonly string[] = ["documents", "approvals", "effects"];
/** One file for each text, named by its digest: `texts/3f/3f9a….txt`. */
const TEXTS = "texts";

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(READABLE),
  /** Milliseconds since the epoch. */
  exportedAt: z.number(),
  /** Names the key of all seals in the bundle, see {@link Seal}. */
  key: z.string(),
  thread: z.string(),
  record: storedRecording.shape.record,
  heads: z.array(storedHead),
  /** What was kept outside the database it is from. */
  kept: z.array(keptHead),
  /** The SHA-256 of each other file, by its name. */
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});
type Manifest = z.output<typeof manifestSchema>;

const sealedManifest = manifestSchema.extend({ seal: z.string() });

/** A bundle as it was read: not verified yet. */
export interface Bundle {
  readonly manifest: Manifest & { readonly seal: string };
  readonly recording: StoredRecording;
  /** What can be said only of files: a line that is no event, a file that is not the one the manifest names. */
  readonly damage: string | undefined;
}

const refuse = (directory: string, why: string, next: string, cause?: unknown): JournalError =>
  new JournalError("JOURNAL_BROKEN", directory, `${directory} ${why}. ${next}.`, cause);

/**
 * Writes a bundle into `directory`, which is made.
 *
 * @throws JournalError when there is something in it already.
 */
export async function writeBundle(directory: string, recording: Recording, seal: Seal, at: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) {
    throw refuse(directory, "is not empty", "Name a folder that does not exist yet");
  }
  const { thread, record, events, heads, kept } = recording;
  const texts: Record<string, string> = { [EVENTS]: events.map((event) => `${JSON.stringify(event)}\n`).join("") };
  for (const part of PARTS) texts[`${part}.json`] = `${JSON.stringify(recording[part], null, 2)}\n`;
  for (const { digest, text } of recording.texts) texts[textFile(digest)] = text;
  const files = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, sha256(text)]));
  const head = { format: FORMAT, version: VERSION, exportedAt: at, key: seal.key } as const;
  const manifest: Manifest = { ...head, thread, record, heads, kept: [...kept], files };
  const sealed = { ...manifest, seal: seal.sign("bundle", manifest) };
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  await writeFile(join(directory, MANIFEST), `${JSON.stringify(sealed, null, 2)}\n`);
}

/**
 * Reads a bundle.
 *
 * @throws JournalError `JOURNAL_BROKEN` when the folder is no bundle, or one that this version cannot read.
 */
export async function readBundle(directory: string): Promise<Bundle> {
  const manifest = parse(sealedManifest, await text(directory, MANIFEST), directory, MANIFEST);
  const eventsText = await text(directory, EVENTS);
  const lines = eventsText.split("\n").slice(0, -1);
  const read = lines.map((line) => json(storedEvent).safeParse(line).data);
  const events = read.flatMap((event) => event ?? []);
  let damage = read.includes(undefined) ? `line ${read.indexOf(undefined) + 1} of ${EVENTS} is no event` : undefined;
  if (manifest.files[EVENTS] !== sha256(eventsText)) damage ??= `${EVENTS} is not what the manifest names`;
  const parts: Record<string, unknown> = { keys: [] };
  for (const part of PARTS) {
    if (manifest.version !== VERSION && !PARTS_BEFORE.includes(part)) continue;
    const name = `${part}.json`;
    const content = await text(directory, name);
    if (manifest.files[name] !== sha256(content)) damage ??= `${name} is not what the manifest names`;
    parts[part] = parse(storedRecording.shape[part], content, directory, name);
  }
  const texts: { digest: string; text: string }[] = [];
  for (const [name, digest] of Object.entries(manifest.files)) {
    if (name !== textFile(digest)) continue;
    const content = await text(directory, name);
    if (sha256(content) !== digest) damage ??= `${name} is not what the manifest names`;
    texts.push({ digest, text: content });
  }
  const { thread, record, heads } = manifest;
  const recording = parse(
    storedRecording,
    JSON.stringify({ thread, record, heads, events, texts, ...parts }),
    directory,
    "the bundle",
  );
  return { manifest, recording, damage };
}

const textFile = (digest: string): string => `${TEXTS}/${digest.slice(0, 2)}/${digest}.txt`;

async function text(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), "utf8");
  } catch (error) {
    throw refuse(directory, `is no bundle: ${name} cannot be read`, "Name a folder that export made", error);
  }
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  content: string,
  directory: string,
  name: string,
): z.output<Schema> {
  const read = json(schema).safeParse(content);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const what = `${name} cannot be used (${issue?.path.join(".")}: ${issue?.message})`;
  throw refuse(directory, `is damaged, or a later version wrote it: ${what}`, "Export the thread again");
}

/**
 * Verifies a bundle. The chain comes first: it can say where. Without the key that sealed it (`undefined`, or another
 * one) only what needs no key is checked, and `heads` is 0.
 */
export function verifyBundle({ manifest, recording, damage }: Bundle, seal: Seal | undefined): Verification {
  const own = seal?.key === manifest.key ? seal : undefined;
  const found = verifyRecording({ ...recording, kept: manifest.kept }, own);
  const broken = (problem: string): Verification => ({ ok: false, at: undefined, problem });
  if (!found.ok) return found;
  if (damage !== undefined) return broken(damage);
  const { seal: given, ...sealed } = manifest;
  if (own?.verify("bundle", sealed, given) === false) return broken(`the seal of ${MANIFEST} does not fit`);
  return found;
}
