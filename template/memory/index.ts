// What this project remembers beyond a thread: AGENTS.md and skills/ beside this file, and what the agent was told to
// remember. Memories keep the trust they were written with.

import { fileURLToPath } from "node:url";
import { labelledMemory, openStore } from "bulkhead/memory";
import { MiniLmEmbeddings, type Settings } from "bulkhead/models";

/** The folder with AGENTS.md and skills/. */
export const folder = fileURLToPath(new URL(".", import.meta.url));

/** Opens the memory at its first use. */
export function openMemory(settings: Settings) {
  const embeddings = new MiniLmEmbeddings();
  let opened: ReturnType<typeof openStore> | undefined;
  const open = () => {
    opened ??= openStore(settings.database, { embeddings });
    return opened;
  };
  return {
    items: labelledMemory({ store: async () => (await open()).store, namespace: ["agent"] }),
    close: async () => {
      await (await opened)?.close();
      await embeddings.close();
    },
  };
}
