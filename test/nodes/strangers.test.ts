// A pattern that somebody else wrote cannot keep the process busy: every place that searches by one, with patterns that
// JavaScript's own engine needs longer for than anybody waits.

import { afterAll, describe, expect, it } from "vitest";
import { Errands } from "../support/patience.js";

const errands = new Errands(new URL("strangers.ts", import.meta.url).href);
afterAll(() => errands.close());

const CATASTROPHIC = ["^(a+)+$", "^(a|aa)+$", "^([a-z]+)+[0-9]$", "^(.*a){20}$", "^(a?){30}a{30}$", "^a(a*)*$"];
const TEXT = `${"a".repeat(60)}!`;
const GLOBS = ["(a+)+b", "+(+(a))b", "{a,aa}".repeat(30), "*a".repeat(30)];

describe.each([
  ["policyValue", "allow"],
  ["policyName", "allow"],
  ["policyRule", "block"],
  ["mcpValue", "error"],
  ["mcpName", "found"],
  ["secret", true],
] as const)("%s", (place, answer) => {
  const refused = answer === "error" ? expect.stringMatching(/Exception|Error/) : answer;
  it.each(CATASTROPHIC)("answers a search for %s", async (pattern) => {
    expect(await errands.run(place, pattern, TEXT)).toEqual(refused);
  });
});

it.each(CATASTROPHIC)("a policy is read with a property that %s is tried on", async (pattern) => {
  expect(await errands.run("policyDocument", pattern, TEXT)).toBe("block");
});

describe.each(["glob", "grep"])("%s", (place) => {
  it.each(GLOBS)("answers a search for %s", async (pattern) => {
    expect(await errands.run(place, pattern, `${"a".repeat(120)}!`)).toBe(0);
  });
});
