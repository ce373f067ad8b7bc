// How an answer ended, in the words of the many servers that say it differently.

/** Other servers' words for OpenAI's finish reasons. Matched in lower case. */
const SAME_AS: Readonly<Record<string, string>> = {
  end_turn: "stop",
  eos: "stop",
  eos_token: "stop",
  stop_sequence: "stop",
  completed: "stop",
  complete: "stop",
  tool_use: "tool_calls",
  tool_call: "tool_calls",
  function_call: "tool_calls",
  max_tokens: "length",
  max_output_tokens: "length",
  model_length: "length",
  safety: "content_filter",
  recitation: "content_filter",
  prohibited_content: "content_filter",
  blocklist: "content_filter",
  refusal: "content_filter",
};

/**
 * Why the answer ended, by OpenAI's names; a reason that is not known stays as it is. The Responses API has a status in
 * place of it. `undefined`: the server did not say.
 */
export function finishOf(metadata: Readonly<Record<string, unknown>>): string | undefined {
  const reason = metadata["finish_reason"] ?? responseStatus(metadata);
  if (typeof reason !== "string" || reason === "") return undefined;
  const lower = reason.toLowerCase();
  return SAME_AS[lower] ?? (KNOWN.has(lower) ? lower : reason);
}

const KNOWN = new Set(["stop", "tool_calls", "length", "content_filter", "error"]);

function responseStatus({ object, status, incomplete_details: details }: Readonly<Record<string, unknown>>): unknown {
  if (object !== "response") return undefined;
  if (status === "incomplete") return (details as { reason?: unknown } | null | undefined)?.reason ?? "length";
  return status === "failed" ? "error" : status;
}

/** Whether an answer that ended like this may miss its end. */
export const isCut = (finishReason: string | undefined): boolean =>
  finishReason === "length" || finishReason === "content_filter";

/** How models write a tool call in text: what a server that does not parse it hands on. */
const MARKERS =
  /<\|?tool_calls?(?:_begin|_section_begin)?\|?>|<｜tool▁calls▁begin｜>|\[TOOL_CALLS\]|<function[=_]|<\|python_tag\|>|functools\[/;

/** How far behind a marker the name of the tool stands, in characters. */
const NEAR = 200;

/** The tool that a text calls, when it does. */
export function toolCallInText(text: string, tools: readonly string[]): string | undefined {
  const marker = MARKERS.exec(text);
  if (marker === null) return undefined;
  const behind = text.slice(marker.index, marker.index + marker[0].length + NEAR);
  return tools.find((name) => behind.includes(name));
}
