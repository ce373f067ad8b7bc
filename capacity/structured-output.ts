// Structured output by a forced tool call. LangChain's default for chat models neither forces the call nor accepts the
// message that a call without streaming returns.

import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import {
  assembleStructuredOutputPipeline,
  createFunctionCallingParser,
} from "@langchain/core/language_models/structured_output";
import type { AIMessageChunk } from "@langchain/core/messages";
import type { Runnable } from "@langchain/core/runnables";
import { toJsonSchema } from "@langchain/core/utils/json_schema";
import { isSerializableSchema, type SerializableSchema } from "@langchain/core/utils/standard_schema";
import { type InteropZodType, isInteropZodSchema } from "@langchain/core/utils/types";

/** The tool whose arguments are the structured answer, in OpenAI's format. */
export interface AnswerTool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description?: string; readonly parameters: unknown };
}

/** What a structured answer can be described by: zod, a standard schema with a JSON form, or JSON Schema itself. */
export type StructuredSchema<Output extends Record<string, unknown>> =
  | InteropZodType<Output>
  | SerializableSchema<Output>
  | Record<string, unknown>;

/** The tool for `schema`: a zod schema, a standard schema, a JSON schema, or a function in OpenAI's format. */
export function answerTool(schema: StructuredSchema<Record<string, unknown>>, name = "extract"): AnswerTool {
  if (!isInteropZodSchema(schema) && !isSerializableSchema(schema)) {
    const { name: ownName, title, parameters, description } = schema as Readonly<Record<string, unknown>>;
    const text = typeof description === "string" ? { description } : {};
    return typeof ownName === "string" && typeof parameters === "object"
      ? { type: "function", function: { ...text, name: ownName, parameters } }
      : { type: "function", function: { ...text, name: typeof title === "string" ? title : name, parameters: schema } };
  }
  const parameters = toJsonSchema(schema) as Readonly<Record<string, unknown>>;
  const { description } = parameters;
  return {
    type: "function",
    function: { name, ...(typeof description === "string" ? { description } : {}), parameters },
  };
}

/** The model that must call `tool`, followed by the parser for what it calls it with. */
export const structuredOutput = (
  model: Runnable<BaseLanguageModelInput, AIMessageChunk>,
  schema: StructuredSchema<Record<string, unknown>>,
  tool: AnswerTool,
  includeRaw = false,
): ReturnType<typeof assembleStructuredOutputPipeline> =>
  assembleStructuredOutputPipeline(model, createFunctionCallingParser(schema, tool.function.name), includeRaw);
