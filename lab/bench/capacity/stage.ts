// What a row plays on: a provider of its own in this process, in scaled time, and the jobs in processes of theirs. It counts
// what reached the provider, and ends what takes too long.

import { scaledClock, systemClock } from "../../../capacity/index.js";
import {
  type Brain,
  type ModelCounters,
  OfflineProvider,
  type OfflineProviderOptions,
  type ProviderRequest,
} from "../../../models/index.js";
import type { Circumstances, CrowdCall, Job } from "./job.js";
import { watchLateness } from "./lateness.js";
import { type JobsFound, runJobs } from "./processes.js";

/** How the rows of one run are played. */
export interface Run {
  /** How many times as fast as the machine's time runs. */
  readonly scale: number;
  readonly seed: number;
  /** Whether each process makes calls that count for nothing first: code gets compiled. Default `true`. */
  readonly warmUp?: boolean;
  /** When it aborts, the running row is cut. */
  readonly signal: AbortSignal;
}

/** One play. */
export interface Play {
  readonly provider: Pick<OfflineProviderOptions, "quotas" | "behaviours" | "faults">;
  /** A process each. */
  readonly jobs: readonly Job[];
  /** Variables for `bulkhead`, beside address, model and patience. */
  readonly settings: Readonly<Record<string, string>>;
  /** Simulated minutes after which it is ended. */
  readonly longestMinutes: number;
}

/** What came of it. */
export interface Found extends JobsFound {
  readonly calls: readonly CrowdCall[];
  /** Requests that reached the provider. */
  readonly http: number;
  readonly counters: Readonly<Record<"offline-large" | "offline-small", ModelCounters>>;
  /** Of all processes, the provider's as well, in simulated ms. */
  readonly lateMs: number;
  readonly cut?: "overtime" | "interrupted";
}

/** How often the provider's requests are counted, in real ms: it remembers a thousand of them. */
const COUNT_MS = 50;

/** Requests per minute that nobody gets to. */
const PLENTY = { requestsPerMinute: 1_000_000, inFlight: Infinity };

/** What the provider says: nothing that matters. */
const BRAIN: Brain = () => ({ content: "Done.", toolCalls: [] });

/** Plays. After the signal has aborted, what there is until then is `cut`. */
export async function play({ provider: settings, jobs, settings: variables, longestMinutes }: Play, run: Run) {
  const { scale, seed, warmUp = true, signal } = run;
  const clock = scale === 1 ? systemClock : scaledClock(scale);
  const provider = new OfflineProvider({ ...settings, brain: BRAIN, clock, seed });
  const before = warmUp ? new OfflineProvider({ brain: BRAIN, quotas: { "offline-small": PLENTY } }) : undefined;
  const calls: CrowdCall[] = [];
  const overtime = new AbortController();
  const over = new AbortController();
  let alarm = Promise.resolve();
  let lateness = (): number => 0;
  const requests = countRequests(provider);
  try {
    const url = await provider.listen();
    const circumstances: Circumstances = {
      ...{ url, scale, seed },
      ...(before === undefined ? {} : { warmUpUrl: await before.listen() }),
      settings: {
        OPENAI_BASE_URL: url,
        OPENAI_API_KEY: "none",
        BULKHEAD_MODEL: "offline-large",
        BULKHEAD_MAX_WAIT_MS: "86400000",
        ...variables,
      },
    };
    const found = await runJobs({
      ...{ jobs, circumstances, signal: AbortSignal.any([signal, overtime.signal]) },
      onGo: async () => {
        await before?.close();
        lateness = watchLateness();
        const end = (): void => overtime.abort(new Error("it took too long"));
        alarm = clock.sleep(longestMinutes * 60_000, over.signal).then(end, () => undefined);
      },
      onCalls: (more) => void calls.push(...more),
    });
    const cut = signal.aborted ? "interrupted" : overtime.signal.aborted ? "overtime" : undefined;
    return {
      ...found,
      calls,
      http: requests.end(),
      counters: provider.counters,
      lateMs: Math.max(found.lateMs, lateness()) * scale,
      ...(cut === undefined ? {} : { cut }),
    } satisfies Found as Found;
  } finally {
    requests.end();
    lateness();
    over.abort();
    await alarm;
    await before?.close();
    await provider.close();
  }
}

/** Half as long again as `minutes`, and ten minutes more at least. */
export const patienceOf = (minutes: number): number => Math.max(minutes * 1.5, minutes + 10);

/** Counts what reaches the provider, also what a fault answers: the meter of its quota sees none of that. */
function countRequests(provider: OfflineProvider): { end(): number } {
  let count = 0;
  let last: ProviderRequest | undefined;
  const look = (): void => {
    const { requests } = provider;
    const known = last === undefined ? -1 : requests.lastIndexOf(last);
    count += requests.length - 1 - known;
    last = requests.at(-1);
  };
  const timer = setInterval(look, COUNT_MS);
  return {
    end: () => {
      clearInterval(timer);
      look();
      return count;
    },
  };
}
