// Where the page keeps what is only read when somebody asks for it: prompts, answers, events. Each text once, in blocks
// that are compressed, so that a page of thousands of steps stays small and opens at once.

import { gzipSync } from "node:zlib";

/** Characters in a block, about: what has to be unpacked to read one text. */
const BLOCK = 256 * 1024;

/** Collects texts and numbers them from 0. Nothing is cut. */
export class Shelf {
  private readonly texts: string[] = [];
  private readonly numbers = new Map<string, number>();

  /** The number of a text; the same one for the same text. */
  add(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.texts.push(text);
    this.numbers.set(text, this.texts.length - 1);
    return this.texts.length - 1;
  }

  /** The blocks: each the gzip of a JSON array of texts in base64, and the number of its first text. */
  blocks(): readonly { readonly first: number; readonly data: string }[] {
    const blocks: { first: number; data: string }[] = [];
    let first = 0;
    let size = 0;
    for (const [index, text] of this.texts.entries()) {
      size += text.length;
      if (size < BLOCK && index < this.texts.length - 1) continue;
      const json = JSON.stringify(this.texts.slice(first, index + 1));
      blocks.push({ first, data: gzipSync(json).toString("base64") });
      first = index + 1;
      size = 0;
    }
    return blocks;
  }
}
