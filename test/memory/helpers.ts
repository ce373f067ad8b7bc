import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Embeddings } from "@langchain/core/embeddings";
import { afterAll } from "vitest";

/** A folder that goes away after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-memory-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Counts letters: a vector that a test can reason about. Records what it was asked to embed. */
export class LetterEmbeddings extends Embeddings {
  readonly dimensions = 26;
  readonly texts: string[] = [];

  constructor(readonly id = "letters@1") {
    super({});
  }

  override async embedDocuments(texts: string[]): Promise<number[][]> {
    this.texts.push(...texts);
    return texts.map((text) => {
      const counts = new Array<number>(26).fill(0);
      for (const letter of text.toLowerCase()) {
        const index = letter.charCodeAt(0) - 97;
        if (index >= 0 && index < 26) counts[index] = (counts[index] ?? 0) + 1;
      }
      return counts;
    });
  }

  override async embedQuery(text: string): Promise<number[]> {
    const [vector = []] = await this.embedDocuments([text]);
    return vector;
  }
}
