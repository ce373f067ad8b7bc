// Follows the body of a response to its last byte. It is read as fast as it comes, not as fast as it is consumed: a slot
// is about the wire, and a consumer that makes another call between two chunks must not wait for itself.

import { WireFailure } from "./wire.js";

/**
 * The same response, with `ended` called once: when the body is complete, broke off, or was cancelled. A body that
 * breaks off errors with a `WireFailure`, or with the reason of `signal` when that is why. `whole` gets the text of a
 * complete body before it is closed.
 */
export function followedToTheEnd(
  response: Response,
  signal: AbortSignal,
  ended: (failure?: unknown) => void,
  whole?: (text: string) => void,
): Response {
  if (response.body === null) {
    whole?.("");
    ended();
    return response;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  let cancelled = false;
  const parts: Uint8Array[] = [];
  const drain = async (out: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (whole !== undefined) parts.push(part.value);
        if (!cancelled) out.enqueue(part.value);
      }
      whole?.(Buffer.concat(parts).toString());
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
