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
  // What has no type, or a wrong one, may be a stream all the same.
  if (response.ok && response.body !== null && (type === "" || type.startsWith("text/"))) {
    const watch = watchEvents((error) => failed(new ProviderError(undefined, headers, error)), answered);
    return new Response(watched(response.body, watch), { status, statusText, headers });
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
const LONGEST_EVENT = 1_000_000;

/**
 * Hands server-sent events on as they are, up to the first that is an error: that one is written as OpenAI's client reads
 * it, and nothing follows. Errors are `data: {"error": …}` (OpenAI, vLLM, OpenRouter), `event: error` (many), `error: …`
 * (llama.cpp), and JSON or a page that is no event at all (gateways).
 */
function watchEvents(failed: (error: unknown) => void, answered: () => void): EventWatch {
  const decoder = new TextDecoder();
  let held: string[] = [];
  let over = false;
  const pass = (event: string): string => {
    if (over || event === "") return "";
    const error = event.length > LONGEST_EVENT ? undefined : errorIn(event);
    if (error === undefined) return event;
    over = true;
    failed(error);
    return `data: ${JSON.stringify({ error: { message: readProviderError(error, 0).message } })}\n\n`;
  };
  return {
    see(part) {
      // What arrived is looked at once, with the last characters before it: an event may take many parts.
      const before = held.at(-1)?.slice(-3) ?? "";
      const text = decoder.decode(part, { stream: true });
      held.push(text);
      if (!BOUNDARY.test(before + text)) return "";
      const events = held.join("").split(AFTER_BOUNDARY);
      const last = events.at(-1) ?? "";
      held = BOUNDARY.test(last) ? [] : [last];
      if (held.length > 0) events.pop();
      return events.map(pass).join("");
    },
    end() {
      const rest = pass(held.join("") + decoder.decode());
      if (!over) answered();
      return rest;
    },
  };
}

/** Each gives the text that may be handed on now. */
interface EventWatch {
  see(part: Uint8Array): string;
  end(): string;
}

/** Reads as fast as it comes, so that a part is handed on before the next can break off. */
function watched(body: ReadableStream<Uint8Array>, watch: EventWatch): ReadableStream<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const encoder = new TextEncoder();
  let cancelled = false;
  const drain = async (out: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const hand = (text: string): void => {
      if (text !== "" && !cancelled) out.enqueue(encoder.encode(text));
    };
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) hand(watch.see(part.value));
      if (cancelled) return;
      hand(watch.end());
      out.close();
    } catch (error) {
      if (!cancelled) out.error(error);
    }
  };
  return new ReadableStream<Uint8Array>({
    start(out) {
      void drain(out);
    },
    cancel(reason) {
      cancelled = true;
      return reader.cancel(reason);
    },
  });
}

const BOUNDARY = /\n\n|\r\n\r\n|\r\r/;
const AFTER_BOUNDARY = /(?<=\n\n|\r\n\r\n|\r\r)/;

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
  const body = parsed(data ?? event);
  return isErrorBody(body) || /^\s*<(?:!doctype|html)/i.test(event) ? body : undefined;
}
