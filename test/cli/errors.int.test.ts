// What goes wrong before or around a run: one clear line, what to do, the right exit code, no stack, nothing lost.

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Ended, Place } from "./bulkhead.js";

const MINUTES = 60_000;
const TASK = "How many tickets are open?";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.clear());

/** The error's line; fails when there is a stack. */
function errorOf({ stderr, stdout }: Ended): string {
  expect(stderr + stdout).not.toMatch(/^\s+at .*:\d+/m);
  return /^(?:error|failed): .*$/m.exec(stderr + stdout)?.[0] ?? `no error line in ${stderr}${stdout}`;
}

describe("usage, exit 2", { timeout: 2 * MINUTES }, () => {
  test("a wrong flag", async () => {
    const ended = await place.bulkhead(["run", "--thred", "x"]);
    expect(ended.code).toBe(2);
    expect(errorOf(ended)).toMatch(/unknown option '--thred'/);
    expect(ended.stderr).toMatch(/Did you mean --thread/);
  });

  test("--resume without a thread, and there is none", async () => {
    const ended = await place.bulkhead(["run", "--resume"]);
    expect(ended.code).toBe(2);
    expect(errorOf(ended)).toMatch(/--resume needs --thread ID, .* Run a task first/);
  });

  test("an invalid variable is named", async () => {
    const ended = await place.bulkhead(["run", TASK], { env: { BULKHEAD_HEADROOM: "2" } });
    expect(ended.code).toBe(2);
    expect(errorOf(ended)).toMatch(/BULKHEAD_HEADROOM must be/);
  });

  test("--fault needs the offline provider", async () => {
    const ended = await place.bulkhead(["run", "--fault", "outage", TASK], { env: { OPENAI_API_KEY: "k" } });
    expect(ended.code).toBe(2);
    expect(errorOf(ended)).toMatch(/offline provider only/);
  });

  test("outside of a project", async () => {
    const ended = await place.bulkhead(["run", TASK], { cwd: place.folder });
    expect(ended.code).toBe(2);
    expect(errorOf(ended)).toMatch(/no langgraph\.json .* bulkhead new my-agent/);
  });
});

describe("what cannot be done, exit 1", { timeout: 3 * MINUTES }, () => {
  test.for([
    ["run", "--thread", "thread-x", TASK],
    ["run", "--thread", "thread-x", "--resume"],
    ["show", "thread-x"],
  ] as const)("an unknown thread: %s", async (args) => {
    const ended = await place.bulkhead(args);
    expect(ended.code).toBe(1);
    expect(errorOf(ended)).toMatch(/there is no thread thread-x in .* threads$/);
  });

  test("a broken database file is left as it is", async () => {
    const file = join(place.folder, "threads.db");
    writeFileSync(file, "this is not a database, and it is long enough to be looked at as one".repeat(20));
    const ended = await place.bulkhead(["run", TASK]);
    expect(ended.code).toBe(1);
    expect(errorOf(ended)).toMatch(/threads\.db cannot be used as a journal: .*Move it away or restore a copy/);
  });

  test("a database that another process has locked", async () => {
    const file = join(place.folder, "threads.db");
    const holder = new Database(file);
    holder.exec("create table t (x); begin exclusive;");
    const ended = await place.bulkhead(["run", TASK]);
    holder.close();
    expect(ended.code).toBe(1);
    expect(errorOf(ended)).toMatch(/threads\.db is locked by another process/);
  });

  test("a bad key, once and for all", async () => {
    let calls = 0;
    const server = createServer((_request, response) => {
      calls += 1;
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "Incorrect API key provided", code: "invalid_api_key" } }));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const ended = await place.bulkhead(["run", TASK], {
      env: { OPENAI_API_KEY: "sk-wrong-key", OPENAI_BASE_URL: url },
    });
    server.close();
    expect(ended.code).toBe(1);
    expect(errorOf(ended)).toMatch(/key/i);
    expect(ended.stdout + ended.stderr).not.toContain("sk-wrong-key");
    expect(ended.stdout).toContain("--resume");
    expect(calls).toBe(1);
  });

  test("an endpoint that is not there; the thread goes on when it is mended, and is named when none is", async () => {
    const ended = await place.bulkhead(["run", "--json", TASK], { env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" } });
    expect(ended.code).toBe(1);
    const result = JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "");
    expect(result).toMatchObject({ type: "result", status: "failed" });
    expect(result.message).toMatch(/127\.0\.0\.1:9|OPENAI_BASE_URL/);
    const latest = await place.bulkhead(["run", "--resume"]);
    expect(latest.code).toBe(2);
    expect(errorOf(latest)).toMatch(new RegExp(`The latest: .* run --thread ${result.thread} --resume$`));
    const { code } = await place.run(["--thread", result.thread, "--resume"]);
    expect(code).toBe(0);
  });

  test("doctor says what is wrong and exits with 1", async () => {
    const ended = await place.bulkhead(["doctor", "--json"], { env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" } });
    expect(ended.code).toBe(1);
    const { ok, findings } = JSON.parse(ended.stdout);
    expect(ok).toBe(false);
    expect(findings.find(({ name }: { name: string }) => name === "model").message).toMatch(/OPENAI_BASE_URL/);
  });
});

describe("the other commands", { timeout: 2 * MINUTES }, () => {
  test("doctor is content with a fresh clone", async () => {
    const ended = await place.bulkhead(["doctor", "--json"]);
    expect(JSON.parse(ended.stdout)).toMatchObject({ ok: true });
    expect(ended.code).toBe(0);
  });

  test("a task can be piped in or read from a file", async () => {
    const file = join(place.folder, "task.txt");
    writeFileSync(file, `${TASK}\n`);
    const piped = await place.run([], { input: `${TASK}\n` });
    const read = await place.run(["--file", file]);
    expect(piped.code).toBe(0);
    expect(read.result.answer).toBe(piped.result.answer);
  });

  test("graph prints Mermaid", async () => {
    const { code, stdout } = await place.bulkhead(["graph"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/graph TD;/);
    expect(stdout).toMatch(/gate -\.-> act;/);
  });
});
