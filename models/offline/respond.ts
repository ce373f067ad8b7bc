// How the offline provider writes an answer: whole, as a stream of server-sent events, or spoilt in the way that the
// fault at hand would have it.

import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FaultKind } from "./faults.js";
import { ProtocolError } from "./request.js";

/** What a broken gateway may send with status 200. */
const NOT_JSON = "<html><body>upstream connect error</body></html>";

/** The refusal of a fault under which a request never reaches the model. */
export function refusalOf(fault: FaultKind | undefined, model: string): ProtocolError | undefined {
  const limited = `Rate limit reached for ${model} on requests per min (RPM).`;
  switch (fault) {
    case "rate-limit":
      return new ProtocolError(429, `${limited} Please try again in 1s.`, {
        type: "requests",
        code: "rate_limit_exceeded",
        headers: {
          "retry-after": "1",
          "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-requests": "1s",
        },
      });
    case "rate-limit-no-header":
      return new ProtocolError(429, limited, { type: "requests", code: "rate_limit_exceeded" });
    case "outage":
      return new ProtocolError(503, "The server is overloaded or not ready yet.", { type: "server_error" });
    case "server-error":
      return new ProtocolError(500, "The server had an error while processing your request.", { type: "server_error" });
    default:
      return undefined;
  }
}

/** Sends a value as JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Sends an OpenAI error body. Once the headers are out there is only one way left to fail: break the connection. */
export function sendError(response: ServerResponse, error: ProtocolError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  const { message, type, param, code } = error;
  sendJson(response, error.status, { error: { message, type, param, code } });
}

/** Sends a whole completion. */
export function sendBody(response: ServerResponse, completion: object, fault: FaultKind | undefined): void {
  const json = JSON.stringify(completion);
  response.writeHead(200, { "content-type": "application/json" });
  if (fault === "bad-json") response.end(NOT_JSON);
  else if (fault === "truncate-stream") response.end(json.slice(0, json.length / 2));
  else response.end(json);
}

/** Sends a completion's chunks as server-sent events, each in a turn of its own so that they arrive one by one. */
export async function sendStream(
  response: ServerResponse,
  chunks: Iterable<object>,
  fault: FaultKind | undefined,
): Promise<void> {
  const events = [...chunks].map((chunk) => JSON.stringify(chunk));
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const sent = fault === "truncate-stream" || fault === "bad-json" ? events.slice(0, events.length / 2) : events;
  if (fault === "bad-json") sent.push(NOT_JSON);
  if (fault !== "truncate-stream") sent.push("[DONE]");
  for (const event of sent) {
    if (response.destroyed) return;
    response.write(`data: ${event}\n\n`);
    await nextTurn();
  }
  response.end();
}

/** Never answers: returns when the caller has gone. */
export const hang = (gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (gone.aborted) resolve();
    else gone.addEventListener("abort", () => resolve(), { once: true });
  });
