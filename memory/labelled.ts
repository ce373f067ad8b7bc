// Memory that cannot launder: every item keeps the trust of the thread that wrote it, and whoever recalls it meets that
// into his own. An item without a believable label counts as the worst.

import { randomUUID } from "node:crypto";
import type { BaseStore, Item } from "@langchain/langgraph-checkpoint";
import { z } from "zod";
import {
  BOTTOM,
  type Cause,
  causesOf,
  type Label,
  meetMarks,
  parseCauses,
  readLabel,
  type Seal,
  type TrustMark,
} from "../trust/index.js";
import { isStorable, storable } from "../trust/storable.js";
import { keywordOverlap } from "./keywords.js";

/** What {@link labelledMemory} takes. */
export interface LabelledMemoryOptions {
  /** The store, or how to open it at first use. Not the `config.store` of a running graph: that one has no `batch`. */
  readonly store: BaseStore | (() => Promise<BaseStore>);
  /** Where the items live, for example `["memories", userId]`. Labels without `. : % _ \`, which some stores refuse. */
  readonly namespace: readonly string[];
  /** Signs each item with its place and its label, so that nobody else who can write to the store can. Of the journal. */
  readonly seal: Seal;
  /** Milliseconds since the epoch. Default: the machine's clock. */
  readonly now?: () => number;
  /** Keys for items that are remembered without one. Default: random UUIDs. */
  readonly newKey?: () => string;
}

/** What is kept of a thread. */
export interface NewMemory {
  /** One self-contained fact. An embedder reads about its first 200 words. */
  readonly text: string;
  /** For the caller's own use, for example `preference`. */
  readonly kind?: string;
  /** The trust of the thread that writes. */
  readonly label: Label;
  /** Why the label is below nominal; for explanation. */
  readonly causes?: readonly Cause[];
  /** The thread that writes. */
  readonly thread: string;
  /** Writing a key again replaces the item. Default: a new one. */
  readonly key?: string;
}

/** What is recalled. */
export interface MemoryItem {
  readonly key: string;
  readonly text: string;
  readonly kind?: string;
  /** The label it was stored with; {@link BOTTOM} when that is missing, malformed or not sealed with this content. */
  readonly label: Label;
  readonly causes: readonly Cause[];
  /** The thread that wrote it; `unknown` when the item cannot be believed. */
  readonly thread: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Labelled items in one namespace of a store. */
export interface LabelledMemory {
  /** Stores an item. Returns it as it will be recalled. */
  remember(memory: NewMemory): Promise<MemoryItem>;
  /**
   * The items that bear on `query`, best first, at most `limit` (default 5). By meaning where the store has an embedder
   * (cosine of at least 0.30, plus a little for shared words), otherwise by keyword (at least one word in common).
   */
  recall(query: string, options?: { readonly limit?: number; readonly signal?: AbortSignal }): Promise<MemoryItem[]>;
  /**
   * The mark of having read these items: their meet, with causes that name them. It is the whole flow of a recall: each
   * item is scored by itself, so an item that was not returned has moved nothing. Source: trust-replay.md, section 5.2.
   */
  markOf(items: readonly MemoryItem[]): TrustMark;
}

/** Below this cosine two texts are about different things (measured for MiniLM: embedded-models.md, point 3). */
const ABOUT_THE_SAME = 0.3;
/** What a full overlap of words adds to a cosine. Small: names and numbers should break ties, not decide. */
const KEYWORD_WEIGHT = 0.15;
/** Items fetched at once. */
const PAGE = 200;

const LABEL = /^[^.:%_\\]+$/;

const storedMemory = z.object({
  text: z.string(),
  kind: z.string().optional(),
  label: z.unknown(),
  causes: z.unknown(),
  thread: z.string(),
  createdAt: z.string(),
  seal: z.string(),
});

const PURPOSE = "memory";

/** Opens a namespace. @throws TypeError when a namespace label would not work in every store. */
export function labelledMemory(options: LabelledMemoryOptions): LabelledMemory {
  const { seal, now = Date.now, newKey = randomUUID } = options;
  const namespace = [...options.namespace];
  if (namespace.length === 0 || !namespace.every((label) => LABEL.test(label) && isStorable(label))) {
    throw new TypeError(
      `memory namespace ${JSON.stringify(namespace)}: use one or more labels, none empty and none with . : % _ or \\`,
    );
  }
  const store = openedOnce(options.store);

  return {
    async remember(memory) {
      const { text, kind, label, causes, thread, key } = storable({ key: newKey(), ...memory });
      const content = {
        text,
        ...(kind === undefined ? {} : { kind }),
        label: readLabel(label) ?? BOTTOM,
        causes: parseCauses(causes ?? causesOf(label, `written by thread ${thread}`)),
        thread,
        createdAt: new Date(now()).toISOString(),
      };
      const value = { ...content, seal: seal.sign(PURPOSE, { namespace, key, content }) };
      await (await store()).put(namespace, key, value, ["text"]);
      return { key, ...content };
    },

    async recall(query, { limit = 5, signal } = {}) {
      signal?.throwIfAborted();
      const candidates = await search(await store(), namespace, storable(query), signal);
      const ranked = candidates.flatMap(({ item, score }) => {
        const memory = readMemory(item, namespace, seal);
        if (memory === undefined) return [];
        const overlap = keywordOverlap(query, memory.text);
        const relevance = score === undefined ? overlap : score + KEYWORD_WEIGHT * overlap;
        const bears = score === undefined ? overlap > 0 : relevance >= ABOUT_THE_SAME;
        return bears ? [{ memory, relevance }] : [];
      });
      return ranked
        .sort((left, right) => right.relevance - left.relevance || newestFirst(left.memory, right.memory))
        .slice(0, limit)
        .map(({ memory }) => memory);
    },

    markOf: (items) =>
      meetMarks(
        ...items.map(({ key, label, causes }) => ({
          ...label,
          causes: causes.map((cause) => ({ ...cause, reason: `memory ${key}: ${cause.reason}` })),
        })),
      ),
  };
}

const newestFirst = (left: MemoryItem, right: MemoryItem): number =>
  left.createdAt < right.createdAt ? 1 : left.createdAt > right.createdAt ? -1 : 0;

function openedOnce(store: LabelledMemoryOptions["store"]): () => Promise<BaseStore> {
  if (typeof store !== "function") return async () => store;
  let opened: Promise<BaseStore> | undefined;
  return () => {
    opened ??= store().catch((error: unknown) => {
      opened = undefined; // What failed to open may open the next time.
      throw error;
    });
    return opened;
  };
}

interface Candidate {
  readonly item: Item;
  /** Cosine similarity, where the store has an embedder. */
  readonly score: number | undefined;
}

/** The best by meaning where the store can tell, otherwise everything in the namespace. */
async function search(
  store: BaseStore,
  namespace: string[],
  query: string,
  signal: AbortSignal | undefined,
): Promise<Candidate[]> {
  // Through `batch`, because PostgresStore.search() gives a text rank where its batch gives a cosine or nothing. And
  // by exact namespace, because it also finds the sisters whose name only begins the same (`ann`, `anna`).
  const page = async (offset: number, about: { query?: string; limit?: number }) => {
    const [found = []] = await store.batch([{ namespacePrefix: namespace, offset, limit: PAGE, ...about }]);
    signal?.throwIfAborted();
    return found;
  };
  const own = (item: Item) => item.namespace.join(":") === namespace.join(":");
  if ((await page(0, { limit: 1 })).length === 0) return []; // Nothing to compare with: do not load an embedder for it.
  const byMeaning = await page(0, { query });
  if (byMeaning.some((item) => item.score !== undefined)) {
    return byMeaning.filter(own).map((item) => ({ item, score: item.score }));
  }
  const all: Candidate[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const found = await page(offset, {});
    all.push(...found.filter(own).map((item) => ({ item, score: undefined })));
    if (found.length < PAGE) return all;
  }
}

/** Reads a stored item, believing nothing. `undefined` for what has no text: there is nothing to recall. */
function readMemory({ key, value, createdAt }: Item, namespace: readonly string[], seal: Seal): MemoryItem | undefined {
  const text: unknown = value["text"];
  if (typeof text !== "string") return undefined;
  const distrusted = (reason: string): MemoryItem => ({
    key,
    text,
    label: BOTTOM,
    causes: causesOf(BOTTOM, reason),
    thread: "unknown",
    createdAt: createdAt.toISOString(),
  });
  const stored = storedMemory.safeParse(value);
  const label = readLabel(value["label"]);
  if (!stored.success || label === undefined) return distrusted("stored without a valid label");
  const { seal: claimed, ...content } = stored.data;
  if (!seal.verify(PURPOSE, { namespace, key, content }, claimed)) return distrusted("its seal is not of this content");
  const { kind, thread } = content;
  return {
    key,
    text,
    ...(kind === undefined ? {} : { kind }),
    label,
    causes: parseCauses(content.causes),
    thread,
    createdAt: content.createdAt,
  };
}
