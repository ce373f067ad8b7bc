// The one retry authority. Takes a call through its routes: waits out pauses, backs off within a budget, remembers dead
// routes, falls back where that is admitted, and says at each step what it does. Nothing below retries, nothing above may.

import { fullJitterMs } from "./backoff.js";
import type { BreakerState } from "./breaker.js";
import { type CallInProgress, callInProgress } from "./call.js";
import { classifyError, explain, type Failure, type UnusableAnswerError } from "./classify.js";
import type { Clock, Random } from "./clock.js";
import { CapacityWaitError, givenUp, type RouteFailure } from "./errors.js";
import { serveFromRecord } from "./from-record.js";
import type { ModelRoute } from "./route.js";
import type { Admission, CapacityEvent } from "./types.js";
import type { CallStandIn } from "./witness.js";

/** The limits of one {@link serve}. */
export interface ServeOptions {
  readonly routes: readonly [ModelRoute, ...ModelRoute[]];
  readonly admission: Admission;
  /** Until then, in milliseconds since the epoch, the primary is waited for rather than left for a fallback. */
  readonly primaryUntil: number | undefined;
  /** How long the call may sit out pauses on one route, in milliseconds. */
  readonly maxWaitMs: number;
  /** Attempts on one route that may fail otherwise than by rate. */
  readonly maxAttempts: number;
  /** The queue of the primary beyond which a route that is free sooner is asked first, in ms. Unset: `maxWaitMs`. */
  readonly spillMs: number | undefined;
  /** What a route has to be able to do. `tokens`: about so many in the prompt. */
  readonly needs: { readonly tools: boolean; readonly tokens: number };
  readonly call: CallInProgress;
  readonly emit: (event: CapacityEvent) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  /** Answers in place of the routes. */
  readonly standIn: CallStandIn | undefined;
}

/** What a served call got. */
export interface Served<Value> {
  readonly value: Value;
  readonly route: ModelRoute;
  /** Why an earlier route did not answer. */
  readonly fallbackReason?: RouteFailure["reason"] | "busy";
  /** Failed attempts with an unknown outcome. */
  readonly unclearAttempts: number;
  /** Of an answer from a record: the alias that it was taken for the route's by, see `Obtained`. */
  readonly alias?: string | undefined;
}

const RETRIED = new Set<Failure["kind"]>([
  "overload",
  "server-error",
  "network",
  "timeout",
  "truncated",
  "bad-response",
]);
/** What is over some time, so that a primary is worth waiting for. */
const PASSING = new Set<RouteFailure["reason"]>([...RETRIED, "rate-limit", "circuit-open"]);
/** How soon a primary that is waited for is worth another call, in ms, when nobody said. */
const AGAIN_MS = 10_000;
const DEAD = new Set<Failure["kind"]>(["server-error", "overload", "network", "timeout"]);
/** Another route would refuse it too, or hide a mistake of the operator's. */
const FATAL = new Set<RouteFailure["reason"]>(["auth", "invalid-request", "context-length", "aborted"]);

/**
 * Makes `attempt` on the routes in order until one succeeds.
 *
 * @throws the reason of the caller's signal when it aborts; otherwise a `CapacityError`.
 */
export async function serve<Value>(
  options: ServeOptions,
  attempt: (route: ModelRoute) => Promise<Value>,
): Promise<Served<Value>> {
  const { emit, standIn } = options;
  if (standIn !== undefined) return serveFromRecord(options, standIn, attempt);
  const failed: Failed[] = [];
  const counts = { unclear: 0 };
  const [primary] = options.routes;
  const order = orderOf(options);
  if (order[0] !== primary) await emit({ kind: "fallback", from: primary.name, to: order[0].name, reason: "busy" });
  for (const [index, route] of order.entries()) {
    const next = order[index + 1];
    const outcome = await onRoute(options, route, { counts, isLast: next === undefined }, attempt);
    if ("value" in outcome) {
      const reason = failed.find(({ failure }) => failure.route === primary.name)?.failure.reason ?? "busy";
      return {
        value: outcome.value,
        route,
        unclearAttempts: counts.unclear,
        ...(route === primary ? {} : { fallbackReason: reason }),
      };
    }
    failed.push(outcome);
    if (isLate(options)) break;
    if (route === primary) waitForPrimary(options, outcome);
    if (next === undefined || !helps(next, outcome.failure.reason, route)) break;
    await emit({ kind: "fallback", from: route.name, to: next.name, reason: outcome.failure.reason });
  }
  const first = failed.find(({ failure }) => failure.route === primary.name) ?? failed[0];
  if (first === undefined) throw new RangeError("a model needs at least one route");
  const others = failed.filter((each) => each !== first).map(({ failure }) => failure);
  throw givenUp(first.failure, others, first.error);
}

/**
 * The routes that may answer, in the order in which they are asked: those that can, and first the one that is free
 * when the primary keeps everybody waiting.
 */
function orderOf({
  routes,
  admission,
  needs,
  spillMs,
  maxWaitMs,
  primaryUntil = 0,
  clock,
}: ServeOptions): readonly [ModelRoute, ...ModelRoute[]] {
  const [primary, ...others] = routes;
  if (admission === "primary-only") return [primary];
  const able = others.filter(
    ({ tools = true, contextTokens = Number.POSITIVE_INFINITY }) =>
      (tools || !needs.tools) && needs.tokens <= contextTokens,
  );
  const wait = primary.pool.forecast();
  const free =
    wait.state !== "open" || wait.waitMs <= (spillMs ?? maxWaitMs) || clock.now() + wait.waitMs <= primaryUntil
      ? undefined
      : able.find(({ pool }) => {
          const { waitMs, state } = pool.forecast();
          return state === "open" && waitMs < wait.waitMs;
        });
  return free === undefined ? [primary, ...able] : [free, primary, ...able.filter((each) => each !== free)];
}

/** @throws CapacityWaitError while the primary is waited for, and its failure is one that passes. */
function waitForPrimary(
  { routes, admission, primaryUntil = 0, clock, random }: ServeOptions,
  { failure, error }: Failed,
): void {
  if (!PASSING.has(failure.reason)) return;
  const { refusesUntil } = routes[0].pool.breaker;
  const retryAt = failure.retryAt ?? refusesUntil ?? clock.now() + AGAIN_MS + fullJitterMs(0, random);
  if (retryAt > primaryUntil) return;
  const code = refusesUntil === undefined ? "CAPACITY_TIMEOUT" : "CIRCUIT_OPEN";
  const others =
    admission === "primary-only"
      ? "no other model may answer"
      : `no fallback answers before ${new Date(primaryUntil).toISOString()}`;
  throw new CapacityWaitError(code, `${failure.message}; ${others}`, retryAt, { cause: error });
}

/**
 * Whether `next` may answer what `route` did not for `reason`. What was too long for one is asked of another unless that
 * is known to take no more; it was left out of the order already when it is known to take less than this.
 */
const helps = (next: ModelRoute, reason: RouteFailure["reason"], route: ModelRoute): boolean =>
  reason === "context-length"
    ? (next.contextTokens ?? Number.POSITIVE_INFINITY) > (route.contextTokens ?? 0)
    : !FATAL.has(reason);

interface Failed {
  readonly failure: RouteFailure;
  readonly error: unknown;
}

type Outcome<Value> = { readonly value: Value } | Failed;

async function onRoute<Value>(
  options: ServeOptions,
  route: ModelRoute,
  { counts, isLast }: { readonly counts: { unclear: number }; readonly isLast: boolean },
  attempt: (route: ModelRoute) => Promise<Value>,
): Promise<Outcome<Value>> {
  const { call, emit, clock, maxAttempts, maxWaitMs, random } = options;
  const { pool } = route;
  call.route = route.name;
  call.provider = route.provider;
  call.pauseLeftMs = maxWaitMs;
  pool.retryBudget.earn(call.runKey);
  let last: Outcome<Value> | undefined;
  for (let failures = 0; ; ) {
    call.signal?.throwIfAborted();
    for (const event of pool.takeNews()) await emit(event);
    const isProbe = pool.breaker.state.kind !== "closed";
    const report = pool.breaker.enter();
    if (report === undefined) {
      // Nobody else can answer: it is cheaper to wait for the route to come back than to lose the work.
      if ((isLast || isPreferred(options, route)) && (await waited(options, route))) continue;
      return last ?? refusedByBreaker(route, clock);
    }
    call.last = {};
    call.isProbe = isProbe;
    try {
      const value = await callInProgress.run(call, () => attempt(route));
      await tell(emit, route, report("alive"));
      return { value };
    } catch (error) {
      const thrown = call.last.thrown ?? error;
      const failure = classifyError(thrown, clock.now());
      const aborted = call.signal?.aborted === true;
      await tell(
        emit,
        route,
        report(showsOf(failure, thrown, aborted || isLate(options) || call.last.kept === true), failure.kind),
      );
      if (aborted) throw call.signal?.reason;
      if (call.last.kept) continue;
      if (!failure.clean) counts.unclear += 1;
      const { refused } = call.last;
      if (failure.kind === "rate-limit" && refused !== undefined) {
        // Back into the queue: the pool is paused, and the queue refuses a wait that is too long for this call.
        await emit({ kind: "rate-limited", route: route.name, ...refused });
        continue;
      }
      // Who probes a dead route does that for everybody; it is not held against him.
      if (!isProbe) failures += 1;
      const delayMs = Math.max(fullJitterMs(Math.max(0, failures - 1), random), failure.retryAfterMs ?? 0);
      const isBroken = pool.breaker.refusesUntil !== undefined;
      const again =
        RETRIED.has(failure.kind) &&
        (failures < mostAttempts(thrown, maxAttempts) || (isBroken && isPreferred(options, route))) &&
        delayMs <= maxWaitMs &&
        clock.now() + delayMs < (call.deadlineAt ?? Number.POSITIVE_INFINITY) &&
        // Behind a breaker one probe goes out, not one retry for each call: it takes nothing from the budget.
        (isBroken ? isLast || isPreferred(options, route) : await pool.retryBudget.spend(call.runKey));
      last = { failure: failureOf(route, failure, thrown, call.last.host), error: thrown };
      if (!again) return last;
      if (isBroken) continue;
      await emit({ kind: "retry", route: route.name, attempt: failures + 1, delayMs, reason: failure.kind });
      await clock.sleep(delayMs, call.signal);
      call.queueMs += delayMs;
    }
  }
}

/** An answer that came whole and cannot be used is asked for once more, and no third time: it is no passing trouble. */
const mostAttempts = (thrown: unknown, maxAttempts: number): number =>
  (thrown as Partial<UnusableAnswerError> | undefined)?.name === "UnusableAnswerError" &&
  (thrown as UnusableAnswerError).kind === "bad-response"
    ? Math.min(2, maxAttempts)
    : maxAttempts;

/** Whether `route` is the primary, and is still waited for. */
const isPreferred = ({ routes, primaryUntil = 0, clock }: ServeOptions, route: ModelRoute): boolean =>
  route === routes[0] && clock.now() < primaryUntil;

/** Waits until the breaker of `route` lets somebody try. `false`: that is longer than this call may wait. */
async function waited({ call, clock, random }: ServeOptions, { pool }: ModelRoute): Promise<boolean> {
  const now = clock.now();
  const waitMs = Math.max(0, (pool.breaker.refusesUntil ?? now) - now) + fullJitterMs(0, random);
  if (waitMs > call.pauseLeftMs || now + waitMs > (call.deadlineAt ?? Number.POSITIVE_INFINITY)) return false;
  call.pauseLeftMs -= waitMs;
  call.queueMs += waitMs;
  call.onWait({ waitMs, reason: "pause" });
  await clock.sleep(waitMs, call.signal);
  return true;
}

/** Whether the caller's deadline has passed. */
const isLate = ({ call, clock }: ServeOptions): boolean => clock.now() >= (call.deadlineAt ?? Number.POSITIVE_INFINITY);

/** What an attempt showed about the route. One that never left shows nothing, nor does one that its caller ended. */
function showsOf(failure: Failure, thrown: unknown, endedByCaller: boolean): "alive" | "dead" | "unknown" {
  if (endedByCaller || CapacityWaitError.isInstance(thrown)) return "unknown";
  return DEAD.has(failure.kind) ? "dead" : "alive";
}

function failureOf(route: ModelRoute, failure: Failure, thrown: unknown, host: string | undefined): RouteFailure {
  return {
    route: route.name,
    reason: failure.kind,
    message: explain(failure, route.name, host ?? route.provider),
    ...(failure.status === undefined ? {} : { status: failure.status }),
    ...(CapacityWaitError.isInstance(thrown) ? { retryAt: thrown.retryAt } : {}),
  };
}

function refusedByBreaker({ name, pool }: ModelRoute, clock: Clock): { failure: RouteFailure; error: unknown } {
  const retryAt = pool.breaker.refusesUntil ?? clock.now();
  const inSeconds = Math.ceil((retryAt - clock.now()) / 1000);
  const message = `${pool.breaker.explain()}; it is tried again in ${inSeconds} s`;
  return { failure: { route: name, reason: "circuit-open", message, retryAt }, error: undefined };
}

async function tell(
  emit: (event: CapacityEvent) => Promise<void>,
  route: ModelRoute,
  state: BreakerState | undefined,
): Promise<void> {
  if (state === undefined) return;
  const reason = state.kind === "closed" ? "the probe was answered" : state.reason;
  await emit({ kind: "breaker", route: route.name, state: state.kind, reason });
}

/** Sorts an error that came after part of a stream was handed out, when no retry is possible any more. */
export function explainBroken(
  route: ModelRoute,
  call: CallInProgress,
  error: unknown,
  now: number,
): { readonly failure: Failure; readonly message: string; readonly thrown: unknown } {
  const thrown = call.last.thrown ?? error;
  const failure = classifyError(thrown, now);
  const message = explain(failure, route.name, call.last.host ?? route.provider);
  return { failure, thrown, message: `${message}; part of it was streamed already: discard that and call again` };
}
