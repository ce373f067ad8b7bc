// Where this package is: the benchmark works on the template's workspace, which is shipped as it is written.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with `template/`, for the sources and for `dist/` alike. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "template", "nodes", "index.ts"))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error("the template of bulkhead is not beside its code. Install the package again.");
    folder = above;
  }
  return folder;
}
