// The one retry authority. Takes a call through its routes: waits out pauses, backs off within a budget, remembers dead
// routes, falls back where that is admitted, and says at each step what it does. Nothing below retries, nothing above may.

import { fullJitterMs } from "./backoff.js";
import type { BreakerState } from "./breaker.js";
import { type CallInProgress, callInProgress } from "./call.js";
import { classifyError, explain, type Failure } from "./classify.js";
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
  /** How long the call may sit out pauses on one route, in milliseconds. */
  readonly maxWaitMs: number;
  /** Attempts on one route that may fail otherwise than by rate. */
  readonly maxAttempts: number;
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
  readonly fallbackReason?: RouteFailure["reason"];
  /** Failed attempts with an unknown outcome. */
  readonly unclearAttempts: number;
}

const RETRIED = new Set<Failure["kind"]>([
  "overload",
  "server-error",
  "network",
  "timeout",
  "truncated",
  "bad-response",
]);
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
  const { routes, admission, emit, standIn } = options;
  if (standIn !== undefined) return serveFromRecord(options, standIn, attempt);
  const failed: { readonly failure: RouteFailure; readonly error: unknown }[] = [];
  const counts = { unclear: 0 };
  for (const [index, route] of routes.entries()) {
    const outcome = await onRoute(options, route, counts, attempt);
    if ("value" in outcome) {
      const reason = failed[0]?.failure.reason;
      return {
        value: outcome.value,
        route,
        unclearAttempts: counts.unclear,
        ...(reason === undefined ? {} : { fallbackReason: reason }),
      };
    }
    failed.push(outcome);
    const next = routes[index + 1];
    if (next === undefined || isLate(options) || admission === "primary-only" || FATAL.has(outcome.failure.reason))
      break;
    await emit({ kind: "fallback", from: route.name, to: next.name, reason: outcome.failure.reason });
  }
  const [primary, ...others] = failed;
  if (primary === undefined) throw new RangeError("a model needs at least one route");
  throw givenUp(
    primary.failure,
    others.map((other) => other.failure),
    primary.error,
  );
}

type Outcome<Value> = { readonly value: Value } | { readonly failure: RouteFailure; readonly error: unknown };

async function onRoute<Value>(
  options: ServeOptions,
  route: ModelRoute,
  counts: { unclear: number },
  attempt: (route: ModelRoute) => Promise<Value>,
): Promise<Outcome<Value>> {
  const { call, emit, clock, maxAttempts, maxWaitMs, random } = options;
  const { pool } = route;
  call.route = route.name;
  call.provider = route.provider;
  call.pauseLeftMs = maxWaitMs;
  pool.retryBudget.earn();
  for (let failures = 0; ; ) {
    call.signal?.throwIfAborted();
    const report = pool.breaker.enter();
    if (report === undefined) return refusedByBreaker(route, clock);
    call.last = {};
    try {
      const value = await callInProgress.run(call, () => attempt(route));
      await tell(emit, route, report("alive"));
      return { value };
    } catch (error) {
      const thrown = call.last.thrown ?? error;
      const failure = classifyError(thrown, clock.now());
      const aborted = call.signal?.aborted === true;
      await tell(emit, route, report(showsOf(failure, thrown, aborted || isLate(options)), failure.kind));
      if (aborted) throw call.signal?.reason;
      if (!failure.clean) counts.unclear += 1;
      const { refused } = call.last;
      if (failure.kind === "rate-limit" && refused !== undefined) {
        // Back into the queue: the pool is paused, and the queue refuses a wait that is too long for this call.
        await emit({ kind: "rate-limited", route: route.name, ...refused });
        continue;
      }
      failures += 1;
      const delayMs = Math.max(fullJitterMs(failures - 1, random), failure.retryAfterMs ?? 0);
      const again =
        RETRIED.has(failure.kind) &&
        failures < maxAttempts &&
        delayMs <= maxWaitMs &&
        clock.now() + delayMs < (call.deadlineAt ?? Number.POSITIVE_INFINITY) &&
        pool.breaker.refusesUntil === undefined &&
        pool.retryBudget.spend();
      if (!again) return { failure: failureOf(route, failure, thrown, call.last.host), error: thrown };
      await emit({ kind: "retry", route: route.name, attempt: failures + 1, delayMs, reason: failure.kind });
      await clock.sleep(delayMs, call.signal);
      call.queueMs += delayMs;
    }
  }
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
