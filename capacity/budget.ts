// What one run may use, shared by everything below it. Nothing is used that was not held before: a model call holds an
// estimate and pays what it really took; a subagent gets a share reserved, which nobody beside it can use up, may go
// beyond it as far as there is room, and gives back what is left. All sums are exact, and every step can be repeated.

import { BUDGET_DIMENSIONS, type BudgetDimension, type BudgetLimits, type BudgetUse } from "./budget-limits.js";
import type { Clock } from "./clock.js";
import { BudgetError } from "./errors.js";
import { NANO, type PriceTable } from "./prices.js";

/** What can be held and paid, in whole numbers. `nanoUsd`: billionths of a dollar. */
export interface BudgetAmount {
  readonly calls: number;
  readonly tokens: number;
  readonly nanoUsd: number;
}

/** Nothing. */
export const NOTHING: BudgetAmount = { calls: 0, tokens: 0, nanoUsd: 0 };

/** The soft limit, as a share of the hard one. */
const WARN_AT = 0.8;

/** Something was used up to {@link WARN_AT}. */
export interface BudgetWarning {
  readonly dimension: BudgetDimension;
  readonly used: number;
  readonly limit: number;
}

/** What {@link openBudget} takes. */
export interface BudgetOptions {
  readonly limits: BudgetLimits;
  readonly clock: Clock;
  /** What the run has used before this process came to it. Default: nothing. */
  readonly used?: BudgetUse;
  /** What was warned of before: `calls 50`. */
  readonly warned?: Iterable<string>;
  /** Needed for a limit in `usd`. */
  readonly prices?: PriceTable;
}

/** What a whole tree shares. */
interface Tree {
  readonly limits: BudgetLimits;
  readonly clock: Clock;
  readonly prices: PriceTable | undefined;
  /** Milliseconds since the epoch at which the time is up. */
  readonly endsAt: number;
  readonly warned: Set<string>;
}

const COUNTED = ["calls", "tokens", "nanoUsd"] as const;

const each = (of: (part: keyof BudgetAmount) => number): BudgetAmount => ({
  calls: of("calls"),
  tokens: of("tokens"),
  nanoUsd: of("nanoUsd"),
});
const plus = (left: BudgetAmount, right: BudgetAmount) => each((part) => left[part] + right[part]);
const minus = (left: BudgetAmount, right: BudgetAmount) => each((part) => left[part] - right[part]);
const larger = (left: BudgetAmount, right: BudgetAmount) => each((part) => Math.max(left[part], right[part]));

/** A budget, or the part of one that a subagent has. Make the first with {@link openBudget}. */
export class Budget {
  readonly #tree: Tree;
  readonly #parent: Budget | undefined;
  /** Whether it was not given back. */
  private isOpen = true;
  /** What nobody else can have. */
  #reserved = NOTHING;
  /** Paid, here and below. */
  #used: BudgetAmount;
  /** Paid or held, here and below. */
  #spent: BudgetAmount;
  /** The same, and what is reserved below. */
  #claimed: BudgetAmount;
  readonly #holds = new Map<string, BudgetAmount>();
  readonly #parts = new Map<string, Budget>();

  /** @internal */
  constructor(tree: Tree, used: BudgetAmount, parent?: Budget) {
    this.#tree = tree;
    this.#parent = parent;
    this.#used = used;
    this.#spent = used;
    this.#claimed = used;
  }

  get limits(): BudgetLimits {
    return this.#tree.limits;
  }

  get prices(): PriceTable | undefined {
    return this.#tree.prices;
  }

  /** What was paid here and below, in the units of the limits. `time` is that of the whole run. */
  get used(): BudgetUse {
    const { limits, endsAt, clock } = this.#tree;
    return { ...inUnits(this.#used), time: (limits.time ?? 0) - (endsAt - clock.now()) };
  }

  /** Milliseconds until the time is up; infinite without a limit. */
  get timeLeft(): number {
    return this.#tree.endsAt - this.#tree.clock.now();
  }

  /**
   * Holds an estimate for the call `id`. Held already: nothing changes.
   *
   * @throws BudgetError when the whole tree cannot afford it; nothing is held then.
   */
  hold(id: string, estimate: BudgetAmount): void {
    if (this.#holds.has(id)) return;
    this.#requireTime();
    this.#require(estimate);
    this.#holds.set(id, estimate);
    this.#spend(estimate, NOTHING);
  }

  /** Pays what the call `id` really took, also when that is more than it held. Paid already: nothing changes. */
  pay(id: string, amount: BudgetAmount): void {
    const held = this.#holds.get(id);
    if (held === undefined) return;
    this.#holds.delete(id);
    this.#spend(minus(amount, held), amount);
  }

  /**
   * Reserves an equal share of what is left for the subagent `id`, one of `siblings`; one more share stays for whoever
   * delegates. Reserved already: the same part, and nothing changes. Released before: a new share for the same part.
   *
   * @throws BudgetError when there is not a single call, token or moment left.
   */
  reserve(id: string, siblings: readonly string[] = [id]): Budget {
    const known = this.#parts.get(id);
    if (known?.isOpen) return known;
    this.#requireTime();
    this.#require({ calls: 1, tokens: 1, nanoUsd: 1 });
    const waiting = siblings.filter((other) => other !== id && !this.#parts.has(other)).length;
    const free = this.#free();
    const share = each((part) =>
      Number.isFinite(free[part]) ? Math.max(1, Math.floor(free[part] / (waiting + 2))) : 0,
    );
    const part = known ?? new Budget(this.#tree, NOTHING, this);
    this.#parts.set(id, part);
    part.isOpen = true;
    part.#change(() => {
      part.#reserved = plus(part.#claimed, share);
    });
    return part;
  }

  /** Gives back what was reserved and not used. Given back already: nothing changes. */
  release(): void {
    this.isOpen = false;
    this.#change(() => {
      this.#reserved = NOTHING;
    });
  }

  /** What has come to {@link WARN_AT} of its limit since this was last asked: each limit is told once. */
  warnings(): readonly BudgetWarning[] {
    const { limits, warned } = this.#tree;
    const { used } = this.#root;
    return BUDGET_DIMENSIONS.flatMap((dimension) => {
      const limit = limits[dimension];
      if (limit === undefined || used[dimension] < limit * WARN_AT) return [];
      const name = warningName(dimension, limit);
      if (warned.has(name)) return [];
      warned.add(name);
      return [{ dimension, used: used[dimension], limit }];
    });
  }

  get #root(): Budget {
    return this.#parent === undefined ? this : this.#parent.#root;
  }

  /** What this part takes of its parent. */
  get #claim(): BudgetAmount {
    return larger(this.#reserved, this.#claimed);
  }

  #change(change: () => void): void {
    const before = this.#claim;
    change();
    const more = minus(this.#claim, before);
    const parent = this.#parent;
    if (parent === undefined) return;
    parent.#change(() => {
      parent.#claimed = plus(parent.#claimed, more);
    });
  }

  #spend(more: BudgetAmount, paid: BudgetAmount): void {
    this.#change(() => {
      this.#claimed = plus(this.#claimed, more);
    });
    for (let node: Budget | undefined = this; node !== undefined; node = node.#parent) {
      node.#spent = plus(node.#spent, more);
      node.#used = plus(node.#used, paid);
    }
  }

  /** How much more the root would have to give if this part took `amount` more: less, as far as it was reserved. */
  #growth(amount: BudgetAmount): BudgetAmount {
    if (this.#parent === undefined) return amount;
    return this.#parent.#growth(minus(larger(this.#reserved, plus(this.#claimed, amount)), this.#claim));
  }

  /** What this part can still take: what is left of its own share, and what nobody has reserved. */
  #free(): BudgetAmount {
    if (this.#parent === undefined) return minus(maximumOf(this.#tree.limits), this.#claimed);
    return plus(minus(this.#claim, this.#claimed), this.#parent.#free());
  }

  #require(amount: BudgetAmount): void {
    const root = this.#root;
    const growth = this.#growth(amount);
    const most = maximumOf(this.#tree.limits);
    for (const part of COUNTED) {
      const tooMuch = root.#spent[part] + amount[part] > most[part];
      const ofOthers = growth[part] > 0 && root.#claimed[part] + growth[part] > most[part];
      if (!tooMuch && !ofOthers) continue;
      const [dimension, unit] = part === "nanoUsd" ? (["usd", NANO] as const) : ([part, 1] as const);
      throw new BudgetError({
        dimension,
        used: root.#used[part] / unit,
        held: Math.max(0, root.#claimed[part] - root.#used[part] - this.#own(part)) / unit,
        needed: amount[part] / unit,
        limit: most[part] / unit,
      });
    }
  }

  /** What was reserved for this part and is still there. */
  #own(part: keyof BudgetAmount): number {
    return this.#parent === undefined ? 0 : this.#claim[part] - this.#claimed[part];
  }

  #requireTime(): void {
    if (this.timeLeft > 0) return;
    throw this.timeUp();
  }

  /** The error for a budget whose time is up. */
  timeUp(): BudgetError {
    const { time: used } = this.used;
    return new BudgetError({ dimension: "time", used, held: 0, needed: 0, limit: this.limits.time ?? 0 });
  }
}

/** How a warning is named among those that were told. */
export const warningName = (dimension: BudgetDimension, limit: number): string => `${dimension} ${limit}`;

const inUnits = ({ calls, tokens, nanoUsd }: BudgetAmount) => ({ calls, tokens, usd: nanoUsd / NANO });

const maximumOf = ({ calls, tokens, usd }: BudgetLimits): BudgetAmount => ({
  calls: calls ?? Number.POSITIVE_INFINITY,
  tokens: tokens ?? Number.POSITIVE_INFINITY,
  nanoUsd: usd === undefined ? Number.POSITIVE_INFINITY : Math.round(usd * NANO),
});

/** Opens the budget of a run. Its time runs from now. */
export function openBudget({ limits, clock, used, warned = [], prices }: BudgetOptions): Budget {
  const { calls, tokens, usd, time } = used ?? { calls: 0, tokens: 0, usd: 0, time: 0 };
  const endsAt = limits.time === undefined ? Number.POSITIVE_INFINITY : clock.now() + limits.time - time;
  const before = { calls, tokens, nanoUsd: Math.round(usd * NANO) };
  return new Budget({ limits, clock, prices, endsAt, warned: new Set(warned) }, before);
}
