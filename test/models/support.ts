// What the tests of models/ share: a clock that only moves when told, a brain that follows a script, and a provider
// that is closed when its test ends.

import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { onTestFinished } from "vitest";
import type { Clock } from "../../capacity/index.js";
import {
  type Brain,
  type BrainRequest,
  OfflineProvider,
  type OfflineProviderOptions,
} from "../../models/offline/index.js";

/** A clock at `time` that moves only by `advance` and by its own sleeps, which take no time. */
export function stoppedClock(time = 1_000_000): Clock & { advance(ms: number): void; readonly slept: number[] } {
  let now = time;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

/** Says what it was asked, calls two tools at once when it has tools, and answers in JSON when asked to. */
export const echo: Brain = ({ messages, tools, response_format }: BrainRequest) => {
  const last = messages.at(-1);
  if (tools.length > 0 && last?.role === "user") {
    return {
      content: "",
      toolCalls: tools.map(({ name }) => ({ name, arguments: { query: last.content, limit: 5 } })),
    };
  }
  if (response_format !== undefined) return { content: JSON.stringify({ said: last?.content }), toolCalls: [] };
  return { content: `You said: ${last?.content}`, toolCalls: [] };
};

/** Two tools that look something up, in OpenAI's format. */
export const lookUpTools = ["search_customers", "list_tickets"].map((name) => ({
  type: "function" as const,
  function: { name, description: `does ${name}`, parameters: { type: "object", properties: { query: {} } } },
}));

/** A listening provider with the {@link echo} brain. */
export async function startProvider(options: OfflineProviderOptions = {}) {
  const provider = new OfflineProvider({ brain: echo, ...options });
  onTestFinished(() => provider.close());
  const url = await provider.listen();
  const chat = (fields: ChatOpenAIFields = {}) =>
    new ChatOpenAI({
      model: "offline-large",
      apiKey: "none",
      maxRetries: 0,
      temperature: 0,
      ...fields,
      configuration: { baseURL: url, logLevel: "off" },
    });
  const post = (body: object, signal?: AbortSignal) =>
    fetch(`${url}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "offline-large", messages: [{ role: "user", content: "hello there" }], ...body }),
      ...(signal === undefined ? {} : { signal }),
    });
  return { provider, url, chat, post };
}

/** Everything a stream yields. (`Array.fromAsync` is not in Node 20.) */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

/** The `data:` payloads of a server-sent event stream. */
export const eventsOf = (stream: string): string[] =>
  stream
    .split("\n\n")
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ""));
