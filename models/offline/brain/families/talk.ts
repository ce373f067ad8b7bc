// What needs no records: remembering, recalling, and saying what this stand-in can and cannot do.

import type { Goal } from "../intents.js";
import { call, just, type Plan } from "../plan.js";
import { declined, done, type Report, type Session } from "../session.js";
import { refusal, sentence } from "../wording.js";

/** Said whenever a task is not one of the workspace's. */
export const OUT_OF_DOMAIN =
  "I can find, summarise, compare, list and change customer records: notes, refunds, e-mails, tickets, deletions and merges of accounts. I am a rule-based stand-in, not a language model, so I cannot help with anything else; for that, configure a model.";

/** Stores a fact for later threads. */
export function* rememberFact(_session: Session, goal: Goal): Plan<Report> {
  const text = sentence(
    goal.text.replace(/^.*?\b(?:remember|keep in mind|bear in mind|memori[sz]e)\b[\s,:]*(?:that\b)?\s*/is, ""),
  );
  if (text === "") return declined("What shall I remember?");
  const result = yield* call("remember", { text });
  return result.status === "ok" ? done(`Remembered: ${text}`) : refusal("remembering that", result);
}

/** Tells what memory holds about the words of the question. */
export function recallFacts(session: Session, goal: Goal): Plan<Report> {
  const words = (goal.text.toLowerCase().match(/[\p{L}\p{N}-]{4,}/gu) ?? []).filter(
    (word) => !/^(?:what|remember|about|have|you)$/.test(word),
  );
  const about = session.memories.filter((line) => words.some((word) => line.toLowerCase().includes(word)));
  const lines = about.length > 0 ? about : session.memories;
  return just(
    done(
      lines.length === 0
        ? "I remember nothing about that."
        : ["I remember:", ...lines.map((line) => `- ${line}`)].join("\n"),
    ),
  );
}

/** In the domain, but no tool does it. */
export function unsupported(_session: Session, goal: Goal): Plan<Report> {
  const wish = goal.text.slice(0, 120).replace(/[.!?]+$/, "");
  return just(declined(`I have no tool for "${wish}", so I changed nothing. ${OUT_OF_DOMAIN}`));
}
