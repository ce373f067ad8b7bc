import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { RecordsDatabase, recordsFile } from "../../template/nodes/records/database.js";
import { emptyDirectory, lookInto } from "./support.js";

const script = fileURLToPath(new URL("open-records.ts", import.meta.url));

/** Runs the script; gives what it printed, or the signal that ended it. */
const open = (workspace: string, ...more: string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, ["--import", "tsx", script, workspace, ...more], (error, stdout, stderr) =>
      resolve(error === null ? stdout : (error.signal ?? stderr)),
    );
  });

describe("the first open", () => {
  it("may happen in several processes at once", async () => {
    const workspace = emptyDirectory();
    const printed = await Promise.all([open(workspace), open(workspace), open(workspace)]);
    expect(printed).toEqual(["120", "120", "120"]);
    const records = lookInto(workspace);
    expect(records.count("select count(*) as count from customers")).toBe(300);
    expect(records.count("select count(*) as count from deletions")).toBe(1);
  });

  it("finds the work done when another process was first to lock the file", () => {
    const workspace = emptyDirectory();
    const begin = vi.spyOn(Database.prototype, "transaction").mockImplementationOnce(function (
      this: Database.Database,
      body,
    ) {
      new RecordsDatabase(workspace).close();
      return this.transaction(body);
    });
    onTestFinished(() => begin.mockRestore());
    expect(lookInto(workspace).count("select count(*) as count from customers")).toBe(300);
    expect(begin.mock.calls.length).toBeGreaterThanOrEqual(3);
  });

  it("leaves nothing half done when it is killed", async () => {
    const workspace = emptyDirectory();
    expect(await open(workspace, "--die-at", "6")).toBe("SIGKILL");
    expect(await open(workspace, "--die-at", "1")).toBe("SIGKILL");
    expect(await open(workspace)).toBe("120");
    expect(lookInto(workspace).count("select count(*) as count from items")).toBeGreaterThan(1000);
  });

  it("keeps what is there the second time", () => {
    const workspace = emptyDirectory();
    lookInto(workspace).run("delete from customers where customer_id = 'C-0001'");
    expect(lookInto(workspace).count("select count(*) as count from customers")).toBe(299);
  });
});

describe("a file that cannot be used", () => {
  it("is named, with what to do, when it is no database", () => {
    const workspace = emptyDirectory();
    writeFileSync(recordsFile(workspace), "this is no database, but it is long enough to be looked at ".repeat(40));
    expect(() => new RecordsDatabase(workspace)).toThrow(/records\.db cannot be opened: .*Move the file away/);
    expect(() => new RecordsDatabase(workspace)).toThrow(expect.objectContaining({ code: "WORKSPACE_UNUSABLE" }));
  });

  it("is left alone when it has another format", () => {
    const workspace = emptyDirectory();
    const other = new Database(recordsFile(workspace));
    other.exec("create table precious (x); pragma user_version = 99");
    other.close();
    expect(() => new RecordsDatabase(workspace)).toThrow("has format 99, this version reads 1");
  });

  it("is named when the directory cannot be made", () => {
    const workspace = emptyDirectory();
    writeFileSync(`${workspace}/file`, "");
    expect(() => new RecordsDatabase(`${workspace}/file`)).toThrow(/cannot be opened/);
    mkdirSync(`${workspace}/folder/records.db`, { recursive: true });
    expect(() => new RecordsDatabase(`${workspace}/folder`)).toThrow(/cannot be opened/);
  });
});

describe("once", () => {
  it("stores the result with the change, or neither", () => {
    const records = lookInto(emptyDirectory());
    const remove = () => records.run("delete from customers where customer_id = 'C-0001'");
    expect(() =>
      records.once("one", "test", () => {
        remove();
        throw new Error("half way");
      }),
    ).toThrow("half way");
    expect(records.count("select count(*) as count from customers")).toBe(300);
    expect(records.once("one", "test", () => ({ removed: remove() >= 0 }))).toEqual({ removed: true });
    expect(records.once("one", "test", () => "never")).toEqual({ removed: true });
    expect(records.count("select count(*) as count from customers")).toBe(299);
  });
});
