// More than that the code does the same: that the record is what was written, that each verdict follows from what it was
// judged by, and that the checkpoints are the ones the record names.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { type Journal, type RecordedEvent, verifyThread } from "../../checkpoints/index.js";
import { stateDigest } from "../../nodes/index.js";
import { definePolicy, judge, type Policy, PolicyError } from "../../trust/index.js";
import { questionOf } from "./policy.js";

/** One finding. Nothing found: all of it holds. */
export interface Finding {
  readonly about: "record" | "decision" | "checkpoint";
  readonly run?: string;
  readonly seq?: number;
  readonly step?: number;
  readonly message: string;
}

/** What {@link verifyRun} takes. */
export interface Verifying {
  readonly journal: Journal;
  /** Where the thread's checkpoints are. */
  readonly saver: BaseCheckpointSaver;
  readonly thread: string;
  readonly events: readonly RecordedEvent[];
}

/** What was found, and how many checkpoints were compared: none where the thread was imported, which brings none along. */
export interface VerifiedRun {
  readonly findings: readonly Finding[];
  readonly checkpoints: number;
}

/** Checks the chain, the decisions and the checkpoints of a thread. */
export async function verifyRun({ journal, saver, thread, events }: Verifying): Promise<VerifiedRun> {
  const found: Finding[] = [];
  const missing: Finding[] = [];
  let checkpoints = 0;
  const chain = await verifyThread(journal, thread);
  if (!chain.ok) found.push({ about: "record", ...chain.at, message: chain.problem });
  const policies = new Map<string, Policy | undefined>();
  for (const { scope, seq, event } of events) {
    const place = { run: scope.run, seq, ...(scope.step === undefined ? {} : { step: scope.step }) };
    if (event.kind === "gate.decision") {
      if (!policies.has(event.policy)) policies.set(event.policy, await policyOf(journal, event.policy));
      const policy = policies.get(event.policy);
      const problem =
        policy === undefined ? "the policy it was judged by is not in the record" : misjudged(event, policy);
      if (problem !== undefined) found.push({ about: "decision", ...place, message: `${event.tool}: ${problem}` });
    }
    if (event.kind !== "checkpoint") continue;
    const tuple = await saver.getTuple({
      configurable: { thread_id: scope.thread, checkpoint_ns: "", checkpoint_id: event.id },
    });
    const finding = (message: string): Finding => ({ about: "checkpoint", ...place, message });
    if (tuple === undefined) {
      missing.push(finding(`checkpoint ${event.id} is gone`));
      continue;
    }
    checkpoints += 1;
    const digest = stateDigest(tuple.checkpoint.channel_values, { redact: (text) => journal.keep(text).text });
    if (digest !== event.digest) {
      found.push(finding(`checkpoint ${event.id} is not what was saved: something else wrote it`));
    }
  }
  return { findings: checkpoints === 0 ? found : [...found, ...missing], checkpoints };
}

async function policyOf(journal: Journal, digest: string): Promise<Policy | undefined> {
  const document = await journal.document(digest);
  if (document === undefined) return undefined;
  try {
    const policy = definePolicy(document);
    return policy.digest === digest ? policy : undefined;
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}

/** The gate blocks what it may not ask about any more: too many questions are open. */
function misjudged(
  event: Extract<RecordedEvent["event"], { kind: "gate.decision" }>,
  policy: Policy,
): string | undefined {
  const { verdict, reasons } = judge(questionOf(event), policy);
  const flooded = event.verdict === "block" && verdict === "ask" && event.reasons.length > reasons.length;
  if (verdict === event.verdict || flooded) return undefined;
  return `the record says ${event.verdict}, and what it was judged by makes ${verdict}`;
}
