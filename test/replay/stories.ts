// Random stories for replay tests: what a model answers, what goes wrong, what people do. From fast-check.

import fc from "fast-check";
import type { Answer, Story } from "./drive.js";
import { ask, type Call } from "./world.js";

const id = fc.constantFrom("a", "b", "c");
const READS = ["look", "mail", "web", "fails", "dump", "tag"] as const;

const read = fc.tuple(fc.constantFrom(...READS), id).map(([tool, id]): Call => [tool, { id }]);
const harmless = fc.tuple(fc.constantFrom("look", "tag"), id).map(([tool, id]): Call => [tool, { id }]);

const delegation = fc
  .tuple(id, fc.array(fc.array(read, { minLength: 1, maxLength: 3 }), { maxLength: 2 }))
  .map(([name, turns]): Call => ask(name, ...turns));

const action = fc.oneof(
  fc.record({ to: id, amount: fc.integer({ min: 2, max: 5 }) }).map((args): Call => ["pay", args]),
  fc.tuple(fc.constantFrom("erase", "book", "send"), id).map(([tool, id]): Call => [tool, { id }]),
);

const ofTheState = fc.constantFrom<Call>(
  ["remember", { text: "the order a was shipped" }],
  ["write_todos", { todos: [{ content: "look", status: "pending" }] }],
  ["write_file", { file_path: "/note.txt", content: "a note" }],
  ["edit_file", { file_path: "/note.txt", old_string: "a", new_string: "a a" }],
  ["read_file", { file_path: "/note.txt" }],
  ["nobody_knows_this", {}],
);

const turn = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.oneof(read, delegation), { minLength: 1, maxLength: 6 }) },
  { weight: 2, arbitrary: fc.array(harmless, { minLength: 1, maxLength: 6 }) },
  { weight: 2, arbitrary: fc.array(action, { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.array(fc.oneof(ofTheState, ofTheState, read), { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.tuple(read, action).map((calls): Call[] => calls) },
);

const fault = fc.constantFrom(
  [],
  [],
  ["rate-limit:offline-large,rate=0.3,times=3"],
  ["rate-limit-no-header:offline-large,times=1"],
  ["server-error:offline-large,times=2"],
  ["server-error,rate=0.3"],
  ["bad-json:offline-large,after=1"],
  ["truncate-stream,after=1"],
  ["outage:offline-large"],
  ["outage:offline-large,after=2"],
);

const answer: fc.Arbitrary<Answer> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      how: fc.constantFrom("approve", "approve", "reject", "edit"),
      by: fc.constantFrom("journal", "command"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ how: fc.constantFrom("nonsense", "resume", "write", "task") }) },
) as fc.Arbitrary<Answer>;

/** Any story. `turns`: how many there are at most. */
export const anyStory = (turns = 4): fc.Arbitrary<Story> =>
  fc.record({
    plan: fc.record({
      turns: fc.array(turn, { minLength: 1, maxLength: turns }).chain((all) =>
        // A turn without calls in the middle: the next task goes on behind it.
        fc.boolean().map((two) => (two && all.length > 1 ? [...all.slice(0, 1), [], ...all.slice(1)] : all)),
      ),
      faults: fault,
      admission: fc.constantFrom("auto", "auto", "trust-first", "availability-first"),
      memories: fc.constantFrom(
        [],
        [{ text: "the order a belongs to ann", integrity: 2 as const }],
        [{ text: "the order b is a gift", integrity: 0 as const }],
      ),
    }),
    answers: fc.array(answer, { maxLength: 5 }),
    calling: fc.constantFrom("invoke", "invoke", "messages", "events"),
    tasks: fc.constantFrom(["the order a"], ["the order a", "and the order b"]),
  });

/** A delay of up to `most` ms, each time another one, from a seed: recordings repeat as far as timers do. */
export function randomDelay(seed: number, most = 4): () => Promise<void> {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const ms = Math.floor((state / 2 ** 32) * (most + 1));
    return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
  };
}
