// What this project remembers beyond a thread: AGENTS.md and skills/ beside this file, and what the agent was told to
// remember. Memories keep the trust they were written with, signed with the journal's key.

import { fileURLToPath } from "node:url";
import { labelledMemory, type OpenedStore, openStore } from "bulkhead/memory";
import { MiniLmEmbeddings, type Settings } from "bulkhead/models";
import type { Seal } from "bulkhead/trust";

/** The folder with AGENTS.md and skills/. Its files count as the operator's word: keep it out of reach of tools that write. */
export const folder = fileURLToPath(new URL(".", import.meta.url));

/** Opens the memory at its first use. On Postgres it is searched by shared words, since pgvector may not be there. */
export function openMemory({ database }: Settings, { seal }: { readonly seal: Seal }) {
  const embeddings = database.startsWith("postgres") ? undefined : new MiniLmEmbeddings();
  let opening: Promise<OpenedStore> | undefined;
  const store = async () => {
    opening ??= openStore(database, embeddings === undefined ? {} : { embeddings }).catch((error: unknown) => {
      opening = undefined; // The next run tries again.
      throw error;
    });
    return (await opening).store;
  };
  return {
    items: labelledMemory({ store, namespace: ["agent"], seal }),
    close: async () => {
      await (await opening)?.close();
      await embeddings?.close();
    },
  };
}
