// Puts a model's tool calls together from the parts in which they came. Servers differ in what they leave out: the index
// of a fragment, the id, or both; some repeat the name in every fragment, some give every call the same index or id. There
// is one rule for all of them, and what it puts together is what is judged, stored and run.

/** A part of a tool call: the whole of it, or a fragment of a stream. */
export interface CallPart {
  readonly index?: number;
  readonly id: string;
  readonly name: string;
  readonly args: string;
  /** What the server sent with it that no client asked for. */
  readonly extras?: Readonly<Record<string, unknown>>;
}

/** A tool call as the server sent it. */
export interface SentCall {
  /** The server's own id, `""` when it gave none. */
  readonly id: string;
  readonly name: string;
  /** The arguments as text. */
  readonly args: string;
  readonly extras: Readonly<Record<string, unknown>>;
}

interface Building {
  index: number | undefined;
  id: string;
  name: string;
  args: string;
  extras: Record<string, unknown>;
}

/** The calls of one answer. */
export class ToolCallAssembly {
  readonly #calls: Building[] = [];

  /** The calls so far, in the order in which they began. */
  get calls(): readonly SentCall[] {
    return this.#calls;
  }

  /** Adds the parts of one delta, or of a whole message. Two parts of one delta are two calls unless they say otherwise. */
  add(parts: readonly CallPart[]): void {
    const taken = new Set<Building>();
    for (const part of parts) {
      const call = this.#continued(part, taken) ?? this.#begun();
      taken.add(call);
      extend(call, part);
    }
  }

  #begun(): Building {
    const call = { index: undefined, id: "", name: "", args: "", extras: {} };
    this.#calls.push(call);
    return call;
  }

  /** The call that `part` goes on with; `undefined` when it begins another one. */
  #continued(part: CallPart, taken: ReadonlySet<Building>): Building | undefined {
    const call = this.#candidate(part);
    if (call === undefined || beginsAnother(call, part)) return undefined;
    // Two calls of a tool without arguments look like one call and its repetition, but for standing side by side.
    return taken.has(call) && (part.name !== "" || part.index === undefined) ? undefined : call;
  }

  #candidate({ index, id, name }: CallPart): Building | undefined {
    const last = this.#calls.at(-1);
    const withId = id === "" ? undefined : this.#calls.findLast((call) => call.id === id);
    if (index !== undefined) {
      const withIndex = this.#calls.findLast((call) => call.index === index);
      if (withIndex !== undefined) return withIndex;
      if (withId?.index === undefined && withId !== undefined) return withId;
      return name === "" && id === "" && last?.index === undefined ? last : undefined;
    }
    if (withId !== undefined) return withId;
    // A server that makes up an id for each fragment names the tool once.
    if (id !== "") return name === "" && last !== undefined && !isWhole(last.args) ? last : undefined;
    return last;
  }
}

/** Whether a part that could belong to `call` is the beginning of another one. */
function beginsAnother(call: Building, { index, id, name, args }: CallPart): boolean {
  if (name === "") return false;
  if (call.name === "") return false; // Its id came first.
  if (id !== "" && call.id !== "" && id !== call.id) return true;
  if (name !== call.name) return call.args !== "" || index === undefined; // Else the name comes in pieces as well.
  return isWhole(call.args) && args.trimStart().startsWith("{") && !isRepeated(call, id, args);
}

/** Whether a call is sent a second time, as some servers do at the end of a stream. */
const isRepeated = (call: Building, id: string, args: string): boolean =>
  id !== "" && id === call.id && args === call.args && isWhole(args);

function extend(call: Building, { index, id, name, args, extras }: CallPart): void {
  call.index ??= index;
  if (call.id === "") call.id = id;
  const isAgain = name !== "" && isRepeated(call, id, args);
  if (name !== call.name) call.name += name;
  if (!isAgain) call.args += args;
  Object.assign(call.extras, extras);
}

/** What arguments say: an object, or why they say nothing that could be run. */
export function parseArguments(text: string): Readonly<Record<string, unknown>> | undefined {
  const json = text.trim();
  if (json === "" || json === "null") return {}; // How servers write that a tool takes none.
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // That is the question that was asked.
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isWhole = (args: string): boolean => args !== "" && parseArguments(args) !== undefined;

/** The parts that LangChain's converter for OpenAI's protocol leaves as they came: `delta.tool_calls`. */
export function partsOfRaw(raw: readonly unknown[]): readonly CallPart[] {
  return raw.filter(isObject).map((entry) => {
    const { index, id, type: _, function: called, ...extras } = entry;
    const { name, arguments: args, ...inner } = isObject(called) ? called : {};
    return {
      ...(typeof index === "number" ? { index } : {}),
      id: textOf(id),
      name: textOf(name),
      args: argumentText(args),
      extras: stated({ ...extras, ...(Object.keys(stated(inner)).length === 0 ? {} : { function: stated(inner) }) }),
    };
  });
}

/** Arguments are text; some servers send the object itself. */
export const argumentText = (args: unknown): string =>
  typeof args === "string" ? args : args === undefined || args === null ? "" : (JSON.stringify(args) ?? "");

/** Without what says nothing. */
export const stated = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
