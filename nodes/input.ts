// What a graph is given, as text and back: state to begin with, a bare resume, or a command with an answer. Messages keep
// their classes, so that a replay gives a graph exactly what it was given.

import { Command, isCommand } from "@langchain/langgraph";
import { JsonPlusSerializer } from "@langchain/langgraph-checkpoint";
import type { KeptText } from "../checkpoints/index.js";
import type { EventOf } from "./outside.js";

const serializer = new JsonPlusSerializer();

/** A value as JSON, with classes of LangChain named. */
export async function toText(value: unknown): Promise<string> {
  const [, bytes] = await serializer.dumpsTyped(value);
  return new TextDecoder().decode(bytes);
}

/** The value that {@link toText} made text of. */
export const fromText = (text: string): Promise<unknown> => serializer.loadsTyped("json", text);

/** The event for what a graph is given. `inputs` is what LangChain's callbacks are told: a bare resume is `{ input: null }`. */
export async function inputEvent(
  inputs: unknown,
  by: unknown,
  keep: (text: string) => KeptText,
): Promise<{ readonly event: EventOf<"input">; readonly texts: readonly KeptText[] }> {
  const told = typeof by === "string" ? { by } : {};
  if ((inputs as { input?: unknown } | null)?.input === null) {
    return { event: { kind: "input", as: "resume", ...told }, texts: [] };
  }
  const given = isCommand(inputs) ? { command: partsOf(inputs as Command) } : { input: inputs };
  const value = keep(await toText(given));
  const as = isCommand(inputs) ? "resume" : "input";
  return { event: { kind: "input", as, value: value.digest, ...told }, texts: [value] };
}

const partsOf = ({ resume, update, goto }: Command) => ({
  ...(resume === undefined ? {} : { resume }),
  ...(update === undefined ? {} : { update }),
  ...(Array.isArray(goto) && goto.length === 0 ? {} : { goto }),
});

/** What to give a graph again. `text`: what the event names; unset for a bare resume. */
export async function inputFrom(text: string | undefined): Promise<unknown> {
  if (text === undefined) return null;
  const given = (await fromText(text)) as { input?: unknown; command?: ConstructorParameters<typeof Command>[0] };
  return given.command === undefined ? given.input : new Command(given.command);
}
