// Globs that a model wrote find what Deep Agents finds by them.

import { StateBackend } from "deepagents";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globPattern, SearchableState } from "../../nodes/file-search.js";

const NAMES = ["a", "b", "ab", "a.ts", "b.md", ".hidden", "a-b", "c]", "x y", "A"];
const files = Object.fromEntries(
  NAMES.flatMap((name) => [`/${name}`, `/src/${name}`, `/src/deep/${name}`, `/src/deep/er/${name}`]).map((path) => [
    path,
    { content: "first line\nsecond line", mimeType: "text/plain", created_at: "2026", modified_at: "2026" },
  ]),
);
const state = { state: { files } } as never;
const theirs = new StateBackend(state);
const ours = new SearchableState(state);
const found = (backend: StateBackend, glob: string, path: string) =>
  (backend.glob(glob, path).files ?? []).map((file) => file.path).sort();

const PARTS = ["a", "b", "*", "?", ".", "ts", "md", "[ab]", "[^a]", "[a-b]", "{a,b}", "{a,b*}", "@(a|b)", "+(a|b)"];
const segment = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(""))
  .filter((text) => !text.includes("**") && !/^\.+$|[)}\]][?*]/.test(text));
const glob = fc
  .array(fc.oneof({ weight: 3, arbitrary: segment }, fc.constantFrom("**", "src", "deep")), {
    minLength: 1,
    maxLength: 4,
  })
  .map((segments) => segments.join("/"))
  // There, `a/**` is also a file `a`; a file is no folder.
  .filter((text) => !/(?<!^|src|deep)\/\*\*$/.test(text));

describe("a glob", () => {
  it("finds what the matcher of Deep Agents finds", () => {
    let some = 0;
    fc.assert(
      fc.property(glob, fc.constantFrom("/", "/src", "src/", "/src/deep"), (text, path) => {
        const expected = found(theirs, text, path);
        expect(found(ours, text, path), `${text} in ${path}`).toEqual(expected);
        some += Number(expected.length > 0);
      }),
      { numRuns: 2_000 },
    );
    expect(some).toBeGreaterThan(200);
  });

  it.each(["!(a)", "{a,b", "+(a", "@(a|b"])("is refused when it cannot be searched by: %s", (text) => {
    expect(ours.glob(text)).toEqual({ error: expect.stringContaining("is no glob that can be searched by") });
    expect(ours.grep("line", "/", text)).toEqual({ error: expect.stringContaining("is no glob") });
  });

  it("chooses the files that are searched, up to a number of lines", () => {
    expect(ours.grep("second", "/", "*.ts").matches?.map(({ path }) => path)).toEqual([
      "/a.ts",
      "/src/a.ts",
      "/src/deep/a.ts",
      "/src/deep/er/a.ts",
    ]);
    expect(ours.grep("second", "/", "*.ts", 2)).toMatchObject({ truncated: true, matches: [{}, {}] });
    expect(ours.grep("second", null, null).matches).toHaveLength(Object.keys(files).length);
  });

  it("means every character by itself that is none of its own", () => {
    const pattern = globPattern("a$b^c(d");
    expect(pattern).toEqual(expect.stringContaining("not closed"));
    const plain = globPattern("a$b^c|d,e}f.g+h");
    expect(typeof plain !== "string" && plain.test("a$b^c|d,e}f.g+h")).toBe(true);
  });
});
