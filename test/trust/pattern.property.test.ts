// A pattern finds what JavaScript finds by it, whatever it is put together from, or it is refused.

import fc from "fast-check";
import { expect, it } from "vitest";
import { linearPattern, PatternError } from "../../trust/pattern.js";

const ATOMS = [
  ..."abAB0_ -",
  ".",
  "\\d",
  "\\D",
  "\\w",
  "\\W",
  "\\s",
  "\\S",
  "\\n",
  "\\x41",
  "\\u0041",
  "\\u{1F600}",
  "\\ud83d\\ude00",
  "\\cJ",
  "\\0",
  "\\v",
  "\\/",
  "\\.",
  "\\[",
  "\\]",
  "\\{",
  "[ab]",
  "[^ab]",
  "[a-c_]",
  "[\\s_]",
  "[^\\s_]",
  "[\\S]",
  "[\\s\\S]",
  "[\\w.]",
  "[[]",
  "[(?=]",
  "[.$^]",
  "[\\b]",
  "[\\]]",
  "[\\-a]",
  "[^]",
  "[]",
  "\\p{L}",
  "\\P{L}",
  "\\p{Lu}",
  "\\p{Script=Greek}",
  "\\p{ASCII}",
  "(?:ab|a)",
  "(a)",
  "(?<x>b)",
  "\\b",
  "\\B",
  "^",
  "$",
];
const pattern = fc
  .array(
    fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?", "|")),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.map(([atom, often]) => atom + often).join(""));
const text = fc
  .array(
    fc.constantFrom(
      ...["a", "b", "A", "B", "0", "_", " ", "-", ".", "[", "]", "(", "?", "=", "/", "{", "\b", "\0", "\v"],
      ...["\n", "\r", "\t", "\u00a0", "\u2028", "\ufeff", "\u200b", "é", "λ", "😀", "\\", "$", "^"],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

it("finds what JavaScript finds", () => {
  let compared = 0;
  fc.assert(
    fc.property(pattern, text, fc.constantFrom("u", "iu", "su", "isu"), (source, given, flags) => {
      let native: RegExp;
      try {
        native = new RegExp(source, `${flags}g`);
      } catch {
        expect(() => linearPattern(source, flags)).toThrow(SyntaxError);
        return;
      }
      const linear = linearPattern(source, flags);
      const places = [...given.matchAll(native)].filter(([found]) => found !== "");
      const found = [...linear.matches(given)].filter((each) => each.found !== "");
      expect(linear.test(given), `${source} in ${JSON.stringify(given)}`).toBe(given.search(native) !== -1);
      expect(found, `${source} in ${JSON.stringify(given)}`).toEqual(
        places.map((place) => ({ index: place.index, found: place[0] })),
      );
      compared += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(compared).toBeGreaterThan(1_000);
});

it.each([
  ["(?=a)b", /looks ahead or behind/],
  ["(?!a)b", /looks ahead or behind/],
  ["(?<=a)b", /looks ahead or behind/],
  ["(?<!a)b", /looks ahead or behind/],
  ["(a)\\1", /refers back/],
  ["(?<n>a)\\k<n>", /refers back/],
  ["a{1,1001}", /more than 1,000 times/],
  ["\\p{Script_Extensions=Greek}", /property/],
])("is refused in plain words: %s", (source, why) => {
  expect(() => linearPattern(source, "u")).toThrow(PatternError);
  expect(() => linearPattern(source, "u")).toThrow(why);
});

it("is refused with a flag that changes how it is read", () => {
  expect(() => linearPattern("a", "y")).toThrow(/flag y/);
  expect(() => linearPattern("[a--b]", "v")).toThrow(/flag v/);
});
