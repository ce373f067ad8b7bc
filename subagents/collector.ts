// Collects the label of everything a graph does while it runs, by listening. It works for graphs that know nothing
// of trust (`createAgent`, `createDeepAgent`, anything compiled), and for runs that fail half-way.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { LLMResult } from "@langchain/core/outputs";
import { trustOfAnswer } from "../capacity/index.js";
import { MARK_EVENT, messagesOf } from "../nodes/index.js";
import {
  type Cause,
  describeCause,
  label,
  mark,
  meet,
  meetMarks,
  parseCauses,
  parseLabel,
  TOP,
  type TrustMark,
} from "../trust/index.js";

const nameOf = (serialized: unknown, given: string | undefined): string => {
  if (given !== undefined) return given;
  const id = (serialized as { id?: unknown })?.id;
  return Array.isArray(id) ? String(id.at(-1)) : "a tool";
};

/** Listens to one subagent run. Attach a new one for each run. */
export class TrustCollector extends BaseCallbackHandler {
  override readonly name = "bulkhead.collector";
  override awaitHandlers = true;
  private readonly heard: TrustMark[] = [];
  private readonly toolNames = new Map<string, string>();

  constructor(private readonly at: string) {
    super();
  }

  /** The meet of everything heard so far. Side by side, things are heard in any order: the mark is the same for all. */
  get mark(): TrustMark {
    const causes = this.heard.flatMap((each) => each.causes ?? []);
    return meetMarks(...this.heard.map((each) => meet(each)), { ...TOP, causes: causes.toSorted(worstFirst) });
  }

  override handleLLMEnd(output: LLMResult): void {
    for (const message of messagesOf(output)) this.add(trustOfAnswer(message, this.at));
  }

  override handleToolStart(
    tool: unknown,
    _input: string,
    runId: string,
    _parent?: string,
    _tags?: string[],
    _metadata?: Record<string, unknown>,
    runName?: string,
  ): void {
    this.toolNames.set(runId, nameOf(tool, runName));
  }

  override handleToolEnd(output: unknown, runId: string): void {
    const name = this.toolNames.get(runId) ?? "a tool";
    this.toolNames.delete(runId);
    const found = (output as { artifact?: { mark?: TrustMark } })?.artifact?.mark;
    this.add(
      found === undefined
        ? mark(label({ integrity: 0 }), `${name} declares no source`, this.at)
        : { ...parseLabel(found), causes: parseCauses(found.causes) },
    );
  }

  override handleToolError(_error: unknown, runId: string): void {
    this.add(mark(label({ integrity: 0 }), `error text of ${this.toolNames.get(runId) ?? "a tool"}`, this.at));
    this.toolNames.delete(runId);
  }

  override handleRetrieverEnd(): void {
    this.add(mark(label({ integrity: 0 }), "a retriever declares no source", this.at));
  }

  override handleCustomEvent(name: string, data: unknown): void {
    if (name !== MARK_EVENT) return;
    this.add({ ...parseLabel(data), causes: parseCauses((data as { causes?: unknown })?.causes) });
  }

  private add(heard: TrustMark): void {
    this.heard.push(heard);
  }
}

const worstFirst = (left: Cause, right: Cause): number =>
  left.rank - right.rank || (describeCause(left) < describeCause(right) ? -1 : 1);
