// Turns what a driver throws into a JournalError that names the database and the way out.

import { JournalError, type JournalErrorCode } from "../errors.js";
import type { DatabaseTarget } from "./target.js";

const SQLITE: readonly (readonly [RegExp, JournalErrorCode])[] = [
  [/^SQLITE_(BUSY|LOCKED)/, "JOURNAL_LOCKED"],
  [/^SQLITE_(CANTOPEN|READONLY|FULL|IOERR|PERM|AUTH|NOMEM)/, "JOURNAL_UNAVAILABLE"],
  [/^SQLITE_/, "JOURNAL_BROKEN"],
];

// SQLSTATE classes, PostgreSQL 15, appendix A.
const POSTGRES: readonly (readonly [RegExp, JournalErrorCode])[] = [
  [/^(55P03|40P01|40001)$/, "JOURNAL_LOCKED"],
  [/^42501$/, "JOURNAL_UNAVAILABLE"],
  [/^(22|23|42|XX)[0-9A-Z]{3}$/, "JOURNAL_BROKEN"],
  [/^[0-9][0-9A-Z]{4}$/, "JOURNAL_UNAVAILABLE"],
];

const SYSTEM = /^E[A-Z]{3,}$/;

/** What node-postgres and libsql say of a connection that is gone, without a code. */
const GONE =
  /^(Connection terminated|timeout exceeded when trying|Cannot use a pool after|The database connection is not)/;

const codeOf = (error: unknown): string => {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
};

const messageOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return message === "" ? codeOf(error) || "no reason given" : message; // Node's AggregateError of a failed connect has none.
};

const look = (table: typeof SQLITE, code: string) => table.find(([pattern]) => pattern.test(code))?.[1];

/** What kind of failure of the database this is, or `undefined` for an error that does not come from a driver. */
const classify = (error: unknown): JournalErrorCode | undefined => {
  const code = codeOf(error);
  const known = look(SQLITE, code) ?? look(POSTGRES, code);
  return known ?? (SYSTEM.test(code) || GONE.test(messageOf(error)) ? "JOURNAL_UNAVAILABLE" : undefined);
};

const advice = (target: DatabaseTarget, code: JournalErrorCode): readonly [problem: string, next: string] => {
  switch (code) {
    case "JOURNAL_LOCKED":
      return ["is locked by another process", "Wait until that process is done, or stop it, and try again"];
    case "JOURNAL_BROKEN":
      return ["cannot be used as a journal", "Move it away or restore a copy, or name another database"];
    case "JOURNAL_NEWER":
      return ["was written by a newer version", "Update bulkhead, or name another database"];
    case "JOURNAL_UNAVAILABLE":
      return target.kind === "postgres"
        ? ["cannot be reached", "Check that the server runs and that address, user, password and database are right"]
        : ["cannot be opened or written", "Check that the folder exists and can be written, or name another database"];
  }
};

/** The failure `code` of `target`, said in one line: what, why, what to do. */
export function databaseFailure(
  target: DatabaseTarget,
  code: JournalErrorCode,
  why: string,
  cause?: unknown,
): JournalError {
  const [problem, next] = advice(target, code);
  const secrets = target.kind === "postgres" ? target.secrets : [];
  const reason = secrets.reduce((text, secret) => text.replaceAll(secret, "***"), why.replace(/\s+/g, " ").trim());
  return new JournalError(code, target.name, `${target.name} ${problem}: ${reason}. ${next}.`, cause);
}

/** Any failure of the journal's own statements. */
export const toJournalError = (target: DatabaseTarget, error: unknown): JournalError =>
  JournalError.isInstance(error)
    ? error
    : databaseFailure(target, classify(error) ?? "JOURNAL_UNAVAILABLE", messageOf(error), error);

/** Like {@link toJournalError}, but leaves alone what does not come from a database driver. */
export const translateFailure = (target: DatabaseTarget, error: unknown): unknown =>
  classify(error) === undefined ? error : toJournalError(target, error);
