// Who is next: round robin over runs, first come first served within a run, so that one fan-out cannot starve the rest.
// Every operation takes constant time, because cancelling a thousand waiters must not take a second.

interface Run<Item> {
  /** Waiters that were sent back by the provider. They waited before and go first. */
  readonly returned: Set<Item>;
  readonly fresh: Set<Item>;
}

/** A queue that serves its keys in turn. */
export class FairQueue<Item> {
  readonly #runs = new Map<string, Run<Item>>();
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Puts `item` at the end of its run's line, or among the returned at its head. An item may be queued once. */
  push(key: string, item: Item, returned = false): void {
    let run = this.#runs.get(key);
    if (run === undefined) {
      run = { returned: new Set(), fresh: new Set() };
      this.#runs.set(key, run);
    }
    (returned ? run.returned : run.fresh).add(item);
    this.#size += 1;
  }

  /** The item that {@link shift} would return. */
  peek(): Item | undefined {
    const [run] = this.#runs.values();
    return run === undefined ? undefined : headOf(run);
  }

  /** Takes the head of the run whose turn it is, and puts that run last. */
  shift(): Item | undefined {
    const [entry] = this.#runs;
    if (entry === undefined) return undefined;
    const [key, run] = entry;
    const item = headOf(run) as Item;
    this.remove(key, item);
    if (this.#runs.delete(key)) this.#runs.set(key, run);
    return item;
  }

  /** Takes `item` out, wherever it stands. `false`: it was not queued. */
  remove(key: string, item: Item): boolean {
    const run = this.#runs.get(key);
    if (run === undefined || !(run.returned.delete(item) || run.fresh.delete(item))) return false;
    this.#size -= 1;
    if (run.returned.size + run.fresh.size === 0) this.#runs.delete(key);
    return true;
  }

  /** All that wait, run by run. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (const run of this.#runs.values()) {
      yield* run.returned;
      yield* run.fresh;
    }
  }
}

function headOf<Item>(run: Run<Item>): Item | undefined {
  for (const item of run.returned) return item;
  for (const item of run.fresh) return item;
  return undefined;
}
