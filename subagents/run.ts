// The one runner that brings a subagent's trust back. Whatever the graph is and however its run ends, the parent
// gets the meet of all that the subagent read, was told and computed.

import { HumanMessage, type BaseMessage } from "@langchain/core/messages";
import type { RunnableConfig } from "@langchain/core/runnables";
import { isGraphBubbleUp } from "@langchain/langgraph";
import { LANE, messageOf, type SubagentPort, type SubagentResult } from "../nodes/index.js";
import {
  AXES,
  begin,
  type FloorSpecification,
  judge,
  type Label,
  mark,
  meetMarks,
  readLabel,
  resolveFloor,
  strict,
  type TrustBeginning,
  type TrustMark,
} from "../trust/index.js";
import { TrustCollector } from "./collector.js";

/** The least a graph must be to serve as a subagent: any compiled LangGraph, `createAgent`, `createDeepAgent`. */
export interface SubagentGraph {
  invoke(input: { messages: BaseMessage[]; trust?: TrustBeginning }, config?: RunnableConfig): Promise<unknown>;
}

/** How a graph is wrapped. */
export interface SubagentWrapping {
  readonly name: string;
  readonly description: string;
  readonly graph: SubagentGraph;
  /** An answer below this label is withheld: the planner learns only that there was one. Default: no floor. */
  readonly floor?: FloorSpecification;
  /** Supersteps a run may take. Default 60. */
  readonly recursionLimit?: number;
}

const lastText = (result: unknown): string => {
  const messages = (result as { messages?: BaseMessage[] })?.messages;
  const text = messages?.at(-1)?.text;
  return text === undefined || text === "" ? "(no answer)" : text;
};

const labelOfState = (result: unknown): TrustMark[] => {
  const trust = (result as { trust?: unknown })?.trust;
  const read = readLabel(trust);
  return read === undefined ? [] : [{ ...read, causes: (trust as TrustMark).causes ?? [] }];
};

/** Wraps any compiled graph as a subagent, without laundering trust. */
export function asSubagent({ name, description, graph, floor, recursionLimit = 60 }: SubagentWrapping): SubagentPort {
  return {
    name,
    description,
    async run(task, { step, trust, callId }): Promise<SubagentResult> {
      const collector = new TrustCollector(`${name}, ${step.at}`);
      const inherited = step.config.callbacks;
      const config: RunnableConfig = {
        ...step.config,
        callbacks: Array.isArray(inherited) ? [...inherited, collector] : withHandler(inherited, collector),
        recursionLimit,
        metadata: { ...step.config.metadata, [LANE]: `${name}:${callId}` },
        signal: step.signal,
      };
      try {
        const input = { messages: [new HumanMessage(task)], trust: begin(trust, trust.causes) };
        const result = await graph.invoke(input, config);
        return withheld(name, floor, { content: lastText(result), mark: meetMarks(collector.mark, ...labelOfState(result)), complete: true });
      } catch (error) {
        if (isGraphBubbleUp(error) || step.signal.aborted) throw error;
        return withheld(name, floor, { content: messageOf(error), mark: collector.mark, complete: false });
      }
    },
  };
}

/** LangGraph hands a node a callback manager; a copy with one more inheritable handler reaches the whole subtree. */
function withHandler(manager: RunnableConfig["callbacks"], handler: TrustCollector) {
  if (manager === undefined || Array.isArray(manager)) return [...(manager ?? []), handler];
  const copy = manager.copy();
  copy.addHandler(handler, true);
  return copy;
}

function withheld(name: string, floor: FloorSpecification | undefined, result: SubagentResult): SubagentResult {
  if (floor === undefined) return result;
  const label: Label = result.mark;
  const { deficits } = judge(label, resolveFloor(floor, strict), strict);
  if (deficits.length === 0) return result;
  const axes = AXES.filter((axis) => deficits.some((deficit) => deficit.axis === axis)).join(", ");
  return {
    content: `${name}'s answer is withheld: its trust is below the floor on ${axes}.`,
    mark: meetMarks(result.mark, mark(label, `${name} below its floor`)),
    complete: result.complete,
  };
}
