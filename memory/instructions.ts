// What the operator tells every run: the `AGENTS.md` of the project's memory folder.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { MemoryFileError } from "./errors.js";

/**
 * The text of `AGENTS.md` in `directory`, or `undefined` when there is none. It is the operator's own word, so reading
 * it lowers no trust: keep the folder out of reach of the agent's tools.
 * @throws MemoryFileError `UNREADABLE`
 */
export const loadInstructions = (directory: string): Promise<string | undefined> =>
  readIfPresent(join(directory, "AGENTS.md"));

/** A file's text, or `undefined` when there is no such file. @throws MemoryFileError `UNREADABLE` */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    // What is no file may never come to an end.
    if (!(await stat(path)).isFile()) throw new Error("it is no file");
    return await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new MemoryFileError("UNREADABLE", path, `${path} cannot be read (${message}). Check its permissions.`, error);
  }
}
