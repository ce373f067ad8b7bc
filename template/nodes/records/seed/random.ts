// Chance that comes out the same every time: mulberry32, a 32-bit generator that is good enough for seed data.

/** Draws from one seed. Equal seeds give equal draws in equal order. */
export class SeededRandom {
  constructor(private state: number) {}

  /** A number in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the list. Throws a `RangeError` for an empty one. */
  pick<Item>(list: readonly Item[]): Item {
    if (list.length === 0) throw new RangeError("cannot pick from an empty list");
    return list[this.between(0, list.length - 1)] as Item;
  }

  /** What `make` gives, drawn again until `isNew` accepts it. */
  fresh<Item>(make: () => Item, isNew: (item: Item) => boolean): Item {
    let item = make();
    while (!isNew(item)) item = make();
    return item;
  }
}
