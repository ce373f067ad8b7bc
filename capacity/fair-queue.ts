// Who is next: interactive before batch, and within each deficit round robin over runs (Shreedhar and Varghese, 1995), first
// come first served within a run, so that one fan-out cannot starve the rest. A run whose calls take long, one after another,
// does not lose its turns by that: it has some of them in hand when it comes back. Batch work that has waited long takes
// turns with interactive work. Every operation takes constant time for calls of like size: cancelling a thousand must not
// take a second.

/** How urgent a request is. Somebody waits for `interactive` work. */
export type Priority = "interactive" | "batch";

/** What stands in the queue. An item may be queued once. */
export interface Queued {
  /** The run it belongs to. */
  readonly key: string;
  readonly priority: Priority;
  /** What serving it takes, in tokens; 0 counts as 1. Runs get equal shares of this. */
  readonly cost: number;
  /** When it began to wait, in milliseconds. */
  readonly since: number;
  /** It was sent back by the provider: it waited before and goes to the head of its run. */
  readonly returned: boolean;
}

/** Batch work that has waited this long takes every other turn, in milliseconds. */
const AGED_MS = 30_000;

/** What a run may spend per visit. Less would visit runs in vain, more would let small calls pass in bunches. */
const QUANTUM = 2_000;

/** Turns that a run which had nothing waiting has in hand at most when it comes back. More brings nothing. */
const IN_HAND = 2;

/** Runs without a waiting call whose turns are remembered. */
const REMEMBERED = 10_000;

/** A queue that serves its runs in turn. */
export class FairQueue<Item extends Queued> {
  readonly #interactive = new Runs<Item>();
  readonly #batch = new Runs<Item>();
  /** Whether the last turn was taken by interactive work while old batch work waited. */
  #batchIsDue = false;

  /** How many wait. */
  get size(): number {
    return this.#interactive.size + this.#batch.size;
  }

  /** The cost of all that wait. */
  get cost(): number {
    return this.#interactive.cost + this.#batch.cost;
  }

  push(item: Item): void {
    this.#of(item).push(item);
  }

  /** The item that {@link shift} would return. */
  peek(now: number): Item | undefined {
    return this.#next(now)?.peek();
  }

  /** Takes the head of the run whose turn it is. */
  shift(now: number): Item | undefined {
    const next = this.#next(now);
    const item = next?.shift();
    this.#batchIsDue = next === this.#interactive && this.#isAged(now);
    return item;
  }

  /** Takes `item` out, wherever it stands. `false`: it was not queued. */
  remove(item: Item): boolean {
    return this.#of(item).remove(item);
  }

  /** How many are served before one that comes now, about: its own run's, and as many of each other run. */
  ahead({ key, priority }: Pick<Queued, "key" | "priority">): number {
    const own = priority === "batch" ? this.#interactive.size : 0;
    return own + (priority === "batch" ? this.#batch : this.#interactive).ahead(key);
  }

  /** The batch item that came last: what has waited least and hurts least. */
  lastOfBatch(): Item | undefined {
    return this.#batch.last();
  }

  /** All that wait, in no particular order. */
  *[Symbol.iterator](): IterableIterator<Item> {
    yield* this.#interactive;
    yield* this.#batch;
  }

  #of({ priority }: Item): Runs<Item> {
    return priority === "batch" ? this.#batch : this.#interactive;
  }

  #next(now: number): Runs<Item> | undefined {
    if (this.#interactive.size === 0) return this.#batch.size === 0 ? undefined : this.#batch;
    return this.#batchIsDue && this.#isAged(now) ? this.#batch : this.#interactive;
  }

  #isAged(now: number): boolean {
    const oldest = this.#batch.oldest();
    return oldest !== undefined && now - oldest.since > AGED_MS;
  }
}

/** How far a run has come. */
interface Standing {
  /** The round of its next turn, or of the one it is having. */
  round: number;
  /** Whether it has been given its share of that round. */
  begun: boolean;
  /** What it may spend. What a turn leaves over counts in the next. */
  credit: number;
}

interface Run<Item> extends Standing {
  readonly key: string;
  readonly returned: Set<Item>;
  readonly fresh: Set<Item>;
}

/** The runs of one priority, in the order of their turns. In each round, every run has one. */
class Runs<Item extends Queued> {
  readonly #runs = new Map<string, Run<Item>>();
  /** Those of {@link #runs} that have their turn in a round, in their order. */
  readonly #turns = new Map<number, Set<Run<Item>>>();
  /** The round that has been reached. A new run begins with it. Nobody is more than one ahead. */
  #round = 0;
  /** Runs that have nothing waiting, the first that left first. */
  readonly #away = new Map<string, Standing>();
  /** All items as they came. */
  readonly #arrivals = new Set<Item>();
  #last: Item | undefined;
  cost = 0;

  get size(): number {
    return this.#arrivals.size;
  }

  push(item: Item): void {
    const run = this.#runs.get(item.key) ?? this.#enter(item.key);
    (item.returned ? run.returned : run.fresh).add(item);
    this.#arrivals.add(item);
    this.#last = item;
    this.cost += costOf(item);
  }

  peek(): Item | undefined {
    for (let passed = 0; ; ) {
      const run = this.#first();
      if (run === undefined) return undefined;
      const item = headOf(run);
      if (costOf(item) <= run.credit) return item;
      if (run.begun) {
        this.#endTurn(run);
        passed += 1;
        if (passed === this.#runs.size) this.#skipRounds();
      } else {
        run.begun = true;
        run.credit += QUANTUM;
      }
    }
  }

  shift(): Item | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    const run = this.#runs.get(item.key) as Run<Item>;
    // A call that costs nothing we count takes the whole turn: plain round robin.
    run.credit = item.cost === 0 ? 0 : run.credit - costOf(item);
    if (item.cost === 0) this.#endTurn(run);
    this.remove(item);
    return item;
  }

  remove(item: Item): boolean {
    const run = this.#runs.get(item.key);
    if (run === undefined || !(run.returned.delete(item) || run.fresh.delete(item))) return false;
    this.#arrivals.delete(item);
    this.cost -= costOf(item);
    if (run.returned.size + run.fresh.size === 0) this.#sendAway(run);
    return true;
  }

  ahead(key: string): number {
    const run = this.#runs.get(key);
    const own = run === undefined ? 0 : run.returned.size + run.fresh.size;
    return Math.min(this.size, (own + 1) * this.#runs.size);
  }

  oldest(): Item | undefined {
    for (const item of this.#arrivals) return item;
    return undefined;
  }

  last(): Item | undefined {
    if (this.#last !== undefined && !this.#arrivals.has(this.#last)) {
      this.#last = undefined;
      for (const item of this.#arrivals) this.#last = item;
    }
    return this.#last;
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#arrivals[Symbol.iterator]();
  }

  /** The run whose turn it is. */
  #first(): Run<Item> | undefined {
    if (this.#runs.size === 0) return undefined;
    for (let round = this.#round - IN_HAND; ; round += 1) {
      for (const run of this.#turns.get(round) ?? []) {
        this.#round = Math.max(this.#round, round);
        return run;
      }
    }
  }

  #enter(key: string): Run<Item> {
    const { round, begun, credit } = this.#away.get(key) ?? { round: this.#round, begun: false, credit: 0 };
    this.#away.delete(key);
    const earliest = this.#round - IN_HAND;
    const standing = round < earliest ? { round: earliest, begun: false, credit: 0 } : { round, begun, credit };
    const run = { key, ...standing, returned: new Set<Item>(), fresh: new Set<Item>() };
    this.#runs.set(key, run);
    this.#queue(run);
    return run;
  }

  #sendAway(run: Run<Item>): void {
    const { key, round, begun, credit } = run;
    this.#runs.delete(key);
    this.#unqueue(run);
    // What it saved up for a call that was taken back is no longer its own.
    this.#away.set(key, { round, begun, credit: Math.min(credit, QUANTUM) });
    if (this.#away.size <= REMEMBERED) return;
    for (const first of this.#away.keys()) {
      this.#away.delete(first);
      return;
    }
  }

  /** Nobody could afford his head in a whole round: as many rounds pass at once as the nearest one needs. */
  #skipRounds(): void {
    let rounds = Number.POSITIVE_INFINITY;
    for (const run of this.#runs.values()) {
      rounds = Math.min(rounds, Math.ceil((costOf(headOf(run)) - run.credit) / QUANTUM) - 1);
    }
    // Somebody who has turns in hand may have passed more than once, before it was the turn of one who can pay.
    for (const run of this.#runs.values()) run.credit += Math.max(0, rounds) * QUANTUM;
  }

  #endTurn(run: Run<Item>): void {
    this.#unqueue(run);
    run.round += 1;
    run.begun = false;
    this.#queue(run);
  }

  #queue(run: Run<Item>): void {
    const turns = this.#turns.get(run.round) ?? new Set();
    this.#turns.set(run.round, turns.add(run));
  }

  #unqueue(run: Run<Item>): void {
    const turns = this.#turns.get(run.round);
    turns?.delete(run);
    if (turns?.size === 0) this.#turns.delete(run.round);
  }
}

const costOf = ({ cost }: Queued): number => Math.max(1, cost);

function headOf<Item>(run: Run<Item>): Item {
  for (const item of run.returned) return item;
  for (const item of run.fresh) return item;
  throw new Error("a run without items stayed in the queue");
}
