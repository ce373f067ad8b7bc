// Looks at what comes back before the client does: an error is an error wherever it stands, with a status of its own, in
// a body that came with 200, or as an event in the middle of a stream. The client is then given the one form that it
// understands, and the gate learns of it once, here.

import { isErrorBody, LONGEST_WORDS, parsed, readProviderError } from "./provider-error.js";

/** What a provider said instead of an answer. Sorted by `classifyError`. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";

  constructor(
    /** The HTTP status. `undefined`: it came with 200. */
    readonly status: number | undefined,
    readonly headers: Headers,
    /** The body, or the event, as text or as what it says. */
    readonly error: unknown,
  ) {
    const { message, status: told = status } = readProviderError(error, 0);
    super(`${told ?? ""} ${message === "" ? "(no words)" : message}`.trim().slice(0, LONGEST_WORDS));
  }
}

/** Who hears of what came back. One of the two is called, unless the body breaks off. */
export interface Verdict {
  failed(error: ProviderError): void;
  /** It is no error, to its end. */
  answered(): void;
}

/** The response as the client should see it. Anything but a stream is read whole first. */
export async function judged(response: Response, { failed, answered }: Verdict): Promise<Response> {
  const { status, statusText, headers } = response;
  const type = headers.get("content-type") ?? "";
  if (response.ok && type.includes("text/event-stream") && response.body !== null) {
    const events = eventsOf((error) => failed(new ProviderError(undefined, headers, error)), answered);
    return new Response(response.body.pipeThrough(events), { status, statusText, headers });
  }
  if (response.ok && !type.includes("json")) {
    answered();
    return response;
  }
  const text = await response.text();
  if (!response.ok) failed(new ProviderError(status, headers, text));
  else if (isError(text)) {
    const error = new ProviderError(undefined, headers, text);
    failed(error);
    // The client reads an answer of any other status as one.
    return new Response(text, { status: readProviderError(text, 0).status ?? 502, headers });
  } else answered();
  return new Response(text, { status, statusText, headers });
}

/** Most answers hold none of these words outside of a string, where its quotes are escaped. */
const isError = (text: string): boolean => /"(?:error|errors|detail)"/.test(text) && isErrorBody(parsed(text));

/** The longest event that is looked at, in characters. */
const LONGEST_EVENT = 64_000;

/**
 * Hands server-sent events on as they are, up to the first that is an error: that one is written as OpenAI's client reads
 * it, and nothing follows. Errors are `data: {"error": …}` (OpenAI, vLLM, OpenRouter), `event: error` (many), `error: …`
 * (llama.cpp), and JSON that is no event at all (gateways).
 */
function eventsOf(failed: (error: unknown) => void, answered: () => void): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  let over = false;
  const pass = (event: string, out: TransformStreamDefaultController<Uint8Array>): void => {
    if (over || event === "") return;
    const error = event.length > LONGEST_EVENT ? undefined : errorIn(event);
    if (error === undefined) {
      out.enqueue(encoder.encode(event));
      return;
    }
    over = true;
    failed(error);
    out.enqueue(
      encoder.encode(`data: ${JSON.stringify({ error: { message: readProviderError(error, 0).message } })}\n\n`),
    );
  };
  return new TransformStream({
    transform(part, out) {
      if (over) return;
      const from = Math.max(0, rest.length - 3);
      rest += decoder.decode(part, { stream: true });
      const end = lastBoundary(rest, from);
      if (end === 0) return;
      for (const event of rest.slice(0, end).split(/(?<=\n\n|\r\n\r\n|\r\r)/)) pass(event, out);
      rest = rest.slice(end);
    },
    flush(out) {
      pass(rest + decoder.decode(), out);
      if (!over) answered();
    },
  });
}

/** Where the last whole event of a text ends; 0 when none ends after `from`. */
function lastBoundary(text: string, from: number): number {
  const ends = ["\n\n", "\r\n\r\n", "\r\r"].map((end) => {
    const at = text.lastIndexOf(end);
    return at < from ? 0 : at + end.length;
  });
  return Math.max(...ends);
}

/** The error that an event is, if it is one. */
function errorIn(event: string): unknown {
  // Most events are pieces of an answer: JSON with choices, and no error in it.
  if (event.includes('"choices"') && !event.includes('"error"') && !event.includes("event: error")) return undefined;
  const fields = event.split(/\r\n|\n|\r/).map((line) => {
    const colon = line.indexOf(":");
    return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, ""), line };
  });
  const fieldOf = (name: string): string | undefined => {
    const values = fields.filter((field) => field.name === name).map(({ value }) => value);
    return values.length === 0 ? undefined : values.join("\n");
  };
  const data = fieldOf("data");
  const error = fieldOf("error");
  if (error !== undefined) return { error: parsed(error) };
  if (fieldOf("event") === "error") return { error: parsed(data ?? "") };
  const body = parsed(data ?? event.trim());
  return isErrorBody(body) ? body : undefined;
}
