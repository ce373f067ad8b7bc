// Asks, before any work starts, whether it can be served and whether its result could still be trusted. The answer is
// a value in the state; the limiter then enforces per call what the guard decided per step.

import { interrupt } from "@langchain/langgraph";
import { z } from "zod";
import {
  type AdmissionPolicy,
  budgetIn,
  type CapacityResource,
  type Forecast,
  handlersOf,
  type Patience,
  runDeadline,
} from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import { reachesIrreversible } from "./irreversible.js";
import { outside } from "./outside.js";
import type { AdmissionState, AgentView } from "./state.js";
import { harnessNode, type NodeUpdate, type Step } from "./step.js";

/** What {@link capacityGuard} takes beside the resource. */
export interface GuardOptions extends Patience {
  readonly journal: Journal;
  /** The longest wait that is taken awake. Longer ones park, and such as end after the run's deadline. Default 60,000 ms. */
  readonly maxWaitMs?: number;
}

/** What a parked run shows. The run sleeps in its checkpoint until it is resumed. */
export interface ParkedRequest {
  readonly type: "parked";
  readonly resource: string;
  /** Milliseconds since the epoch. */
  readonly retryAt: number;
  readonly message: string;
}

const wakeUp = z.object({ resume: z.literal(true).describe("Try again now.") });

/** A resource without a quota of its own: `capacityGuard("crm-api")` before there is one. */
const unlimited = (name: string): CapacityResource => ({
  name,
  forecast: () => [{ route: name, waitMs: 0, state: "open" }],
});

const fastest = (routes: readonly Forecast[]): Forecast | undefined =>
  [...routes].filter((route) => route.state !== "broken").sort((left, right) => left.waitMs - right.waitMs)[0];

/** `trust-first` waits for longer than there are dates. */
const FOREVER = 8.64e15;

/** When it is decided, and until when the primary is waited for. Milliseconds since the epoch. */
export interface Waiting {
  readonly now: number;
  readonly until: number;
}

/** Decides from a forecast; `waiting` is for `auto` where it matters who answers. Pure. @internal exported for tests */
export function decideAdmission(
  forecast: readonly Forecast[],
  policy: AdmissionPolicy,
  maxWaitMs: number,
  waiting?: Waiting,
): AdmissionState {
  const [primary, ...others] = forecast;
  if (primary === undefined) return { decision: "admit", routes: "any-route", waitMs: 0 };
  const routes = policy === "trust-first" ? "primary-only" : "any-route";
  const always = policy === "trust-first" ? { primaryUntil: FOREVER } : {};
  const { waitMs } = primary;
  const reason = primary.reason === undefined ? {} : { reason: `${primary.route}: ${primary.reason}` };
  const other = fastest(others);
  if (policy === "auto" && other !== undefined && waiting !== undefined && waiting.now + waitMs <= waiting.until) {
    const decision = waitMs === 0 ? "admit" : waitMs <= maxWaitMs ? "queue" : "park";
    return { decision, routes, waitMs, primaryUntil: waiting.until, ...reason };
  }
  if (policy === "availability-first" && other !== undefined && waitMs > 0 && other.waitMs < waitMs) {
    return { decision: "degrade", routes, waitMs: other.waitMs, ...reason };
  }
  if (primary.state !== "broken" && waitMs <= maxWaitMs) {
    return { decision: waitMs === 0 ? "admit" : "queue", routes, waitMs, ...always, ...reason };
  }
  if (policy !== "trust-first" && other !== undefined && other.waitMs <= maxWaitMs) {
    return { decision: "degrade", routes, waitMs: other.waitMs, ...reason };
  }
  return { decision: "park", routes, waitMs, ...always, ...reason };
}

/** A quarter of an hour. */
const PATIENCE_MS = 900_000;

/** Makes a guard node for a model's capacity, a tool API's, or a name without a quota. */
export function capacityGuard(resource: CapacityResource | string, options: GuardOptions) {
  const { journal, maxWaitMs = 60_000 } = options;
  const guarded = typeof resource === "string" ? unlimited(resource) : resource;
  const { admission = "auto", patienceMs = PATIENCE_MS } = { ...guarded, ...options };
  const admit = async (_state: AgentView, { config, scope, derived }: Step): Promise<NodeUpdate> => {
    const look = () => {
      const forecast = guarded.forecast();
      const now = journal.clock.now();
      const left = Math.min(
        (runDeadline(config) ?? Number.POSITIVE_INFINITY) - now,
        budgetIn(handlersOf(config.callbacks), scope.thread)?.timeLeft ?? Number.POSITIVE_INFINITY,
      );
      const until = Math.min((forecast[0]?.since ?? now) + patienceMs, now + left);
      const waiting = patienceMs > 0 && reachesIrreversible(config) ? { now, until } : undefined;
      const awakeMs = Math.max(0, Math.min(maxWaitMs, left));
      return decideAdmission(forecast, derived ? "trust-first" : admission, awakeMs, waiting);
    };
    const decide = (look: () => AdmissionState): Promise<AdmissionState> =>
      outside(config, {
        kind: "admission",
        asked: { resource: guarded.name },
        look: async () => look(),
        tell: ({ reason, primaryUntil, ...decided }) => ({
          ...{ kind: "admission", resource: guarded.name, ...decided },
          ...(reason === undefined ? {} : { reason }),
          ...(primaryUntil === undefined ? {} : { primaryUntil }),
        }),
        read: ({ decision, routes = "any-route", waitMs, reason, primaryUntil }) => ({
          ...{ decision, routes, waitMs },
          ...(reason === undefined ? {} : { reason }),
          ...(primaryUntil === undefined ? {} : { primaryUntil }),
        }),
      });
    const decided = await decide(look);
    if (decided.decision === "park") {
      const { waitMs, reason } = decided;
      interrupt<ParkedRequest>(
        {
          type: "parked",
          resource: guarded.name,
          retryAt: journal.clock.now() + waitMs,
          message: `${reason ?? `${guarded.name} has no capacity`}; try again in ${Math.ceil(waitMs / 1000)} s`,
        },
        { responseSchema: wakeUp },
      );
      return admitted(await decide(() => ({ ...look(), decision: "queue" })), scope);
    }
    return admitted(decided, scope);
  };
  return harnessNode<AgentView>("neutral", journal, admit, () => ({}));
}

const admitted = (decided: AdmissionState, scope: Step["scope"]): NodeUpdate => ({
  admissions: { [scope.node ?? "guard"]: decided },
});
