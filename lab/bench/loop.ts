// An agent that goes round a fixed number of times: each turn is one model call and one tool call, through the real graph,
// the real capacity layer and HTTP. Its prompts, its answers and its tool's results are the same in every run.

import { randomUUID } from "node:crypto";
import { HumanMessage } from "@langchain/core/messages";
import type { BaseCheckpointSaver } from "@langchain/langgraph";
import { z } from "zod";
import { type Clock, systemClock } from "../../capacity/index.js";
import type { Journal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { type Brain, OfflineProvider, parseFault, readSettings, resolveModel } from "../../models/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";

/** What the agent of a benchmark does. */
export interface Loop {
  /** Planner turns that call the tool. One more ends the run. */
  readonly turns: number;
  /** Size of the agent's instructions, in bytes. */
  readonly promptBytes: number;
  /** How long the model takes to answer, in ms. */
  readonly latencyMs: number;
}

/** More than any loop asks for: what is measured is not the pacing. */
const PLENTY = 1_000_000;
const QUOTA = { requestsPerMinute: PLENTY, tokensPerMinute: PLENTY * 900, inFlight: 32 };
const SETTINGS = {
  BULKHEAD_REQUESTS_PER_MINUTE: String(QUOTA.requestsPerMinute),
  BULKHEAD_TOKENS_PER_MINUTE: String(QUOTA.tokensPerMinute),
};

const WORDS =
  `account address agree amount answer archive balance batch billing branch budget calendar carrier change charge check
   claim clerk close comment company confirm contact contract copy country credit customer damage date decide delay
   deliver deposit desk detail discount dispute document due duplicate email entry error estimate evidence expect
   export fee field file finance follow form freight goods handle history hold import include inform inquiry invoice
   issue item journal keep label ledger letter limit list locate mail manager market match meeting merge message
   missing month name note notice number offer office open order owner pack page paid paper parcel partner pay pending
   period person phone place policy price print proof quarter query queue rate reason receipt record refund region
   reject release remark reminder repair reply report request return review route rule sales sample search sell send
   service settle ship sign site staff state stock store street supply support tariff tax team term ticket time total
   track trade transfer unit update urgent vendor verify visit voucher warehouse week work year zone`.split(/\s+/);

/** Words that say nothing, as compressible as a letter. Equal seeds give equal text. */
export function textOf(bytes: number, seed: number): string {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' generator.
    return WORDS[(state >>> 8) % WORDS.length] ?? "";
  };
  let text = next();
  while (text.length < bytes) text += ` ${next()}`;
  return text.slice(0, bytes);
}

const TOOL_RESULT_BYTES = 300;
const REMARK_BYTES = 80;

/** What each turn calls. */
export const lookUp = defineTool({
  name: "look_up",
  description: "Reads one record.",
  schema: z.object({ record: z.number() }),
  effect: "none",
  source: {},
  run: ({ record }) => ({ record, text: textOf(TOOL_RESULT_BYTES, record) }),
}) as unknown as HarnessTool;

const brain =
  (turns: number): Brain =>
  ({ messages }) => {
    const turn = messages.filter(({ role }) => role === "assistant").length;
    if (turn >= turns) return { content: "That is all.", toolCalls: [] };
    return { content: textOf(REMARK_BYTES, turn + 1), toolCalls: [{ name: "look_up", arguments: { record: turn } }] };
  };

/** A model that answers after `latencyMs`, in each turn with a call of {@link lookUp}, and its provider. */
export function loopModel({ turns, latencyMs }: Loop, time: Clock = systemClock) {
  const late = latencyMs === 0 ? [] : [parseFault("slow")];
  // The fault waits for as long as the clock says.
  const clock = { ...time, sleep: (_ms: number, gone?: AbortSignal) => systemClock.sleep(latencyMs, gone) };
  const quotas = { "offline-large": QUOTA };
  const provider = new OfflineProvider({ brain: brain(turns), faults: late, clock, quotas });
  const resolved = resolveModel(readSettings(SETTINGS), { provider, clock: time });
  const close = async () => {
    await resolved.close();
    await provider.close();
  };
  return { ...resolved, provider, close };
}

/** One run of the loop, in a new thread: how long it took, and how much of the process's processor time, in ms. */
export async function runLoop(
  loop: Loop,
  journal: Journal,
  saver: BaseCheckpointSaver,
  signal: AbortSignal,
): Promise<{ readonly thread: string; readonly ms: number; readonly processorMs: number }> {
  const { turns, promptBytes } = loop;
  const resolved = loopModel(loop);
  const thread = `thread-${randomUUID()}`;
  try {
    const graph = agentGraph({
      journal,
      model: resolved,
      prompt: textOf(promptBytes, 0),
      tools: [lookUp],
      compaction: { summariseOver: Number.MAX_SAFE_INTEGER },
    }).compile({ checkpointer: saver });
    const task = { messages: [new HumanMessage("Go through the records.")] };
    const configurable = { thread_id: thread, run_id: randomUUID() };
    const started = performance.now();
    const before = process.cpuUsage();
    await graph.invoke(task as never, { configurable, signal, recursionLimit: 20 + turns * 5 });
    const { user, system } = process.cpuUsage(before);
    return { thread, ms: performance.now() - started, processorMs: (user + system) / 1_000 };
  } finally {
    await resolved.close();
  }
}
