// Tools of an MCP server as tools of the harness. The server's word counts only against itself: what it says about a
// tool can make the tool more dangerous than the user declared, never less, and a tool nobody declared is irreversible
// and of unknown origin. Whatever it changes about a tool makes another tool of it.

import type { StructuredToolInterface } from "@langchain/core/tools";
import { isGraphBubbleUp } from "@langchain/langgraph";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { z } from "zod";
import type { FloorSpecification, Label } from "../trust/index.js";
import { linearEngine } from "../trust/pattern.js";
import { OutcomeUnclearError } from "./outcome.js";
import { messageOf } from "./text.js";
import { defineTool, type Effect, type HarnessTool } from "./tool.js";

/** What a user knows about one tool of a server. Everything left out has the dangerous default. */
export interface McpDeclaration {
  /** Default `irreversible`. */
  readonly effect?: Effect;
  /** The label of its results, given as the axes below nominal. Default `{ integrity: 0 }`. */
  readonly source?: Partial<Label>;
  /** Default: the policy's floor. */
  readonly floor?: FloorSpecification;
  /**
   * Whether the same call twice has one effect. MCP hands no key over: true only for a server that knows a repetition
   * by the arguments. Default `false`.
   */
  readonly honoursKey?: boolean;
  /** The arguments that identify the effect, by their names in the server's schema. Default: all. */
  readonly identity?: readonly string[];
}

/** A LangChain tool with the metadata in which the adapter keeps the server's annotations. */
export type McpTool = StructuredToolInterface & { readonly metadata?: Record<string, unknown> };

/** What {@link mcpTools} takes beside the tools. */
export interface McpOptions {
  /** The server's name, as the client was configured. Part of every tool's digest. */
  readonly server: string;
  /** By tool name, as the tools carry it. */
  readonly tools?: Readonly<Record<string, McpDeclaration>>;
}

/** The hints of the MCP specification, "Tool annotations". Untrusted. */
const annotations = z
  .looseObject({
    readOnlyHint: z.boolean().nullish(),
    destructiveHint: z.boolean().nullish(),
    idempotentHint: z.boolean().nullish(),
    openWorldHint: z.boolean().nullish(),
  })
  .nullish();

/** A hint as it was stated; what was not stated says nothing. */
type Annotations = NonNullable<z.output<typeof annotations>>;

/**
 * Wraps the tools of one MCP server, as `loadMcpTools` or `MultiServerMCPClient` of `@langchain/mcp-adapters` give them.
 *
 * @throws TypeError for a declaration of a tool that the server does not have, a name no model can call, hints that are
 * none, or a schema that cannot be checked.
 */
export function mcpTools(tools: readonly McpTool[], options: McpOptions): HarnessTool[] {
  const declared = options.tools ?? {};
  const missing = Object.keys(declared).filter((name) => !tools.some((tool) => tool.name === name));
  if (missing.length > 0) {
    const known = tools.map(({ name }) => name).join(", ") || "none";
    throw new TypeError(`${options.server} has no tool ${missing.join(", ")}: its tools are ${known}`);
  }
  return tools.map((tool) =>
    wrap(tool, options.server, Object.hasOwn(declared, tool.name) ? (declared[tool.name] ?? {}) : {}),
  );
}

function wrap(tool: McpTool, server: string, declaration: McpDeclaration): HarnessTool {
  const hints = hintsOf(tool, server);
  const { effect, source, honoursKey } = worse(declaration, hints);
  const wrapped = defineTool({
    name: tool.name,
    description: tool.description,
    schema: argumentsSchema(tool, server),
    effect,
    honoursKey,
    source,
    ...(declaration.floor === undefined ? {} : { floor: declaration.floor }),
    ...(declaration.identity === undefined ? {} : { identity: declaration.identity }),
    pinned: true,
    origin: { protocol: "mcp", server, annotations: hints },
    run: (args, { signal }) => call(tool, args, signal),
  });
  return wrapped as unknown as HarnessTool;
}

/** What the user declared, made worse by whatever the server says against its tool. */
function worse(
  { effect = "irreversible", source = { integrity: 0 }, honoursKey = false }: McpDeclaration,
  { readOnlyHint, destructiveHint, idempotentHint, openWorldHint }: Annotations,
): { readonly effect: Effect; readonly source: Partial<Label>; readonly honoursKey: boolean } {
  const contradicted =
    destructiveHint === true ||
    (readOnlyHint === false && effect === "none") ||
    (idempotentHint === false && effect === "idempotent");
  return {
    effect: contradicted ? "irreversible" : effect,
    source: openWorldHint === true ? { ...source, integrity: 0 } : source,
    honoursKey: honoursKey && idempotentHint !== false,
  };
}

function hintsOf({ name, metadata }: McpTool, server: string): Annotations {
  const parsed = annotations.safeParse(metadata?.["annotations"]);
  if (!parsed.success) {
    throw new TypeError(`${server}: the annotations of ${name} are none: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data ?? {};
}

/**
 * The server's JSON Schema as the harness takes one. Ajv checks it, because zod's own conversion passes over some
 * keywords (`uniqueItems`, `required` without a property), refuses others (`dependentRequired`) and fills in defaults, so that what
 * runs would not be what was approved.
 */
function argumentsSchema({ name, schema }: McpTool, server: string): z.ZodObject {
  if (schema instanceof z.ZodType || typeof schema !== "object" || !("type" in schema) || schema.type !== "object") {
    throw new TypeError(`${server}: ${name} has no JSON Schema of an object: load it with @langchain/mcp-adapters`);
  }
  if ("$async" in schema) throw new TypeError(`${server}: the schema of ${name} cannot be checked: "$async"`);
  let validate: ReturnType<Ajv2020["compile"]>;
  try {
    // Not strict: a server may use keywords of its own. A format is for the server to check.
    const lenient = { strict: false, validateFormats: false, allErrors: true, logger: false } as const;
    validate = new Ajv2020({ ...lenient, code: { regExp: linearEngine } }).compile(schema);
  } catch (error) {
    throw new TypeError(`${server}: the schema of ${name} cannot be checked: ${(error as Error).message}`);
  }
  return z
    .looseObject({})
    .superRefine((args, context) => {
      if (validate(args) === true) return;
      for (const problem of validate.errors ?? []) {
        context.addIssue({ code: "custom", path: pathOf(problem), message: problem.message ?? problem.keyword });
      }
    })
    .meta(shownToModel(schema));
}

/** zod shows metadata in place of its own keys; an `id` it would keep for the whole process. */
const shownToModel = (schema: object): Record<string, unknown> => {
  const { id: _, ...rest } = schema as Record<string, unknown>;
  return rest;
};

const pathOf = ({ instancePath }: ErrorObject): string[] =>
  instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

/** How `@langchain/mcp-adapters` begins the message of a result with `isError`: the server answered. */
const ANSWERED_WITH_ERROR = /^MCP tool '[^']*' on server '[^']*' returned an error: /;

/**
 * Calls the server. An error that the server answered with is the tool's, and no proof that nothing happened: it is the
 * server's word about its own failure. Any other leaves the outcome unknown, because the request may have arrived.
 */
async function call(tool: McpTool, args: object, signal: AbortSignal): Promise<string> {
  try {
    // Without callbacks: the harness records the call itself, with its label.
    return textOf(await unchecked(tool).invoke(args, { signal, callbacks: [] }));
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    const message = messageOf(error);
    if (ANSWERED_WITH_ERROR.test(message)) throw new Error(message, { cause: error });
    throw new OutcomeUnclearError(`${tool.name}: the server's answer was lost: ${message}`, { cause: error });
  }
}

/**
 * The same tool with a schema that lets everything pass. The arguments were checked; LangChain would check them again, with
 * an engine that a pattern of the server can keep busy for ever.
 */
const unchecked = (tool: McpTool): McpTool => Object.create(tool, { schema: { value: { type: "object" } } }) as McpTool;

const blocks = z.array(z.looseObject({ type: z.string(), text: z.string().optional() }));

/** The text of a result. Pictures, sound and files are named and left out: a planner here reads text. */
function textOf(result: unknown): string {
  if (typeof result === "string") return result;
  const parsed = blocks.safeParse(Array.isArray(result) ? result : [result]);
  if (!parsed.success) return JSON.stringify(result) ?? "null";
  return parsed.data.map((block) => block.text ?? `[${block.type}, left out]`).join("\n");
}
