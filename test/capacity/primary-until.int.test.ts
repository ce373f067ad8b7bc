// A call that rather waits for the primary than has a fallback answer: until when, and for what.

import { MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { obtainedOf, scaledClock } from "../../capacity/index.js";
import { OpenAIServer, type Reply } from "./openai-server.js";
import { guarded, routeTo } from "./support.js";

/** Half a minute of a breaker takes as many real milliseconds. */
const clock = scaledClock(1_000);

/** `large` and `small` at a server whose `large` answers by `script`; `n` counts its requests. */
async function twoRoutes(script: (n: number) => Reply, limits: { readonly maxWaitMs?: number } = {}) {
  let n = 0;
  const server = await OpenAIServer.start((_n, { body }) => (body.model === "large" ? script(n++) : {}));
  const model = guarded([routeTo(server, "large", { clock }), routeTo(server, "small", { clock })], {
    clock,
    ...limits,
  });
  return { server, model };
}

describe("until then the primary is waited for", () => {
  test("an outage is waited out behind its breaker, and no fallback is asked", async () => {
    const { server, model } = await twoRoutes((n) => (n < 3 ? { status: 503 } : {}));
    await using _ = server;
    const message = await model.invoke("hello", { primaryUntil: clock.now() + 600_000 });
    expect(obtainedOf(message)).toMatchObject({ route: "large", attempts: 4 });
    expect(obtainedOf(message)?.queueMs).toBeGreaterThan(20_000);
    expect(server.count("small")).toBe(0);
  });

  test("one that lasts longer than a call may wait says when to come back: the work is not lost", async () => {
    const { server, model } = await twoRoutes(() => ({ status: 503 }));
    await using _ = server;
    const primaryUntil = clock.now() + 900_000;
    const error = await model.invoke("hello", { primaryUntil }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "CapacityWaitError", code: "CIRCUIT_OPEN" });
    expect((error as Error).message).toContain(`no fallback answers before ${new Date(primaryUntil).toISOString()}`);
    expect((error as { retryAt: number }).retryAt).toBeLessThanOrEqual(primaryUntil);
    expect(server.count("small")).toBe(0);
  });

  test("a primary that lives and makes no sense is left alone for a while, not given up", async () => {
    const { server, model } = await twoRoutes(() => ({ raw: "not json" }));
    await using _ = server;
    const before = clock.now();
    const error = await model.invoke("hello", { primaryUntil: before + 600_000 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "CapacityWaitError", code: "CAPACITY_TIMEOUT" });
    expect((error as { retryAt: number }).retryAt).toBeGreaterThan(before + 9_000);
    expect([server.count("large"), server.count("small")]).toEqual([3, 0]);
  });

  test("where no fallback may answer, nothing is given up", async () => {
    const { server, model } = await twoRoutes(() => ({ raw: "not json" }));
    await using _ = server;
    const waiting = model.invoke("hello", { admission: "primary-only", primaryUntil: 8.64e15 });
    await expect(waiting).rejects.toThrow(/; no other model may answer$/);
    await expect(waiting).rejects.toMatchObject({ name: "CapacityWaitError", code: "CAPACITY_TIMEOUT" });
  });

  test("a wait that would last longer is not begun: the fallback answers at once", async () => {
    const { server, model } = await twoRoutes(() => ({ status: 429, headers: { "retry-after": "300" } }));
    await using _ = server;
    const message = await model.invoke("hello", { primaryUntil: clock.now() + 120_000 });
    expect(obtainedOf(message)).toMatchObject({ route: "small", fallbackReason: "rate-limit" });
  });

  test("afterwards it is as if nobody had waited", async () => {
    const { server, model } = await twoRoutes(() => ({ status: 503 }));
    await using _ = server;
    const message = await model.invoke("hello", { primaryUntil: clock.now() });
    expect(obtainedOf(message)).toMatchObject({ route: "small", fallbackReason: "overload" });
    expect(server.count("large")).toBe(3);
  });

  test("an empty account is not waited for: that is a person's to mend", async () => {
    const empty: Reply = { status: 429, raw: JSON.stringify({ error: { code: "insufficient_quota", message: "x" } }) };
    const { server, model } = await twoRoutes(() => empty);
    await using _ = server;
    const message = await model.invoke("hello", { primaryUntil: clock.now() + 600_000 });
    expect(obtainedOf(message)).toMatchObject({ route: "small", fallbackReason: "quota-exhausted" });
  });

  test("what no waiting helps is thrown at once", async () => {
    const { server, model } = await twoRoutes(() => ({ status: 400 }));
    await using _ = server;
    const waiting = model.invoke("hello", { primaryUntil: clock.now() + 600_000 });
    await expect(waiting).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(server.count()).toBe(1);
  });
});

test("the deadline of a run is that of its calls", async () => {
  const pausedAtFirst = (n: number): Reply => (n === 0 ? { status: 429, headers: { "retry-after": "500" } } : {});
  const { server, model } = await twoRoutes(pausedAtFirst, { maxWaitMs: 86_400_000 });
  await using _ = server;
  const graph = new StateGraph(new StateSchema({ messages: MessagesValue }))
    .addNode("ask", async () => ({ messages: [await model.invoke("hello", { admission: "primary-only" })] }))
    .addEdge(START, "ask")
    .compile();
  const configurable = { deadline_at: clock.now() + 400_000 };
  await expect(graph.invoke({ messages: [] }, { configurable })).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
  expect(server.count()).toBe(1);
});
