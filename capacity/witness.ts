// What passes between a model call and the provider can be watched, and can be stood in for: a recorder writes it down, a
// replay gives it out again. Either is a LangChain callback handler with one property more, so that it reaches every
// model of a run, whoever calls it, and nobody outside of the process can put one in.

import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { Obtained } from "./types.js";

/** A request as it leaves. */
export interface SentRequest {
  readonly provider: string;
  /** Host and path. */
  readonly endpoint: string;
  /** The model that is asked. */
  readonly route: string;
  /** The body, byte for byte. */
  readonly body: string;
}

/** Watches model calls. `call` is LangChain's id of the call's run. */
export interface CallWitness {
  /** A request leaves. Called for each attempt; the call fails when this does. */
  sent(call: string, request: SentRequest): Promise<void>;
  /** A body came back, whole: an answer, or what the provider said instead. */
  received(call: string, raw: string): void;
}

/** What a record has of one call. */
export type RecordedCall =
  | { readonly route: string; readonly raw: string; readonly obtained: Obtained }
  | { readonly error: Error; readonly raw?: string };

/** Answers model calls in place of their providers. */
export interface CallStandIn {
  /**
   * What was recorded of the call that would now send one of these requests. `requests` has one for each route that
   * would send any.
   *
   * @throws when there is no such call in the record.
   */
  recorded(call: string, requests: readonly SentRequest[]): Promise<RecordedCall>;
  /** The message of a cached answer, as LangChain stores it, when that is what was recorded here. */
  cached(call: string): Promise<string | undefined>;
}

/** The property that makes a handler a witness. */
export const WITNESS = Symbol.for("bulkhead.witness");
/** The property that makes a handler a stand-in. */
export const STAND_IN = Symbol.for("bulkhead.stand-in");

/** The handlers in a configuration's callbacks: a list of them, or LangChain's manager. */
export function handlersOf(callbacks: unknown): readonly object[] {
  if (Array.isArray(callbacks)) return callbacks;
  const handlers = (callbacks as { handlers?: unknown } | undefined)?.handlers;
  return Array.isArray(handlers) ? handlers : [];
}

/** The witness among handlers. */
export const witnessIn = <Witness = CallWitness>(handlers: readonly object[]): Witness | undefined =>
  found(handlers, WITNESS) as Witness | undefined;

/** The stand-in among handlers. */
const standInIn = (handlers: readonly object[]): CallStandIn | undefined =>
  found(handlers, STAND_IN) as CallStandIn | undefined;

const found = (handlers: readonly object[], key: symbol): unknown =>
  (handlers.find((handler) => key in handler) as Record<symbol, unknown> | undefined)?.[key];

/** Who watches one call, and who answers it. */
export interface Attendance {
  readonly call: string;
  readonly witness?: CallWitness;
  readonly standIn?: CallStandIn;
}

/** Who attends to the call of this run. LangChain passes no run manager to models under `streamEvents` version 3. */
export function attendanceOf(
  runManager: CallbackManagerForLLMRun | undefined,
  surrounding: unknown,
  newId: () => string,
): Attendance {
  const handlers = runManager?.handlers ?? handlersOf(surrounding);
  const witness = witnessIn(handlers);
  const standIn = standInIn(handlers);
  return {
    call: runManager?.runId ?? newId(),
    ...(witness === undefined ? {} : { witness }),
    ...(standIn === undefined ? {} : { standIn }),
  };
}
