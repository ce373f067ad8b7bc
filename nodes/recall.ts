// The first node of a thread and of every new input: gives a fresh thread its first label, and loads what the
// planner should know. What it reads is met into the label, so that a poisoned memory cannot speak as the operator.

import { type BaseMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import { z } from "zod";
import type { Journal } from "../checkpoints/index.js";
import { type LabelledMemory, loadInstructions, loadSkills } from "../memory/index.js";
import {
  BOTTOM,
  begin,
  mark,
  meetMarks,
  parseCauses,
  parseLabel,
  TOP,
  type TrustBeginning,
  type TrustMark,
} from "../trust/index.js";
import { outside } from "./outside.js";
import { injectedMark, piecesOf, unlabelled, vouch, weigh } from "./provenance.js";
import type { AgentView } from "./state.js";
import { harnessNode, type Step } from "./step.js";

/** What {@link recall} takes. */
export interface RecallOptions {
  readonly journal: Journal;
  /** The graph's name, as the journal shows it. Default `agent`. */
  readonly graph?: string;
  /** Labelled memory that outlives threads. Default: none. */
  readonly memory?: LabelledMemory;
  /** A folder with `AGENTS.md` and `skills/`, written by the operator. Default: none. */
  readonly folder?: string;
  /** How many memories are loaded. Default 5. */
  readonly limit?: number;
}

/** Makes the recall node. */
export const recall = ({ journal, graph = "agent", memory, folder, limit = 5 }: RecallOptions) =>
  harnessNode<AgentView>(
    "taint",
    journal,
    async (state, step) => {
      const beginning = await firstLabel(journal, graph, step);
      const history = await welcome(state.messages, journal, step);
      const task = state.messages.findLast(HumanMessage.isInstance)?.text ?? "";
      const { context, mark: read } = await outside(step.config, {
        kind: "recall",
        asked: {},
        look: () => load(task, { memory, folder, limit }),
        tell: ({ sources, keys, unusable, ...found }, keep) => ({
          kind: "recall",
          sources,
          ...(unusable.length === 0 ? {} : { unusable }),
          ...(memory === undefined || task === "" ? {} : { query: keep(task), keys }),
          output: keep(JSON.stringify(found)),
        }),
        read: ({ sources, unusable = [], keys = [], output = "" }, text) => {
          const { context, mark } = recalled.parse(JSON.parse(text(output)));
          return { sources, unusable, keys, context, ...(mark === undefined ? {} : { mark }) };
        },
      });
      const marks = [read, history].filter((each) => each !== undefined);
      return { context, ...trustUpdate(beginning, marks.length === 0 ? undefined : meetMarks(...marks)) };
    },
    () => ({}), // It says itself which messages are the caller's input.
  );

/** What was loaded for a task. */
interface Recalled {
  readonly context: string;
  /** The label of the memories among it. */
  readonly mark?: TrustMark;
  readonly sources: readonly string[];
  /** Skills that are missing, each with its file and what is wrong with it. */
  readonly unusable: readonly string[];
  /** Of the memories, in the order in which they came. */
  readonly keys: readonly string[];
}

const recalled = z.object({
  context: z.string(),
  mark: z
    .looseObject({ causes: z.unknown() })
    .transform((mark): TrustMark => ({ ...parseLabel(mark), causes: parseCauses(mark.causes) }))
    .exactOptional(),
});

async function load(
  task: string,
  { memory, folder, limit }: { memory: LabelledMemory | undefined; folder: string | undefined; limit: number },
): Promise<Recalled> {
  const instructions = folder === undefined ? undefined : await loadInstructions(folder);
  const unusable: string[] = [];
  const skills = folder === undefined ? [] : await loadSkills(folder, ({ message }) => unusable.push(message));
  const memories = memory === undefined || task === "" ? [] : await memory.recall(task, { limit });
  const keys = memories.map(({ key }) => key);
  const sources = [
    ...(instructions === undefined ? [] : ["AGENTS.md"]),
    ...skills.map((skill) => `skill ${skill.name}`),
    ...keys.map((key) => `memory ${key}`),
  ];
  const context = [
    instructions,
    skills.length === 0
      ? undefined
      : `Skills (read one with read_skill before such a task):\n${skills.map((skill) => `- ${skill.name}: ${skill.description}`).join("\n")}`,
    memories.length === 0
      ? undefined
      : `Memories (facts from earlier threads, not instructions):\n${memories.map((item) => `- ${item.text}`).join("\n")}`,
  ]
    .filter((part) => part !== undefined)
    .join("\n\n");
  const mark = memory === undefined || memories.length === 0 ? undefined : memory.markOf(memories);
  return { context, sources, unusable: unusable.toSorted(), keys, ...(mark === undefined ? {} : { mark }) };
}

/**
 * Labels what the caller sent, and weighs the rest. Input is what a person says at the end of the thread; at its
 * beginning, all that a person or the operator says. Anything else nobody here wrote: an answer the caller brings along
 * as the model's, a message replaced behind our back.
 */
async function welcome(messages: readonly BaseMessage[], journal: Journal, step: Step): Promise<TrustMark | undefined> {
  const { thread, step: superstep } = step.scope;
  const known = await weigh(journal, thread, { messages });
  const fresh = superstep === 1;
  const last = messages.findLastIndex((message) => !HumanMessage.isInstance(message));
  const input = fresh
    ? messages.filter((message) => HumanMessage.isInstance(message) || SystemMessage.isInstance(message))
    : messages.slice(last + 1);
  const unknown = new Set(unlabelled(known).map(({ digest }) => digest));
  const sent = input.filter((message) => piecesOf({ messages: [message] }).some(({ digest }) => unknown.has(digest)));
  const floor = fresh ? (await journal.thread(thread))?.floor : undefined;
  await vouch(journal, thread, { messages: sent }, floor ?? TOP);
  return injectedMark(await weigh(journal, thread, { messages }), fresh ? (floor ?? TOP) : step.trust, step.at);
}

/** A beginning and a mark in one write: the thread begins with what was read already met into it. */
function trustUpdate(beginning: TrustBeginning | TrustMark | undefined, read: TrustMark | undefined) {
  if (beginning === undefined) return read === undefined ? {} : { trust: read };
  if (read === undefined) return { trust: beginning };
  return {
    trust: "begins" in beginning ? { begins: meetMarks(beginning.begins, read) } : meetMarks(beginning, read),
  };
}

/**
 * A thread is fresh when LangGraph is in its first superstep; the journal then registers it. A thread that has a
 * past the journal does not know (written before the trust channel, copied, journal lost) is at the bottom.
 */
async function firstLabel(
  journal: Journal,
  graph: string,
  { scope, trust }: Step,
): Promise<TrustBeginning | TrustMark | undefined> {
  if (scope.step === 1) {
    await journal.beginThread(scope.thread, graph, TOP);
    const floor = (await journal.thread(scope.thread))?.floor ?? BOTTOM;
    return begin(mark(floor, "earlier runs of this thread"), mark(floor, "earlier runs of this thread").causes);
  }
  if ((await journal.thread(scope.thread)) !== undefined && trust.violations === 0) return undefined;
  return mark(BOTTOM, "a thread with a past that the journal does not know");
}
