// Heads of runs outside the database: an append-only file of JSON lines beside the key file. Whoever cuts events or
// whole runs off a database, or puts an older copy of it back, has to change this file too, and cannot sign a line.

import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { parseDatabaseUrl } from "../database/target.js";
import { keyFileOf } from "../key-file.js";
import type { Head } from "./chain.js";
import { json } from "./rows.js";

/** A head as it was at some time. */
export const keptHead = z.object({
  /** The database it is of, without a password: several can share a key file. */
  database: z.string(),
  thread: z.string(),
  run: z.string(),
  length: z.number(),
  hash: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  seal: z.string(),
});
export type KeptHead = z.output<typeof keptHead>;

const line = json(keptHead);

/** The file of this key. */
const keptHeadsFile = (keyFile: string): string => `${keyFile}.heads`;

/** Whether the line was written by the holder of the key. */
const fitsKept = ({ seal: given, ...head }: KeptHead, seal: Seal): boolean => seal.verify("kept head", head, given);

/** Heads kept outside of one database. */
export interface KeptHeads {
  /** Adds a line for each. */
  keep(heads: readonly Head[], at: number): Promise<void>;
  /** What was kept of a thread, and how many lines of the file are nobody's: torn, changed, or of another key. */
  of(thread: string): Promise<{ readonly kept: readonly KeptHead[]; readonly unreadable: number }>;
  /**
   * Of every run of these threads keeps the longest head only: it vouches for all events before it. For threads that
   * verify: in others, a line that goes may be the one that shows what was done to them. Returns how many lines went; 0,
   * too, while another process is at it.
   */
  shorten(threads: readonly string[], now: number): Promise<number>;
}

const NONE: KeptHeads = {
  keep: async () => undefined,
  of: async () => ({ kept: [], unreadable: 0 }),
  shorten: async () => 0,
};

/** The heads of `database` in the file beside `keyFile`. Without one, as in memory, nothing is kept. */
export function keptHeads(keyFile: string | undefined, database: string, seal: Seal): KeptHeads {
  if (keyFile === undefined) return NONE;
  const file = keptHeadsFile(keyFile);
  const headOf = (text: string): KeptHead | undefined => {
    const { data } = line.safeParse(text);
    return data !== undefined && fitsKept(data, seal) ? data : undefined;
  };
  return {
    async keep(heads, at) {
      const lines = heads.map(({ thread, run, length, hash }) => {
        const head = { database, thread, run, length, hash, at };
        return `${JSON.stringify({ ...head, seal: seal.sign("kept head", head) })}\n`;
      });
      if (lines.length > 0) await append(file, lines.join(""));
    },
    async of(thread) {
      const lines = linesOf((await readFile(file, "utf8").catch(unless("ENOENT"))) ?? "");
      const read = lines.flatMap((each) => headOf(each) ?? []);
      const kept = read.filter((each) => each.thread === thread && each.database === database);
      return { kept, unreadable: lines.length - read.length };
    },
    async shorten(threads, now) {
      const those = new Set(threads);
      return replaceLines(file, now, (lines) => {
        const heads = lines.map((each) => {
          const head = headOf(each);
          return head !== undefined && head.database === database && those.has(head.thread) ? head : undefined;
        });
        const longest = new Map<string, KeptHead>();
        for (const head of heads) {
          if (head !== undefined && head.length >= (longest.get(head.run)?.length ?? 0)) longest.set(head.run, head);
        }
        return lines.filter((_, index) => {
          const head = heads[index];
          return head === undefined || longest.get(head.run) === head;
        });
      });
    },
  };
}

/** The heads kept outside of the database at `url`, as `openJournal` has them. */
export function keptHeadsOf(url: string, keyFile: string | undefined, cwd: string, seal: Seal): KeptHeads {
  const target = parseDatabaseUrl(url, cwd);
  if (target.kind === "memory") return NONE;
  return keptHeads(keyFileOf(url, keyFile, cwd), target.name, seal);
}

const linesOf = (text: string): readonly string[] => text.split("\n").filter((each) => each !== "");

/** Adds to the file that has this name at the end: one that was replaced meanwhile may have been read already. */
async function append(path: string, text: string): Promise<void> {
  for (;;) {
    const file = await open(path, "a", 0o600);
    try {
      await file.appendFile(text);
      if ((await file.stat()).ino === (await stat(path).catch(unless("ENOENT")))?.ino) return;
    } finally {
      await file.close();
    }
  }
}

/** A replacement that was begun so long ago was never finished, in milliseconds. */
const ABANDONED_MS = 600_000;

/**
 * Writes a new file and gives it the name, whole or not at all. What others append to the old one meanwhile is brought
 * over; what they append later, they see to themselves. Returns how many lines went.
 */
async function replaceLines(path: string, now: number, change: Change): Promise<number> {
  const before = await open(path, "r").catch(unless("ENOENT"));
  if (before === undefined) return 0;
  try {
    const after = await claim(`${path}.new`, now);
    if (after === undefined) return 0;
    try {
      if ((await before.stat()).ino !== (await stat(path)).ino) return 0; // Somebody else has just done it.
      const lines = (await before.readFile("utf8")).split("\n");
      const last = lines.pop() ?? ""; // A line that is being written: the rest of it comes late.
      const left = change(lines);
      await after.file.appendFile([...left, last].join("\n"));
      await after.file.sync();
      await after.become(path);
      const late = await before.readFile("utf8"); // From where the first reading ended.
      if (late !== "") await append(path, late);
      return lines.length - left.length;
    } finally {
      await after.giveUp();
    }
  } finally {
    await before.close();
  }
}

type Change = (lines: readonly string[]) => readonly string[];

/** A new file. That it is there keeps a second process from making one; `undefined` when one is there. */
async function claim(path: string, now: number) {
  const begun = await stat(path).catch(unless("ENOENT"));
  if (begun !== undefined && now - begun.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  const file = await open(path, "wx", 0o600).catch(unless("EEXIST"));
  if (file === undefined) return undefined;
  let ours = true;
  return {
    file,
    async become(name: string): Promise<void> {
      await rename(path, name);
      ours = false;
    },
    async giveUp(): Promise<void> {
      await file.close();
      if (ours) await rm(path, { force: true });
    },
  };
}

/** Answers `undefined` to an error with this code. */
const unless =
  (code: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== code) throw error;
  };
