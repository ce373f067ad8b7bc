// The key of the seals: made once, whole, for its owner alone, and never guessed when it cannot be used.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseDatabaseUrl } from "../../checkpoints/database/target.js";
import { openJournal } from "../../checkpoints/index.js";
import { defaultKeyFile, openSeal } from "../../checkpoints/key-file.js";
import { ann, approvalRequest } from "./support.js";

let cwd: string;
let path: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "bulkhead-key-"));
  path = join(cwd, "new", "sub", "journal.key");
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const unusable = (why: RegExp) =>
  expect.objectContaining({ code: "JOURNAL_UNAVAILABLE", subject: path, message: expect.stringMatching(why) });

describe("a key file", () => {
  it("is made at first use, for its owner alone, and used again", () => {
    const seal = openSeal(path);
    expect(existsSync(path)).toBe(false);
    const signed = seal.sign("test", { a: 1 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
    expect(readdirSync(join(path, ".."))).toEqual(["journal.key"]);
    const again = openSeal(path);
    expect(again.key).toBe(seal.key);
    expect(again.verify("test", { a: 1 }, signed)).toBe(true);
    expect(again.verify("other", { a: 1 }, signed)).toBe(false);
    rmSync(path);
    expect(openSeal(path).verify("test", { a: 1 }, signed)).toBe(false);
  });

  it("takes a key that somebody made, with or without a newline", () => {
    const key = "AB".repeat(32);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, `${key}\n`);
    const { key: name } = openSeal(path);
    writeFileSync(path, key.toLowerCase());
    expect(openSeal(path).key).toBe(name);
    expect(readFileSync(path, "utf8")).toBe(key.toLowerCase());
  });

  it.each(["", "\n", "not a key\n", `${"ab".repeat(31)}\n`, `${"ab".repeat(33)}\n`, `${"zz".repeat(32)}\n`])(
    "is refused and left alone when it holds %j",
    (content) => {
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, content);
      const seal = openSeal(path);
      const why = unusable(
        /holds no key of 64 hexadecimal digits.*copy of the key.*counts as forged.*BULKHEAD_KEY_FILE/,
      );
      expect(() => seal.sign("test", 1)).toThrow(why);
      expect(() => seal.verify("test", 1, "x")).toThrow(why);
      expect(() => seal.key).toThrow(why);
      expect(readFileSync(path, "utf8")).toBe(content);
    },
  );

  it("is refused when it is a folder, or cannot be made", () => {
    mkdirSync(path, { recursive: true });
    expect(() => openSeal(path).key).toThrow(unusable(/cannot be read or made: EISDIR.*permissions/));
    path = join(cwd, "k".repeat(250)); // The name of the file that is to be linked is too long.
    expect(() => openSeal(path).key).toThrow(unusable(/cannot be read or made: ENAMETOOLONG/));
    path = "/proc/nothing/journal.key";
    expect(() => openSeal(path).key).toThrow(unusable(/cannot be read or made: .*permissions/));
  });

  it("is not needed for a database in memory, whose key is its own", () => {
    expect(openSeal(undefined).key).not.toBe(openSeal(undefined).key);
  });
});

describe("where it is", () => {
  it.each([
    ["sqlite:a/b.db", "/home/ann/a/b.db.key"],
    ["sqlite:/tmp/b.db", "/tmp/b.db.key"],
    ["postgres://h/d", "/home/ann/.bulkhead/journal.key"],
    ["memory:", undefined],
  ])("of %s: %s", (url, expected) =>
    expect(defaultKeyFile(parseDatabaseUrl(url, "/home/ann"), "/home/ann")).toBe(expected),
  );

  it("is what the journal is told, and a journal that cannot use it approves nothing", async () => {
    const journal = openJournal("sqlite:a.db", { cwd, keyFile: "new/sub/journal.key" });
    await journal.threads();
    expect(existsSync(path)).toBe(false);
    await journal.requestApproval(approvalRequest(journal.clock));
    expect(existsSync(path)).toBe(true);
    expect(existsSync(join(cwd, "a.db.key"))).toBe(false);
    await journal.close();
    writeFileSync(path, "");
    const again = openJournal("sqlite:a.db", { cwd, keyFile: path });
    for (const use of [
      again.decideApproval("approval-1", "approved", ann),
      again.approvals(),
      again.approval("approval-1"),
    ]) {
      await expect(use).rejects.toEqual(unusable(/holds no key/));
    }
    await again.close();
  });
});
