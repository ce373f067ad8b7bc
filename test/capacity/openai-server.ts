// A tiny server that speaks enough of the OpenAI chat completions protocol to be wrong in every way that matters. Counts
// the HTTP requests it gets, which is how the tests prove that nobody else retries.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** One scripted answer. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is instead of a completion; several parts are written one after another. */
  readonly raw?: string | readonly (string | Uint8Array)[];
  readonly content?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly args: string }[];
  readonly finishReason?: string | null;
  readonly model?: string;
  /** Wait before the headers. */
  readonly afterMs?: number;
  /**
   * Streams: stop after so many chunks, `cut` by closing the connection, `end` without a finish reason, `hang`. A `raw`
   * body stops after all its parts.
   */
  readonly stopAfter?: number;
  readonly stop?: "cut" | "end" | "hang";
}

export interface SeenRequest {
  readonly at: number;
  readonly body: { readonly model: string; readonly stream?: boolean; readonly [key: string]: unknown };
}

export class OpenAIServer implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  inFlight = 0;
  mostInFlight = 0;
  /** Requests of which nothing more will come, and which were not closed. */
  hanging = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #over = new AbortController();

  /** `script` gives the reply to the n-th request, from 0. */
  constructor(private readonly script: (n: number, request: SeenRequest) => Reply = () => ({})) {}

  static async start(script?: (n: number, request: SeenRequest) => Reply): Promise<OpenAIServer> {
    const server = new OpenAIServer(script);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Requests so far, for one model or all. */
  count(model?: string): number {
    return this.seen.filter(({ body }) => model === undefined || body.model === model).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) text += part;
    const seen = { at: performance.now(), body: JSON.parse(text) } as SeenRequest;
    const n = this.seen.push(seen) - 1;
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    response.on("close", () => {
      this.inFlight -= 1;
    });
    const reply = this.script(n, seen);
    if (reply.afterMs !== undefined)
      await delay(reply.afterMs, undefined, { signal: this.#over.signal }).catch(() => {});
    if (response.destroyed) return;
    const headers = { "x-request-id": `request-${n}`, "x-ratelimit-remaining-requests": "42", ...reply.headers };
    if (reply.raw !== undefined || (reply.status ?? 200) >= 400) {
      response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...headers });
      const parts =
        reply.raw ?? JSON.stringify({ error: { message: `status ${reply.status}`, type: "x", code: null } });
      response.flushHeaders();
      for (const part of typeof parts === "string" ? [parts] : parts) {
        if (part.length === 0) continue;
        await new Promise<unknown>((resolve) => response.write(part, resolve));
        await delay(1);
      }
      this.#stop(reply.stop, response);
    } else if (seen.body.stream === true) await this.#stream(n, seen, reply, response, headers);
    else this.#whole(n, seen, reply, response, headers);
  }

  #whole(n: number, seen: SeenRequest, reply: Reply, response: ServerResponse, headers: Record<string, string>): void {
    const tool_calls = toolCalls(n, reply);
    const body = JSON.stringify({
      ...common(n, seen, reply),
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: reply.content ?? (tool_calls ? null : `answer ${n}`), tool_calls },
          finish_reason: finishReason(reply),
        },
      ],
      usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
    });
    response.writeHead(200, { "content-type": "application/json", "content-length": String(body.length), ...headers });
    if (reply.stop === "cut") {
      response.write(body.slice(0, 20), () => response.destroy());
    } else response.end(body);
  }

  async #stream(n: number, seen: SeenRequest, reply: Reply, response: ServerResponse, headers: Record<string, string>) {
    response.writeHead(200, { "content-type": "text/event-stream", ...headers });
    const words = (reply.content ?? (reply.toolCalls ? "" : `answer ${n}`))
      .split(/(?<= )/)
      .filter((word) => word !== "");
    const deltas: object[] = [{ role: "assistant", content: "" }, ...words.map((content) => ({ content }))];
    for (const [index, call] of (toolCalls(n, reply) ?? []).entries()) {
      const { name, arguments: args } = call.function;
      const half = Math.ceil(args.length / 2);
      deltas.push({ tool_calls: [{ ...call, index, function: { name, arguments: args.slice(0, half) } }] });
      deltas.push({ tool_calls: [{ index, function: { arguments: args.slice(half) } }] });
    }
    for (const [index, delta] of deltas.entries()) {
      if (index === reply.stopAfter) return this.#stop(reply.stop, response);
      send(response, { ...common(n, seen, reply), choices: [{ index: 0, delta, finish_reason: null }] });
      await delay(1);
    }
    send(response, {
      ...common(n, seen, reply),
      choices: [{ index: 0, delta: {}, finish_reason: finishReason(reply) }],
    });
    const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
    send(response, { ...common(n, seen, reply), choices: [], usage });
    response.end("data: [DONE]\n\n");
  }

  #stop(how: Reply["stop"], response: ServerResponse): void {
    if (how === "cut") response.destroy();
    else if (how !== "hang") response.end();
    else {
      this.hanging += 1;
      response.on("close", () => {
        this.hanging -= 1;
      });
    }
  }
}

const common = (n: number, seen: SeenRequest, reply: Reply) => ({
  id: `chatcmpl-${n}`,
  created: 0,
  model: reply.model ?? seen.body.model,
  system_fingerprint: "fp_test",
});

const finishReason = (reply: Reply): string | null =>
  reply.finishReason === undefined ? (reply.toolCalls ? "tool_calls" : "stop") : reply.finishReason;

const toolCalls = (n: number, reply: Reply) =>
  reply.toolCalls?.map(({ name, args }, index) => ({
    id: `call_${n}_${index}`,
    type: "function",
    function: { name, arguments: args },
  }));

const send = (response: ServerResponse, data: object): void => void response.write(`data: ${JSON.stringify(data)}\n\n`);
