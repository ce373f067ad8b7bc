// The brain of the offline provider: a deterministic, rule-based policy for the customer-records workspace. It is not
// a language model. `offline-large` acts only on certain identities and asks otherwise; `offline-small` is honestly
// weaker: it takes the first match of a name search, asks no auditor and skips the cross-checks.

import type { BrainAnswer, BrainRequest } from "../types.js";
import { MOST_TURNS, standing } from "./conversation.js";
import { OUT_OF_DOMAIN } from "./families/talk.js";
import { fill, schemaOf } from "./structured.js";
import { summariseTranscript } from "./summary.js";
import { readTranscript } from "./transcript.js";

/**
 * Decides the next step of a conversation: tool calls, or the final answer. Pure: equal requests give equal answers.
 * Calls only bound tools, with arguments their schemas have; gives up a task after 14 turns. Never throws.
 */
export function answer(request: BrainRequest): BrainAnswer {
  const { calls, text } = decide(request);
  if (calls.length > 0)
    return { content: "", toolCalls: calls.map(({ tool, args }) => ({ name: tool, arguments: { ...args } })) };
  const schema = schemaOf(request.response_format);
  return { content: schema === undefined ? text : JSON.stringify(fill(schema, text)), toolCalls: [] };
}

function decide(request: BrainRequest): {
  calls: readonly { tool: string; args: Readonly<Record<string, unknown>> }[];
  text: string;
} {
  const transcript = readTranscript(request.messages);
  if (/\bsummari[sz]e the conversation\b/i.test(transcript.system)) {
    const said = request.messages
      .filter((message) => message.role !== "system")
      .map(({ role, content }) => (role === "user" ? content : `${role}: ${content}`));
    return { calls: [], text: summariseTranscript(said.join("\n\n")) };
  }
  const where = standing(request, transcript);
  if (where === undefined) return { calls: [], text: OUT_OF_DOMAIN };
  if (where.position.done) return { calls: [], text: where.position.value.text };
  if (where.turns >= MOST_TURNS) {
    const next = where.position.calls.map((call) => call.tool).join(", ");
    return {
      calls: [],
      text: `I stopped after ${MOST_TURNS} steps without finishing; the next would have been ${next}. What was done so far stands.`,
    };
  }
  return { calls: where.position.calls, text: "" };
}
