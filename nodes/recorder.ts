// Writes every model call into the journal, whoever made it: planner, subagent, a prebuilt agent inside a node. It
// hangs on the graph as a LangChain callback handler, so that no node has to remember to do it.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import type { LLMResult } from "@langchain/core/outputs";
import { CAPACITY_EVENT, type CapacityEvent, obtainedOf } from "../capacity/index.js";
import type { HarnessEvent, Journal, Scope } from "../checkpoints/index.js";
import { LANE, messageOf, scopeOf } from "./step.js";

/** The messages of a finished model call. */
export const messagesOf = (output: LLMResult): BaseMessage[] =>
  output.generations.flat().flatMap((generation) => {
    const message = (generation as { message?: BaseMessage }).message;
    return message === undefined ? [] : [message];
  });

/** The handler. One per graph; it keeps only the model calls that are under way. */
export class Recorder extends BaseCallbackHandler {
  override readonly name = "bulkhead.recorder";
  override awaitHandlers = true;
  override raiseError = true; // A run that cannot be recorded must not go on as if it were.
  private readonly scopes = new Map<string, Scope>();

  constructor(private readonly journal: Journal) {
    super();
  }

  override handleChatModelStart(
    _model: unknown,
    _messages: BaseMessage[][],
    runId: string,
    _parent?: string,
    _extra?: Record<string, unknown>,
    _tags?: string[],
    metadata?: Record<string, unknown>,
  ): void {
    this.scopes.set(runId, scopeOfMetadata(metadata ?? {}));
  }

  override async handleLLMEnd(output: LLMResult, runId: string): Promise<void> {
    for (const message of messagesOf(output)) {
      const obtained = obtainedOf(message);
      if (obtained === undefined) continue; // A wrapper's inner call: the guarded call around it is recorded.
      const calls = (message as AIMessage).tool_calls ?? [];
      await this.record(runId, { kind: "model.response", obtained, toolCalls: calls.map((call) => call.name) });
    }
    this.scopes.delete(runId);
  }

  override async handleLLMError(error: unknown, runId: string): Promise<void> {
    await this.record(runId, { kind: "model.error", error: messageOf(error) });
    this.scopes.delete(runId);
  }

  override async handleCustomEvent(name: string, data: unknown, runId: string): Promise<void> {
    if (name === CAPACITY_EVENT) await this.record(runId, { kind: "capacity", event: data as CapacityEvent });
  }

  private async record(runId: string, event: HarnessEvent): Promise<void> {
    const scope = this.scopes.get(runId);
    if (scope !== undefined) await this.journal.append(scope, event);
  }
}

/** Callbacks see a run's identity as metadata: LangGraph copies simple `configurable` values there. */
const scopeOfMetadata = (metadata: Record<string, unknown>): Scope =>
  scopeOf({
    metadata: { ...metadata, [LANE]: metadata[LANE] },
    configurable: { thread_id: metadata["thread_id"], run_id: metadata["run_id"] },
  });
