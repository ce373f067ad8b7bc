// Makes the folder that a file of ours goes into.

import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Not `mkdirSync` with `recursive`: on Node 20 that never returns where a file system lets nobody create (`/proc`). */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path)) throw error; // Else another process was quicker.
  }
}
