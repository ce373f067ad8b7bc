// Follows the body of a response to its last byte. It is read as fast as it comes, not as fast as it is consumed: a slot
// is about the wire, and a consumer that makes another call between two chunks must not wait for itself.

import { UnusableAnswerError } from "./classify.js";
import type { BodyWatch } from "./incoming.js";
import { WireFailure } from "./wire.js";

/**
 * The same response, with `ended` called once: when the body is complete, broke off, or was cancelled. A body that
 * breaks off errors with a `WireFailure`, or with the reason of `signal` when that is why; one that `watch` objects to
 * ends there. `whole` gets the text of a complete body before it is closed.
 */
export function followedToTheEnd(
  response: Response,
  signal: AbortSignal,
  ended: (failure?: unknown) => void,
  whole?: (text: string) => void,
  watch?: BodyWatch,
): Response {
  if (response.body === null) {
    whole?.("");
    ended();
    return response;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const parts: Uint8Array[] = [];
  let cancelled = false;
  let failed = false;
  const drain = async (out: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const fail = (failure: unknown): void => {
      if (failed) return;
      failed = true;
      ended(failure);
      if (!cancelled) out.error(failure);
      reader.cancel(failure).catch(() => {}); // The body errors with it anyway.
    };
    // Node's `fetch` (20.20) forgets a read that waits for decompression when it is aborted.
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    if (signal.aborted) fail(signal.reason);
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (failed) return;
        watch?.(part.value);
        if (whole !== undefined) parts.push(part.value);
        if (!cancelled) out.enqueue(part.value);
      }
      if (failed) return;
      whole?.(Buffer.concat(parts).toString());
      ended();
      if (!cancelled) out.close();
    } catch (error) {
      fail(failureOf(error, signal));
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

function failureOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof UnusableAnswerError) return error;
  return new WireFailure("broken", "the connection closed in the middle of the answer", { cause: error });
}
