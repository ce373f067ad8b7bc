// The quotas of a fleet, looked at from outside: what Redis has of them, and what their processes report. Looking changes
// nothing and counts as no process.

import { z } from "zod";
import { RedisConnection } from "./connection.js";
import { type ProcessReport, readReport } from "./process-report.js";
import { LOOK, QUOTA_PREFIX, quotaKeys } from "./scripts.js";

/** What a {@link FleetView} takes. */
export interface FleetViewOptions {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  /** Before every key. Default `bulkhead:quota:`. */
  readonly prefix?: string;
  /** The longest wait for one command, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
}

/** A process of a fleet, and what it reported last. */
export interface FleetProcess extends ProcessReport {
  /** How long ago that was, in milliseconds. */
  readonly agoMs: number;
}

/** How a quota stands. */
export interface FleetQuota {
  /** Host, account and model. */
  readonly name: string;
  /** Processes that live. */
  readonly processes: number;
  /** Slots that are held. */
  readonly inFlight: number;
  /** The share of the rates that is used. Unset: nobody has said. */
  readonly share?: number;
  /** How long nobody may send anything, in milliseconds. 0: now they may. */
  readonly pausedMs: number;
  /** How far ahead starts are reserved, in milliseconds. */
  readonly reservedMs: number;
  /** The breaker that all share. `half-open`: somebody may try. */
  readonly breaker: ProcessReport["breaker"];
  /** Of an open one, how long it stays open in milliseconds; of one that is not closed, why. */
  readonly broken?: { readonly ms: number; readonly why: string };
  /** How long it takes to pay off the tokens that were used ahead, in milliseconds. */
  readonly owedMs: number;
  /** Of the processes that live, those that report. */
  readonly reports: readonly FleetProcess[];
}

const time = z.coerce.number();
const maybe = z.coerce.number().nullable();
const looked = z.tuple([
  ...[time, maybe, maybe, maybe],
  ...[z.string().nullable(), maybe, z.string().nullable()],
  ...[z.number().int(), z.array(z.string()), z.array(z.string())],
] as const);
const shareOf = z.object({ share: z.number() });

/** Looks. Every method throws when Redis cannot be reached, in one sentence that says where. */
export class FleetView {
  readonly #connection: RedisConnection;
  readonly #prefix: string;

  /** Connects at the first look. @throws Error when `ioredis` is not installed or the address is none. */
  constructor({ url, prefix = QUOTA_PREFIX, timeoutMs = 2_000 }: FleetViewOptions) {
    this.#prefix = prefix;
    this.#connection = new RedisConnection({ url, purpose: "the quotas of the fleet", timeoutMs });
  }

  /** The quotas that are there, by name. Goes through the keys of the whole database, a thousand at a time. */
  async names(): Promise<readonly string[]> {
    const start = `${this.#prefix}{`;
    const keys = await this.#connection.keys(`${start.replace(/[\\*?[\]]/g, "\\$&")}*}:*`);
    const names = keys.map((key) => /^(.*)\}:(?:state|leases|processes|reports)$/s.exec(key.slice(start.length))?.[1]);
    return [...new Set(names.filter((name) => name !== undefined))].sort();
  }

  /** How a quota stands. One that nobody uses is at rest. */
  async look(name: string): Promise<FleetQuota> {
    const { state, leases, processes, reports } = quotaKeys(this.#prefix, name);
    const reply = await this.#connection.run(LOOK, [state, leases, processes, reports], []);
    const [now, tat, tok, pause, headroom, dead, why, inFlight, alive, written] = looked.parse(reply);
    const reported = reportsOf(written, new Set(alive), now);
    // Until the first change of the share, only the processes know it.
    const share = headroom === null ? newestOf(reported)?.share : shareOf.parse(JSON.parse(headroom)).share;
    const left = (until: number | null): number => Math.max(0, Math.round((until ?? 0) - now));
    return {
      ...{ name, processes: alive.length, inFlight },
      ...(share === undefined ? {} : { share }),
      ...{ pausedMs: left(pause), reservedMs: left(tat), owedMs: left(tok) },
      breaker: dead === null ? "closed" : dead > now ? "open" : "half-open",
      ...(dead === null ? {} : { broken: { ms: left(dead), why: why ?? "" } }),
      reports: reported,
    };
  }

  /** Disconnects. */
  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** The report that was heard last. */
export const newestOf = (reports: readonly FleetProcess[]): FleetProcess | undefined =>
  [...reports].sort((left, right) => left.agoMs - right.agoMs)[0];

function reportsOf(written: readonly string[], alive: ReadonlySet<string>, now: number): readonly FleetProcess[] {
  const found: FleetProcess[] = [];
  for (let index = 0; index + 1 < written.length; index += 2) {
    const [process = "", text = ""] = written.slice(index, index + 2);
    const read = alive.has(process) ? readReport(text) : undefined;
    if (read !== undefined) found.push({ ...read.report, agoMs: Math.max(0, Math.round(now - read.at)) });
  }
  return found.sort((left, right) => left.host.localeCompare(right.host) || left.pid - right.pid);
}
