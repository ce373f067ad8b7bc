// The one runner that brings a subagent's trust back. Whatever the graph is and however its run ends, the parent
// gets the meet of all that the subagent read, was told and computed. Only where there is no capacity there is no end: the
// run is parked as a whole, and the subagent goes on where it was.

import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import type { RunnableConfig } from "@langchain/core/runnables";
import { isGraphBubbleUp } from "@langchain/langgraph";
import { CapacityWaitError, LANE, trustOfAnswer } from "../capacity/index.js";
import { laneOf } from "../checkpoints/index.js";
import { isStopped, messageOf, partialResult, type SubagentPort, type SubagentResult } from "../nodes/index.js";
import {
  AXES,
  begin,
  deficitsOf,
  type FloorSpecification,
  floorOf,
  type Label,
  label,
  mark,
  meetMarks,
  parseCauses,
  parseLabel,
  strict,
  TOP,
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
  /**
   * What a graph without the trust channel may have read beyond its models and tools, given as the axes below nominal.
   * Default `{ integrity: 0 }`: nobody can see what its nodes do. Say `{}` for a graph that reads only through tools.
   */
  readonly source?: Partial<Label>;
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

const hasTrustChannel = (graph: SubagentGraph): boolean =>
  (graph as { channels?: { trust?: { lc_graph_name?: unknown } } }).channels?.trust?.lc_graph_name === "Trust";

/** The child's whole-trajectory label, from its own channel. */
function labelOfState(result: unknown): TrustMark {
  const trust = (result as { trust?: unknown })?.trust;
  return { ...parseLabel(trust), causes: parseCauses((trust as { causes?: unknown })?.causes) };
}

/** A graph without the channel: its declared source, and every answer that did not come from a guarded model. */
const labelOfMessages = (result: unknown, source: TrustMark, at: string): TrustMark =>
  meetMarks(
    source,
    ...((result as { messages?: BaseMessage[] })?.messages ?? [])
      .filter((message) => AIMessage.isInstance(message))
      .map((message) => trustOfAnswer(message, at)),
  );

/** Wraps any compiled graph as a subagent, without laundering trust. */
export function asSubagent(wrapping: SubagentWrapping): SubagentPort {
  const { name, description, graph, floor, recursionLimit = 60 } = wrapping;
  const labelled = hasTrustChannel(graph);
  const source = labelled ? TOP : mark(label(wrapping.source ?? { integrity: 0 }), `${name} has no trust channel`);
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
        metadata: { ...step.config.metadata, [LANE]: laneOf(name, callId) },
        signal: step.signal,
      };
      try {
        const input = { messages: [new HumanMessage(task)], trust: begin(trust, trust.causes) };
        const result = await graph.invoke(input, config);
        const own = labelled ? labelOfState(result) : labelOfMessages(result, source, `${name}, ${step.at}`);
        const mark = meetMarks(collector.mark, own);
        const messages = (result as { messages?: BaseMessage[] })?.messages ?? [];
        const complete = !isStopped(messages.at(-1));
        return withheld(name, floor, {
          content: complete ? lastText(result) : partialResult(messages),
          mark,
          complete,
        });
      } catch (error) {
        if (isGraphBubbleUp(error) || CapacityWaitError.isInstance(error) || step.signal.aborted) throw error;
        return withheld(name, floor, {
          content: messageOf(error),
          mark: meetMarks(collector.mark, source),
          complete: false,
        });
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
  const deficits = deficitsOf(result.mark, floorOf(floor, strict.document.floor));
  if (deficits.length === 0) return result;
  const axes = AXES.filter((axis) => deficits.some((deficit) => deficit.axis === axis)).join(", ");
  return {
    content: `${name}'s answer is withheld: its trust is below the floor on ${axes}.`,
    mark: result.mark,
    complete: result.complete,
  };
}
