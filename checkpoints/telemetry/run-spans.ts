// The spans of one run, from its events: the run, its node executions, its model calls, its tool calls, its subagents with
// what ran in their lanes. Fed in the order of recording; nothing else is looked at, so that a stored record gives the same
// spans as a run that is watched.

import type { Attributes, Context, Tracer } from "@opentelemetry/api";
import { type Label, meet } from "../../trust/index.js";
import type { RecordedEvent, Scope } from "../journal/events.js";
import { laneOf } from "../lane.js";
import { defined, type EventOf, labelAttributes, toolAttributes } from "./attributes.js";
import { CallSpans } from "./call-spans.js";
import { OpenSpan, OTHER } from "./open-span.js";
import { spanEventOf } from "./span-events.js";

/** A subagent at work. */
interface Subagent {
  readonly name: string;
  readonly place: string;
  readonly lane: string;
  readonly span: OpenSpan;
}

/** The spans of one run, from its first event to {@link close}. */
export class RunSpans {
  private readonly root: OpenSpan;
  private readonly nodes = new Map<string, readonly OpenSpan[]>();
  private readonly calls = new CallSpans();
  private subagents: Subagent[] = [];
  private lowest: Label | undefined;
  /** Whether the record says where it ends: it was begun by a `run.start`. */
  bounded = false;

  constructor(
    private readonly tracer: Tracer,
    private readonly content: boolean,
    { scope, at }: RecordedEvent,
    within: Context,
  ) {
    const attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.conversation.id": scope.thread,
      "bulkhead.run": scope.run,
    };
    this.root = OpenSpan.root(this.tracer, { name: "invoke_agent", at, attributes }, within);
  }

  /** When something last happened. */
  get last(): number {
    return this.root.last;
  }

  /** Whether nothing is under way. */
  get rests(): boolean {
    return this.root.children.size === 0;
  }

  /** Takes the next event. Returns `false` when it was the run's last. */
  hear({ scope, at, event }: RecordedEvent): boolean {
    switch (event.kind) {
      case "run.start":
        this.begin(event);
        break;
      case "run.end":
        this.end(event, at);
        return false;
      case "node.start":
        this.startNode(scope, at, event);
        break;
      case "node.end":
        this.endNode(scope, at, event);
        break;
      case "subagent.start":
        this.startSubagent(scope, at, event);
        break;
      case "subagent.end":
        this.endSubagent(scope, at, event);
        break;
      case "model.request":
        this.calls.start(this.spanOf(scope), at, event);
        break;
      case "model.response":
        this.calls.end(this.spanOf(scope), at, event);
        break;
      case "tool.response":
        this.tool(scope, at, event);
        break;
      case "checkpoint":
        this.root.span.setAttribute("bulkhead.checkpoint", event.id);
        break;
      case "input":
        // A graph is given input only while it stands still: what is open was interrupted.
        if (scope.node === undefined) this.forget();
        this.note(this.root, event, at);
        break;
      case "capacity":
        this.capacity(scope, at, event);
        break;
      case "model.error":
        // A call that failed before anything left is told of in its node.
        if (!this.calls.fail(at, event)) this.note(this.spanOf(scope), event, at);
        break;
      default:
        this.note(this.spanOf(scope), event, at);
    }
    this.spanOf(scope).touch(at);
    return true;
  }

  /** Ends everything where something last happened. */
  close(): void {
    this.settle();
    this.root.endChildren();
    this.root.end(this.root.last);
  }

  private begin({ graph, model, offline, resumed, task, code }: EventOf<"run.start">): void {
    this.bounded = true;
    this.root.span.updateName(`invoke_agent ${graph}`);
    this.root.span.setAttributes({
      "gen_ai.agent.name": graph,
      "gen_ai.request.model": model,
      "bulkhead.offline": offline,
      "bulkhead.resumed": resumed,
      ...Object.fromEntries(Object.entries(code ?? {}).map(([part, digest]) => [`bulkhead.code.${part}`, digest])),
      ...this.opted("gen_ai.input.messages", task === undefined ? undefined : messageOf(task)),
    });
  }

  private end({ status, error }: EventOf<"run.end">, at: number): void {
    this.root.span.setAttribute("bulkhead.status", status);
    if (status === "failed") this.root.fail(OTHER, error);
    this.settle();
    this.root.end(at);
  }

  /** The lowest trust that the run came to. Nothing is said when it did not fall. */
  private settle(): void {
    if (this.lowest !== undefined) this.root.span.setAttributes(labelAttributes(this.lowest));
  }

  private forget(): void {
    this.root.endChildren();
    this.nodes.clear();
    this.calls.clear();
    this.subagents = [];
  }

  private startNode(scope: Scope, at: number, { triggers, attempt }: EventOf<"node.start">): void {
    const node = scope.node ?? "node";
    const attributes = defined({
      "bulkhead.node": node,
      "bulkhead.step": scope.step,
      "bulkhead.lane": scope.lane,
      "bulkhead.send": scope.send,
      "bulkhead.node.attempt": attempt,
      "bulkhead.node.triggers": triggers === undefined ? undefined : [...triggers],
    });
    const place = placeOf(scope);
    const span = this.laneSpan(scope).open({ name: node, at, attributes });
    this.nodes.set(place, [...this.openAt(place), span]);
  }

  private endNode(scope: Scope, at: number, { ms, error, interrupted }: EventOf<"node.end">): void {
    const place = placeOf(scope);
    const open = this.openAt(place);
    const span = closest(open, at - ms, (each) => each.from);
    if (span === undefined) return;
    if (error !== undefined) span.fail(OTHER, error);
    if (interrupted) span.span.setAttribute("bulkhead.interrupted", true);
    span.end(at);
    const left = open.filter((each) => each !== span);
    if (left.length === 0) this.nodes.delete(place);
    else this.nodes.set(place, left);
  }

  private startSubagent(scope: Scope, at: number, { subagent, task, callId }: EventOf<"subagent.start">): void {
    const attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": subagent,
      "gen_ai.conversation.id": scope.thread,
      ...this.opted("gen_ai.input.messages", messageOf(task)),
    };
    const span = this.spanOf(scope).open({ name: `invoke_agent ${subagent}`, at, attributes });
    this.subagents.push({ name: subagent, place: placeOf(scope), lane: laneOf(subagent, callId), span });
  }

  private endSubagent(scope: Scope, at: number, { subagent, ok, label, ms }: EventOf<"subagent.end">): void {
    const place = placeOf(scope);
    const open = this.subagents.filter((each) => each.name === subagent && each.place === place);
    const ended = closest(open, at - ms, (each) => each.span.from);
    if (ended === undefined) return;
    ended.span.span.setAttributes(labelAttributes(label));
    if (!ok) ended.span.fail(OTHER);
    ended.span.end(at);
    this.subagents = this.subagents.filter((each) => each !== ended);
  }

  /** What happened to a call that is under way is told there; a fallback ends the request that it stands in for. */
  private capacity(scope: Scope, at: number, event: EventOf<"capacity">): void {
    this.note(this.calls.of(event.call) ?? this.spanOf(scope), event, at);
    if (event.event.kind === "fallback") this.calls.fallBack(event.call, at, event.event.reason);
  }

  private tool(scope: Scope, at: number, event: EventOf<"tool.response">): void {
    const attributes = {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.type": "function",
      ...toolAttributes(event.tool, event.callId),
      ...labelAttributes(event.label),
      ...this.opted("gen_ai.tool.call.arguments", JSON.stringify(event.arguments)),
    };
    const span = this.spanOf(scope).open({ name: `execute_tool ${event.tool}`, at: at - event.ms, attributes });
    if (!event.ok) span.fail(OTHER, this.content ? event.error : undefined);
    span.end(at);
  }

  private note(span: OpenSpan, event: RecordedEvent["event"], at: number): void {
    if (event.kind === "trust.fell") this.lowest = meet(this.lowest ?? event.to, event.to);
    span.touch(at);
    const told = spanEventOf(event, this.content);
    if (told !== undefined) span.event(told.name, told.attributes, at);
  }

  private opted(name: string, text: string | undefined): Attributes {
    return this.content && text !== undefined ? { [name]: text } : {};
  }

  /** The node execution an event belongs to; else the subagent of its lane, else the run. */
  private spanOf(scope: Scope): OpenSpan {
    return this.openAt(placeOf(scope))[0] ?? this.laneSpan(scope);
  }

  private openAt(place: string): readonly OpenSpan[] {
    return this.nodes.get(place)?.filter(({ ended }) => !ended) ?? [];
  }

  private laneSpan({ lane }: Scope): OpenSpan {
    if (lane === undefined) return this.root;
    this.subagents = this.subagents.filter(({ span }) => !span.ended);
    return this.subagents.find((each) => each.lane === lane)?.span ?? this.root;
  }
}

const placeOf = ({ lane, node, step, send }: Scope): string => JSON.stringify([lane, node, step, send]);

/** A message of the user, in the conventions' JSON. */
const messageOf = (text: string): string =>
  JSON.stringify([{ role: "user", parts: [{ type: "text", content: text }] }]);

/** Of several that run side by side under one name, the one that began nearest to `from`. */
function closest<Item>(items: readonly Item[], from: number, fromOf: (item: Item) => number): Item | undefined {
  const distance = (item: Item): number => Math.abs(fromOf(item) - from);
  return items.reduce<Item | undefined>(
    (best, item) => (best === undefined || distance(item) < distance(best) ? item : best),
    undefined,
  );
}
