import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));

// The tests run on the sources: `bulkhead/graphs`, as the template writes it, is `./graphs/index.ts` here.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^bulkhead$/, replacement: `${root}index.ts` },
      { find: /^bulkhead\/testing$/, replacement: `${root}test/contracts/index.ts` },
      { find: /^bulkhead\/([a-z]+)$/, replacement: `${root}$1/index.ts` },
    ],
  },
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    execArgv: ["--import", "tsx"],
    projects: [
      // One process imports LangChain once and not a hundred and fifty times, which is a third of the time. So a test
      // file has to leave nothing behind.
      { extends: true, test: { name: "bulkhead", include: ["test/**/*.test.ts"], isolate: false } },
      // The user's own tests, as they run in a project: each imports the graph with an environment of its own.
      { extends: true, test: { name: "template", include: ["template/test/**/*.test.ts"] } },
    ],
  },
});
