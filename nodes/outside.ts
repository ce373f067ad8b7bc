// The one door between a node and everything that is not its input: tools, memory, capacity, the clock, chance. What
// comes in is written into the record; in a replay, the record is what answers. A node that reads the world in another
// way cannot be replayed.

import type { RunnableConfig } from "@langchain/core/runnables";
import { handlersOf, witnessIn } from "../capacity/index.js";
import type { HarnessEvent, KeptText, Scope } from "../checkpoints/index.js";
import { scopeOf } from "./scope.js";

/** Events that say what came in from outside. */
export type OutsideKind = "tool.output" | "recall" | "admission" | "lost.calls" | "clock" | "random";

/** The event of one kind. */
export type EventOf<Kind extends HarnessEvent["kind"]> = Extract<HarnessEvent, { kind: Kind }>;

/** Names a text that goes with an event. */
export type Keep = (text: string) => string;

/** Something that only the world can answer. */
export interface Question<Value, Kind extends OutsideKind> {
  readonly kind: Kind;
  /** What tells this question from others at the same place; fields of its event. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** Asks the world. What it throws is not an answer, and is not recorded. */
  look(): Promise<Value>;
  /** The event that says what came back. */
  tell(value: Value, keep: Keep): EventOf<Kind>;
  /** What came back, by such an event. */
  read(event: EventOf<Kind>, text: (digest: string) => string): Value;
}

/** Writes down what comes in. */
export interface OutsideWitness {
  /** Prepares a text for {@link note}. */
  keep(text: string): KeptText;
  note(scope: Scope, event: HarnessEvent, texts: readonly KeptText[]): Promise<void>;
}

/** Answers in place of the world. */
export interface OutsideStandIn {
  /** @throws when there is no such question in the record. */
  take<Value, Kind extends OutsideKind>(scope: Scope, question: Question<Value, Kind>): Promise<Value>;
  /** Whether the record has an answer to this question: for what is only asked under circumstances that it does not tell. */
  has?(scope: Scope, kind: OutsideKind, asked: Readonly<Record<string, unknown>>): boolean;
}

/** The property that makes a callback handler a stand-in for everything but models. */
export const OUTSIDE = Symbol.for("bulkhead.outside");

/** Asks a question, of the world or of whoever stands in for it, and has the answer written down. */
export async function outside<Value, Kind extends OutsideKind>(
  config: RunnableConfig,
  question: Question<Value, Kind>,
): Promise<Value> {
  const handlers = handlersOf(config.callbacks);
  const scope = scopeOf(config);
  const standIn = handlers.flatMap((each) => (each as { [OUTSIDE]?: OutsideStandIn })[OUTSIDE] ?? [])[0];
  const value = standIn === undefined ? await question.look() : await standIn.take(scope, question);
  const witness = witnessIn<OutsideWitness>(handlers);
  if (witness !== undefined) {
    const texts: KeptText[] = [];
    const event = question.tell(value, (text) => {
      const kept = witness.keep(text);
      texts.push(kept);
      return kept.digest;
    });
    await witness.note(scope, event, texts);
  }
  return value;
}
