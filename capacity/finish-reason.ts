// How an answer ended. Providers and gateways use each other's words, so the words of all are here, and are read as OpenAI's.

/** Other words for OpenAI's finish reasons, in lower case and with underscores. */
const SAME_AS: Readonly<Record<string, string>> = {
  end_turn: "stop",
  eos: "stop",
  eos_token: "stop",
  stop_sequence: "stop",
  complete: "stop",
  completed: "stop",
  finished: "stop",
  finish_reason_stop: "stop",
  stop_token: "stop",
  end: "stop",
  done: "stop",
  normal: "stop",
  tool_use: "tool_calls",
  tool_call: "tool_calls",
  tooluse: "tool_calls",
  function_calls: "tool_calls",
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

/** The provider stopped generating: what there is is no answer. */
const BROKEN =
  /^(?:error|abort(?:ed)?|cancell?ed|failed|timeout|network_error|insufficient_system_resource|.*malformed_(?:function|tool)_call.*|unexpected_tool_call)$/;

/**
 * Why the answer ended: `stop`, `tool_calls`, `length`, `content_filter`, `error` when the provider gave it up, or a reason
 * that nobody knows, as it came. The Responses API has a status in place of it. `undefined`: the server did not say.
 */
export function finishOf(metadata: Readonly<Record<string, unknown>>): string | undefined {
  const reason = metadata["finish_reason"] ?? responseStatus(metadata);
  if (typeof reason !== "string" || reason === "" || reason === "null") return undefined;
  const word = reason.slice(0, 100).toLowerCase().replaceAll("-", "_");
  if (BROKEN.test(word)) return "error";
  return SAME_AS[word] ?? (KNOWN.has(word) ? word : reason);
}

const WHOLE = new Set(["stop", "tool_calls"]);
const KNOWN = new Set([...WHOLE, "length", "content_filter"]);

function responseStatus({ object, status, incomplete_details: details }: Readonly<Record<string, unknown>>): unknown {
  if (object !== "response") return undefined;
  if (status === "incomplete") return (details as { reason?: unknown } | null | undefined)?.reason ?? "length";
  return status;
}

/** Whether an answer that ends so may have lost its end. One with a tool call that may have is not carried out. */
export const isCut = (finishReason: string | undefined): boolean =>
  finishReason !== undefined && !WHOLE.has(finishReason);
