// What the processes of the benchmark do: calls of the guarded model, as `bulkhead run` makes it.

import { setImmediate as nextTurn } from "node:timers/promises";
import { redisStore } from "../../../capacity/cache/redis-store.js";
import { sqliteStore } from "../../../capacity/cache/sqlite-store.js";
import { keepingCache, scaledClock, systemClock } from "../../../capacity/index.js";
import { type ResolvedModel, type ResolveOptions, readSettings, resolveModel } from "../../../models/index.js";
import { hmacSeal } from "../../../trust/index.js";
import { inRun, seededRandom } from "../quota/run-context.js";
import type { Circumstances, Crowd, CrowdCall, EqualJob, Job, LoadJob, Outcome, TreeJob } from "./job.js";

/** What doing a job takes. */
export interface Workplace {
  readonly circumstances: Circumstances;
  /** When it aborts, calls under way are given up; what they come to is not told. */
  readonly signal: AbortSignal;
  readonly tell: (call: CrowdCall) => void;
}

/** So many calls begin before the event loop has a turn: the pace must not stand still until all of them have. */
const AT_ONCE = 25;

/** A busy machine is not what is on trial, in ms: how long a store may take that all processes share. */
const STORE_PATIENCE_MS = 5_000;

const CACHE_TTL_MS = 3_600_000;

/** Gets ready for a job. The function does it. */
export async function openJob(job: Job, place: Workplace): Promise<() => Promise<Outcome>> {
  switch (job.kind) {
    case "load":
      return withModel(place, {}, (log) => load(job, place, log));
    case "tree":
      return withModel(place, {}, (log) => tree(job, log));
    case "equal":
      return equal(job, place);
  }
}

/** The calls of one job. */
interface Log extends Pick<ResolvedModel, "model"> {
  /** Makes a call. `false`: it failed, or was given up. */
  call(crowd: string, prompt: string, options?: object): Promise<boolean>;
  readonly failures: Record<string, number>;
}

function withModel(
  { circumstances, signal, tell }: Workplace,
  options: ResolveOptions,
  work: (log: Log) => Promise<Omit<Outcome, "failures">>,
): () => Promise<Outcome> {
  const { scale, seed, settings } = circumstances;
  const clock = scale === 1 ? systemClock : scaledClock(scale);
  const { model, close } = resolveModel(readSettings(settings), { clock, random: seededRandom(seed), ...options });
  // Simulated time since 1970, in fractions of a millisecond: the clock's whole ones would do, but for short calls.
  const now = (): number => (performance.timeOrigin + performance.now()) * scale;
  const failures: Record<string, number> = {};
  const call: Log["call"] = async (crowd, prompt, more = {}) => {
    const from = now();
    try {
      await model.invoke(prompt, { ...more, signal });
      tell({ crowd, from, to: now(), ok: true });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      tell({ crowd, from, to: now(), ok: false });
      const name = error instanceof Error ? error.name : String(error);
      failures[name] = (failures[name] ?? 0) + 1;
      return false;
    }
  };
  return async () => {
    try {
      return { ...(await work({ model, call, failures })), failures };
    } finally {
      await close();
    }
  };
}

async function load({ crowds, admission }: LoadJob, { signal }: Workplace, log: Log) {
  const options = admission === undefined ? {} : { admission };
  let finished = 0;
  let begun = 0;
  const task = async ({ name, calls }: Crowd, index: number): Promise<void> => {
    for (let step = 1; step <= calls; step += 1) {
      begun += 1;
      if (!(await log.call(name, `Task ${index} of ${name}, step ${step} of ${calls}.`, options))) return;
    }
    finished += 1;
  };
  const tasks: Promise<void>[] = [];
  for (const [number, crowd] of crowds.entries()) {
    for (let index = 0; index < crowd.tasks && !signal.aborted; index += 1) {
      tasks.push(inRun(crowd.fanOut ? crowd.name : `${crowd.name}-${index}`, () => task(crowd, index)));
      if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
    }
    if (number < crowds.length - 1) await untilQueued(() => begun, log, signal);
  }
  await Promise.all(tasks);
  return { finished };
}

/** Until whatever has begun waits in the queue, has left it, or has failed. */
async function untilQueued(begun: () => number, { model, failures }: Log, signal: AbortSignal): Promise<void> {
  const arrived = (): number =>
    model.routes.reduce((sum, { pool: { status } }) => sum + status.queued + status.admitted, 0) +
    Object.values(failures).reduce((sum, count) => sum + count, 0);
  while (!signal.aborted && arrived() < begun()) await nextTurn();
}

async function tree({ width, depth }: TreeJob, { call }: Log) {
  let finished = 0;
  const task = async (path: string, level: number): Promise<void> => {
    if (!(await call("tree", `Task ${path}: divide it.`))) return;
    if (level < depth) {
      await children(path, level + 1);
      if (!(await call("tree", `Task ${path}: put together what came back.`))) return;
    }
    finished += 1;
  };
  // All of it is one run, as subagents of subagents are.
  const children = async (path: string, level: number): Promise<void> => {
    const numbers = Array.from({ length: width }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => inRun("tree", () => task(`${path}.${number}`, level))));
  };
  await children("root", 1);
  return { finished };
}

function equal({ calls, cache: where, sealKey }: EqualJob, place: Workplace): () => Promise<Outcome> {
  const clock = systemClock; // Processes that share leases must agree on the time.
  const store =
    where.kind === "sqlite"
      ? sqliteStore({ path: where.path, clock })
      : redisStore({ url: where.url, prefix: where.prefix, timeoutMs: STORE_PATIENCE_MS });
  const cache = keepingCache({ store, patience: { patienceMs: STORE_PATIENCE_MS }, ttlMs: CACHE_TTL_MS, clock });
  return withModel(place, { clock, cache, seal: hmacSeal(Buffer.from(sealKey)) }, async ({ call }) => {
    try {
      const options = { cacheable: true, tenant: "bench" };
      const answered = await Promise.all(
        Array.from({ length: calls }, () => call("equal", "The same question as everybody's.", options)),
      );
      return { finished: answered.filter(Boolean).length };
    } finally {
      await cache.close();
    }
  });
}
