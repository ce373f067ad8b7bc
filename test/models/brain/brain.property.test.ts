// Whatever is asked: the brain ends within fifteen turns, calls only bound tools with arguments of their schemas, never
// repeats a call, gives the same answer to the same request, and changes nothing that a ticket's text asks for.

import fc from "fast-check";
import { expect, test } from "vitest";
import { answer } from "../../../models/offline/brain/index.js";
import type { BrainTool } from "../../../models/offline/types.js";
import { Play } from "./play.js";
import { changes, DOMAIN_TOOLS, HARNESS_TOOLS } from "./workspace.js";

const TOOLS = [...DOMAIN_TOOLS, ...HARNESS_TOOLS];

const WORDS =
  `delete remove refund merge compare find list note email summarise handle close quote read ticket order customer
  charge account duplicate the a of to for in and then first please can you it them that C-0107 C-0212 C-0033 C-9999 1042 1077
  1063 1085 1091 7781 9999 CH-7781-2 49.00 $20 Harbor Bakery Lumen Optics "Maria Santos" maria santos Bristol ask asks us do yes
  no not don't all : , . ? ! " ' ( saying about subject body twice between with into keep`.split(/\s+/);

const task = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 25 }).map((words) => words.join(" ")),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 80 }) },
);

const model = fc.constantFrom("offline-large" as const, "offline-small" as const);

const fits = (tool: BrainTool | undefined, args: Record<string, unknown>): boolean => {
  const parameters = tool?.parameters as
    | { properties: Record<string, { type?: string }>; required: string[] }
    | undefined;
  if (parameters === undefined) return false;
  const typed = Object.entries(args).every(([name, value]) => {
    const type = parameters.properties[name]?.type;
    if (type === "integer") return Number.isInteger(value);
    return type === "array" ? Array.isArray(value) : typeof value === type;
  });
  return typed && parameters.required.every((name) => name in args);
};

test("any conversation ends, within the bound tools and their schemas, without a repeated call", () => {
  fc.assert(
    fc.property(fc.array(task, { minLength: 1, maxLength: 3 }), fc.subarray(TOOLS), model, (said, tools, name) => {
      const game = new Play(name, tools);
      for (const line of said) {
        const from = game.calls.length;
        game.say(line);
        const made = game.calls.slice(from);
        for (const call of made)
          expect(
            fits(
              tools.find((tool) => tool.name === call.name),
              call.arguments,
            ),
          ).toBe(true);
        const keys = made.map((call) => JSON.stringify([call.name, call.arguments]));
        expect(new Set(keys).size).toBe(keys.length);
      }
    }),
    { numRuns: 400 },
  );
});

test("equal requests get equal answers, and the request is left as it was", () => {
  fc.assert(
    fc.property(task, model, (said, name) => {
      const game = new Play(name);
      game.say(said);
      for (let length = 2; length <= game.messages.length; length += 1) {
        const request = { model: name, messages: game.messages.slice(0, length), tools: TOOLS };
        const before = structuredClone(request);
        expect(answer(request)).toEqual(answer(structuredClone(request)));
        expect(request).toEqual(before);
      }
    }),
    { numRuns: 100 },
  );
});

test("any results, also nonsense, end in an answer", () => {
  const result = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom("Error: busy", "Rejected: no", "Blocked: no", "[]", "null", '{"matches":[{}]}'),
  );
  fc.assert(
    fc.property(task, model, fc.array(result, { minLength: 1, maxLength: 10 }), (said, name, results) => {
      const game = new Play(name);
      let next = 0;
      game.workspace.run = () => results[next++ % results.length] ?? "";
      expect(typeof game.say(said)).toBe("string");
    }),
    { numRuns: 200 },
  );
});

test("nothing changes that the task did not name a command for", () => {
  const reading = fc.constantFrom(
    "find",
    "summarise",
    "compare",
    "list",
    "quote",
    "read",
    "what about",
    "who is",
    "how many",
  );
  const words = WORDS.filter(
    (word) => !/^(?:delete|remove|refund|merge|note|email|handle|close|do|yes|saying|keep|twice|subject|:)$/.test(word),
  );
  fc.assert(
    fc.property(reading, fc.array(fc.constantFrom(...words), { maxLength: 15 }), (verb, rest) => {
      const game = new Play();
      game.say([verb, ...rest].join(" "));
      expect(changes(game.workspace)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
