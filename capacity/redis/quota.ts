// One quota for all processes that name it, in Redis. Slots are leases that run out when their process dies; the share of
// the quota that is used is one for all, and changes by the steps of headroom.ts. Whatever happens to Redis, nothing here
// waits longer than a command may take: the quota says that it cannot be asked, and looks every second whether it can.

import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../clock.js";
import { afterAnswer, afterRefusal, freshHeadroom, type Headroom, type Remaining } from "../headroom.js";
import type { Fleet, Leave, SharedQuota } from "../shared-quota.js";
import { TOKEN_BURST_MS } from "../token-ledger.js";
import type { Quota } from "../types.js";
import { RedisConnection } from "./connection.js";
import { type ProcessUse, reportWriter } from "./process-report.js";
import {
  BREAK,
  CORRECT,
  DEPART,
  GIVE_BACK,
  PAUSE,
  QUOTA_PREFIX,
  quotaKeys,
  RENEW,
  RENEWED,
  RETRY,
  STEP,
  TAKE,
  TAKEN,
} from "./scripts.js";

/** How far ahead a process may reserve starts, in real milliseconds. */
const HORIZON_MS = 50;
/** How many requests may leave at once when nothing has left for a while. Two make up for a late timer. */
const BURST = 2;
/** A quota that could not be asked is left alone for so long, in real milliseconds. */
const REST_MS = 1_000;

/** What a {@link RedisQuota} takes. */
export interface RedisQuotaOptions {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  /** Names the quota: all processes that use the same name share it. Provider, account and model belong in it. */
  readonly name: string;
  readonly quota: Quota;
  /** Before every key. Default `bulkhead:quota:`. */
  readonly prefix?: string;
  /** Processes to reckon with as long as Redis has never said how many there are. Default 4. */
  readonly processes?: number;
  /** The longest wait for one command, in milliseconds. Default 250. */
  readonly timeoutMs?: number;
  /**
   * A process that was not heard of for so long does not count any more, and its slots are free, in milliseconds. It says
   * three times as often that it lives. Default 15 000, minimum 300.
   */
  readonly leaseMs?: number;
  readonly clock: Clock;
  /** Hears that another process has found the route dead, for so many milliseconds more. */
  readonly onBroken?: (forMs: number, reason: string) => void;
  /** Hears of it once when Redis is lost, and once when it is back. */
  readonly onLost?: (reason: string) => void;
  readonly onBack?: () => void;
  /** How this process stands, told to the fleet whenever it says that it lives. Default: nothing is told. */
  readonly use?: () => ProcessUse;
}

const headroomShape = z.object({
  share: z.number().gt(0).max(1),
  most: z.number(),
  refusedAt: z.number(),
  highest: z.number(),
  lastRefusal: z.number(),
  lastStep: z.number(),
});
const headroomText = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(headroomShape);

/** A {@link SharedQuota} in Redis. */
export class RedisQuota implements SharedQuota {
  onChange: (() => void) | undefined;
  readonly #options: RedisQuotaOptions;
  readonly #connection: RedisConnection;
  readonly #scale: number;
  readonly #leaseMs: number;
  readonly #process = randomUUID();
  readonly #keys: ReturnType<typeof quotaKeys>;
  readonly #report: () => string;
  readonly #held = new Set<string>();
  /** The server's time less that of this process, in real milliseconds. */
  #ahead = 0;
  #available = false;
  #saidLost = false;
  #fleet: Fleet;
  /** The headroom as Redis has it, letter for letter. */
  #headroomText: string;
  #stepping = false;
  #looking = false;
  #timers: NodeJS.Timeout[] = [];

  /** Connects in the background. @throws Error when `ioredis` is not installed or the address is none. */
  constructor(options: RedisQuotaOptions) {
    const { url, name, quota, prefix = QUOTA_PREFIX, processes = 4, timeoutMs = 250, clock } = options;
    const { leaseMs = 15_000 } = options;
    if (!(leaseMs >= 300)) throw new RangeError(`leaseMs is ${leaseMs} and must be at least 300`);
    if (!(processes >= 1)) throw new RangeError(`processes is ${processes} and must be at least 1`);
    this.#leaseMs = leaseMs;
    const { headroom = 0.8, maxHeadroom = 0.98 } = quota;
    this.#options = options;
    this.#scale = clock.scale ?? 1;
    this.#connection = new RedisConnection({ url, purpose: `the shared quota of ${name}`, timeoutMs });
    this.#keys = quotaKeys(prefix, name);
    this.#report = reportWriter(options);
    const fresh = freshHeadroom(headroom, Math.max(headroom, maxHeadroom), 0);
    this.#headroomText = JSON.stringify(fresh);
    this.#fleet = { headroom: fresh, processes };
    queueMicrotask(() => void this.#look()); // What it is to report exists when its owner is made.
    this.#timers = [setInterval(() => void this.#renew(), leaseMs / 3), setInterval(() => void this.#look(), REST_MS)];
    for (const timer of this.#timers) timer.unref();
  }

  get available(): boolean {
    return this.#available;
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  async take(id: string, tokens: number): Promise<Leave> {
    const { requestsPerMinute, tokensPerMinute = 0, inFlight } = this.#options.quota;
    const keys = this.#keys;
    const lease = this.#lease(id);
    this.#held.add(lease);
    try {
      const reply = await this.#connection.run(
        TAKE,
        [keys.state, keys.leases, keys.processes, keys.places, keys.waiting],
        [
          ...[lease, this.#process, this.#leaseMs, this.#leaseMs, requestsPerMinute * this.#scale, BURST, inFlight],
          ...[HORIZON_MS, tokensPerMinute * this.#scale, TOKEN_BURST_MS / this.#scale],
          ...[tokens, this.#headroomText],
        ],
      );
      const [granted, ms, reason, now, processes, headroom, broken] = TAKEN.parse(reply);
      this.#learn(now, processes, headroom);
      const [, leftMs, why = ""] = /^([\d.]+) (.*)$/s.exec(broken) ?? [];
      if (leftMs !== undefined) this.#options.onBroken?.(Number(leftMs) * this.#scale, why);
      if (granted === 1) return { granted: true, startInMs: ms * this.#scale };
      this.#held.delete(lease);
      return { granted: false, reason: reason || "pace", ...(ms < 0 ? {} : { waitMs: ms * this.#scale }) };
    } catch (error) {
      this.#held.delete(lease);
      this.#lost(error);
      throw error;
    }
  }

  hold(id: string): void {
    this.#held.add(this.#lease(id));
  }

  giveBack(id: string): void {
    const lease = this.#lease(id);
    this.#held.delete(lease);
    if (!this.#available) return; // What Redis knows of it runs out.
    this.#send(this.#connection.run(GIVE_BACK, [this.#keys.leases], [lease]));
  }

  correct(tokens: number): void {
    const { tokensPerMinute } = this.#options.quota;
    if (tokensPerMinute === undefined || !this.#available) return;
    const values = [tokens, tokensPerMinute * this.#scale, this.#headroomText];
    this.#send(this.#connection.run(CORRECT, [this.#keys.state], values));
  }

  async retry(): Promise<boolean> {
    try {
      return (await this.#connection.run(RETRY, [this.#keys.state], [])) === 1;
    } catch (error) {
      this.#lost(error);
      throw error;
    }
  }

  pause(ms: number): void {
    if (!this.#available) return;
    this.#send(this.#connection.run(PAUSE, [this.#keys.state], [ms / this.#scale]));
  }

  broke(forMs: number, reason: string): void {
    if (!this.#available) return;
    const text = forMs > 0 ? String(forMs / this.#scale) : "0";
    this.#send(this.#connection.run(BREAK, [this.#keys.state], [text, reason]));
  }

  refused(): void {
    this.#step((headroom, now) => afterRefusal(headroom, now));
  }

  answered(wanted: boolean, said: Remaining | undefined): void {
    this.#step((headroom, now) => afterAnswer(headroom, now, wanted, said));
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const { leases, processes, places, waiting, reports } = this.#keys;
    const keys = [leases, processes, places, reports, waiting];
    const gone = this.#available && this.#connection.run(DEPART, keys, [this.#process, ...this.#held]);
    await Promise.resolve(gone).catch(() => undefined); // Then its leases run out.
    this.#available = false;
    await this.#connection.close();
  }

  #lease(id: string): string {
    return `${this.#process}:${id}`;
  }

  /** Takes one step of the headroom, unless another process takes it. */
  #step(next: (headroom: Headroom, now: number) => Headroom): void {
    if (this.#stepping || !this.#available) return;
    const before = this.#fleet.headroom;
    const after = next(before, (Date.now() + this.#ahead) * this.#scale);
    if (after === before) return;
    this.#stepping = true;
    const seen = this.#headroomText;
    const stepped = this.#connection.run(STEP, [this.#keys.state], [seen, JSON.stringify(after)]).then((reply) => {
      this.#learnHeadroom(z.string().parse(reply));
    });
    this.#send(
      stepped.finally(() => {
        this.#stepping = false;
      }),
    );
  }

  #learn(now: number, processes: number, headroom: string): void {
    this.#ahead = now - Date.now();
    const changed = processes !== this.#fleet.processes;
    this.#fleet = { ...this.#fleet, processes: Math.max(1, processes) };
    this.#learnHeadroom(headroom);
    if (changed) this.onChange?.();
  }

  #learnHeadroom(text: string): void {
    if (text === this.#headroomText) return;
    this.#fleet = { ...this.#fleet, headroom: headroomText.parse(text) };
    this.#headroomText = text;
  }

  /** Says that this process lives. */
  async #renew(): Promise<void> {
    if (!this.#available) return;
    await this.#hello().catch((error: unknown) => this.#lost(error));
  }

  async #hello(): Promise<void> {
    const { leases, processes, places, reports } = this.#keys;
    const values = [this.#process, this.#leaseMs, this.#leaseMs, this.#report(), ...this.#held];
    const [now, count] = RENEWED.parse(await this.#connection.run(RENEW, [leases, processes, places, reports], values));
    this.#learn(now, count, this.#headroomText);
  }

  /** Looks whether Redis can be asked, when it could not. */
  async #look(): Promise<void> {
    if (this.#available || this.#looking) return;
    this.#looking = true;
    try {
      await this.#hello();
    } catch (error) {
      this.#tellLost(error);
      return;
    } finally {
      this.#looking = false;
    }
    this.#available = true;
    if (this.#saidLost) this.#options.onBack?.();
    this.#saidLost = false;
    this.onChange?.();
  }

  #lost(error: unknown): void {
    if (!this.#available) return;
    this.#available = false;
    this.#tellLost(error);
    this.onChange?.();
  }

  #tellLost(error: unknown): void {
    if (this.#saidLost) return;
    this.#saidLost = true;
    this.#options.onLost?.(error instanceof Error ? error.message : String(error));
  }

  /** Nobody waits for it; when it fails the quota is lost, and a lease runs out by itself. */
  #send(sent: Promise<unknown>): void {
    sent.catch((error: unknown) => this.#lost(error));
  }
}
