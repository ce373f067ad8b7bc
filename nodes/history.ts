// What a model gets to read of a thread: the one place where messages of the state become the messages of a prompt. A
// state may hold whatever clients, edits and crashes have left in it; a provider refuses a history that is not valid with
// a 400, and would refuse every later one of the thread with it. So what leaves here is valid, always, and nothing that a
// person said is missing; a history that is valid already leaves as it came, because a replay compares prompts.

import { AIMessage, type BaseMessage, HumanMessage, RemoveMessage, ToolMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import { callIdOf, changed } from "../capacity/index.js";
import { soundMessages } from "../trust/index.js";
import { answersIn, answerTo, callsOf, type OpenCall, openCall, TASK_TOOL } from "./calls.js";
import type { EventOf } from "./outside.js";
import { isStopped } from "./stopped.js";

/** A call that no message of the thread answers. */
export interface LostCall extends OpenCall {
  /** Whether the next thing that was said is a person's. */
  readonly wentOn: boolean;
}

/** What became of a lost call, as far as anybody knows. */
type Fate = Pick<EventOf<"lost.calls">["calls"][number], "tool" | "outcome" | "key">;

/** What the messages alone tell: whether the user went on before the call was answered, or its answer is gone. */
export const outcomeOf = ({ name, wentOn }: LostCall): Fate["outcome"] => {
  if (!wentOn) return "unanswered";
  return name === TASK_TOOL ? "begun" : "cancelled";
};

/** What is said in place of an answer. */
export function closingText({ tool, outcome, key = "" }: Fate): string {
  switch (outcome) {
    case "cancelled":
      return "Cancelled: the user went on before it was answered.";
    case "begun":
      return "Outcome unknown: the user went on before it was answered. It may have begun; what it did by then stands.";
    case "unanswered":
      return "Outcome unknown: the conversation has no answer to this call. It may have run.";
    case "done":
      return `Done: ${tool} was carried out. Its result is not in this conversation.`;
    case "failed":
      return `Error: ${tool} was tried, and did not happen.`;
    case "in doubt":
      return `Outcome unknown: ${tool} was sent, and nobody knows whether it happened. Do not send it again. A person settles it with: bulkhead effects resolve ${key.slice(0, 12)} committed|failed --note "…"`;
  }
}

/** The calls that {@link history} has to close. */
export function lostCalls(messages: readonly BaseMessage[]): readonly LostCall[] {
  const shown = shownOf(messages);
  return [...answersIn(shown)].flatMap(([at, answers]) =>
    callsOf(shown[at] as BaseMessage).flatMap((call, index) =>
      answers[index] === undefined ? [lostCall(shown, at, call, index)] : [],
    ),
  );
}

function lostCall(shown: readonly BaseMessage[], at: number, call: CalledTool, index: number): LostCall {
  const next = shown.slice(at + 1).find((each) => !ToolMessage.isInstance(each));
  return { ...openCall(shown[at] as BaseMessage, call, index), wentOn: HumanMessage.isInstance(next) };
}

/**
 * The messages as they go to a provider: each message with calls is followed by one answer to each of them and by nothing
 * else, no answer stands elsewhere, and ids and names are such as providers take. `closings` says what is told in place of
 * answers that are missing, by the intents of the calls. Default: what the messages alone tell.
 */
export function history(messages: readonly BaseMessage[], closings?: ReadonlyMap<string, string>): BaseMessage[] {
  const shown = shownOf(messages);
  const answers = answersIn(shown);
  const taken = new Set<string>();
  return shown.flatMap((message, at) => {
    if (ToolMessage.isInstance(message)) return [];
    const given = answers.get(at);
    if (given === undefined) return [plain(message)];
    const made = callsOf(message);
    const calls = made.map((call, index) => soundCall(message, call, index, taken));
    const closed: ToolMessage[] = [];
    const kept: { readonly position: number; readonly answer: ToolMessage }[] = [];
    for (const [index, call] of calls.entries()) {
      const position = given[index];
      if (position === undefined) {
        const lost = lostCall(shown, at, made[index] as CalledTool, index);
        closed.push(
          answerTo(
            call,
            closings?.get(lost.intent) ?? closingText({ tool: lost.name, outcome: outcomeOf(lost) }),
            "error",
          ),
        );
      } else kept.push({ position, answer: answering(plain(shown[position] as ToolMessage), call.id) });
    }
    kept.sort((left, right) => left.position - right.position);
    return [withCalls(plain(message), calls), ...closed, ...kept.map(({ answer }) => answer)];
  });
}

type CalledTool = ToolCall & { readonly id: string };

/** Without what no model gets to read: the harness's own last words, and messages that say nothing. */
const shownOf = (messages: readonly BaseMessage[]): readonly BaseMessage[] =>
  soundMessages(messages).filter(
    (message) => !isStopped(message) && !RemoveMessage.isInstance(message) && !isEmpty(message),
  );

/** Providers refuse an answer without text and without calls: also one all of whose calls could not be read. */
const isEmpty = (message: BaseMessage): boolean =>
  AIMessage.isInstance(message) && callsOf(message).length === 0 && message.text.trim() === "";

/** Names of people, as providers take them. */
const NAME = /^[^\s<|\\/>]{1,64}$/;

/** Without what a provider reads into a message beside its text and its calls. */
function plain<Message extends BaseMessage>(message: Message): Message {
  const { name, content, additional_kwargs: kwargs } = message;
  const fields: Record<string, unknown> = {};
  if (name !== undefined && !NAME.test(name)) {
    fields["name"] = name.replaceAll(/[\s<|\\/>]+/g, "_").slice(0, 64) || undefined;
  }
  if (Array.isArray(content) && content.length === 0) fields["content"] = "";
  const isPlanner = AIMessage.isInstance(message);
  const foreign = isPlanner && callsOf(message).length > 0 ? ["function_call"] : ["function_call", "tool_calls"];
  const dropped = isPlanner ? foreign : [...foreign, "audio"];
  if (dropped.some((key) => kwargs[key] !== undefined)) {
    fields["additional_kwargs"] = Object.fromEntries(Object.entries(kwargs).filter(([key]) => !dropped.includes(key)));
  }
  return Object.keys(fields).length === 0 ? message : changed(message, fields);
}

/** Ids of calls and names of tools, as providers take them. */
const CALL_ID = /^[\w-]{1,40}$/;
const TOOL_NAME = /^[\w-]{1,64}$/;

/** A call whose id no other call of the history has. `taken`: those of the calls before. */
function soundCall(message: BaseMessage, call: CalledTool, index: number, taken: Set<string>): CalledTool {
  let { id } = call;
  for (let again = 0; !CALL_ID.test(id) || taken.has(id); again += 1) id = callIdOf(`${message.id} ${again}`, index);
  taken.add(id);
  const name = TOOL_NAME.test(call.name) ? call.name : call.name.replaceAll(/[^\w-]/g, "_").slice(0, 64) || "unnamed";
  return id === call.id && name === call.name ? call : { ...call, id, name };
}

function withCalls(message: BaseMessage, calls: readonly CalledTool[]): BaseMessage {
  const before = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  const isSame = calls.every(({ id, name }, index) => id === before[index]?.id && name === before[index]?.name);
  return isSame ? message : changed(message, { tool_calls: calls });
}

const answering = (message: ToolMessage, id: string): ToolMessage =>
  message.tool_call_id === id ? message : changed(message, { tool_call_id: id });
