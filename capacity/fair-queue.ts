// Who is next: interactive before batch, and within each deficit round robin over runs (Shreedhar and Varghese, 1995), first
// come first served within a run, so that one fan-out cannot starve the rest. Batch work that has waited long takes turns
// with interactive work. Every operation takes constant time for calls of like size: cancelling a thousand must not take
// a second.

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

interface Run<Item> {
  readonly returned: Set<Item>;
  readonly fresh: Set<Item>;
  /** What it may spend in this turn. */
  credit: number;
}

/** The runs of one priority, in the order of their turns. */
class Runs<Item extends Queued> {
  readonly #runs = new Map<string, Run<Item>>();
  /** All items as they came. */
  readonly #arrivals = new Set<Item>();
  #last: Item | undefined;
  cost = 0;

  get size(): number {
    return this.#arrivals.size;
  }

  push(item: Item): void {
    let run = this.#runs.get(item.key);
    if (run === undefined) {
      run = { returned: new Set(), fresh: new Set(), credit: 0 };
      this.#runs.set(item.key, run);
    }
    (item.returned ? run.returned : run.fresh).add(item);
    this.#arrivals.add(item);
    this.#last = item;
    this.cost += costOf(item);
  }

  peek(): Item | undefined {
    if (this.#runs.size === 0) return undefined;
    for (let visits = 0; ; visits += 1) {
      if (visits === this.#runs.size) this.#skipRounds();
      const [key, run] = this.#runs.entries().next().value as [string, Run<Item>];
      const item = headOf(run);
      if (costOf(item) <= run.credit) return item;
      // Its turn begins when it comes to the front without credit enough, and ends when that is spent.
      run.credit += QUANTUM;
      if (costOf(item) <= run.credit) return item;
      this.#putLast(key, run);
    }
  }

  shift(): Item | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    const run = this.#runs.get(item.key) as Run<Item>;
    run.credit -= costOf(item);
    this.remove(item);
    const more = this.#runs.has(item.key);
    // A call that costs nothing we count takes the whole turn: plain round robin.
    if (more && (item.cost === 0 || costOf(headOf(run)) > run.credit)) this.#putLast(item.key, run);
    if (item.cost === 0) run.credit = 0;
    return item;
  }

  remove(item: Item): boolean {
    const run = this.#runs.get(item.key);
    if (run === undefined || !(run.returned.delete(item) || run.fresh.delete(item))) return false;
    this.#arrivals.delete(item);
    this.cost -= costOf(item);
    if (run.returned.size + run.fresh.size === 0) this.#runs.delete(item.key);
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

  /** Nobody could afford his head in a whole round: as many rounds pass at once as the nearest one needs. */
  #skipRounds(): void {
    let rounds = Number.POSITIVE_INFINITY;
    for (const run of this.#runs.values()) {
      rounds = Math.min(rounds, Math.ceil((costOf(headOf(run)) - run.credit) / QUANTUM) - 1);
    }
    for (const run of this.#runs.values()) run.credit += rounds * QUANTUM;
  }

  #putLast(key: string, run: Run<Item>): void {
    this.#runs.delete(key);
    this.#runs.set(key, run);
  }
}

const costOf = ({ cost }: Queued): number => Math.max(1, cost);

function headOf<Item>(run: Run<Item>): Item {
  for (const item of run.returned) return item;
  for (const item of run.fresh) return item;
  throw new Error("a run without items stayed in the queue");
}
