// `bulkhead submit` and `bulkhead queue` as they are typed: once is once, what is missing is said with the way to get it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { ROOT } from "./bulkhead.js";
import { testTerminal } from "./terminal.js";
import { QueuePlace, type RunningWorker, withoutServers } from "./worker-place.js";

const MINUTES = 60_000;
const COUNT = "How many tickets are open?";

describe.skipIf(await withoutServers())("the queue", { timeout: 3 * MINUTES }, () => {
  let place: QueuePlace;
  beforeEach(() => {
    place = new QueuePlace();
  });
  afterEach(() => place.clear());

  test("empty, it says what to do", async () => {
    const { code, stdout } = await place.bulkhead(["queue"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The queue is empty · no worker\nNext:\n {2}\S.* submit "…"\n {2}\S.* worker\n$/);
  });

  test("takes a thread once, and gives it back", async () => {
    const first = await place.bulkhead(["submit", "--thread", "tickets:1", COUNT]);
    expect(first.stdout).toMatch(/^queued: tickets:1 \(interactive\)\nNo worker is connected/);
    expect(first.stdout).toMatch(/Next:\n {2}\S.* worker\n {2}\S.* queue\n {2}\S.* show tickets:1\n$/);
    const second = await place.bulkhead(["submit", "--thread", "tickets:1", "--json", COUNT]);
    expect(JSON.parse(second.stdout)).toMatchObject({
      thread: "tickets:1",
      state: "queued",
      added: false,
      workers: false,
    });
    const listed = JSON.parse((await place.bulkhead(["queue", "--json"])).stdout);
    expect(listed.counts).toMatchObject({ queued: 1, running: 0 });
    expect(listed.runs).toMatchObject([{ thread: "tickets:1", state: "queued", priority: "interactive" }]);
    expect((await place.bulkhead(["queue", "--state", "failed"])).stdout).not.toContain("tickets:1");

    const file = join(place.place.folder, "task.txt");
    writeFileSync(file, COUNT);
    const batch = await place.bulkhead(["submit", "--priority", "batch", "--file", file]);
    expect(batch.stdout).toMatch(/^queued: thread-\S+ \(batch\)/);

    const removed = await place.bulkhead(["queue", "remove", "tickets:1"]);
    expect(removed.stdout).toMatch(/^removed: tickets:1 \(it was queued\)/);
    const again = await place.bulkhead(["queue", "remove", "tickets:1"]);
    expect(again).toMatchObject({ code: 1, stderr: "error: there is no thread tickets:1 in the queue.\n" });
  });

  test.each([
    [["submit", COUNT], { BULKHEAD_REDIS: "" }, 2, /^error: no Redis is configured.*BULKHEAD_REDIS=redis:.*docker run/],
    [["worker"], { BULKHEAD_REDIS: "" }, 2, /^error: no Redis is configured/],
    [["queue", "--redis", "127.0.0.1"], {}, 2, /Write redis:\/\/HOST:PORT/],
    [["worker"], { BULKHEAD_DB: "memory:" }, 2, /^error: a worker needs a database that others can reach/],
    [
      ["submit", COUNT],
      { BULKHEAD_REDIS: "redis://:secret@127.0.0.1:6399" },
      1,
      /no usable Redis at redis:\/\/:\*\*\*@127.0.0.1:6399 \(.*ECONNREFUSED/,
    ],
    [["submit", "--thread", "nobody", "--resume"], {}, 1, /^error: there is no thread nobody in postgres:/],
    [["submit", "--resume"], {}, 2, /--resume needs --thread ID/],
    [["submit"], {}, 2, /no task/],
  ] as const)("%j with %j ends with %i and the way out", async (args, env, code, message) => {
    const terminal = testTerminal({ cwd: ROOT });
    Object.assign(terminal.env, { ...place.env, ...env });
    expect({ code: await runProgram(args, terminal), out: terminal.written.out }).toEqual({ code, out: "" });
    expect(terminal.written.err).toMatch(message);
  });
});

describe.skipIf(await withoutServers())("the queue of one worker", { timeout: 3 * MINUTES }, () => {
  let place: QueuePlace;
  let worker: RunningWorker;
  beforeAll(async () => {
    place = new QueuePlace();
    for (const [thread, priority] of [
      ["a", "batch"],
      ["b", "interactive"],
      ["c", "batch"],
      ["d", "interactive"],
    ] as const) {
      await (await place.queue()).add({ thread, graph: "agent", task: COUNT }, priority, { again: false });
    }
    worker = await place.worker(["--concurrency", "1"]);
  }, MINUTES);
  afterAll(() => place.clear());

  test("serves interactive runs before batch runs, whoever came first", async () => {
    await place.until("done", 4);
    expect(worker.lines("start").map(({ thread }) => thread)).toEqual(["b", "d", "a", "c"]);
    // The task is in the journal now, and no longer in Redis.
    const kept = await place.redis((redis) => redis.hget(`${place.prefix}:runs:a`, "data"));
    expect(kept).not.toContain("tickets");

    // A thread that ended is not run again by submitting it again, and does not take another task.
    const known = JSON.parse((await place.bulkhead(["submit", "--json", "--thread", "a", COUNT])).stdout);
    expect(known).toMatchObject({ added: false, state: "done" });
    const other = await place.bulkhead(["submit", "--thread", "a", "Delete everything."]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/^error: thread a has another task in postgres:.*--resume/);
    const followed = await place.bulkhead(["submit", "--thread", "a", "--wait", COUNT]);
    expect(followed.code).toBe(0);
    expect(followed.stdout).toMatch(/\d+ .*open[\s\S]*finished · a\nNext:/);
  });

  test("a run that was stopped elsewhere goes on in it", async () => {
    const stopped = place.place.start(["run", "--fault", "slow", COUNT], { env: place.env });
    await stopped.until(/recall/);
    stopped.child.kill("SIGKILL");
    const { stderr } = await stopped.ended;
    const thread = /thread-[0-9a-f-]{36}/.exec(stderr)?.[0] ?? "no thread was named";
    const { code, stdout } = await place.bulkhead(["submit", "--thread", thread, "--resume", "--wait", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: "result", thread, status: "finished", pending: [] });
    const starts = await place.journal(async (journal) =>
      (await journal.events({ thread })).filter(({ event }) => event.kind === "run.start"),
    );
    expect(starts).toMatchObject([{ event: { resumed: false } }, { event: { resumed: true } }]);
  });

  test("a run fails with its reason, and only once", async () => {
    await (await place.queue()).add({ thread: "t", graph: "nowhere", task: COUNT }, "batch", { again: false });
    await worker.said("failed");
    const { stdout } = await place.bulkhead(["queue"]);
    expect(stdout).toMatch(/^t +failed +batch .*failed: this worker has no graph "nowhere"/m);
    expect(stdout).toMatch(/submit --thread THREAD --resume/);
    expect(worker.lines("failed")).toHaveLength(1);
    // Nothing was begun: the queue has all there is, and puts it in again.
    const again = await place.bulkhead(["submit", "--thread", "t", "--resume", "--graph", "agent", "--wait", "--json"]);
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ thread: "t", status: "finished" });
  });
});
