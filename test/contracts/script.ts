// A scripted model behind the real path: the offline provider's HTTP server with a brain that follows a script, so
// that capacity, streaming and labels are the ones of production. It fails on calls nobody scripted.

import {
  type Brain,
  type BrainAnswer,
  type BrainRequest,
  OfflineProvider,
  parseFault,
  readSettings,
  resolveModel,
} from "../../models/index.js";

/** Nothing in a test is worth a longer wait for capacity. */
const MAX_WAIT_MS = 5_000;
/** So that a second call does not wait for its place in the pace. */
const QUOTA = { requestsPerMinute: 60_000, tokensPerMinute: 6_000_000, inFlight: 32 };

/** One scripted answer: text, calls, or a function of the request. */
export type ScriptStep = string | BrainAnswer | ((request: BrainRequest) => string | BrainAnswer);

/** Calls the tools given. */
export const calls = (...toolCalls: [name: string, args: Record<string, unknown>][]): BrainAnswer => ({
  content: "",
  toolCalls: toolCalls.map(([name, args]) => ({ name, arguments: args })),
});

/** A brain that plays `steps` for the agent and `lanes` for subagents, found by a word of their system prompt. */
export function script(
  steps: readonly ScriptStep[],
  lanes: Readonly<Record<string, readonly ScriptStep[]>> = {},
): Brain {
  // The position follows from the history, so a repeated request gets the same answer again.
  return (request) => {
    const system = request.messages.find((message) => message.role === "system")?.content ?? "";
    const lane = Object.keys(lanes).find((word) => system.includes(word));
    const list = lane === undefined ? steps : (lanes[lane] ?? []);
    const position = request.messages.filter((message) => message.role === "assistant").length;
    const step = list[position];
    if (step === undefined) throw new Error(`no scripted answer ${position} for ${lane ?? "the agent"}`);
    const answer = typeof step === "function" ? step(request) : step;
    return typeof answer === "string" ? { content: answer, toolCalls: [] } : answer;
  };
}

/** A resolved model on a scripted brain. */
export function scriptedModel(brain: Brain, faults: readonly string[] = []) {
  const quotas = { "offline-large": QUOTA, "offline-small": QUOTA };
  const provider = new OfflineProvider({ brain, faults: faults.map(parseFault), quotas });
  const settings = readSettings({
    BULKHEAD_MAX_WAIT_MS: String(MAX_WAIT_MS),
    BULKHEAD_REQUESTS_PER_MINUTE: String(QUOTA.requestsPerMinute),
    BULKHEAD_TOKENS_PER_MINUTE: String(QUOTA.tokensPerMinute),
  });
  const resolved = resolveModel(settings, { provider });
  return { ...resolved, provider };
}
