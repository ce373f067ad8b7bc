// What a model answered, read from the body that came over the wire. Total: whatever is not an OpenAI-compatible
// answer is no answer. The function stands on its own, without imports or helpers outside of it, because its source
// also goes into the page that `inspect --html` writes.

/** One token, as the provider reported it. */
export interface AnswerToken {
  readonly token: string;
  /** The natural logarithm of its probability: 0 is certain. */
  readonly logprob: number;
  /** The likeliest tokens at this place, when they were asked for. */
  readonly top?: readonly { readonly token: string; readonly logprob: number }[];
}

/** An answer. Of several choices, the first. */
export interface Answer {
  readonly content: string;
  /** `arguments` as they came: JSON, when the model kept to it. */
  readonly toolCalls: readonly { readonly id?: string; readonly name: string; readonly arguments: string }[];
  /** `stop`, `tool_calls`, `length`; unset when the answer broke off. */
  readonly finishReason: string | undefined;
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number; readonly cachedTokens?: number };
  readonly logprobs?: { readonly tokens: readonly AnswerToken[] };
}

/** Reads a body: a `chat.completion` as JSON, or the lines of a stream of chunks. `undefined` when it is neither. */
export function answerOf(raw: string): Answer | undefined {
  const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const textOf = (value: unknown): string =>
    typeof value === "string"
      ? value
      : listOf(value)
          .map((part) => fieldsOf(part)["text"])
          .filter((text) => typeof text === "string")
          .join("");
  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined; // Not JSON: a stream, a line that broke off, a proxy's page. None of them is an answer.
    }
  };
  const tokenOf = (value: unknown): { token: string; logprob: number } | undefined => {
    const { token, logprob } = fieldsOf(value);
    return typeof token === "string" && typeof logprob === "number" ? { token, logprob } : undefined;
  };

  const whole = parsed(raw);
  const bodies =
    whole === undefined
      ? raw.split(/\r?\n/).flatMap((line) => (line.startsWith("data:") ? [parsed(line.slice(5))] : []))
      : [whole];
  let known = false;
  let content = "";
  let finishReason: string | undefined;
  let usage: Answer["usage"];
  const calls = new Map<number, { id?: string; name: string; arguments: string }>();
  const tokens: AnswerToken[] = [];
  for (const body of bodies.map(fieldsOf)) {
    if (typeof body["usage"] === "object" && body["usage"] !== null) {
      const { prompt_tokens, completion_tokens, prompt_tokens_details } = fieldsOf(body["usage"]);
      const cached = fieldsOf(prompt_tokens_details)["cached_tokens"];
      if (typeof prompt_tokens === "number" && typeof completion_tokens === "number") {
        usage = {
          inputTokens: prompt_tokens,
          outputTokens: completion_tokens,
          ...(typeof cached === "number" ? { cachedTokens: cached } : {}),
        };
      }
    }
    const choice = listOf(body["choices"])
      .map(fieldsOf)
      .find(({ index }) => index === 0 || index === undefined);
    if (choice === undefined) continue;
    const part = fieldsOf(choice["message"] ?? choice["delta"]);
    known = true;
    content += textOf(part["content"]) || textOf(part["refusal"]);
    if (typeof choice["finish_reason"] === "string") finishReason = choice["finish_reason"];
    for (const [place, each] of listOf(part["tool_calls"]).map(fieldsOf).entries()) {
      const index = typeof each["index"] === "number" ? each["index"] : place;
      const call = calls.get(index) ?? { name: "", arguments: "" };
      const { name, arguments: text } = fieldsOf(each["function"]);
      if (typeof each["id"] === "string") call.id = each["id"];
      if (typeof name === "string") call.name += name;
      if (typeof text === "string") call.arguments += text;
      calls.set(index, call);
    }
    for (const each of listOf(fieldsOf(choice["logprobs"])["content"])) {
      const token = tokenOf(each);
      const top = listOf(fieldsOf(each)["top_logprobs"]).flatMap((other) => tokenOf(other) ?? []);
      if (token !== undefined) tokens.push({ ...token, ...(top.length === 0 ? {} : { top }) });
    }
  }
  if (!known) return undefined;
  const toolCalls = [...calls].toSorted(([left], [right]) => left - right).map(([, call]) => call);
  return {
    content,
    toolCalls,
    finishReason,
    ...(usage === undefined ? {} : { usage }),
    ...(tokens.length === 0 ? {} : { logprobs: { tokens } }),
  };
}
