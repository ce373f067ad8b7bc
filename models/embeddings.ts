// Real sentence embeddings, offline: all-MiniLM-L6-v2 on a worker thread. Bit-identical from run to run; when the model
// cannot be loaded it says so and never answers with something that only looks like a vector.

import { Embeddings } from "@langchain/core/embeddings";
import { EmbeddingEngine, TEXTS_PER_MESSAGE } from "./embeddings/engine.js";
import { EmbeddingsError } from "./embeddings/error.js";
import { MODEL_ID, verifiedModel } from "./embeddings/weights.js";

export { EmbeddingsError, type EmbeddingsErrorCode } from "./embeddings/error.js";
export { type WeightsStatus, weightsStatus } from "./embeddings/weights.js";

/** What {@link MiniLmEmbeddings} takes. */
export interface MiniLmOptions {
  /** How many texts are remembered with their vectors (1.5 kB each), least recently used out first. Default 1000, minimum 0. */
  readonly cacheSize?: number;
  /** Where the three model files are, for vendored weights. They must be the pinned ones. Default: the installed package. */
  readonly directory?: string;
}

/** The wait of one call. */
interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * LangChain embeddings of 384 dimensions, unit length. The model loads at the first call (0.4 to 0.8 s), then about
 * 40 ms for a sentence, off the event loop. Inputs are cut at 256 tokens without a word: chunk first. No embedding
 * tells a claim from its negation, so decide on structure first and on similarity second. Source: embedded-models.md.
 */
export class MiniLmEmbeddings extends Embeddings {
  /** Names the vectors. Store it beside them; never compare vectors of two names. */
  readonly id = MODEL_ID;
  readonly dimensions = 384;
  readonly #cacheSize: number;
  readonly #directory: string | undefined;
  readonly #cache = new Map<string, Float32Array>();
  #engine: Promise<EmbeddingEngine> | undefined;
  #closed = false;

  constructor({ cacheSize = 1000, directory }: MiniLmOptions = {}) {
    super({});
    if (!(Number.isInteger(cacheSize) && cacheSize >= 0)) {
      throw new RangeError(`cacheSize is ${cacheSize}: use a whole number of texts, 0 or more`);
    }
    this.#cacheSize = cacheSize;
    this.#directory = directory;
  }

  /** One vector for each text, in order. @throws EmbeddingsError; the signal's reason when it aborts. */
  override async embedDocuments(texts: string[], { signal }: CallOptions = {}): Promise<number[][]> {
    signal?.throwIfAborted();
    const vectors = new Map<string, Float32Array>();
    for (const text of texts) {
      const cached = this.#cache.get(text);
      if (cached !== undefined) vectors.set(text, cached);
    }
    const missing = [...new Set(texts)].filter((text) => !vectors.has(text));
    for (let start = 0; start < missing.length; start += TEXTS_PER_MESSAGE) {
      const batch = missing.slice(start, start + TEXTS_PER_MESSAGE);
      const fresh = await unlessAborted(this.#embed(batch), signal);
      batch.forEach((text, index) => {
        vectors.set(text, fresh[index] as Float32Array);
      });
    }
    for (const [text, vector] of vectors) this.#keep(text, vector);
    return texts.map((text) => Array.from(vectors.get(text) as Float32Array));
  }

  /** The vector of one text. @throws EmbeddingsError; the signal's reason when it aborts. */
  override async embedQuery(text: string, options: CallOptions = {}): Promise<number[]> {
    const [vector] = await this.embedDocuments([text], options);
    return vector as number[];
  }

  /** Stops the worker thread, if it was started. Only needed to free its memory: it does not keep the process alive. */
  async close(): Promise<void> {
    this.#closed = true;
    const engine = await this.#engine?.catch(() => undefined); // It never started: nothing to stop.
    await engine?.close();
  }

  async #embed(texts: readonly string[]): Promise<Float32Array[]> {
    return (await this.#running()).embed(texts);
  }

  async #running(): Promise<EmbeddingEngine> {
    if (this.#closed) throw new EmbeddingsError("CLOSED", "This embedder was closed. Make a new one to embed again.");
    this.#engine ??= this.#start();
    return this.#engine;
  }

  #start(): Promise<EmbeddingEngine> {
    // Whatever ended it, the next call looks again: the model may have been reinstalled by then.
    const forget = () => {
      if (this.#engine === starting) this.#engine = undefined;
    };
    const starting = verifiedModel(this.#directory).then((model) => new EmbeddingEngine(model, forget));
    starting.catch(forget);
    return starting;
  }

  #keep(text: string, vector: Float32Array): void {
    this.#cache.delete(text);
    this.#cache.set(text, vector);
    if (this.#cache.size <= this.#cacheSize) return;
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      break;
    }
  }
}

/** Stops waiting when the signal aborts; the worker finishes its batch regardless. */
function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
