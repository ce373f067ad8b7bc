// What the gate in `fetch` has to know about the model call that it serves, and what it learns for it. The two are
// separated by an SDK and a chat model that carry nothing across, so it travels in async context.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Priority } from "./fair-queue.js";
import type { Wait } from "./limiter.js";
import type { CallWitness } from "./witness.js";

/** One model call in progress, over all its attempts and routes. The gate writes what it saw. */
export interface CallInProgress {
  /** Names the call to who watches it. */
  readonly id: string;
  readonly runKey: string;
  /** Default `interactive`. */
  readonly priority: Priority;
  /** Sees what leaves and what comes back. */
  readonly witness: CallWitness | undefined;
  /** Answers in place of the network. */
  standIn?: (endpoint: string, body: string) => Promise<Response>;
  /** The caller's own signal. The SDK's would include a timer that counts the time in the queue. */
  readonly signal: AbortSignal | undefined;
  readonly deadlineAt: number | undefined;
  readonly onWait: (wait: Wait) => void;
  /** Whether it goes out to see if a dead route is alive. */
  isProbe?: boolean;
  /** The model that is being asked, and who serves it. */
  route: string;
  provider: string;
  /** Milliseconds of pause it may still sit out on the route at hand. */
  pauseLeftMs: number;
  /** Milliseconds spent waiting for leave and backing off. */
  queueMs: number;
  /** HTTP requests that left. */
  requests: number;
  /** Of those, how many were refused for rate. */
  rateLimited: number;
  /** About the last request. */
  last: LastRequest;
}

/** What the gate saw of one request. */
export interface LastRequest {
  /** Where it went: host and port. */
  host?: string;
  /** Tokens charged for it. */
  charged?: number;
  /** See `limitHeaders`. */
  headers?: Readonly<Record<string, string>>;
  /** What the gate threw, or what the provider said. The SDK replaces some errors by its own and drops what it was. */
  thrown?: unknown;
  /** The route was found dead while the request waited for leave, and it did not leave. */
  kept?: true;
  /** Set when it was refused for rate: how long the quota pauses now, and whether the provider said so. */
  refused?: { readonly retryAfterMs: number; readonly hinted: boolean };
}

/** The call that the running code works for. */
export const callInProgress = new AsyncLocalStorage<CallInProgress>();
