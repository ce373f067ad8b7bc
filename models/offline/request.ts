// Reads a chat-completions request the way the real API does: what OpenAI refuses with a 400 is refused here too, so
// that an offline run already finds a broken conversation (a tool call without its answer, say).

import { z } from "zod";
import { type BrainMessage, type BrainRequest, type BrainTool, OFFLINE_MODELS } from "./types.js";

/** The fields of an OpenAI error body, and headers to send with it. */
interface ProtocolErrorDetails {
  readonly code?: string;
  readonly param?: string;
  /** Default `invalid_request_error`. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused: the status and the OpenAI error body to answer with. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: string | null;
  readonly param: string | null;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    message: string,
    { code, param, type, headers }: ProtocolErrorDetails = {},
  ) {
    super(message);
    this.code = code ?? null;
    this.param = param ?? null;
    this.type = type ?? "invalid_request_error";
    this.headers = headers ?? {};
  }
}

/** A chat request: what the brain sees, and how the answer is to be sent. */
export interface ChatRequest {
  readonly brain: BrainRequest;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly logprobs: boolean;
  /** Tokens the answer may have. `Infinity` when not limited. */
  readonly maxTokens: number;
}

/** An embeddings request. `base64`: vectors as little-endian `float32` bytes, which is what the OpenAI client asks for. */
export interface EmbeddingsRequest {
  readonly model: string;
  readonly texts: readonly string[];
  readonly base64: boolean;
}

const text = partsOf(z.object({ type: z.literal("text"), text: z.string() }));

/** What a user may send beside text. The stand-in sees none of it, and is told so. */
const userText = partsOf(
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("text"), text: z.string() }),
    z.object({ type: z.literal("image_url"), image_url: z.looseObject({ url: z.string() }) }).transform(unseen),
    z.object({ type: z.literal("input_audio"), input_audio: z.looseObject({ data: z.string() }) }).transform(unseen),
    z.object({ type: z.literal("file"), file: z.looseObject({}) }).transform(unseen),
  ]),
);

/** Content as text, or in parts, of which there is one at least. */
function partsOf(part: z.ZodType<{ readonly text: string }>) {
  const parts = z.array(part).min(1);
  return z.union([z.string(), parts.transform((each) => each.map(({ text }) => text).join(""))]);
}

function unseen({ type }: { readonly type: string }) {
  return { text: `[${type}: the offline model reads text only]` };
}

const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "must match ^[a-zA-Z0-9_-]{1,64}$");

/** Of a person or a tool, beside the role. */
const name = z
  .string()
  .regex(/^[^\s<|\\/>]{1,64}$/, "must match ^[^\\s<|\\\\/>]+$")
  .optional();

const toolCall = z.object({
  id: z.string().min(1).max(40),
  type: z.literal("function"),
  function: z.object({ name: toolName, arguments: z.string() }),
});

const message = z.discriminatedUnion("role", [
  z.object({ role: z.enum(["system", "developer"]), content: text, name }),
  z.object({ role: z.literal("user"), content: userText, name }),
  z
    .object({
      role: z.literal("assistant"),
      content: text.nullish(),
      name,
      tool_calls: z.array(toolCall).min(1).nullish(),
    })
    .refine(({ content, tool_calls: calls }) => typeof content === "string" || Array.isArray(calls), {
      path: ["content"],
      message: "expected a string, got null",
    }),
  z.object({ role: z.literal("tool"), content: text, tool_call_id: z.string(), name }),
]);

const body = z.object({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  tools: z
    .array(
      z.object({
        type: z.literal("function"),
        function: z.object({
          name: toolName,
          description: z.string().optional(),
          parameters: z.record(z.string(), z.unknown()).optional(),
        }),
      }),
    )
    .nullish(),
  tool_choice: z
    .union([
      z.enum(["none", "auto", "required"]),
      z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) }),
    ])
    .nullish(),
  response_format: z.record(z.string(), z.unknown()).nullish(),
  logprobs: z.boolean().nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  n: z.literal(1, "the offline provider gives one answer for each request").nullish(),
});

type Message = z.infer<typeof message>;
type Body = z.infer<typeof body>;

/** Parses the JSON text of a request body. @throws {ProtocolError} 400, or 404 for a model that is not served. */
export function parseChatRequest(json: string): ChatRequest {
  const request = check(body, parseJson(json));
  const model = OFFLINE_MODELS.find((served) => served === request.model);
  if (model === undefined) throw modelNotFound(request.model);
  checkToolAnswers(request.messages);
  return {
    brain: {
      model,
      messages: request.messages.map(toBrainMessage),
      tools: toBrainTools(request),
      ...(request.response_format ? { response_format: request.response_format } : {}),
    },
    stream: request.stream ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
    logprobs: request.logprobs ?? false,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? Infinity,
  };
}

/** Parses an embeddings request to its texts. @throws {ProtocolError} 400. */
export function parseEmbeddingsRequest(json: string): EmbeddingsRequest {
  const embeddings = z.object({
    model: z.string(),
    input: z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)]),
    encoding_format: z.enum(["float", "base64"]).nullish(),
  });
  const { model, input, encoding_format } = check(embeddings, parseJson(json));
  return { model, texts: input, base64: encoding_format === "base64" };
}

const parseJson = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new ProtocolError(400, `We could not parse the JSON body of your request: ${String(error)}`);
  }
};

const check = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  throw new ProtocolError(400, `Invalid '${path}': ${issue?.message ?? "not as the API has it"}.`, {
    code: "invalid_value",
    param: path,
  });
};

const modelNotFound = (model: string): ProtocolError =>
  new ProtocolError(
    404,
    `The model \`${model}\` does not exist here. The offline provider serves: ${OFFLINE_MODELS.join(", ")}. ` +
      "Set OPENAI_API_KEY or OPENAI_BASE_URL to use another provider.",
    { code: "model_not_found", param: "model" },
  );

/** Every tool call is answered right after it, and every tool message answers a call: OpenAI insists on both. */
const checkToolAnswers = (messages: readonly Message[]): void => {
  let open = new Set<string>();
  const refuseOpen = (index: number) => {
    if (open.size === 0) return;
    throw new ProtocolError(
      400,
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
        `The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
      { param: `messages.[${index}].role` },
    );
  };
  for (const [index, entry] of messages.entries()) {
    if (entry.role === "tool") {
      if (open.delete(entry.tool_call_id)) continue;
      throw new ProtocolError(
        400,
        "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        { param: `messages.[${index}].role` },
      );
    }
    refuseOpen(index);
    open = new Set(entry.role === "assistant" ? entry.tool_calls?.map((call) => call.id) : []);
  }
  refuseOpen(messages.length);
};

const toBrainMessage = (entry: Message): BrainMessage => {
  const name = entry.name === undefined ? {} : { name: entry.name };
  switch (entry.role) {
    case "tool":
      return { role: "tool", content: entry.content, tool_call_id: entry.tool_call_id, ...name };
    case "assistant": {
      const calls = entry.tool_calls?.map((call) => ({ id: call.id, ...call.function })) ?? [];
      return {
        role: "assistant",
        content: entry.content ?? "",
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
        ...name,
      };
    }
    default:
      return { role: entry.role === "user" ? "user" : "system", content: entry.content, ...name };
  }
};

/** The tools the caller leaves to choose from: none, all, or the one it names. */
const toBrainTools = ({ tools, tool_choice: choice }: Body): readonly BrainTool[] => {
  if (!tools || choice === "none") return [];
  const all = tools.map(({ function: tool }) => ({
    name: tool.name,
    description: tool.description ?? "",
    parameters: tool.parameters ?? { type: "object", properties: {} },
  }));
  if (typeof choice !== "object" || choice === null) return all;
  const named = all.filter((tool) => tool.name === choice.function.name);
  if (named.length > 0) return named;
  throw new ProtocolError(400, `Tool choice '${choice.function.name}' is not among 'tools'.`, { param: "tool_choice" });
};
