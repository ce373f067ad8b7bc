// Writes into the journal what a graph is given, every model call of a run, whoever makes it, and what comes in from
// outside. It hangs on the graph as a LangChain callback handler, so that no node has to remember to do it.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import { mapChatMessagesToStoredMessages } from "@langchain/core/messages";
import type { LLMResult } from "@langchain/core/outputs";
import {
  CAPACITY_EVENT,
  type CallWitness,
  type CapacityEvent,
  obtainedOf,
  type SentRequest,
  WITNESS,
} from "../capacity/index.js";
import { type HarnessEvent, type Journal, type KeptText, type Scope, takeApart } from "../checkpoints/index.js";
import { engineOf } from "./engine.js";
import { inputEvent } from "./input.js";
import type { OutsideWitness } from "./outside.js";
import { scopeOfMetadata } from "./scope.js";
import { messageOf } from "./step.js";

/** Whether a chain is a compiled graph: LangChain names it by where its class is from (langgraph 1.7.3). */
export const isGraph = (chain: unknown): boolean =>
  (chain as { id?: readonly unknown[] } | undefined)?.id?.[1] === "pregel";

/** The messages of a finished model call. */
export const messagesOf = (output: LLMResult): BaseMessage[] =>
  output.generations.flat().flatMap((generation) => {
    const message = (generation as { message?: BaseMessage }).message;
    return message === undefined ? [] : [message];
  });

/** A model call that is under way. */
interface Call {
  readonly scope: Scope;
  /** Digest and route of the prompt that was recorded last. */
  sent?: string;
  /** The last body that came back. */
  raw?: string;
}

/** The handler. One per graph; it keeps only the model calls that are under way. */
export class Recorder extends BaseCallbackHandler {
  override readonly name = "bulkhead.recorder";
  override awaitHandlers = true;
  override raiseError = true; // A run that cannot be recorded must not go on as if it were.
  readonly [WITNESS]: CallWitness & OutsideWitness;
  private readonly calls = new Map<string, Call>();

  constructor(private readonly journal: Journal) {
    super();
    this[WITNESS] = {
      sent: (call, request) => this.sent(call, request),
      received: (id, raw) => {
        const call = this.calls.get(id);
        if (call !== undefined) call.raw = raw;
      },
      keep: (text) => journal.keep(text),
      note: async (scope, event, texts) => void (await journal.append(scope, event, texts)),
    };
  }

  /** Below the graph itself, everything belongs to a node; and what it hangs on is not heard of here. */
  override async handleChainStart(
    chain: unknown,
    inputs: unknown,
    _runId: string,
    _runType?: string,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
  ): Promise<void> {
    if (metadata["langgraph_node"] !== undefined || metadata["thread_id"] === undefined) return;
    if (!isGraph(chain)) return; // A write from outside of a run passes a node's edges: its own event tells of it.
    const keep = (text: string) => this.journal.keep(text);
    const { event, texts } = await inputEvent(inputs, metadata["langgraph_auth_user_id"], keep);
    await this.journal.append(scopeOfMetadata(metadata), event, texts);
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
    this.calls.set(runId, { scope: scopeOfMetadata(metadata ?? {}) });
  }

  override async handleLLMEnd(output: LLMResult, runId: string): Promise<void> {
    const call = this.calls.get(runId);
    for (const message of messagesOf(output)) {
      const obtained = obtainedOf(message);
      if (obtained === undefined) continue; // A wrapper's inner call: the guarded call around it is recorded.
      const toolCalls = ((message as AIMessage).tool_calls ?? []).map(({ name }) => name);
      const cached =
        obtained.cache === undefined ? undefined : JSON.stringify(mapChatMessagesToStoredMessages([message])[0]);
      const raw = cached === undefined && call?.raw !== undefined ? this.journal.keep(call.raw) : undefined;
      const kept = cached === undefined ? undefined : this.journal.keep(cached);
      await this.record(
        runId,
        {
          kind: "model.response",
          call: runId,
          obtained,
          toolCalls,
          ...(raw === undefined ? {} : { raw: raw.digest }),
          ...(kept === undefined ? {} : { message: kept.digest }),
          ...engineOf(obtained, call?.raw),
        },
        [raw, kept],
      );
    }
    this.calls.delete(runId);
  }

  override async handleLLMError(error: unknown, runId: string): Promise<void> {
    const call = this.calls.get(runId);
    const raw = call?.raw === undefined ? undefined : this.journal.keep(call.raw);
    const { name, code, reason } = error as { name?: unknown; code?: unknown; reason?: unknown };
    await this.record(
      runId,
      {
        kind: "model.error",
        call: runId,
        error: messageOf(error),
        ...(typeof name === "string" ? { name } : {}),
        ...(typeof code === "string" ? { code } : {}),
        ...(typeof reason === "string" ? { reason } : {}),
        ...(raw === undefined ? {} : { raw: raw.digest }),
      },
      [raw],
    );
    this.calls.delete(runId);
  }

  override async handleCustomEvent(name: string, data: unknown, runId: string): Promise<void> {
    if (name !== CAPACITY_EVENT) return;
    await this.record(runId, { kind: "capacity", call: runId, event: data as CapacityEvent });
  }

  /** A retry sends the same prompt again: that is told by the capacity layer. */
  private async sent(id: string, { provider, endpoint, route, body }: SentRequest): Promise<void> {
    const call = this.calls.get(id);
    if (call === undefined) return;
    const { digest, text, bytes } = this.journal.keep(body);
    const name = `${route} ${endpoint} ${digest}`;
    delete call.raw;
    if (call.sent === name) return;
    call.sent = name;
    const { prompt, texts } = takeApart(text, (part) => this.journal.keep(part));
    await this.record(id, { kind: "model.request", call: id, provider, endpoint, route, digest, bytes, prompt }, texts);
  }

  private async record(
    runId: string,
    event: HarnessEvent,
    texts: readonly (KeptText | undefined)[] = [],
  ): Promise<void> {
    const scope = this.calls.get(runId)?.scope;
    if (scope === undefined) return;
    await this.journal.append(
      scope,
      event,
      texts.filter((text) => text !== undefined),
    );
  }
}
