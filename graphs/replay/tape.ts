// The record as a tape: gives out what models answered, what tools gave, what a node saw of the world, at the place where
// it was recorded and to the same question only. It hangs on a replay as a LangChain callback handler; what it does not
// have, nobody is asked for.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { type CallStandIn, type RecordedCall, type SentRequest, STAND_IN } from "../../capacity/index.js";
import { type HarnessEvent, type KeptText, promptOf, type Scope } from "../../checkpoints/index.js";
import {
  type EventOf,
  OUTSIDE,
  type OutsideKind,
  type OutsideStandIn,
  type Question,
  scopeOfMetadata,
} from "../../nodes/index.js";
import { type Difference, type Divergence, DivergenceError, divergenceOf } from "./divergence.js";
import { type Call, callsIn, type Item, isOver, itemsIn, nameOf } from "./entries.js";
import { type Positioned, placeOf, whereMissing, withoutSend } from "./place.js";

/** What {@link Tape} takes. */
export interface TapeOptions {
  /** What counts of the record, see `eventsThatCount`. */
  readonly record: readonly Positioned[];
  /** Positions of what need not be asked for, because it was asked for once more. */
  readonly repeated: ReadonlySet<number>;
  readonly texts: ReadonlyMap<string, string>;
  /** Names a text as the recorder did: with tags in place of declared secrets. */
  readonly keep: (text: string) => KeptText;
  /** Whether the record stops in the middle: the run was killed, and nobody went on. */
  readonly open: boolean;
  /** Called with the time of each event that is given out, in milliseconds since the epoch. */
  readonly onTime?: (at: number) => void;
}

/** The tape. One for each replay. */
export class Tape extends BaseCallbackHandler {
  override readonly name = "bulkhead.tape";
  override awaitHandlers = true;
  override raiseError = true;
  readonly [STAND_IN]: CallStandIn;
  readonly [OUTSIDE]: OutsideStandIn;
  /** Whether models stream: they did when it was recorded, and say so in the prompt. */
  lc_prefer_streaming = false;
  readonly divergences: Divergence[] = [];
  /** How many answers were given out. */
  given = 0;

  private readonly scopes = new Map<string, Scope>();
  private readonly calls: readonly Call[];
  private readonly items: readonly Item[];

  constructor(private readonly options: TapeOptions) {
    super();
    this.calls = callsIn(options.record);
    this.items = itemsIn(options.record);
    this[STAND_IN] = {
      recorded: async (call, requests) => this.answer(call, requests),
      cached: async (call) => this.cached(call),
    };
    this[OUTSIDE] = {
      take: async (scope, question) => this.take(scope, question),
      has: (scope, kind, asked) =>
        this.openAt(this.items, scope).some(({ recorded: { event } }) => event.kind === kind && isAsked(event, asked)),
    };
  }

  override handleChatModelStart(
    _model: unknown,
    _messages: unknown,
    runId: string,
    _parent?: string,
    _extra?: Record<string, unknown>,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
  ): void {
    this.scopes.set(runId, scopeOfMetadata(metadata));
  }

  /** Reports a difference and stops the branch that made it. */
  diverge(difference: Difference): never {
    this.divergences.push(divergenceOf(difference));
    throw new DivergenceError(divergenceOf(difference).message);
  }

  /** What is left on the tape: recorded, and not asked for. */
  finish(): void {
    const { repeated } = this.options;
    for (const { used, first, index, answer } of this.calls) {
      if (used || answer === undefined || repeated.has(index)) continue;
      const message = "a model call of the record was not made";
      this.divergences.push(divergenceOf({ ...about(first), kind: "missing", index, message }));
    }
    for (const item of this.items) {
      if (item.used || repeated.has(item.index)) continue;
      const message = `${nameOf(item.recorded.event)} of the record was not asked for`;
      this.divergences.push(divergenceOf({ ...about(item), kind: "missing", message }));
    }
  }

  private answer(id: string, requests: readonly SentRequest[]): RecordedCall {
    const scope = this.scopeOf(id);
    const open = this.openAt(this.calls, scope);
    const named = requests.map((request) => ({ ...request, ...this.options.keep(request.body) }));
    const isAsked = ({ request }: Call): boolean =>
      named.some(({ route, digest }) => route === request?.route && digest === request.digest);
    const match =
      open.find(isAsked) ??
      open.find(({ request }) => request === undefined) ??
      this.besides(this.calls, scope).find(isAsked);
    if (match === undefined) return this.unknown(scope, open[0], named);
    const earlier = open.includes(match)
      ? open.find((call) => call.answer !== undefined && isOver(call, match))
      : undefined;
    if (earlier !== undefined) {
      const message = "a model call comes before another one that it followed in the record";
      return this.diverge({ ...about(earlier.first), kind: "order", message, ...sides(earlier, match) });
    }
    match.used = true;
    this.given += 1;
    this.options.onTime?.(match.ended);
    return this.read(match, scope);
  }

  private unknown(
    scope: Scope,
    expected: Call | undefined,
    now: readonly (SentRequest & { readonly digest: string; readonly text: string })[],
  ): never {
    const sent = now.find(({ route }) => route === expected?.request?.route) ?? now[0];
    if (expected === undefined) return this.extra(scope, "a model call", sent?.digest);
    const { request, first } = expected;
    const recorded = request === undefined ? undefined : promptOf(request.prompt, this.options.texts);
    return this.diverge({
      ...about(first),
      kind: "request",
      message: "the prompt is not the recorded one",
      ...(request === undefined ? {} : { recorded: request.digest }),
      ...(sent === undefined ? {} : { now: sent.digest, right: parsed(sent.text) }),
      ...(recorded === undefined ? {} : { left: parsed(recorded) }),
    });
  }

  /** A question too many. */
  private extra(scope: Scope, what: string, digest: string | undefined): never {
    const { record, open } = this.options;
    const at = whereMissing(record, scope);
    // Killed in the middle: there is no more to compare with, and nothing says that it would have been another.
    if (open) throw new RecordEnds();
    return this.diverge({
      ...{ kind: "extra", scope, index: at?.index ?? 0 },
      ...(at === undefined ? {} : { event: at.recorded }),
      message: `${what} is asked for that the record does not have there`,
      ...(digest === undefined ? {} : { now: digest }),
    });
  }

  private read({ answer, first }: Call, scope: Scope): RecordedCall {
    const raw = answer?.raw === undefined ? undefined : this.options.texts.get(answer.raw);
    if (answer?.kind === "model.error") {
      const { error: message, name = "Error", code, reason } = answer;
      const known = { ...(code === undefined ? {} : { code }), ...(reason === undefined ? {} : { reason }) };
      const error = Object.assign(new Error(message), { name, ...known });
      return { error, ...(raw === undefined ? {} : { raw }) };
    }
    if (answer === undefined || raw === undefined) {
      return this.diverge({
        ...about(first),
        scope,
        kind: "missing",
        message: "the record has no answer to this call",
      });
    }
    return { route: answer.obtained.route, raw, obtained: answer.obtained };
  }

  private cached(id: string): string | undefined {
    const scope = this.scopeOf(id);
    const [next] = this.openAt(this.calls, scope);
    if (next?.answer?.kind !== "model.response" || next.answer.message === undefined) return undefined;
    next.used = true;
    this.given += 1;
    return this.options.texts.get(next.answer.message);
  }

  private take<Value, Kind extends OutsideKind>(scope: Scope, question: Question<Value, Kind>): Value {
    const isOfKind = ({ recorded }: Item): boolean => recorded.event.kind === question.kind;
    const isSame = ({ recorded }: Item): boolean => isAsked(recorded.event, question.asked);
    const open = this.openAt(this.items, scope).filter(isOfKind);
    const match =
      open.find(isSame) ??
      (question.kind === "tool.output" ? this.besides(this.items, scope).filter(isOfKind).find(isSame) : undefined);
    if (match === undefined) {
      const expected = open[0];
      if (expected === undefined)
        return this.extra(scope, nameOf({ kind: question.kind, ...question.asked }), undefined);
      return this.diverge({
        ...about(expected),
        kind: "request",
        message: `${nameOf(expected.recorded.event)} is asked for differently`,
        left: fieldsLike(expected.recorded.event, question.asked),
        right: question.asked,
      });
    }
    match.used = true;
    this.given += 1;
    this.options.onTime?.(match.recorded.at);
    return question.read(match.recorded.event as EventOf<Kind>, (digest) => {
      const text = this.options.texts.get(digest);
      if (text !== undefined) return text;
      return this.diverge({ ...about(match), kind: "missing", message: "the record has lost what came back" });
    });
  }

  /** What was not given out yet at this place. */
  private openAt<One extends Call | Item>(all: readonly One[], scope: Scope): One[] {
    const here = placeOf(scope);
    return all.filter(({ place, used }) => !used && place === here);
  }

  /** And in the tasks that `Send` made beside it: the code may have put them in another order. */
  private besides<One extends Call | Item>(all: readonly One[], scope: Scope): One[] {
    const node = withoutSend(placeOf(scope));
    return scope.send === undefined ? [] : all.filter(({ place, used }) => !used && withoutSend(place) === node);
  }

  private scopeOf(call: string): Scope {
    return this.scopes.get(call) ?? { thread: "unknown", run: "unknown" };
  }
}

/** The record stops here, and so does the replay. */
class RecordEnds extends Error {
  override readonly name = "RecordEnds";
  constructor() {
    super("the record ends here");
  }
}

const about = ({ recorded, index }: Positioned) => ({ scope: recorded.scope, event: recorded, index });

const sides = (left: Call, right: Call) => ({
  ...(left.request === undefined ? {} : { recorded: left.request.digest }),
  ...(right.request === undefined ? {} : { now: right.request.digest }),
});

const isAsked = (event: HarnessEvent, asked: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(asked).every(
    ([name, value]) => JSON.stringify((event as Record<string, unknown>)[name]) === JSON.stringify(value),
  );

const fieldsLike = (event: HarnessEvent, asked: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.keys(asked).map((name) => [name, (event as Record<string, unknown>)[name]]));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // Told as it is.
  }
}
