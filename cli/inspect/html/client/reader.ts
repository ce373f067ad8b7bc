// Reads the page's shelf: unpacks a block when a text of it is asked for, and searches all of them.

import type { PageDocument } from "./browser.js";
import type { PageIndex } from "./detail-shape.js";

/** What {@link readerOf} makes. */
export interface Reader {
  text(number: number): Promise<string>;
  json(number: number): Promise<unknown>;
  /** The lines in which a text that has these words, whatever their case, appears first. */
  search(words: string): Promise<ReadonlySet<number>>;
}

/** Makes the reader of the page's shelf. */
export function readerOf(document: PageDocument, index: PageIndex): Reader {
  const sources = [...document.querySelectorAll("script.shelf")];
  const blocks = new Map<number, Promise<readonly string[]>>();

  const unpack = async (source: string): Promise<readonly string[]> => {
    const bytes = Uint8Array.from(atob(source), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text()) as readonly string[];
  };

  const block = (number: number): Promise<readonly string[]> => {
    const known = blocks.get(number) ?? unpack(sources[number]?.textContent ?? "");
    blocks.set(number, known);
    return known;
  };

  const text: Reader["text"] = async (number) => {
    const at = index.blocks.findLastIndex((first) => first <= number);
    return (await block(at))[number - (index.blocks[at] ?? 0)] ?? "";
  };

  return {
    text,
    json: async (number) => JSON.parse(await text(number)) as unknown,
    search: async (words) => {
      const found = new Set<number>();
      const wanted = words.toLowerCase();
      for (const at of index.blocks.keys()) {
        const first = index.blocks[at] ?? 0;
        for (const [place, each] of (await block(at)).entries()) {
          const owner = index.owners[first + place] ?? -1;
          if (owner >= 0 && !found.has(owner) && each.toLowerCase().includes(wanted)) found.add(owner);
        }
      }
      return found;
    },
  };
}
