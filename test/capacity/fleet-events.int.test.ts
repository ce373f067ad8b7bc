// What happens to a call on its way is in the run's record, and `bulkhead inspect` says it: a wait, a 429, a breaker, a
// fallback, and a fleet whose Redis is gone and comes back.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HumanMessage } from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { runProgram } from "../../cli/program.js";
import { agentGraph } from "../../graphs/index.js";
import { TOP } from "../../trust/index.js";
import { testTerminal } from "../cli/terminal.js";
import { RedisServer, withoutRedisServer } from "../support/redis.js";
import { OpenAIServer } from "./openai-server.js";
import { guarded, routeTo, until, WIDE } from "./support.js";

describe.skipIf(withoutRedisServer("the tests of a fleet's events"))(
  "what happens to calls",
  { timeout: 60_000 },
  () => {
    let folder: string;
    let redis: RedisServer;
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), "bulkhead-fleet-"));
      redis = await RedisServer.open();
      await redis.kill(); // Away at first.
    });
    afterEach(async () => {
      await redis.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test("is in the record, and told by inspect", async () => {
      await using server = await OpenAIServer.start((n, { body }) => {
        if (n === 0) return { status: 429, headers: { "retry-after-ms": "400" } };
        return body.model === "large" && n < 10 ? { status: 500 } : { content: "done" };
      });
      const db = `sqlite:${join(folder, "threads.db")}`;
      const journal = openJournal(db);
      const fleet = { url: redis.url, name: randomUUID(), leaseMs: 300 };
      const large = routeTo(server, "large", { quota: { ...WIDE, maxHeadroom: 1 }, fleet });
      const small = routeTo(server, "small");
      const description = { provider: "test", model: "large", fallback: "small", offline: false, sentence: "" };
      const close = async () => void (await large.pool.close());
      const model = { model: guarded([large, small]), description, close };
      const admission = "availability-first";
      const graph = agentGraph({ journal, model, prompt: "Answer.", tools: [], admission }).compile({
        checkpointer: new MemorySaver(),
      });
      const run = (thread: string) =>
        graph.invoke({ messages: [new HumanMessage("hello")] }, { configurable: { thread_id: thread, run_id: "r1" } });
      const eventsOf = async (thread: string) =>
        (await journal.events({ thread })).flatMap(({ event }) => (event.kind === "capacity" ? [event.event] : []));

      for (const thread of ["t1", "t2"]) await journal.beginThread(thread, "agent", TOP);
      await run("t1");
      const first = await eventsOf("t1");
      expect(first).toContainEqual({
        ...{ kind: "fleet", route: "large", state: "lost" },
        reason: expect.stringMatching(/^the shared quota of .*: Redis at 127\.0\.0\.1:\d+ cannot be reached: /),
      });
      expect(first).toContainEqual({ kind: "rate-limited", route: "large", retryAfterMs: 400, hinted: true });
      expect(first).toContainEqual({
        ...{ kind: "queued", route: "large", reason: "pause" },
        waitMs: expect.any(Number),
      });
      expect(first).toContainEqual({ kind: "breaker", route: "large", state: "open", reason: "server-error" });
      expect(first.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["retry", "fallback"]));

      await redis.start();
      await until(() => large.pool.status.fleet?.available === true);
      await run("t2");
      expect(await eventsOf("t2")).toContainEqual({
        ...{ kind: "fleet", route: "large", state: "back" },
        reason: "Redis answers again",
      });
      await close();
      await journal.close();

      const inspected = async (thread: string) => {
        const terminal = testTerminal({ cwd: folder });
        expect(await runProgram(["inspect", thread, "--db", db], terminal), terminal.written.err).toBe(0);
        return terminal.written.out;
      };
      const told = await inspected("t1");
      expect(told).toContain("the fleet's quota of large is lost: the shared quota of ");
      expect(told).toContain("large is rate limited: its calls pause 0.4 s");
      expect(told).toMatch(/waits 0\.\d s for large \(pause\)/);
      expect(told).toContain("the breaker of large is open: server-error");
      expect(told).toContain("fallback: small instead of large: server-error");
      expect(await inspected("t2")).toContain("the fleet's quota of large is back");
    });
  },
);
