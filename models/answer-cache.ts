// The answer cache that the environment asks for, ready for a model.

import { type CacheSettings, type Clock, type KeepingCache, openCache } from "../capacity/index.js";
import type { Seal } from "../trust/index.js";
import { MiniLmEmbeddings } from "./embeddings.js";
import { SettingsError } from "./settings.js";

/**
 * Opens it. Its embedding model, when it has one, loads at the first question.
 *
 * @throws {SettingsError} when other processes can write to it and there is no key to know our own answers by.
 */
export function openAnswerCache(
  settings: CacheSettings,
  { clock, seal }: { readonly clock?: Clock | undefined; readonly seal?: Seal | undefined },
): Pick<KeepingCache, "read" | "close"> {
  if (settings.place.kind !== "memory" && seal === undefined) {
    throw new SettingsError(
      "BULKHEAD_CACHE names a place that other processes can write to, and this program gives no key to tell its own " +
        "answers by: call resolveModel(settings, { seal: journal.seal }), or set BULKHEAD_CACHE to memory.",
    );
  }
  const time = clock === undefined ? {} : { clock };
  if (settings.minScore === undefined) return openCache(settings, time);
  const embeddings = new MiniLmEmbeddings();
  const cache = openCache(settings, { ...time, embed: (texts) => embeddings.embedDocuments([...texts]) });
  return {
    read: cache.read,
    close: async () => {
      await cache.close();
      await embeddings.close();
    },
  };
}
