// Runs the plans of a conversation in order. Earlier tasks are re-run over their own part of the history to learn what
// "it" and "them" refer to; an answer to a question of ours continues the task that asked.

import type { BrainRequest } from "../types.js";
import { auditAction } from "./auditor.js";
import { runTask } from "./families/index.js";
import { isEmpty, understand } from "./intents.js";
import { NO_SLOTS } from "./language.js";
import { drive, type Position } from "./plan.js";
import type { Focus, Report, Session } from "./session.js";
import { type Toolbox, toolbox } from "./toolbox.js";
import type { Task, Transcript } from "./transcript.js";

/** After this many model turns a task is given up, with an answer that says so. */
export const MOST_TURNS = 14;

/** Where the conversation stands: what the last task's plan came to, and the turns it took so far. */
export interface Standing {
  readonly position: Position<Report>;
  readonly turns: number;
}

type Role = "planner" | "researcher" | "auditor";

/** The part this call plays, by its system prompt. */
function roleOf(system: string): Role {
  if (/\byou are the auditor\b/i.test(system)) return "auditor";
  return /\byou are the researcher\b/i.test(system) ? "researcher" : "planner";
}

const memoriesOf = (system: string): readonly string[] => {
  const section = /^Memories\b[^\n]*\n((?:- .*(?:\n|$))+)/m.exec(system)?.[1] ?? "";
  return section.split("\n").flatMap((line) => (line.startsWith("- ") ? [line.slice(2)] : []));
};

interface Run extends Task {
  readonly dictated: string | undefined;
  readonly before: Focus;
  readonly session: Session;
  readonly position: Position<Report>;
}

/** Plays the conversation up to its last message. `undefined` when nobody asked for anything. */
export function standing(request: BrainRequest, transcript: Transcript): Standing | undefined {
  const tools = toolbox(request.tools);
  let last: Run | undefined;
  for (const task of transcript.tasks) last = run(request, transcript.system, tools, task, last);
  return last === undefined ? undefined : { position: last.position, turns: last.turns };
}

function run(request: BrainRequest, system: string, tools: Toolbox, task: Task, last: Run | undefined): Run {
  const open = last?.position.done === true && last.position.value.kind === "asked" ? last.position.value : undefined;
  const answers = last !== undefined && open !== undefined && isReply(task.text, open);
  const dictates = answers && open.wantsText === true;
  const goesOn = answers || (last?.position.done === false && isContinue(task.text));
  const text = !goesOn ? task.text : answers && !dictates ? `${last.text}\n${task.text}` : last.text;
  const steps = goesOn ? [...last.steps, ...task.steps] : task.steps;
  const dictated = dictates ? dictation(task.text) : goesOn ? last.dictated : undefined;
  const before = goesOn ? last.before : focusAfter(last);
  const role = roleOf(system);
  const session: Session = {
    careful: request.model === "offline-large",
    role: role === "researcher" ? "researcher" : "planner",
    tools,
    text,
    task: understand(answers && isRefusal(task.text) ? task.text : text),
    steps,
    dictated,
    memories: memoriesOf(system),
    before,
    focus: { customer: undefined, news: [] },
    seen: NO_SLOTS,
  };
  const position = drive(role === "auditor" ? auditAction(session) : runTask(session), tools, steps);
  return { text, steps, turns: task.turns, dictated, before, session, position };
}

function focusAfter(last: Run | undefined): Focus {
  if (last === undefined) return { customer: undefined, news: [] };
  const { focus, before } = last.session;
  return { customer: focus.customer ?? before.customer, news: focus.news.length > 0 ? focus.news : before.news };
}

/** Said to a task that was interrupted. */
const isContinue = (text: string): boolean =>
  /^(?:please\s+)?(?:go on|continue|carry on|resume|keep going|try again)\b[\w\s,]{0,20}[.!]*$/i.test(text) ||
  (understand(text).goAhead && understand(text).goals.length === 0);

const isRefusal = (text: string): boolean => {
  const { refused, goals } = understand(text);
  return refused && goals.length === 0;
};

/** Whether a message answers our question instead of asking for something new. */
function isReply(text: string, question: Report): boolean {
  const { goals, context, goAhead, refused } = understand(text);
  if (refused || goAhead) return true;
  const commands = goals.filter((goal) => !goal.bare);
  if (question.wantsText) return commands.every((goal) => isEmpty(goal.slots));
  if (commands.length > 0) return false;
  return goals.length > 0 || !isEmpty(context) || context.city !== undefined || text.split(/\s+/).length <= 6;
}

/** The dictated text without "say that" and quotes around it. */
const dictation = (text: string): string =>
  text
    .trim()
    .replace(
      /^(?:please\s+)?(?:say(?:ing)?|tell (?:them|him|her)|write|it should say|let (?:them|him|her) know)\b[\s:,]*(?:that\b)?\s*/i,
      "",
    )
    .replace(/^["“'](.*)["”']$/s, "$1");
