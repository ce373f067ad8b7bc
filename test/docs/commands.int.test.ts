import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Place, ROOT } from "../cli/bulkhead.js";
import { documented } from "./commands.js";

const place = new Place();
afterAll(() => place.clear());

test.each(documented)(
  "%s",
  async (_, { args, code }) => {
    const ended = await place.bulkhead(args);
    expect(ended.code, ended.stderr).toBe(code);
  },
  60_000,
);

/** What differs from run to run: ids, times, waits, and how the command itself is called. */
const stable = (output: string) =>
  output
    .replaceAll(/(thread|approval)-[0-9a-f-]+/g, "$1-…")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/ {2}\d+\.\d s$/gm, "")
    .replaceAll(/(done|queued) +\d+\.\d s/g, "$1")
    .replaceAll(/\d+\+(\d+) tokens/g, "$1 tokens")
    .replaceAll(/^.*waits \d.*\n/gm, "")
    .replaceAll(/(npm run -s bulkhead --|node \S+main\.js|npx bulkhead)/g, "bulkhead")
    .trim();

test("the README shows what the first command really prints", async () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, shown = ""] = /npm start --[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const fresh = new Place();
  const ended = await fresh.bulkhead(["run", "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it."]);
  await fresh.clear();
  expect(ended.code).toBe(3);
  expect(stable(`${ended.stderr}\n${ended.stdout}`).split(/\n+/)).toEqual(stable(shown).split(/\n+/));
}, 60_000);
