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
  TOP,
  type TrustMark,
} from "../trust/index.js";
import { asked } from "./asked.js";
import { type Looking, type Preview, type ProbeAnswer, type ProbeOutcome, previewed, probeOutcome } from "./look.js";
import { type Permit, spendPermit } from "./permit.js";

/** `none` only reads; `idempotent` may be repeated under its key; `compensable` can be undone; `irreversible` cannot. */
export type Effect = "none" | "idempotent" | "compensable" | "irreversible";

/** Whether an effect has to pass the gate. */
export const isGated = (effect: Effect): boolean => effect === "compensable" || effect === "irreversible";

/** What a tool's function gets beside its arguments. */
export interface ToolContext {
  /** The same on every retry and resume of this call. Hand it to a provider that honours keys. */
  readonly idempotencyKey: string;
  /** Present exactly for compensable and irreversible tools. */
  readonly permit: Permit | undefined;
  readonly signal: AbortSignal;
  readonly config: RunnableConfig;
}

/** A tool's result that is less trustworthy than its source says, for example text from an anonymous form. */
export class LabelledResult {
  constructor(
    readonly value: unknown,
    readonly label: Label,
    readonly reason: string,
  ) {}
}

/** Returns `value` from a tool with a label of its own. The tool's declared source still applies: labels only fall. */
export const labelled = (value: unknown, ranks: Partial<Label>, reason: string): LabelledResult =>
  new LabelledResult(value, label(ranks), reason);

/** What {@link defineTool} takes. */
export interface ToolDefinition<Schema extends z.ZodObject> {
  /** Letters, digits, `_` and `-`; unique within a graph. */
  readonly name: string;
  /** For the model. */
  readonly description: string;
  readonly schema: Schema;
  /** Default `irreversible`: what is not declared harmless is not harmless. */
  readonly effect?: Effect;
  /** What the label must reach before it runs. Default: the policy's floor. */
  readonly floor?: FloorSpecification;
  /**
   * Whether `run` may be called again with the same `idempotencyKey` after a crash without repeating the effect.
   * Default `false`: an effect whose outcome was lost is then in doubt, and a person decides.
   */
  readonly honoursKey?: boolean;
  /**
   * Asks the provider whether the effect with this key happened, without doing anything. Called only when an effect
   * was sent and its outcome was lost, before it is declared in doubt; a tool that honours keys is sent again instead.
   * `failed` is final: answer it only when the effect did not happen and no longer can. Throwing means `unknown`.
   */
  probe?(key: string, args: z.output<Schema>, context: Pick<ToolContext, "signal">): ProbeAnswer | Promise<ProbeAnswer>;
  /**
   * Says what the action would change, without changing anything. Asked by the gate before every decision, and by `act`
   * right before dispatch. Throwing stops the call.
   */
  preview?(args: z.output<Schema>, context: Pick<ToolContext, "signal">): Preview | Promise<Preview>;
  /**
   * Takes a committed effect back. Run by `bulkhead effects compensate KEY` as an effect of its own: in the ledger, with
   * its own `idempotencyKey`, once. Returns its receipt.
   */
  compensate?(
    receipt: string,
    args: z.output<Schema>,
    context: Pick<ToolContext, "idempotencyKey" | "signal">,
  ): unknown;
  /**
   * Whether a thread that has seen one definition of this tool asks before it uses another one, and lowers the trust.
   * Default `false`; tools that come from elsewhere at run time (MCP) set it.
   */
  readonly pinned?: boolean;
  /** Where the tool comes from, as JSON, when its own code does not say it all. Part of the digest. */
  readonly origin?: Readonly<Record<string, unknown>>;
  /** The label of what it returns, given as the axes below nominal. Default `{ integrity: 0 }`: unlabelled is unknown. */
  readonly source?: Partial<Label>;
  /** A result the planner reads: text, JSON, or {@link labelled}. Throw to tell the planner what went wrong. */
  run(args: z.output<Schema>, context: ToolContext): unknown;
}

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
    this.source = label(source ?? { integrity: 0 });
    this.sourceReason = source === undefined ? `${name} declares no source` : `read through ${name}`;
    this.body = run;
    this.ask = probe;
    this.look = preview;
    this.undo = compensate;
    this.manifest = Object.freeze({
      name,
      description,
      effect,
      floor: floor ?? null,
      honoursKey,
      source: this.source,
      schema: z.toJSONSchema(schema, { io: "input" }),
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
    return asked(config, { tool: this, use: "run", key, arguments: given }, async () => {
      const result: unknown = await this.body(args, context);
      const value = result instanceof LabelledResult ? result.value : result;
      const content = typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
      return { content, mark: this.markOf(result) };
    });
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
      return { content: JSON.stringify(typeof answer === "string" ? { status: answer } : answer), mark: TOP };
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
      const shown = await look(this.schema.parse(copyOf(given)), { signal });
      return { content: JSON.stringify(previewed.parse(shown)), mark: TOP };
    });
    return previewed.parse(JSON.parse(content)) as Preview;
  }

  /** Takes an effect back and returns the receipt. @throws whatever the tool throws; TypeError when it cannot. */
  async compensate(
    receipt: string,
    input: unknown,
    context: Pick<ToolContext, "idempotencyKey" | "signal">,
  ): Promise<string> {
    if (this.undo === undefined) throw new TypeError(`${this.name} declares no compensate`);
    const value: unknown = await this.undo(receipt, this.schema.parse(copyOf(input)), context);
    return typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
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

  private markOf(result: unknown): TrustMark {
    const source = mark(this.source, this.sourceReason);
    return result instanceof LabelledResult ? meetMarks(mark(result.label, result.reason), source) : source;
  }
}

/** Defines a tool. Adding it to the graph's tool list is all that is left to do; see `docs/adding-a-tool.md`. */
export const defineTool = <Schema extends z.ZodObject>(definition: ToolDefinition<Schema>): HarnessTool<Schema> =>
  new HarnessTool(definition);
