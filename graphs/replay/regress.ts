// A live model with recorded tools: what a changed prompt or another model would do with the same world. Tools, memory and
// people answer from the record, wherever in the run they are asked; nothing is done, and what the record cannot answer is
// where the two part.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { MemorySaver } from "@langchain/langgraph";
import { answerOf, firstDifference, type HarnessEvent, type RecordDifference } from "../../checkpoints/index.js";
import { type EventOf, OUTSIDE, type OutsideKind, type OutsideStandIn, type Question } from "../../nodes/index.js";
import { type Label, parseLabel } from "../../trust/index.js";
import { eventsThatCount } from "./attempts.js";
import { DivergenceError } from "./divergence.js";
import { perform } from "./perform.js";
import type { Positioned } from "./place.js";
import type { Replay } from "./replay.js";

/** How a regression run ended. */
export interface Regressed {
  readonly thread: string;
  /** Whether the same tools were called with the same arguments, with the same verdicts and the same falls of trust. */
  readonly identical: boolean;
  readonly difference?: RecordDifference;
  /** What was asked for that the record has no answer to: `run of refund_order`. */
  readonly unanswered: readonly string[];
  /** The last answers. */
  readonly answer: { readonly recorded: string; readonly now: string };
  readonly trust: Label;
}

const DECIDES = new Set<HarnessEvent["kind"]>(["tool.response", "gate.decision", "trust.fell"]);

/** Runs the graph on the recorded inputs with its own model. */
export async function regressThread({ recording, graph, harness, signal }: Omit<Replay, "keep">): Promise<Regressed> {
  const { journal } = harness;
  const recorded = eventsThatCount(recording.events);
  const { record } = recorded;
  const world = new RecordedWorld(record, recording.texts);
  graph.checkpointer = new MemorySaver();
  await perform({ recording, graph, journal, handler: world, ...(signal === undefined ? {} : { signal }) }, recorded);
  signal?.throwIfAborted();
  const { thread } = recording;
  const decisions = (events: readonly Positioned[]) =>
    events.flatMap(({ recorded }) => (DECIDES.has(recorded.event.kind) ? [recorded] : []));
  const now = eventsThatCount(await journal.events({ thread })).record;
  const difference = firstDifference(
    decisions(record.filter(({ recorded }) => recorded.scope.thread === thread)),
    decisions(now),
  );
  const state = await graph.getState({ configurable: { thread_id: thread } });
  const unanswered = [...world.unanswered];
  return {
    thread,
    identical: difference === undefined && unanswered.length === 0,
    ...(difference === undefined ? {} : { difference }),
    unanswered,
    answer: { recorded: lastAnswer(record, recording.texts), now: textOf(state.values?.messages) },
    trust: parseLabel(state.values?.trust),
  };
}

/** Answers by what is asked, wherever it is asked. */
class RecordedWorld extends BaseCallbackHandler {
  override readonly name = "bulkhead.world";
  readonly [OUTSIDE]: OutsideStandIn;
  readonly unanswered = new Set<string>();
  private readonly used = new Set<number>();

  constructor(
    private readonly record: readonly Positioned[],
    private readonly texts: ReadonlyMap<string, string>,
  ) {
    super();
    this[OUTSIDE] = { take: (_scope, question) => this.take(question) };
  }

  private async take<Value, Kind extends OutsideKind>(question: Question<Value, Kind>): Promise<Value> {
    if (question.kind !== "tool.output" && question.kind !== "recall") return question.look();
    const known = this.record.filter(({ recorded: { event } }) => isSame(event, question));
    const match = known.find(({ index }) => !this.used.has(index)) ?? known.at(-1);
    if (match === undefined) {
      const { tool, use } = question.asked as { tool?: string; use?: string };
      const what = tool === undefined ? question.kind : `${use} of ${tool}`;
      this.unanswered.add(what);
      throw new DivergenceError(`the record has no answer to this ${what}`);
    }
    this.used.add(match.index);
    return question.read(match.recorded.event as EventOf<Kind>, (digest) => this.texts.get(digest) ?? "");
  }
}

/** A tool's definition and key may have changed with the prompt; what it is asked for must not. */
function isSame<Value, Kind extends OutsideKind>(event: HarnessEvent, { kind, asked }: Question<Value, Kind>): boolean {
  if (event.kind !== kind) return false;
  const about = event as { tool?: unknown; use?: unknown; arguments?: unknown };
  return about.tool === asked["tool"] && about.use === asked["use"] && about.arguments === asked["arguments"];
}

/** The text of the last answer of the run's own lane. */
function lastAnswer(record: readonly Positioned[], texts: ReadonlyMap<string, string>): string {
  const last = record.findLast(
    ({ recorded: { event, scope } }) => event.kind === "model.response" && scope.lane === undefined,
  )?.recorded.event;
  const raw = last?.kind === "model.response" && last.raw !== undefined ? texts.get(last.raw) : undefined;
  return raw === undefined ? "" : (answerOf(raw)?.content ?? "");
}

const textOf = (messages: unknown): string => (messages as { text?: string }[] | undefined)?.at(-1)?.text ?? "";
