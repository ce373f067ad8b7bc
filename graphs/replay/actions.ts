// What came to a thread from outside of its graph, in the order in which it came: inputs, decisions of people, writes into
// its state, settled effects. A replay does the same again; everything else follows.

import type { ApprovalRecord, HarnessEvent, Journal } from "../../checkpoints/index.js";
import type { EventOf } from "../../nodes/index.js";
import { canonicalJson } from "../../trust/index.js";
import type { Counted } from "./attempts.js";
import type { Positioned } from "./place.js";

/** One of them. */
export interface Action extends Positioned {
  readonly event: HarnessEvent;
  /** Whether the run it began was cut off: by a crash, or by Ctrl-C. What a resume did then, the replay has done already. */
  readonly cut: boolean;
}

const ACTIONS = new Set<HarnessEvent["kind"]>(["input", "state.update", "effect", "thread.derived"]);

/** The actions in a record. A server's runs do not say that they end: one was cut off where a node of it never ended. */
export function actionsIn({ record, cutAt }: Pick<Counted, "record" | "cutAt">): readonly Action[] {
  const ends = new Map<string, EventOf<"run.end">["status"] | undefined>();
  for (const { recorded } of record) {
    const { event, scope } = recorded;
    if (event.kind === "run.start") ends.set(scope.run, undefined);
    if (event.kind === "run.end") ends.set(scope.run, event.status);
  }
  return record.flatMap((each) => {
    const { event, scope } = each.recorded;
    if (!ACTIONS.has(event.kind) || scope.node !== undefined) return [];
    if (event.kind === "effect" && event.by === undefined) return [];
    const status = ends.get(scope.run);
    const next = record.find(({ recorded, index }) => index > each.index && recorded.event.kind === "input");
    const died = cutAt.some((index) => index > each.index && index < (next?.index ?? Number.POSITIVE_INFINITY));
    const cut = died || (ends.has(scope.run) && (status === undefined || status === "interrupted"));
    return [{ ...each, event, cut }];
  });
}

/** Whether the record stops in the middle of a run. */
export const isOpen = (counted: Pick<Counted, "record" | "cutAt">): boolean =>
  actionsIn(counted).findLast(({ event }) => event.kind === "input")?.cut ?? false;

/**
 * Decides in the replay what people had decided in the record by then; `known` are the approvals of the record. What was
 * decided by an answer to the graph is none of it: that is an input. Returns whether there was anything.
 */
export async function decideAgain(
  journal: Journal,
  thread: string,
  until: number,
  known: readonly ApprovalRecord[],
): Promise<boolean> {
  let decided = false;
  const due = known.filter(({ decidedBy, decidedAt }) => decidedBy !== undefined && (decidedAt ?? Infinity) <= until);
  for (const { tool, callId, arguments: args, status, decidedBy = "", authenticated = "none", reason, edited } of due) {
    const asked = (await journal.approvals({ thread, status: "pending" })).find(
      (each) => each.tool === tool && each.callId === callId && canonicalJson(each.arguments) === canonicalJson(args),
    );
    if (asked === undefined) continue;
    decided = true;
    const approver = { by: decidedBy, authenticated };
    if (edited !== undefined) await journal.editApproval(asked.id, edited, approver);
    else await journal.decideApproval(asked.id, status === "rejected" ? "rejected" : "approved", approver, reason);
  }
  return decided;
}

/** Settles in the replay an effect that a person settled in the record. */
export async function settleAgain(journal: Journal, { recorded: { scope }, event }: Action): Promise<void> {
  if (event.kind !== "effect" || event.by === undefined || event.compensates !== undefined) return;
  if (event.status !== "committed" && event.status !== "failed") return;
  const doubted = (await journal.effects({ thread: scope.thread })).filter(({ status }) => status === "in_doubt");
  const one = doubted.find(({ key }) => key === event.key) ?? doubted.find(({ tool }) => tool === event.tool);
  if (one !== undefined) await journal.resolveEffect(one.key, event.status, event.by, event.note ?? "");
}
