// The key of the journal's seals, in a file of its own: whoever can write to the database must not be able to sign.
// The file is made at first use, whole or not at all, and only its owner can read it.

import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { hmacSeal, type Seal } from "../trust/seal.js";
import { makeDirectory } from "./database/directory.js";
import { type DatabaseTarget, parseDatabaseUrl } from "./database/target.js";
import { JournalError } from "./errors.js";

const KEY_BYTES = 32;
const KEY = /^[0-9a-f]{64}$/i;

/** Where the key of a Postgres journal is by default, relative to the working directory. */
export const POSTGRES_KEY_FILE = ".bulkhead/journal.key";

/** Where the key of this database is by default: beside it; `undefined` for one in memory, whose key needs no file. */
export function defaultKeyFile(target: DatabaseTarget, cwd: string): string | undefined {
  switch (target.kind) {
    case "sqlite":
      return `${target.path}.key`;
    case "postgres":
      return resolve(cwd, POSTGRES_KEY_FILE);
    case "memory":
      return undefined;
  }
}

/** Where the key of the journal at `url` is; `undefined` for one in memory. @throws JournalError when `url` is none */
export const keyFileOf = (url: string, keyFile: string | undefined, cwd: string): string | undefined =>
  keyFile === undefined ? defaultKeyFile(parseDatabaseUrl(url, cwd), cwd) : resolve(cwd, keyFile);

/**
 * The seal with the key in `path`, which is read or made when it is first needed; without a path, with a random key that
 * is kept nowhere. Every use throws `JournalError` `JOURNAL_UNAVAILABLE` when there is no usable key.
 */
export function openSeal(path: string | undefined): Seal {
  let opened: Seal | undefined;
  const seal = (): Seal => {
    opened ??= hmacSeal(path === undefined ? randomBytes(KEY_BYTES) : readOrMake(path));
    return opened;
  };
  return {
    get key() {
      return seal().key;
    },
    sign: (purpose, value) => seal().sign(purpose, value),
    verify: (purpose, value, given) => seal().verify(purpose, value, given),
  };
}

/**
 * The seal of the journal at `url` as `openJournal` would have it, but `undefined` when there is no key yet: it makes none.
 *
 * @throws JournalError when the file holds no key, or `url` is no database.
 */
export function keyAtHand(url: string, keyFile: string | undefined, cwd: string): Seal | undefined {
  const path = keyFileOf(url, keyFile, cwd);
  const key = path === undefined ? undefined : read(path);
  return key && hmacSeal(key);
}

function readOrMake(path: string): Uint8Array {
  try {
    return read(path) ?? make(path);
  } catch (error) {
    if (JournalError.isInstance(error)) throw error;
    const { message } = error as Error;
    throw unusable(path, `cannot be read or made: ${message}`, "Check its folder and permissions", error);
  }
}

/** The key, or `undefined` when there is no such file. */
function read(path: string): Uint8Array | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (KEY.test(text)) return Buffer.from(text, "hex");
  throw unusable(
    path,
    "holds no key of 64 hexadecimal digits",
    "Put a copy of the key back; or delete the file, and a new one is made: what was sealed before (open approvals, labels, memories) then counts as forged",
  );
}

/** Linking is what makes the file appear: whole, and by one process only. Whoever comes second takes what is there. */
function make(path: string): Uint8Array {
  makeDirectory(dirname(path));
  const whole = `${path}.${process.pid}-${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(whole, `${randomBytes(KEY_BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx", flush: true });
    linkSync(whole, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(whole, { force: true });
  }
  const key = read(path);
  if (key !== undefined) return key;
  throw unusable(path, "was deleted while it was made", "Try again");
}

const unusable = (path: string, problem: string, next: string, cause?: unknown): JournalError =>
  new JournalError(
    "JOURNAL_UNAVAILABLE",
    path,
    `the journal's key file ${path} ${problem}. ${next}, or name another file with BULKHEAD_KEY_FILE (made by: openssl rand -hex 32).`,
    cause,
  );
