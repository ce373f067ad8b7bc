// `bulkhead dev` as a process of its own: it finds a port, says where things are, and Ctrl-C ends it and all it started.

import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Place, ROOT } from "./bulkhead.js";

let place: Place;
let project: string;
beforeEach(() => {
  place = new Place();
  // A copy, because the dev server keeps its state in the project's folder.
  project = join(place.folder, "project");
  mkdirSync(project);
  cpSync(join(ROOT, "template"), project, { recursive: true });
  cpSync(join(project, "_gitignore"), join(project, ".gitignore"));
  writeFileSync(join(project, "package.json"), '{"name":"project","type":"module"}');
  mkdirSync(join(project, "node_modules"));
  for (const scope of ["@langchain", "zod", "libsql", "@libsql", "@neon-rs", "detect-libc", "vitest"]) {
    symlinkSync(join(ROOT, "node_modules", scope), join(project, "node_modules", scope));
  }
  symlinkSync(ROOT, join(project, "node_modules", "bulkhead"));
});
afterEach(() => place.clear());

test("serves the graphs on a free port, says where Studio is, and ends with Ctrl-C", { timeout: 300_000 }, async () => {
  const running = place.start(["dev"], { cwd: project });
  await running.until(/^Studio: .*$/m);
  const [, port] = /^API: {4}http:\/\/localhost:(\d+)$/m.exec(running.stdout) ?? [];
  expect(running.stdout).toContain(`Studio: https://smith.langchain.com/studio?baseUrl=http://localhost:${port}`);
  expect((await fetch(`http://localhost:${port}/ok`)).ok).toBe(true);

  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(0);
  await expect(fetch(`http://localhost:${port}/ok`)).rejects.toThrow();
});
