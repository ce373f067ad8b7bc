// What may happen between an approval and its use, for P11: sequences that reach a dispatch often enough to matter.

import fc from "fast-check";

const thread = fc.constantFrom("one", "one", "one", "two");
const at = fc.option(fc.nat({ max: 8 }), { nil: undefined, freq: 6 });
/** Which release of the program works: its tool, its policy. */
const release = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 3 }) });
const words = fc.constantFrom(
  "pay-a-1",
  "pay-b-9",
  "look pay-a-1",
  "pay-a-1 pay-b-9",
  "pay-a-1+pay-a-1",
  "pay-a-1 pay-a-1",
);
const how = fc.constantFrom("arguments", "tool", "again", "cleared", "stale cleared", "last words");
const decision = fc.constantFrom("approve", "approve", "approve", "reject", "edit");

const ask = fc.record({ does: fc.constant("ask"), thread, words, release });
const decide = fc.record({
  does: fc.constant("decide"),
  decision,
  by: fc.constantFrom("command line", "resume"),
  with: fc.oneof(fc.constant("nothing"), how),
  thread,
  release,
  stop: fc.boolean(),
});
const go = fc.record({ does: fc.constant("continue"), thread, at, release, stop: fc.boolean(), twice: fc.boolean() });
const anyCommand = fc.oneof(
  { weight: 2, arbitrary: ask },
  { weight: 5, arbitrary: decide },
  { weight: 6, arbitrary: go },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant("update"),
      thread,
      at,
      change: how,
      as: fc.constantFrom(undefined, "planner", "gate", "act"),
      operator: fc.constantFrom(true, true, false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("go to"),
      thread,
      node: fc.constantFrom("gate", "act", "web"),
      release,
      change: how,
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("wait"), minutes: fc.constantFrom(6, 11) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("world changes") }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("copy"), thread, to: thread }) },
);
export type Step = typeof anyCommand extends fc.Arbitrary<infer One> ? One : never;

const several = (least: number, most: number) => fc.array(anyCommand, { minLength: least, maxLength: most });
/** Somebody asks and a person decides, with anything before, between and after. */
const anything = fc.tuple(ask, several(0, 2), decide, several(0, 4), go).map((parts) => parts.flat());
/** The narrow place: approved and cleared, and not yet done when something changes. */
const here = { thread: fc.constant("one"), release: fc.constant(0) };
const nothing = { by: fc.constant("resume"), with: fc.constant("nothing"), stop: fc.constant(true) };
const narrow = fc
  .tuple(
    fc.record({ does: fc.constant("ask"), ...here, words }),
    fc.record({ does: fc.constant("decide"), ...here, ...nothing, decision: fc.constant("approve") }),
    fc.oneof(
      fc.record({ does: fc.constant("wait"), minutes: fc.constant(11) }),
      fc.record({ does: fc.constant("world changes") }),
      anyCommand,
    ),
    several(0, 1),
    fc.record({
      does: fc.constant("continue"),
      ...here,
      release,
      at: fc.constant(undefined),
      stop: fc.boolean(),
      twice: fc.boolean(),
    }),
  )
  .map((parts) => parts.flat());
export const anySequence: fc.Arbitrary<Step[]> = fc.oneof(anything, narrow) as fc.Arbitrary<Step[]>;
