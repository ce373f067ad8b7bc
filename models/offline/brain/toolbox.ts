// The tools bound to this request. Promises that the brain never calls a tool that is not bound and never passes an
// argument the tool's schema does not have.

import type { BrainTool } from "../types.js";

/** A tool call the brain would like to make. */
export interface Call {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Which bound tools can do what. */
export interface Toolbox {
  has(tool: string): boolean;
  /** Whether `task` is bound and offers this subagent. */
  hasSubagent(name: string): boolean;
  /** The values an argument may have, when the schema lists them. */
  choices(tool: string, argument: string): readonly string[] | undefined;
  /** The call with arguments that fit the schema, or `undefined` when the tool cannot take it. */
  fit(call: Call): Call | undefined;
}

type Schema = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const typesOf = (schema: Schema): readonly string[] => {
  const type = schema["type"];
  return Array.isArray(type) ? type.map(String) : typeof type === "string" ? [type] : [];
};

const clamp = (value: number, schema: Schema): number => {
  const minimum = typeof schema["minimum"] === "number" ? schema["minimum"] : Number.NEGATIVE_INFINITY;
  const maximum = typeof schema["maximum"] === "number" ? schema["maximum"] : Number.POSITIVE_INFINITY;
  return Math.min(Math.max(value, minimum), maximum);
};

/** The value in the type the schema wants, or `undefined` when it has no such form. */
function coerce(value: unknown, schema: Schema): unknown {
  const choices = schema["enum"];
  if (Array.isArray(choices) && !choices.includes(value)) return undefined;
  const types = typesOf(schema);
  const numeric = types.includes("number") || types.includes("integer");
  if (typeof value === "number") {
    if (numeric || types.length === 0) return clamp(value, schema);
    return types.includes("string") ? String(value) : undefined;
  }
  if (typeof value === "string") {
    if (types.includes("string") || types.length === 0) return value;
    return numeric && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined;
  }
  return value;
}

function fitArguments(args: Call["args"], parameters: Schema): Record<string, unknown> | undefined {
  const properties = isRecord(parameters["properties"]) ? parameters["properties"] : {};
  const required = Array.isArray(parameters["required"]) ? parameters["required"].map(String) : [];
  const fitted: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if (args[name] === undefined) continue;
    const value = coerce(args[name], isRecord(schema) ? schema : {});
    if (value === undefined) return undefined; // dropping it would be another call than the one that was meant
    fitted[name] = value;
  }
  return required.every((name) => fitted[name] !== undefined) ? fitted : undefined;
}

/** Wraps the bound tools. */
export function toolbox(tools: readonly BrainTool[]): Toolbox {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return {
    has: (tool) => byName.has(tool),
    hasSubagent(name) {
      const task = byName.get("task");
      return task !== undefined && JSON.stringify([task.description, task.parameters]).includes(name);
    },
    choices(tool, argument) {
      const properties = byName.get(tool)?.parameters["properties"];
      const schema = isRecord(properties) ? properties[argument] : undefined;
      const values = isRecord(schema) ? schema["enum"] : undefined;
      return Array.isArray(values) ? values.map(String) : undefined;
    },
    fit(call) {
      const tool = byName.get(call.tool);
      const args = tool === undefined ? undefined : fitArguments(call.args, tool.parameters);
      return args === undefined ? undefined : { tool: call.tool, args };
    },
  };
}
