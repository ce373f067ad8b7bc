// Drives one row through the production path: settings from an environment, the model that they resolve to, HTTP on
// loopback. Time passes only while nothing is under way, so a pause of ten minutes takes none.

import type { AIMessageChunk } from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph";
import { expect } from "vitest";
import { type Clock, obtainedOf, systemClock, trustOfAnswer } from "../../capacity/index.js";
import { openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { type ResolvedModel, readSettings, resolveModel } from "../../models/index.js";
import type { Trust } from "../../trust/index.js";
import { OpenAIServer, type Reply } from "../capacity/openai-server.js";
import { Events } from "../capacity/support.js";
import { countingTools } from "../support/agent.js";
import type { WireReply, WireRow } from "./row.js";

/** What a row came to. */
interface Outcome {
  readonly text?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly args: unknown }[];
  readonly route?: string | undefined;
  readonly label?: Partial<Trust>;
  readonly error?: unknown;
  readonly asks?: boolean;
  readonly ran?: readonly string[];
}

/** Longer sleeps are limits of what is under way and not waits. */
const LONGEST_WAIT_MS = 15 * 60_000;

/** Runs the row and checks its verdict. */
export async function drive(row: WireRow, streamed: boolean): Promise<void> {
  await using elsewhere = await scripted({ elsewhere: row.elsewhere ?? [] }, "");
  await using server = await scripted({ large: row.replies, small: row.fallback ?? [] }, elsewhere.url);
  const clock = new WireClock();
  const settings = readSettings({
    OPENAI_BASE_URL: server.url,
    BULKHEAD_MODEL: "large",
    ...(row.fallback === undefined ? {} : { BULKHEAD_FALLBACK_MODEL: "small" }),
    BULKHEAD_REQUESTS_PER_MINUTE: "60000",
    BULKHEAD_FALLBACK_REQUESTS_PER_MINUTE: row.fallback === undefined ? "" : "60000",
    BULKHEAD_CALL_TIMEOUT_MS: "86400000",
    BULKHEAD_STREAM_IDLE_MS: "86400000",
    ...row.settings,
  });
  const resolved = resolveModel(settings, { clock, random: () => 0.001 });
  const events = new Events();
  const running = row.task === undefined ? ask(resolved, streamed, events) : run(resolved, row.task, streamed, events);
  const outcome = await clock.until(running, () => server.inFlight + elsewhere.inFlight <= server.hanging);
  check(row, outcome, { server, elsewhere, events, resolved });
  await resolved.close();
}

async function ask({ model }: ResolvedModel, streamed: boolean, events: Events): Promise<Outcome> {
  try {
    const options = { callbacks: [events] };
    let message: AIMessageChunk | undefined;
    if (streamed) {
      for await (const part of await model.stream("hello", options)) {
        message = message === undefined ? part : message.concat(part);
      }
    } else message = await model.invoke("hello", options);
    if (message === undefined) throw new Error("the stream had nothing in it");
    const { text, tool_calls = [] } = message;
    const toolCalls = tool_calls.map(({ name, args }) => ({ name, args }));
    return { text, toolCalls, route: obtainedOf(message)?.route, label: trustOfAnswer(message) };
  } catch (error) {
    return { error };
  }
}

async function run(model: ResolvedModel, task: string, streamed: boolean, events: Events): Promise<Outcome> {
  const { tools, done } = countingTools();
  const graph = agentGraph({ journal: openJournal("memory:"), model, prompt: "You are the agent under test.", tools });
  const agent = graph.compile({ checkpointer: new MemorySaver() });
  const config = { configurable: { thread_id: "t1", run_id: "r1" }, callbacks: [events] };
  const input = { messages: [{ role: "user", content: task }] };
  try {
    if (streamed) for await (const _ of await agent.stream(input, { ...config, streamMode: "messages" })) void _;
    else await agent.invoke(input, config);
    const { values, tasks } = await agent.getState(config);
    const { messages, trust } = values as { messages: { text: string }[]; trust: Trust };
    const asks = tasks.some(({ interrupts }) => interrupts.length > 0);
    return { text: messages.at(-1)?.text ?? "", label: trust, asks, ran: done };
  } catch (error) {
    return { error, ran: done };
  }
}

interface Seen {
  readonly server: OpenAIServer;
  readonly elsewhere: OpenAIServer;
  readonly events: Events;
  readonly resolved: ResolvedModel;
}

function check(row: WireRow, outcome: Outcome, { server, elsewhere, events, resolved }: Seen): void {
  const { expect: verdict } = row;
  const { error } = outcome;
  if (verdict.error === undefined && error !== undefined) throw error;
  if (verdict.error !== undefined) {
    const { code, says, reason } = verdict.error;
    expect(error, JSON.stringify(outcome)).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(says);
    if (code !== undefined) expect(error).toMatchObject({ code });
    if (reason !== undefined) expect(reasonOf(error)).toBe(reason);
  }
  expect(server.count("large"), "requests").toBe(verdict.requests ?? row.replies.length);
  expect(server.count("small"), "requests to the fallback").toBe(verdict.fallbackRequests ?? row.fallback?.length ?? 0);
  expect(elsewhere.count(), "requests elsewhere").toBe(row.elsewhere?.length ?? 0);
  const pauses = events.all.flatMap((event) =>
    event.kind === "rate-limited" && event.route === "large" ? [event.hinted ? event.retryAfterMs : "guess"] : [],
  );
  expect(pauses, "pauses").toEqual(verdict.pauses ?? []);
  const { pool } = resolved.model.routes[0];
  if (verdict.paused !== undefined) expect(pool.forecast().state === "paused", "paused").toBe(verdict.paused);
  expect(pool.breaker.state.kind, "breaker").toBe(verdict.breaker ?? "closed");
  if (error === undefined && row.task === undefined) {
    expect(outcome.route).toBe(verdict.route === "fallback" ? "small" : "large");
  }
  if (verdict.text !== undefined) expect(outcome.text).toBe(verdict.text);
  if (verdict.toolCalls !== undefined) expect(outcome.toolCalls).toEqual(verdict.toolCalls);
  if (verdict.label !== undefined) expect(outcome.label).toMatchObject(verdict.label);
  if (row.task !== undefined) {
    expect(outcome.ran, "tools that ran").toEqual(verdict.ran ?? []);
    if (error === undefined) expect(outcome.asks, "asks").toBe(verdict.asks ?? false);
  }
  const sentTo = (model: string) => server.seen.map(({ body }) => body).filter((body) => body.model === model);
  verdict.sent?.(sentTo("large"), sentTo("small"));
}

function reasonOf(error: unknown): unknown {
  const { reason, failures } = error as { reason?: unknown; failures?: readonly { reason: unknown }[] };
  return reason ?? failures?.[0]?.reason;
}

/** A server that gives each model its replies in order, and refuses what nobody scripted. */
function scripted(replies: Readonly<Record<string, readonly WireReply[]>>, elsewhere: string): Promise<OpenAIServer> {
  const given: Record<string, number> = {};
  return OpenAIServer.start((_n, seen): Reply => {
    const model = seen.body.model in replies ? seen.body.model : "elsewhere";
    const n = given[model] ?? 0;
    given[model] = n + 1;
    const reply = replies[model]?.[n];
    if (reply === undefined) return { status: 418, raw: `nobody scripted request ${n + 1} to ${model}` };
    return typeof reply === "function" ? reply({ ...seen, streamed: seen.body.stream === true, elsewhere }) : reply;
  });
}

/** A clock that moves to the next sleeper whenever nothing is under way. */
class WireClock implements Clock {
  #now = systemClock.now();
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now = (): number => this.#now;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });

  /** Lets time pass until `running` is over. `idle`: whether no response is being sent. */
  async until<Value>(running: Promise<Value>, idle: () => boolean): Promise<Value> {
    let over = false;
    const ended = running.finally(() => {
      over = true;
    });
    ended.catch(() => {}); // Whoever awaits it sees it.
    for (let quiet = 0; !over; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      quiet = idle() ? quiet + 1 : 0;
      if (quiet < 4) continue;
      quiet = 0;
      const due = [...this.#sleepers].filter(({ at }) => at <= this.#now + LONGEST_WAIT_MS);
      const next = due.sort((left, right) => left.at - right.at)[0];
      if (next === undefined) continue;
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    return ended;
  }
}
