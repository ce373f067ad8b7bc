// What ran, for the record: versions, and digests of what a person would want to know to be the same.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HarnessTool } from "../../nodes/index.js";
import { digest } from "../../trust/index.js";
import { version } from "../package.js";
import type { LoadedGraph } from "../project.js";

/** Versions of Node and of this package, and digests of wiring, tools, policy and lock file. */
export function codeOf({ graph, harness, root }: LoadedGraph): Readonly<Record<string, string>> {
  const lock = lockFile(root);
  const tools = harness.toolbox.tools.map((tool) => [tool.name, tool instanceof HarnessTool ? tool.digest : null]);
  const wiring = JSON.parse(JSON.stringify(graph.getGraph().toJSON())) as unknown;
  return {
    node: process.version,
    bulkhead: version(),
    graph: digest(wiring),
    tools: digest(tools),
    policy: harness.policy.digest,
    ...(lock === undefined ? {} : { lock: createHash("sha256").update(lock).digest("hex") }),
  };
}

/** The lock file of the project, whichever package manager it uses. */
function lockFile(root: string): Buffer | undefined {
  for (const name of ["package-lock.json", "pnpm-lock.yaml", "yarn.lock"]) {
    try {
      return readFileSync(join(root, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return undefined;
}
