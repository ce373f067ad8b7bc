// Heads of runs outside the database: an append-only file of JSON lines beside the key file. Whoever cuts events or
// whole runs off a database, or puts an older copy of it back, has to change this file too, and cannot sign a line.

import { appendFile, readFile } from "node:fs/promises";
import { z } from "zod";
import type { Seal } from "../../trust/index.js";
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
}

/** The heads of `database` in the file beside `keyFile`. Without one, as in memory, nothing is kept. */
export function keptHeads(keyFile: string | undefined, database: string, seal: Seal): KeptHeads {
  if (keyFile === undefined) return { keep: async () => undefined, of: async () => ({ kept: [], unreadable: 0 }) };
  const file = keptHeadsFile(keyFile);
  return {
    async keep(heads, at) {
      const lines = heads.map(({ thread, run, length, hash }) => {
        const head = { database, thread, run, length, hash, at };
        return `${JSON.stringify({ ...head, seal: seal.sign("kept head", head) })}\n`;
      });
      if (lines.length > 0) await appendFile(file, lines.join(""), { mode: 0o600 });
    },
    async of(thread) {
      const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      const lines = text.split("\n").filter((each) => each !== "");
      const read = lines.flatMap((each) => {
        const { data } = line.safeParse(each);
        return data !== undefined && fitsKept(data, seal) ? data : [];
      });
      const kept = read.filter((each) => each.thread === thread && each.database === database);
      return { kept, unreadable: lines.length - read.length };
    },
  };
}
