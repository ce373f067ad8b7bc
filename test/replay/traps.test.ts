// A node that looks at the world past the record is caught at its place, and told what to use instead; and whatever
// happens, every global is what it was when a replay is over.

import nodeCrypto, { randomBytes, randomInt, randomUUID } from "node:crypto";
import { get } from "node:http";
import { connect, createServer, Socket } from "node:net";
import nodeTimers, { setTimeout as timersTimeout } from "node:timers";
import promisedTimers, { setTimeout as promisedTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { readRecording, replayThread } from "../../graphs/index.js";
import type { AgentView, harnessNode, NodeUpdate } from "../../nodes/index.js";
import { again, call, live, THREAD } from "./drive.js";
import { world } from "./world.js";

type Body = Parameters<typeof harnessNode<AgentView>>[2];

const plan = { turns: [[]] };
const story = { plan, answers: [], calling: "invoke", tasks: ["go"] } as const;

/** Everything that a replay puts something else in place of. */
const globals = () => [
  globalThis.Date,
  globalThis.fetch,
  globalThis.setTimeout,
  globalThis.setInterval,
  Math.random,
  globalThis.crypto.randomUUID,
  globalThis.crypto.getRandomValues,
  Socket.prototype.connect,
  nodeCrypto.randomUUID,
  nodeCrypto.randomBytes,
  nodeCrypto.randomInt,
  nodeTimers.setTimeout,
  nodeTimers.setInterval,
  promisedTimers.setTimeout,
  randomUUID,
  randomBytes,
  randomInt,
  timersTimeout,
  promisedTimeout,
];

const noted = (value: unknown): NodeUpdate => ({ context: String(value) });

/** A server that closes every connection. */
async function listening() {
  const server = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return { port, close: () => server.close() };
}

const wait = (begin: (done: () => void) => unknown) => new Promise<void>((resolve) => begin(resolve));

const STEP = "step.now() and step.random()";
const TOOL = "through a tool";

const bodies: readonly [name: string, what: string, instead: string, body: (port: number) => Promise<unknown>][] = [
  ["fetch", "fetch", TOOL, async () => (await fetch("data:text/plain,x")).text()],
  ["a socket", "a socket", TOOL, (port) => wait((done) => connect(port, "127.0.0.1").on("close", done).resume())],
  [
    "http",
    "a socket",
    TOOL,
    (port) => wait((done) => get({ port, host: "127.0.0.1" }, (it) => it.on("end", done).resume())),
  ],
  ["Date.now()", "the clock", STEP, async () => Date.now()],
  ["new Date()", "the clock", STEP, async () => new Date().toISOString()],
  ["Math.random()", "Math.random", STEP, async () => Math.random()],
  ["crypto.randomUUID()", "crypto.randomUUID", STEP, async () => crypto.randomUUID()],
  [
    "crypto.getRandomValues()",
    "crypto.getRandomValues",
    STEP,
    async () => crypto.getRandomValues(new Uint8Array(1))[0],
  ],
  ["randomUUID() of node:crypto", "crypto.randomUUID", STEP, async () => randomUUID()],
  ["randomBytes() of node:crypto", "crypto.randomBytes", STEP, async () => randomBytes(1).toString("hex")],
  ["randomInt() of node:crypto", "crypto.randomInt", STEP, async () => randomInt(1_000)],
  ["setTimeout()", "a timer", STEP, () => wait((done) => setTimeout(done, 1))],
  [
    "setInterval()",
    "a timer",
    STEP,
    () =>
      wait((done) => {
        const every = setInterval(() => {
          clearInterval(every);
          done();
        }, 1);
      }),
  ],
  ["setTimeout() of node:timers", "a timer", STEP, () => wait((done) => timersTimeout(done, 1))],
  ["setTimeout() of node:timers/promises", "a timer", STEP, () => promisedTimeout(1)],
];

describe("a node of the project is caught when it uses", () => {
  test.each(bodies)("%s", async (_name, what, instead, body) => {
    const { port, close } = await listening();
    const dice: Body = async () => noted(await body(port));
    const agent = await world(plan, { dice });
    await live(agent, story);
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next, "it was recorded").toEqual([]);
    const before = globals();
    const { replayed, copy } = await again(agent, plan, { dice });
    expect(globals()).toEqual(before);
    expect(replayed).toMatchObject({ identical: false, divergence: { kind: "trap", node: "dice", step: 2 } });
    expect(replayed.divergence?.message).toContain(what);
    expect(replayed.divergence?.message).toContain(instead);
    const events = await agent.journal.events({ thread: THREAD });
    expect(events[replayed.divergence?.index ?? -1]).toMatchObject({
      scope: { node: "dice" },
      event: { kind: "node.start" },
    });
    await copy.close();
    await agent.close();
    close();
  });
});

test("what a node records of clock and chance is the same again", async () => {
  const seen: unknown[] = [];
  const dice: Body = async (_state, step) => {
    const looked = [await step.now(), await step.random(), new Date(await step.now()).toISOString()];
    seen.push(looked);
    return noted(looked.join(" "));
  };
  const agent = await world(plan, { dice });
  await live(agent, story);
  const { replayed, copy } = await again(agent, plan, { dice });
  expect(replayed.divergence).toBeUndefined();
  expect(seen).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  await copy.close();
  await agent.close();
});

test("every global is what it was after a replay that is ended, or does not begin", async () => {
  const agent = await world(plan);
  await live(agent, story);
  const recording = await readRecording(agent.journal, THREAD);
  const copy = await world(plan);
  const { graph, harness } = copy;
  const keep = (text: string) => agent.journal.keep(text);
  const before = globals();
  const ended = replayThread({ recording, graph, harness, keep, signal: AbortSignal.abort(new Error("enough")) });
  await expect(ended).rejects.toThrow("enough");
  expect(globals()).toEqual(before);
  const elsewhere = {
    ...harness,
    journal: new Proxy(harness.journal, {
      get: (target, name) => (name === "url" ? "sqlite:x" : Reflect.get(target, name)),
    }),
  };
  await expect(replayThread({ recording, graph, harness: elsewhere, keep })).rejects.toThrow("journal of its own");
  expect(globals()).toEqual(before);
  expect(await call(copy, { messages: "go" }, { thread: "t2" }), "the model answers again").toBeUndefined();
  expect(copy.provider.requests.length).toBeGreaterThan(0);
  await copy.close();
  await agent.close();
});
