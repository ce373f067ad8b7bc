// The harness's own ids of messages and tool calls. Servers number their calls anew in every answer, leave ids out, or draw
// them from a few hundred: a later answer would replace an earlier message, and a call would pass for answered.

import { createHash, randomUUID } from "node:crypto";
import type { BaseMessage } from "@langchain/core/messages";
import { surrounding } from "./announce.js";

/** The metadata key that names a subagent's branch in the record. */
export const LANE = "bulkhead_lane";

/** Nine letters or digits: the strictest servers take nothing else as the id of a call. */
const CALL_ID_LENGTH = 9;

/** How many calls each task has made, by the configuration of its node: of whichever models, an id is given once. */
const turns = new WeakMap<object, number>();

/**
 * The id of the next answer: the same whenever the turn is taken again, and none that a message of the prompt has. `unique`
 * stands for the place outside a thread.
 */
export function nextMessageId(prompt: readonly BaseMessage[], unique: string = randomUUID()): string {
  const { metadata = {}, configurable } = surrounding() ?? {};
  const thread = configurable?.["thread_id"];
  const taken = new Set(prompt.map(({ id }) => id));
  for (let turn = configurable === undefined ? 0 : (turns.get(configurable) ?? 0); ; turn += 1) {
    const at = typeof thread === "string" ? [thread, ...placeOf(metadata), turn] : [unique, turn];
    const id = `ai-${hexOf(JSON.stringify(at)).slice(0, 24)}`;
    if (taken.has(id)) continue;
    if (configurable !== undefined) turns.set(configurable, turn + 1);
    return id;
  }
}

function placeOf(metadata: Readonly<Record<string, unknown>>): readonly unknown[] {
  const { langgraph_node: node, langgraph_step: step, langgraph_path: path, [LANE]: lane } = metadata;
  const namespace = metadata["langgraph_checkpoint_ns"];
  // A lane names one run of a subagent. A graph that is a node of another begins to count again in each of its runs.
  const nested = lane === undefined && typeof namespace === "string" && namespace.includes("|") ? namespace : null;
  return [lane ?? null, node ?? null, step ?? null, path ?? null, nested];
}

/** The id of the call at `index` of a message. */
export const callIdOf = (messageId: string, index: number): string =>
  (BigInt(`0x${hexOf(`${messageId} ${index}`).slice(0, 16)}`) % 36n ** BigInt(CALL_ID_LENGTH))
    .toString(36)
    .padStart(CALL_ID_LENGTH, "0");

const hexOf = (text: string): string => createHash("sha256").update(text).digest("hex");
