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
  readonly #tools: readonly string[];
  #doubt: string | undefined;

  /** `tools`: the names of the tools that may be called, which tell a name from a piece of one. */
  constructor(tools: readonly string[] = []) {
    this.#tools = tools;
  }

  /** The calls so far, in the order in which they began. */
  get calls(): readonly SentCall[] {
    return this.#calls;
  }

  /** Why it cannot be told which part belongs to which call; `undefined` when it can. */
  get doubt(): string | undefined {
    return this.#doubt;
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
    if (call === undefined) return undefined;
    if (this.#beginsAnother(call, part)) {
      // Is the first one without arguments, or is this its second half under another id?
      if (call.args === "" && part.index !== undefined && part.index === call.index) this.#doubtOf(call);
      return undefined;
    }
    // Two calls of a tool without arguments look like one call and its repetition, but for standing side by side.
    if (taken.has(call) && (part.name !== "" || part.index === undefined)) return undefined;
    if (part.name === call.name && part.name !== "" && part.args === "" && call.args === "") this.#doubtOf(call);
    return call;
  }

  #candidate({ index, id, name }: CallPart): Building | undefined {
    const withId = id === "" ? undefined : this.#calls.findLast((call) => call.id === id);
    if (withId !== undefined) return withId;
    if (index !== undefined) {
      const same = this.#calls.filter((call) => call.index === index);
      if (same.length > 0) return name === "" && id === "" ? this.#onlyOpen(same) : same.at(-1);
      return name === "" && id === ""
        ? this.#onlyOpen(this.#calls.filter((call) => call.index === undefined))
        : undefined;
    }
    if (name !== "") return id === "" ? this.#calls.at(-1) : undefined;
    // A server that makes up an id for each fragment names the tool once.
    return this.#onlyOpen(this.#calls);
  }

  /** The one call that is not whole yet; the last, and a doubt, when there are several. */
  #onlyOpen(calls: readonly Building[]): Building | undefined {
    const open = calls.filter(({ args }) => !isWhole(args));
    if (open.length > 1) this.#doubtOf(open[0]);
    return open.at(-1) ?? calls.at(-1);
  }

  #doubtOf(call: Building | undefined): void {
    this.#doubt ??= `it cannot be told which arguments are those of its call of ${call?.name || "a tool"}`;
  }

  /** Whether a part that could belong to `call` is the beginning of another one. */
  #beginsAnother(call: Building, { index, id, name, args }: CallPart): boolean {
    if (name === "" || call.name === "") return false; // Its id came first.
    if (id !== "" && call.id !== "" && id !== call.id) return true;
    if (name !== call.name) {
      const isPiece = call.args === "" && index !== undefined && !this.#tools.includes(name);
      return !isPiece; // Else the name comes in pieces as well.
    }
    return args.trimStart().startsWith("{") && isWhole(call.args) && !isRepeated(call, index, id, args);
  }
}

/** Whether a call is sent a second time, as some servers do at the end of a stream. */
function isRepeated(call: Building, index: number | undefined, id: string, args: string): boolean {
  const isSame = id === "" ? index !== undefined && index === call.index : id === call.id;
  if (!isSame || !isWhole(args) || !isWhole(call.args)) return false;
  return canonical(args) === canonical(call.args);
}

const canonical = (args: string): string => JSON.stringify(JSON.parse(args));

function extend(call: Building, { index, id, name, args, extras }: CallPart): void {
  const isAgain = name !== "" && isRepeated(call, index, id, args);
  call.index ??= index;
  if (call.id === "") call.id = id;
  if (name !== call.name) call.name += name;
  if (!isAgain) call.args += args;
  merge(call.extras, extras ?? {});
}

/** Lays what a later fragment says over what an earlier one said. */
export function merge(into: Record<string, unknown>, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    const before = into[name];
    if (isObject(before) && isObject(value)) {
      const both = { ...before };
      merge(both, value);
      into[name] = both;
    } else into[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
  }
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

// Most fragments do not end an object: they are told without being parsed.
const isWhole = (args: string): boolean => /\}\s*$/.test(args.slice(-16)) && parseArguments(args) !== undefined;

/** The parts that LangChain's converter for OpenAI's protocol leaves as they came: `delta.tool_calls`. */
export function partsOfRaw(raw: readonly unknown[]): readonly CallPart[] {
  return raw.filter(isObject).map((entry) => {
    const { index, id, type: _, function: called, ...extras } = entry;
    const { name, arguments: args, ...inner } = isObject(called) ? called : {};
    return {
      ...indexOf(index),
      id: textOf(id),
      name: textOf(name),
      args: argumentText(args),
      extras: stated({ ...extras, ...(Object.keys(stated(inner)).length === 0 ? {} : { function: stated(inner) }) }),
    };
  });
}

/** Some servers send the index as text. */
function indexOf(index: unknown): { readonly index?: number } {
  const number = typeof index === "string" && /^\d{1,4}$/.test(index) ? Number(index) : index;
  return typeof number === "number" ? { index: number } : {};
}

/** Arguments are text; some servers send the object itself. */
export const argumentText = (args: unknown): string =>
  typeof args === "string" ? args : args === undefined || args === null ? "" : (JSON.stringify(args) ?? "");

/** Without what says nothing. */
export const stated = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
