// One worker thread with the model in it. The package embeds synchronously on the calling thread (42 to 300 ms a text),
// and from 24 texts on it starts fresh workers and loads the model again for every call; so it gets a thread of its
// own, at most 16 texts at a time.

import { Worker } from "node:worker_threads";
import type { ModelManifest } from "@lat.md/embed";
import { z } from "zod";
import { EmbeddingsError } from "./error.js";

/** The most texts one message may carry; below the package's own threshold for starting workers. */
export const TEXTS_PER_MESSAGE = 16;

/**
 * The worker's code is a string of plain JavaScript and gets the engine by its resolved URL. A worker *file* would have
 * to exist as `.ts` (under tsx and vitest) and as `.js` (in dist), and a bare import in a string resolves from the
 * current directory; this works from sources, from dist and in the LangGraph dev server alike.
 */
const WORKER = `
const { parentPort, workerData } = require("node:worker_threads");
let embedder;
const load = async () => {
  try {
    return await (await import(workerData.engine)).createEmbedder({ model: workerData.model });
  } catch (error) {
    embedder = undefined;
    throw error;
  }
};
parentPort.on("message", async ({ id, texts }) => {
  try {
    embedder ??= load();
    const vectors = (await (await embedder).embed(texts)).map((vector) => Float32Array.from(vector));
    parentPort.postMessage({ id, vectors }, vectors.map((vector) => vector.buffer));
  } catch (error) {
    parentPort.postMessage({ id, error: String(error && error.message || error) });
  }
});
`;

const answer = z.union([
  z.object({ id: z.number(), vectors: z.array(z.instanceof(Float32Array)) }),
  z.object({ id: z.number(), error: z.string() }),
]);

interface Pending {
  resolve(vectors: Float32Array[]): void;
  reject(error: EmbeddingsError): void;
}

/** The engine, running. Holds the process open only while it owes an answer. */
export class EmbeddingEngine {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #messages = 0;
  #dead: EmbeddingsError | undefined;

  /** @param forget called once when the worker is gone, so that a later call starts a new one. */
  constructor(
    model: ModelManifest,
    private readonly forget: () => void,
  ) {
    const engine = engineUrl();
    // `execArgv: []`: the worker needs none of the loaders that the process was started with.
    this.#worker = new Worker(WORKER, { eval: true, execArgv: [], workerData: { engine, model } });
    this.#worker.unref();
    this.#worker.on("message", (message) => this.#receive(message));
    this.#worker.on("error", (cause) => this.#die(`The embedding worker failed: ${cause.message}.`, cause));
    this.#worker.on("exit", (code) => this.#die(`The embedding worker exited with code ${code}.`));
  }

  /** `float32[384]` for each text, in order. Rejects with `ENGINE_FAILED`, or `CLOSED` after {@link close}. */
  embed(texts: readonly string[]): Promise<Float32Array[]> {
    if (texts.length > TEXTS_PER_MESSAGE) throw new RangeError(`at most ${TEXTS_PER_MESSAGE} texts per message`);
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      const id = this.#messages++;
      this.#pending.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, texts });
    });
  }

  /** Stops the thread. What is still owed is rejected with `CLOSED`. */
  async close(): Promise<void> {
    this.#rejectAll(new EmbeddingsError("CLOSED", "The embedder was closed. Make a new one to embed again."));
    await this.#worker.terminate();
  }

  #receive(message: unknown): void {
    const read = answer.parse(message);
    const pending = this.#pending.get(read.id);
    this.#pending.delete(read.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("vectors" in read) pending?.resolve(read.vectors);
    else pending?.reject(new EmbeddingsError("ENGINE_FAILED", `The embedding engine failed: ${read.error}`));
  }

  #die(message: string, cause?: unknown): void {
    this.#rejectAll(new EmbeddingsError("ENGINE_FAILED", `${message} The next call starts a new one.`, { cause }));
  }

  #rejectAll(error: EmbeddingsError): void {
    this.#dead ??= error;
    this.forget();
    for (const { reject } of this.#pending.values()) reject(this.#dead);
    this.#pending.clear();
  }
}

function engineUrl(): string {
  try {
    return import.meta.resolve("@lat.md/embed");
  } catch (cause) {
    throw new EmbeddingsError(
      "ENGINE_FAILED",
      "@lat.md/embed@0.2.0 is not installed: run `npm install` and try again.",
      { cause },
    );
  }
}
