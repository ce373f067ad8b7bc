// What a tool is in this house: a schema, a declared effect, a declared source, and a function. An effect that
// cannot be taken back runs only with a permit, whoever calls it.

import type { RunnableConfig } from "@langchain/core/runnables";
import { StructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import {
  canonicalJson,
  digest,
  type FloorSpecification,
  type Label,
  label,
  mark,
  meetMarks,
  parseLabel,
  TOP,
  type TrustMark,
} from "../trust/index.js";
import { asked } from "./asked.js";
import { type Effect, isGated, LabelledResult, type ToolContext, type ToolDefinition } from "./definition.js";
import { type Looking, type Preview, type ProbeOutcome, previewed, probeOutcome } from "./look.js";
import { OutcomeUnclearError } from "./outcome.js";
import { spendPermit } from "./permit.js";
import { bounded, MAX_RESULT, messageOf, textOf } from "./text.js";

export { type Effect, isGated, LabelledResult, labelled, type ToolContext, type ToolDefinition } from "./definition.js";

/** A tool's outcome: the text for the planner and the label of that text. */
export interface ToolOutcome {
  readonly content: string;
  readonly mark: TrustMark;
}

/** Thrown when an effect is called around the gate. Not retryable; the fix is to route the call through `gate`. */
export class PermitRequiredError extends Error {
  override readonly name = "PermitRequiredError";
  readonly code = "PERMIT_REQUIRED";
  constructor(readonly tool: string) {
    super(
      `${tool} has an effect that has to pass the gate and was called without an unused permit for these arguments. Only the gate mints permits: route the call through gate → act.`,
    );
  }
}

/** A tool may write into what it is given; what others look at stays as it was. */
const copyOf = (input: unknown): unknown => JSON.parse(canonicalJson(input));

const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A tool of the harness. Also a LangChain tool, so prebuilt agents can use the harmless ones as they are. */
export class HarnessTool<Schema extends z.ZodObject = z.ZodObject> extends StructuredTool {
  override readonly name: string;
  override readonly description: string;
  override readonly schema: Schema;
  override readonly responseFormat = "content_and_artifact";
  readonly effect: Effect;
  readonly floor: FloorSpecification | undefined;
  readonly honoursKey: boolean;
  readonly pinned: boolean;
  readonly identity: readonly string[] | undefined;
  readonly source: Label;
  /** What the digest names, as it is recorded: name, description, schema, declarations and the text of the functions. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Names this implementation. An approval is bound to it. */
  readonly digest: string;
  private readonly sourceReason: string;
  private readonly body: ToolDefinition<Schema>["run"];
  private readonly ask: ToolDefinition<Schema>["probe"];
  private readonly look: ToolDefinition<Schema>["preview"];
  private readonly undo: ToolDefinition<Schema>["compensate"];

  constructor(definition: ToolDefinition<Schema>) {
    super();
    const {
      name,
      description,
      schema,
      effect = "irreversible",
      floor,
      honoursKey = false,
      pinned = false,
      identity,
      origin,
      source,
      run,
      probe,
      preview,
      compensate,
    } = definition;
    if (!TOOL_NAME.test(name)) {
      throw new TypeError(`tool name ${JSON.stringify(name)}: use 1 to 64 letters, digits, "_" or "-"`);
    }
    this.name = name;
    this.description = description;
    this.schema = schema;
    this.effect = effect;
    this.floor = floor;
    this.honoursKey = honoursKey;
    this.pinned = pinned;
    this.identity = identity && Object.freeze([...identity]);
    this.source = label(source ?? { integrity: 0 });
    this.sourceReason = source === undefined ? `${name} declares no source` : `read through ${name}`;
    this.body = run;
    this.ask = probe;
    this.look = preview;
    this.undo = compensate;
    const shown = z.toJSONSchema(schema, { io: "input" });
    if (identity !== undefined) requireIdentity(name, identity, Object.keys(shown.properties ?? {}));
    this.manifest = Object.freeze({
      name,
      description,
      effect,
      floor: floor ?? null,
      honoursKey,
      source: this.source,
      schema: shown,
      ...(identity === undefined ? {} : { identity: [...identity] }),
      ...(origin === undefined ? {} : { origin }),
      functions: [run, probe, preview, compensate].map((each) => each?.toString() ?? null),
    });
    this.digest = digest(this.manifest);
  }

  /**
   * Checks the arguments and runs the tool. The result carries the label of its source.
   *
   * @throws PermitRequiredError for a gated effect without a permit for exactly these arguments.
   * @throws z.ZodError when the arguments do not fit the schema.
   */
  async execute(input: unknown, context: ToolContext): Promise<ToolOutcome> {
    // A getter may answer differently at every look: what is checked and what runs is one copy.
    const given = copyOf(input);
    if (isGated(this.effect) && !spendPermit(context.permit, this, given)) throw new PermitRequiredError(this.name);
    const args = this.schema.parse(copyOf(given));
    const { idempotencyKey: key, config } = context;
    const question = { tool: this, use: "run", key, arguments: given } as const;
    return asked(config, question, async () => this.outcomeOf(await this.body(args, context)));
  }

  /** What keeps the arguments from the function, for the planner; `undefined` when they fit. Total. */
  problemWith(input: unknown): string | undefined {
    try {
      const parsed = this.schema.safeParse(copyOf(input));
      return parsed.success ? undefined : z.prettifyError(parsed.error);
    } catch (error) {
      return `its schema cannot read these arguments: ${messageOf(error)}`; // A transform that throws.
    }
  }

  /**
   * The arguments as the schema makes them: with defaults, trimmed, without what it strips. `null` when it does not say
   * the same twice. A default that is another one each time (a clock, a random id) is left out.
   */
  effective(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | null {
    try {
      const once = plain(this.schema.parse(copyOf(input)));
      const again = plain(this.schema.parse(copyOf(input)));
      const same = (name: string) => canonicalJson(once[name] ?? null) === canonicalJson(again[name] ?? null);
      const entries = Object.entries(once).filter(([name]) => Object.hasOwn(input, name) || same(name));
      return entries.every(([name]) => same(name)) ? Object.fromEntries(entries) : null;
    } catch {
      return null;
    }
  }

  /** Whether {@link probe} may be called. */
  get canBeProbed(): boolean {
    return this.ask !== undefined;
  }

  /**
   * Asks the provider what became of an effect that was sent. Changes nothing.
   *
   * @throws whatever the tool's probe throws; TypeError without one; z.ZodError for an answer that is none.
   */
  async probe(key: string, input: unknown, { signal, config = {} }: Looking): Promise<ProbeOutcome> {
    const { ask } = this;
    if (ask === undefined) throw new TypeError(`${this.name} declares no probe`);
    const given = copyOf(input);
    const { content } = await asked(config, { tool: this, use: "probe", key, arguments: given }, async () => {
      const answer = await ask(key, this.schema.parse(copyOf(given)), { signal });
      const { status, receipt } = probeOutcome.parse(typeof answer === "string" ? { status: answer } : answer);
      const told = receipt === undefined ? { status } : { status, receipt: bounded(receipt, MAX_RESULT) };
      return { content: JSON.stringify(told), mark: TOP };
    });
    return probeOutcome.parse(JSON.parse(content));
  }

  /** Whether {@link compensate} may be called. */
  get canBeCompensated(): boolean {
    return this.undo !== undefined;
  }

  /** What the action would change. `undefined` without a preview. Changes nothing. @throws whatever the preview throws */
  async preview(input: unknown, { signal, config = {} }: Looking): Promise<Preview | undefined> {
    const { look } = this;
    if (look === undefined) return undefined;
    const given = copyOf(input);
    const { content } = await asked(config, { tool: this, use: "preview", arguments: given }, async () => {
      const content = textOf(previewed.parse(await look(this.schema.parse(copyOf(given)), { signal })));
      // Cut, it would show less than what is done.
      if (content.length > MAX_RESULT) throw new RangeError(`its preview is longer than ${MAX_RESULT} characters`);
      return { content: bounded(content, MAX_RESULT), mark: TOP };
    });
    return previewed.parse(JSON.parse(content)) as Preview;
  }

  /**
   * Takes an effect back and returns the receipt.
   *
   * @throws whatever the tool throws; OutcomeUnclearError for a receipt that cannot be written down; TypeError when it cannot.
   */
  async compensate(
    receipt: string,
    input: unknown,
    context: Pick<ToolContext, "idempotencyKey" | "signal">,
  ): Promise<string> {
    if (this.undo === undefined) throw new TypeError(`${this.name} declares no compensate`);
    return this.outcomeOf(await this.undo(receipt, this.schema.parse(copyOf(input)), context)).content;
  }

  /** The label of an error this tool threw: its own source, since its own code wrote the text. */
  get errorMark(): TrustMark {
    return mark(this.source, this.sourceReason);
  }

  protected async _call(input: unknown, _manager?: unknown, config?: RunnableConfig): Promise<[string, ToolOutcome]> {
    const outcome = await this.execute(input, {
      idempotencyKey: digest({ tool: this.digest, input }),
      permit: undefined,
      signal: config?.signal ?? new AbortController().signal,
      config: config ?? {},
    });
    return [outcome.content, outcome];
  }

  /** What the function returned, as text with its label. It has run: what goes wrong here says nothing of what it did. */
  private outcomeOf(result: unknown): ToolOutcome {
    const source = mark(this.source, this.sourceReason);
    try {
      const own = result instanceof LabelledResult ? result : undefined;
      const whole = textOf(own === undefined ? result : own.value);
      const content = bounded(whole, MAX_RESULT);
      const lost =
        whole.length > MAX_RESULT ? [mark(label({ fidelity: 2 }), `the result of ${this.name} was cut`)] : [];
      const labels = own === undefined ? [] : [mark(parseLabel(own.label), String(own.reason))];
      return { content, mark: meetMarks(...labels, ...lost, source) };
    } catch (error) {
      const why = `${this.name} has run, and what it returned cannot be written down: ${messageOf(error)}`;
      throw new OutcomeUnclearError(why, { cause: error });
    }
  }
}

/** As JSON says it; a `bigint`, which JSON does not have, as text. */
const plain = (value: unknown): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each)));

/** @throws TypeError for names that are none of the schema's: such an identity would make every call the same, or none. */
function requireIdentity(tool: string, identity: readonly string[], known: readonly string[]): void {
  const wrong = identity.filter((name, index) => !known.includes(name) || identity.indexOf(name) !== index);
  if (identity.length > 0 && wrong.length === 0) return;
  const what = identity.length === 0 ? "names nothing" : `names ${wrong.join(", ")}`;
  throw new TypeError(
    `${tool}: identity ${what}. Name arguments of its schema, each once: ${known.join(", ") || "none"}`,
  );
}

/** Defines a tool. Adding it to the graph's tool list is all that is left to do; see `docs/adding-a-tool.md`. */
export const defineTool = <Schema extends z.ZodObject>(definition: ToolDefinition<Schema>): HarnessTool<Schema> =>
  new HarnessTool(definition);
