// What every node of the harness does around its own work: say where it is, record that it ran, and make a fall of
// the trust visible and lasting. One wrapper, so that no node can forget it.

import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { isGraphBubbleUp } from "@langchain/langgraph";
import type { HarnessEvent, Journal, Scope } from "../checkpoints/index.js";
import {
  BOTTOM,
  hasChannel,
  isAtMost,
  type Label,
  mark,
  meet,
  meetMarks,
  readTrust,
  TOP,
  type Trust,
  type TrustMark,
  trustOf,
} from "../trust/index.js";
import type { OpenCall } from "./calls.js";
import { callDigest, injectedMark, unlabelled, type Values, vouch, weigh } from "./provenance.js";
import { type NodeRole, withRole } from "./role.js";
import { scopeOf } from "./scope.js";
import { messageOf } from "./text.js";
import { chance, now } from "./time.js";

export { messageOf } from "./text.js";

/** The LangChain custom event that tells an enclosing runner of a mark. */
export const MARK_EVENT = "bulkhead.mark";

/** What a node's body gets beside the state. */
export interface Step {
  readonly config: LangGraphRunnableConfig;
  readonly scope: Scope;
  /** The thread that this one was derived from: effects happen once under it, and labels belong to it. */
  readonly root: string;
  /** Whether the thread was derived from another one: it repairs or forks that, and takes no fallback. */
  readonly derived: boolean;
  /**
   * The trust channel as it stood when the superstep began, whatever the node's input object says; at the bottom when
   * the node was given a value that nothing in this thread wrote, as low as a value that came in from outside of a run.
   */
  readonly trust: Trust;
  /** `planner#4`: for causes. */
  readonly at: string;
  readonly signal: AbortSignal;
  record(event: HarnessEvent): Promise<void>;
  /** Milliseconds since the epoch, recorded: a node that uses it can be replayed, one that looks at `Date` cannot. */
  now(): Promise<number>;
  /** A number of at least 0 and less than 1, recorded in the same way. */
  random(): Promise<number>;
  /** Labels values that reach the state in another way than by the node's update: with the label of what it read. */
  vouch(values: Values): Promise<void>;
  /** The label of a call by what it was made from: its arguments and what decided on it. Unknown is the bottom. */
  lineageOf(call: OpenCall): Label;
}

/** A node's return value: state keys to write, and the mark to meet into the trust. */
export type NodeUpdate = Record<string, unknown> & { readonly trust?: TrustMark | { readonly begins: TrustMark } };

/** What of its input a node reads: all values that can carry outside content, unless it says less. */
export type Reads<State> = (state: State, config: LangGraphRunnableConfig) => Values;

const everything = (state: unknown): Values => (typeof state === "object" && state !== null ? state : {});

/**
 * Makes a graph node of a body. Looks up the labels of what it reads and drops to the bottom when something there was
 * never labelled; keeps the label of what it writes; records start and end; lowers the thread's floor with the trust;
 * re-throws LangGraph's bubble-ups (interrupts, drains) untouched; declares the node's role to the graph check.
 */
export function harnessNode<State>(
  role: NodeRole,
  journal: Journal,
  body: (state: State, step: Step) => Promise<NodeUpdate>,
  reads: Reads<State> = everything,
): (state: State, config: LangGraphRunnableConfig) => Promise<NodeUpdate> {
  return withRole(async (state: State, config: LangGraphRunnableConfig): Promise<NodeUpdate> => {
    const scope = scopeOf(config);
    const thread = await journal.thread(scope.thread);
    const channel = readTrust(config) ?? trustOf(BOTTOM);
    const started = journal.clock.now();
    const at = `${scope.node ?? "node"}#${scope.step ?? 0}`;
    const record = async (event: HarnessEvent): Promise<void> => {
      await journal.append(scope, event);
    };
    await record({ kind: "node.start", ...circumstancesOf(config) });
    const read = await weigh(journal, scope.thread, reads(state, config));
    const fall = thread?.forged
      ? mark(BOTTOM, "the journal's record of this thread was changed outside the harness", at)
      : injectedMark(read, channel, at);
    const missing = unlabelled(read).map((each) => each.at);
    if (missing.length > 0) await record({ kind: "label.missing", values: missing });
    const step: Step = {
      config,
      scope,
      root: thread?.root ?? scope.thread,
      derived: thread !== undefined && thread.root !== thread.thread,
      trust: fall === undefined ? channel : lowered(channel, fall),
      at,
      signal: config.signal ?? new AbortController().signal,
      record,
      now: () => now(config, journal.clock),
      random: () => chance(config),
      vouch: (values) => vouch(journal, scope.thread, values, read.label),
      lineageOf: (call) => read.labels.get(callDigest(call)) ?? BOTTOM,
    };
    try {
      const update = withFall(await body(state, step), fall);
      requireKeys(update, config);
      await vouch(journal, scope.thread, update as Values, meet(read.label, markIn(update) ?? TOP));
      await recordFall(journal, { ...step, trust: channel }, update);
      await record({ kind: "node.end", ms: journal.clock.now() - started });
      return update;
    } catch (error) {
      const ms = journal.clock.now() - started;
      await record({
        ...{ kind: "node.end", ms },
        ...(isGraphBubbleUp(error)
          ? { interrupted: true }
          : { error: messageOf(error), ...(step.signal.aborted ? { aborted: true } : {}) }),
      });
      throw error;
    }
  }, role);
}

/** LangGraph drops what a graph's state has no key for, without a word. */
function requireKeys(update: NodeUpdate, config: LangGraphRunnableConfig): void {
  const unknown = Object.keys(update).find((key) => !hasChannel(config, key));
  if (unknown === undefined) return;
  throw new Error(
    `the node writes ${JSON.stringify(unknown)}, which the graph's state does not have: add it to the state`,
  );
}

/** What made the node run, and for the how many'th time. */
function circumstancesOf({ metadata = {}, executionInfo }: LangGraphRunnableConfig) {
  const triggers = metadata["langgraph_triggers"];
  const attempt = executionInfo?.nodeAttempt ?? 1;
  return {
    ...(Array.isArray(triggers) ? { triggers: triggers.map(String) } : {}),
    ...(attempt > 1 ? { attempt } : {}),
  };
}

const lowered = (trust: Trust, fall: TrustMark): Trust => {
  const { causes = [], ...label } = meetMarks(trust, fall);
  return { ...trustOf(label, causes), violations: trust.violations };
};

const markIn = ({ trust }: NodeUpdate): TrustMark | undefined =>
  trust === undefined ? undefined : "begins" in trust ? trust.begins : trust;

/** A beginning stays one: the thread begins with what was read already met into it. */
function withFall(update: NodeUpdate, fall: TrustMark | undefined): NodeUpdate {
  if (fall === undefined) return update;
  const { trust } = update;
  if (trust === undefined) return { ...update, trust: fall };
  return {
    ...update,
    trust: "begins" in trust ? { begins: meetMarks(trust.begins, fall) } : meetMarks(trust, fall),
  };
}

async function recordFall(journal: Journal, step: Step, update: NodeUpdate): Promise<void> {
  const mark = markIn(update);
  if (mark === undefined) return;
  // A beginning is measured against the top: a thread that starts lower has something to explain as well.
  const from = meet(update.trust !== undefined && "begins" in update.trust ? TOP : step.trust);
  await dispatchCustomEvent(MARK_EVENT, mark, step.config);
  const to = meet(from, mark);
  if (isAtMost(from, to)) return;
  await journal.lowerFloor(step.scope.thread, to);
  const causes = (mark.causes ?? []).filter((cause) => cause.rank < from[cause.axis]);
  await step.record({ kind: "trust.fell", from, to, causes });
}
