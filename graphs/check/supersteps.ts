// Which nodes can run in the same superstep: an exhaustive walk over the configurations a graph can be in, with
// LangGraph's own rules for edges, choices, joins and deferred nodes. It never misses one; it may allow for more than
// a routing function really does, because it cannot look into functions.

import { START } from "@langchain/langgraph";
import type { Join, Wiring } from "./wiring.js";

/** Thrown when there are more configurations than the limit. */
export class TooManyConfigurationsError extends Error {
  override readonly name = "TooManyConfigurationsError";
}

/** The nodes that run now, and what edges remember: sources that joins have seen, deferred nodes that wait. */
interface Configuration {
  readonly active: readonly string[];
  readonly seen: readonly (readonly string[])[];
  readonly waiting: readonly string[];
}

/** What a superstep's nodes write, together: nodes that must run, nodes that were chosen, sources for the joins. */
interface Outcome {
  readonly must: readonly string[];
  readonly chosen: readonly string[];
  readonly ran: readonly string[];
}

/** A superstep that can happen, with the shortest way there: one list of nodes per superstep, `START` first. */
export interface Superstep {
  readonly nodes: readonly string[];
  readonly path: readonly (readonly string[])[];
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

const keyOf = (value: unknown): string => JSON.stringify(value);

const NOTHING: Outcome = { must: [], chosen: [], ran: [] };

const both = (left: Outcome, right: Outcome): Outcome => ({
  must: sorted([...left.must, ...right.must]),
  chosen: sorted([...left.chosen, ...right.chosen]),
  ran: sorted([...left.ran, ...right.ran]),
});

/** How many ways out of a configuration are looked at, on average, before giving up: keeps the walk to seconds. */
const WAYS_PER_CONFIGURATION = 50;

/**
 * Every superstep the graph can take, the nearest first.
 *
 * @throws TooManyConfigurationsError past `limit` configurations, or 50 times as many ways between them.
 */
export function* reachableSupersteps(wiring: Wiring, limit: number): Generator<Superstep> {
  const outcomes = outcomesByNode(wiring, limit);
  const start: Configuration = { active: [START], seen: wiring.joins.map(() => []), waiting: [] };
  const visited = new Set([keyOf(start)]);
  let ways = 0;
  let frontier: { at: Configuration; path: string[][] }[] = [{ at: start, path: [[START]] }];
  while (frontier.length > 0) {
    const next: typeof frontier = [];
    for (const { at, path } of frontier) {
      yield { nodes: withHandlers(at.active, wiring), path };
      for (const successor of successors(at, wiring, outcomes, limit)) {
        ways += 1;
        if (ways > limit * WAYS_PER_CONFIGURATION) throw new TooManyConfigurationsError();
        const key = keyOf(successor);
        if (visited.has(key)) continue;
        visited.add(key);
        if (visited.size > limit) throw new TooManyConfigurationsError();
        next.push({ at: successor, path: [...path, [...successor.active]] });
      }
    }
    frontier = next;
  }
}

/** A failing node's error handler runs in the superstep of the failure. */
function withHandlers(active: readonly string[], { nodes }: Wiring): string[] {
  const handlers = active.map((name) => nodes.get(name)?.errorHandler).filter((name) => name !== undefined);
  return sorted([...active, ...handlers]).filter((name) => nodes.has(name));
}

function* successors(
  at: Configuration,
  wiring: Wiring,
  outcomes: ReadonlyMap<string, readonly Outcome[]>,
  limit: number,
): Generator<Configuration> {
  let together: readonly Outcome[] = [NOTHING];
  for (const name of at.active) together = combinations(together, outcomes.get(name) ?? [NOTHING], limit);
  for (const outcome of together) yield* apply(at, outcome, wiring);
  // A new input on the thread drops what was to run next, but not what joins have seen and what waits.
  yield { ...at, active: [START] };
}

/** What LangGraph starts after a superstep (`_applyWrites` and `_prepareNextTasks` in `dist/pregel/algo.js`). */
function* apply(at: Configuration, { must, chosen, ran }: Outcome, { nodes, joins }: Wiring): Generator<Configuration> {
  const isDeferred = (name: string) => nodes.get(name)?.deferred === true;
  const seen = joins.map(({ sources }, index) =>
    sorted([...(at.seen[index] ?? []), ...sources.filter((source) => ran.includes(source))]),
  );
  const isComplete = joins.map(({ sources }, index) => sources.every((source) => seen[index]?.includes(source)));
  const targets = (isReleased: (join: Join, index: number) => boolean) => joins.filter(isReleased).map(({ to }) => to);
  const started = [...must, ...targets((_, index) => isComplete[index] === true)].filter((name) => !isDeferred(name));
  // A Send starts a deferred node at once; a name lets it wait. A choice may be either.
  for (const sent of subsets(chosen.filter(isDeferred))) {
    const running = [...started, ...chosen.filter((name) => !isDeferred(name)), ...sent];
    const waiting = [...at.waiting, ...must, ...chosen].filter((name) => isDeferred(name) && !sent.includes(name));
    const following = (finished: boolean): Configuration => {
      const isReleased = ({ to }: Join, index: number) => isComplete[index] === true && (finished || !isDeferred(to));
      return {
        active: sorted([...running, ...targets(isReleased), ...(finished ? waiting : [])]),
        seen: joins.map((join, index) => (isReleased(join, index) ? [] : (seen[index] ?? []))),
        waiting: finished ? [] : sorted(waiting),
      };
    };
    // Deferred nodes start when nothing else does; and LangGraph does not count Sends, which all choices may be.
    if (started.length === 0) yield following(true);
    if (running.length > 0) yield following(false);
  }
}

/** What each node may write, alone. A node with an error handler may fail, and then only the handler writes. */
function outcomesByNode(wiring: Wiring, limit: number): Map<string, readonly Outcome[]> {
  const own = (name: string): readonly Outcome[] => {
    let together: readonly Outcome[] = [{ ...NOTHING, ran: [name] }];
    for (const exit of wiring.exits.get(name) ?? []) {
      const each =
        exit.kind === "edge" ? [{ ...NOTHING, must: isNode(exit.to) ? [exit.to] : [] }] : choices(exit.alternatives);
      together = combinations(together, each, limit);
    }
    return together;
  };
  const isNode = (name: string) => wiring.nodes.has(name);
  const choices = (alternatives: readonly (readonly string[])[]): Outcome[] =>
    alternatives.flatMap((members) => {
      const nodes = sorted(members.filter(isNode));
      if (2 ** nodes.length > limit) throw new TooManyConfigurationsError();
      const mayEnd = nodes.length === 0 || members.some((name) => !isNode(name));
      return subsets(nodes)
        .filter((chosen) => mayEnd || chosen.length > 0)
        .map((chosen) => ({ ...NOTHING, chosen }));
    });
  const all = new Map<string, readonly Outcome[]>();
  for (const name of [START, ...wiring.nodes.keys()]) {
    const handler = wiring.nodes.get(name)?.errorHandler;
    all.set(name, handler === undefined ? own(name) : [...own(name), ...own(handler)]);
  }
  return all;
}

function combinations(left: readonly Outcome[], right: readonly Outcome[], limit: number): readonly Outcome[] {
  if (left.length * right.length > limit * WAYS_PER_CONFIGURATION) throw new TooManyConfigurationsError();
  const all = new Map<string, Outcome>();
  for (const one of left) {
    for (const other of right) {
      const outcome = both(one, other);
      all.set(keyOf(outcome), outcome);
      if (all.size > limit) throw new TooManyConfigurationsError();
    }
  }
  return [...all.values()];
}

/** All subsets, the empty one too. */
function subsets(names: readonly string[]): string[][] {
  const all: string[][] = [[]];
  for (const name of names) all.push(...all.map((subset) => [...subset, name]));
  return all;
}
