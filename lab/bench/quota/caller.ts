// The harnesses of the benchmark: each makes plain chat calls over HTTP in its own way. All of them have one model object for
// all tasks, as a program has.

import { ChatOpenAI } from "@langchain/openai";
import Bottleneck from "bottleneck";
import { type Clock, type Random, scaledClock } from "../../../capacity/index.js";
import { readSettings, resolveModel } from "../../../models/index.js";
import type { QuotaScenario } from "./scenario.js";

/** Makes calls. Rejects when one failed for good. */
export interface Caller {
  call(prompt: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What a caller is made from. */
export interface CallerOptions extends QuotaScenario {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string;
  readonly random: Random;
  /** Variables for `bulkhead`, as in the environment, beside those of the scenario. */
  readonly settings: Readonly<Record<string, string>>;
}

const MODEL = "offline-large";

/** Peers use this share of the quota, as their users are told to. */
const PEER_HEADROOM = 0.8;

/** More than ever are in flight: the quota in requests per minute is what is to be measured. */
const IN_FLIGHT = 200;

/** Calls before the first that counts: rounds, and calls at once in each. */
const WARM_UP_ROUNDS = 20;
const WARM_UP_CALLS = 20;

/** Attempts of a call under {@link withFullJitter}, and its longest back-off in ms. */
const ATTEMPTS = 10;
const LONGEST_MS = 60_000;

/** Whether the harness brings its own timers, so that its process has to be sped up as a whole. */
export const ownsItsTimers = ({ harness }: Pick<QuotaScenario, "harness">): boolean => !harness.startsWith("bulkhead");

/** The harness of the scenario. */
export function openCaller(options: CallerOptions): Caller {
  const perMinute = Math.max(1, Math.floor(options.requestsPerMinute * PEER_HEADROOM));
  switch (options.harness) {
    case "chatopenai":
      return chatOpenAI(options);
    case "bottleneck-reservoir":
      return bottleneck(options, {
        reservoir: perMinute,
        reservoirRefreshAmount: perMinute,
        reservoirRefreshInterval: 60_000,
      });
    case "bottleneck-mintime":
      return bottleneck(options, { minTime: 60_000 / perMinute });
    case "bulkhead":
    case "bulkhead-fleet":
      return bulkhead(options);
  }
}

/** Calls another model, whose quota is its own, until the code that all harnesses share has been compiled. */
export async function warmUp(url: string): Promise<void> {
  const model = new ChatOpenAI({
    model: "offline-small",
    apiKey: "none",
    configuration: { baseURL: url, logLevel: "off" },
  });
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    await Promise.all(Array.from({ length: WARM_UP_CALLS }, (_, call) => model.invoke(`Warm-up ${round}, ${call}.`)));
  }
}

/** As its users have it: six retries that wait for `Retry-After`. */
function chatOpenAI({ url }: CallerOptions): Caller {
  const model = new ChatOpenAI({ model: MODEL, apiKey: "none", configuration: { baseURL: url, logLevel: "off" } });
  return {
    call: async (prompt, signal) => {
      await model.invoke(prompt, { signal });
    },
    close: async () => {},
  };
}

/** Every attempt takes its turn in the limiter. `Date` and timers of this process are scaled, so that these are not. */
function bottleneck({ url, random }: CallerOptions, limits: Bottleneck.ConstructorOptions): Caller {
  const limiter = new Bottleneck(limits);
  const model = new ChatOpenAI({
    model: MODEL,
    apiKey: "none",
    maxRetries: 0,
    configuration: { baseURL: url, logLevel: "off" },
  });
  return {
    call: (prompt, signal) =>
      withFullJitter(random, signal, () =>
        limiter.schedule(async () => {
          signal.throwIfAborted();
          await model.invoke(prompt, { signal });
        }),
      ),
    close: () => limiter.disconnect(),
  };
}

/** The guarded model as `bulkhead run` makes it. */
function bulkhead({ url, requestsPerMinute, scale, random, settings }: CallerOptions): Caller {
  const clock: Clock = scaledClock(scale);
  const variables = {
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: "none",
    BULKHEAD_MODEL: MODEL,
    BULKHEAD_REQUESTS_PER_MINUTE: String(requestsPerMinute),
    BULKHEAD_IN_FLIGHT: String(IN_FLIGHT),
    BULKHEAD_MAX_WAIT_MS: "86400000",
    ...settings,
  };
  const { model, close } = resolveModel(readSettings(variables), { clock, random });
  return {
    call: async (prompt, signal) => {
      await model.invoke(prompt, { signal });
    },
    close,
  };
}

/** A 429 is tried again after its hint, and after a draw from 0 to 1 s × 2^n on top (at most a minute). */
export async function withFullJitter(
  random: Random,
  signal: AbortSignal,
  attempt: () => Promise<void>,
  sleep: Clock["sleep"] = globalSleep,
): Promise<void> {
  for (let earlier = 0; ; earlier += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (statusOf(error) !== 429 || earlier + 1 >= ATTEMPTS) throw error;
      await sleep(hintMs(error) + random() * Math.min(LONGEST_MS, 1_000 * 2 ** earlier), signal);
    }
  }
}

/** `systemClock` has timers of its own, which nobody speeds up. */
const globalSleep: Clock["sleep"] = async (ms, signal) => {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    signal?.addEventListener("abort", aborted, { once: true });
  });
};

const statusOf = (error: unknown): unknown => (error as { readonly status?: unknown } | undefined)?.status;

const hintMs = (error: unknown): number => {
  const { headers } = error as { readonly headers?: { get?(name: string): string | null } };
  return 1_000 * (Number(headers?.get?.("retry-after")) || 0);
};
