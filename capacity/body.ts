// Follows the body of a response to its last byte. It is read as fast as it comes, not as fast as it is consumed: a slot
// is about the wire, and a consumer that makes another call between two chunks must not wait for itself.

import { WireFailure } from "./wire.js";

/**
 * The same response, with `ended` called once: when the body is complete, broke off, or was cancelled. A body that
 * breaks off errors with a `WireFailure`, or with the reason of `signal` when that is why.
 */
export function followedToTheEnd(
  response: Response,
  signal: AbortSignal,
  ended: (failure?: unknown) => void,
): Response {
  if (response.body === null) {
    ended();
    return response;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  let cancelled = false;
  const drain = async (out: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (!cancelled) out.enqueue(part.value);
      }
      ended();
      if (!cancelled) out.close();
    } catch (error) {
      const failure = signal.aborted
        ? signal.reason
        : new WireFailure("broken", "the connection closed in the middle of the answer", { cause: error });
      ended(failure);
      if (!cancelled) out.error(failure);
    }
  };
  const body = new ReadableStream<Uint8Array>({
    start(out) {
      void drain(out);
    },
    cancel(reason) {
      cancelled = true;
      ended();
      return reader.cancel(reason);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
