// Everything somebody can do to a thread from outside, for P4: one command per public API, with what it brings along.

import fc from "fast-check";
import type { ToolFacts } from "./oracle.js";

export const THREADS = ["one", "two"] as const;
export const SOURCES = {
  look: { integrity: 2 },
  page: { integrity: 1 },
  web: { integrity: 0 },
  old: { currency: 1 },
} as const;
export const GATED: Readonly<Record<string, ToolFacts>> = {
  pay: { floor: 2 },
  erase: { floor: 3 },
  fire: { floor: 2, hard: ["fidelity"] },
  lend: { floor: 2, lineage: true },
};
/** Whether the server that the graph runs in authenticates its users, or hands on whatever they claim. */

const thread = fc.constantFrom(...THREADS);
const word = fc.constantFrom(...Object.keys(SOURCES), ...Object.keys(GATED), ...Object.keys(GATED), "guess", "both");
/** Which checkpoint: none is the newest; a number counts back from it. */
const at = fc.option(fc.nat({ max: 12 }), { nil: undefined, freq: 3 });
const target = fc.constantFrom("recall", "planner", "tools", "gate", "act");
const payload = fc.constantFrom(
  ...(["human", "system", "call", "answer", "swap", "swap call", "again", "remove", "remove all", "context"] as const),
  ...([
    "todos",
    "files",
    "cleared",
    "trust",
    "begin",
    "overwrite",
    "overwritten",
    "junk",
    "messages overwritten",
  ] as const),
);
const answer = fc.constantFrom("approve", "reject", "edit", "edit the name", "unknown", "yes", "nothing");
const junk = fc.nat({ max: 5 });

export const anyCommand = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("input"),
      thread,
      words: fc.array(word, { maxLength: 4, minLength: 1 }),
      extra: fc.option(payload, { nil: undefined, freq: 2 }),
      junk,
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("continue"), thread, at, junk }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant("answer"),
      thread,
      answer,
      update: fc.option(payload, { nil: undefined, freq: 2 }),
      junk,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("go to"),
      thread,
      target,
      update: fc.option(payload, { nil: undefined }),
      junk,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("update"),
      thread,
      at,
      payloads: fc.array(payload, { minLength: 1, maxLength: 2 }),
      as: fc.option(fc.oneof(target, fc.constantFrom("__start__", "__copy__", "nobody")), { nil: undefined }),
      operator: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("copy"), thread, to: thread }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("remember"),
      how: fc.constantFrom("honestly", "forged", "moved", "raised"),
    }),
  },
);
export type Step = typeof anyCommand extends fc.Arbitrary<infer One> ? One : never;
