// The embedded OpenAI-compatible provider: an HTTP server on loopback that answers by rule. It is no language model
// and says so; everything around the answer is real: the wire format, the quota it enforces, and the faults it is
// told to have. It keeps no process alive.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Clock, systemClock } from "../../capacity/clock.js";
import type { Quota } from "../../capacity/index.js";
import { latencyMs, networkMs, type ProviderBehaviour } from "./behaviour.js";
import { answer as ruleBasedBrain } from "./brain/index.js";
import { complete, completionBody, completionChunks, countPromptTokens, tokenize } from "./completion.js";
import { type Fault, FaultInjector, type FaultKind } from "./faults.js";
import { type ModelCounters, QuotaMeter } from "./meter.js";
import { type ChatRequest, ProtocolError, parseChatRequest, parseEmbeddingsRequest } from "./request.js";
import { hang, refusalOf, sendBody, sendError, sendJson, sendStream } from "./respond.js";
import { type Brain, OFFLINE_MODELS, OFFLINE_QUOTA, type OfflineModel } from "./types.js";

/** How late an answer comes under the fault `slow`, in ms. */
const SLOW_MS = 1_500;

/** Connections that may wait to be taken in: a thousand callers may come in one moment. */
const BACKLOG = 4_096;

/** How many requests the journal remembers. */
const JOURNAL_LENGTH = 1_000;

/** Options of {@link OfflineProvider}. */
export interface OfflineProviderOptions {
  /** Default: none. */
  readonly faults?: readonly Fault[];
  /** Any whole number; ids and fault luck follow from it. Default 0. */
  readonly seed?: number;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: {@link OFFLINE_QUOTA} for each model. */
  readonly quotas?: Partial<Readonly<Record<OfflineModel, Quota>>>;
  /**
   * How each model behaves around its quota: enforcement, hints, an outsider, latency, network. Default: a bucket with 5 s
   * of burst, both hints, headers, nobody else, no delay. What chance it has follows from `seed`, waits from `clock`.
   */
  readonly behaviours?: Partial<Readonly<Record<OfflineModel, ProviderBehaviour>>>;
  /** Default: the rule-based brain of the records workspace. */
  readonly brain?: Brain;
  /** Serves `/v1/embeddings`. Without it that endpoint answers 501. */
  readonly embed?: (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;
}

/** One request as the provider saw it. The last thousand are kept, for tests and for `inspect`. */
export interface ProviderRequest {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The body's text. */
  readonly body: string;
  /** The fault that struck it. */
  readonly fault?: FaultKind;
  /** The answer's status. Unset until its headers are sent. */
  readonly status?: number;
}

type Entry = { -readonly [Key in keyof ProviderRequest]: ProviderRequest[Key] };

/** An in-process server that speaks the OpenAI chat-completions protocol. */
export class OfflineProvider {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #brain: Brain;
  readonly #embed: OfflineProviderOptions["embed"];
  readonly #behaviours: NonNullable<OfflineProviderOptions["behaviours"]>;
  readonly #injector: FaultInjector;
  readonly #meters: ReadonlyMap<OfflineModel, QuotaMeter>;
  readonly #seen = new Map<string, number>();
  readonly #journal: Entry[] = [];
  #listening: Promise<string> | undefined;

  /** @throws RangeError when a behaviour is not possible. */
  constructor(options: OfflineProviderOptions = {}) {
    const { faults = [], seed = 0, clock = systemClock, quotas = {}, brain = ruleBasedBrain } = options;
    this.#clock = clock;
    this.#seed = seed;
    this.#brain = brain;
    this.#embed = options.embed;
    this.#injector = new FaultInjector(faults, clock);
    this.#behaviours = options.behaviours ?? {};
    this.#meters = new Map(
      OFFLINE_MODELS.map((model) => [
        model,
        new QuotaMeter(model, quotas[model] ?? OFFLINE_QUOTA, clock, this.#behaviours[model], seed),
      ]),
    );
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => socket.unref());
  }

  /** The last requests, oldest first. */
  get requests(): readonly ProviderRequest[] {
    return this.#journal;
  }

  /** What each model has admitted and refused since this provider was made. A new object each time. */
  get counters(): Readonly<Record<OfflineModel, ModelCounters>> {
    return Object.fromEntries([...this.#meters].map(([model, meter]) => [model, meter.counters])) as Record<
      OfflineModel,
      ModelCounters
    >;
  }

  /** Starts on a free port of 127.0.0.1, once; later calls give the same address: `http://127.0.0.1:PORT/v1`. */
  listen(): Promise<string> {
    this.#listening ??= new Promise<string>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () => {
        this.#server.off("error", reject);
        this.#server.unref();
        resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`);
      });
    });
    return this.#listening;
  }

  /** Stops and drops all connections. May be called twice; `listen` starts it again. */
  async close(): Promise<void> {
    if (this.#listening === undefined) return;
    await this.#listening;
    this.#listening = undefined;
    const closed = new Promise<void>((resolve, reject) => {
      this.#server.close((error) => (error ? reject(error) : resolve()));
    });
    this.#server.closeAllConnections();
    await closed;
  }

  /** Answers one request. Never rejects: what goes wrong becomes an error body. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const body = await text(request);
      const identity = this.#identify(`${request.method} ${request.url} ${body}`);
      const entry = this.#record(request, body, `req_${sha256(identity).slice(0, 32)}`);
      response.setHeader("x-request-id", entry.id);
      response.once("close", () => {
        if (response.headersSent) entry.status = response.statusCode;
      });
      await this.#route(entry, response, identity, gone.signal);
    } catch (error) {
      // The caller has left: there is nobody to tell.
      if (gone.signal.aborted) return;
      sendError(response, asProtocolError(error));
    }
  }

  async #route(entry: Entry, response: ServerResponse, identity: string, gone: AbortSignal): Promise<void> {
    switch (`${entry.method} ${entry.path}`) {
      case "POST /v1/chat/completions":
        return this.#chat(parseChatRequest(entry.body), entry, response, identity, gone);
      case "POST /v1/embeddings":
        return this.#embeddings(entry, response);
      case "GET /v1/models":
        return sendJson(response, 200, {
          object: "list",
          data: OFFLINE_MODELS.map((id) => ({ id, object: "model", created: 0, owned_by: "bulkhead-offline" })),
        });
      default:
        throw new ProtocolError(404, `Unknown request URL: ${entry.method} ${entry.path}.`, { code: "unknown_url" });
    }
  }

  async #chat(
    chat: ChatRequest,
    entry: Entry,
    response: ServerResponse,
    identity: string,
    gone: AbortSignal,
  ): Promise<void> {
    const model = chat.brain.model;
    const meter = this.#meters.get(model) as QuotaMeter;
    const { latency, networkJitter } = this.#behaviours[model] ?? {};
    await this.#wait(networkMs(networkJitter, identity), gone);
    const fault = this.#injector.strike(model, identity)?.kind;
    if (fault !== undefined) entry.fault = fault;
    const refusal = refusalOf(fault, model);
    if (refusal?.status === 429) meter.refusedByFault();
    if (refusal !== undefined) throw refusal;

    const grant = meter.request(countPromptTokens(chat.brain));
    for (const [name, value] of Object.entries(meter.headers())) response.setHeader(name, value);
    if ("limit" in grant) {
      throw new ProtocolError(429, grant.message, {
        type: grant.limit,
        code: "rate_limit_exceeded",
        headers: meter.hintHeaders(grant),
      });
    }
    let outputTokens = 0;
    try {
      if (fault === "timeout") return await hang(gone);
      await this.#wait(latencyMs(latency, identity) + (fault === "slow" ? SLOW_MS : 0), gone);
      const completion = complete(chat, this.#brain(chat.brain), identity, this.#clock.now());
      outputTokens = completion.usage.completion_tokens;
      if (chat.stream) await sendStream(response, completionChunks(completion, chat.includeUsage), fault);
      else sendBody(response, completionBody(completion), fault);
    } finally {
      grant.settle(outputTokens);
    }
  }

  async #wait(ms: number, gone: AbortSignal): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms, gone);
  }

  async #embeddings(entry: Entry, response: ServerResponse): Promise<void> {
    const { model, texts, base64 } = parseEmbeddingsRequest(entry.body);
    if (this.#embed === undefined) {
      throw new ProtocolError(501, "This offline provider was started without an embedding model.", {
        code: "no_embeddings",
      });
    }
    const vectors = await this.#embed(texts);
    const tokens = texts.reduce((sum, each) => sum + tokenize(each).length, 0);
    sendJson(response, 200, {
      object: "list",
      model,
      data: vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: base64 ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector,
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  }

  /** Names a request: the seed, what it says, and how often it has been said. The order of other requests is not in it. */
  #identify(said: string): string {
    const key = sha256(said);
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    return `${this.#seed}:${key}:${times}`;
  }

  #record(request: IncomingMessage, body: string, id: string): Entry {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const entry: Entry = { id, at: this.#clock.now(), method: request.method ?? "", path, body };
    this.#journal.push(entry);
    if (this.#journal.length > JOURNAL_LENGTH) this.#journal.shift();
    return entry;
  }
}

const sha256 = (value: string): string => createHash("sha256").update(value).digest("hex");

/** A brain or an embedder that throws is the server's own failure and must not look like the caller's. */
const asProtocolError = (error: unknown): ProtocolError =>
  error instanceof ProtocolError
    ? error
    : new ProtocolError(500, `The offline provider failed: ${String(error)}`, { type: "server_error" });
