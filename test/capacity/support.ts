// Clocks, models and handlers that the capacity tests share.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { ChatOpenAI } from "@langchain/openai";
import {
  CAPACITY_EVENT,
  type CapacityEvent,
  type Clock,
  GuardedChatModel,
  type GuardedChatModelOptions,
  type ModelRoute,
  type Quota,
  QuotaPool,
  type QuotaPoolOptions,
} from "../../capacity/index.js";
import type { OpenAIServer } from "./openai-server.js";

/** A clock that stands still until it is moved. Sleepers wake in order. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();

  now = (): number => this.#now;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#sleepers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at);
      if (next === undefined) break;
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything that can go on without time passing go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Fast enough that pacing does not matter. */
export const WIDE: Quota = { requestsPerMinute: 60_000, inFlight: 16, headroom: 1 };

export interface RouteOptions extends Partial<Omit<QuotaPoolOptions, "name">> {
  readonly apiKey?: string;
  readonly baseURL?: string;
}

/** A route to a test server the way `models/` builds it. */
export function routeTo(server: OpenAIServer, name: string, options: RouteOptions = {}): ModelRoute {
  const { apiKey = "test", baseURL = server.url, quota = WIDE, ...rest } = options;
  const pool = new QuotaPool({ name, quota, random: () => 0.001, ...rest });
  const model = new ChatOpenAI({
    model: name,
    apiKey,
    maxRetries: 0,
    configuration: { baseURL, fetch: pool.gate(fetch), logLevel: "off" },
  });
  return { name, provider: "test", offline: false, model, pool };
}

/** A guarded model that does not lose time in back-off. */
export function guarded(
  routes: readonly [ModelRoute, ...ModelRoute[]],
  options: Partial<GuardedChatModelOptions> = {},
): GuardedChatModel {
  return new GuardedChatModel({ routes, random: () => 0.001, ...options });
}

/** Collects the capacity events of a run. */
export class Events extends BaseCallbackHandler {
  readonly name = "capacity events";
  override awaitHandlers = true;
  readonly all: CapacityEvent[] = [];

  override handleCustomEvent(name: string, event: CapacityEvent): void {
    if (name === CAPACITY_EVENT) this.all.push(event);
  }

  get kinds(): string[] {
    return this.all.map(({ kind }) => kind);
  }
}

/** Waits until `holds`, by turns of the event loop; fails after ten seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it never came true");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
