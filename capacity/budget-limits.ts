// What a run may use at most, as a person writes it and reads it: `calls=50,tokens=200000,usd=1.50,time=10m`.

/** What is limited. */
export const BUDGET_DIMENSIONS = ["calls", "tokens", "usd", "time"] as const;
/** One of them. */
export type BudgetDimension = (typeof BUDGET_DIMENSIONS)[number];

/** The limits of one run, its subagents included. What is left out is not limited. All are more than 0. */
export interface BudgetLimits {
  /** Model calls for which a request left, whatever came of them. Answers from the cache do not count. */
  readonly calls?: number;
  /** Prompt and answer together, as the provider counts them. */
  readonly tokens?: number;
  /** US dollars, by the price table. */
  readonly usd?: number;
  /** Milliseconds in which the graph runs. What passes between two commands, or while a person is asked, does not count. */
  readonly time?: number;
}

/** What was used, in the units of {@link BudgetLimits}. */
export type BudgetUse = Readonly<Record<BudgetDimension, number>>;

/** A sentence part for error messages: what a budget looks like. */
export const BUDGET_FORM = "limits such as calls=50,tokens=200000,usd=1.50,time=10m (s, m or h)";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Reads limits: one or more of `calls=N`, `tokens=N`, `usd=N` and `time=N` with `ms`, `s`, `m` or `h`, separated by commas.
 *
 * @throws RangeError that names the part which cannot be used.
 */
export function parseBudget(text: string): BudgetLimits {
  const limits: { -readonly [Dimension in BudgetDimension]?: number } = {};
  for (const part of text.split(",").map((each) => each.trim())) {
    const [name = "", value = "", ...rest] = part.split("=").map((each) => each.trim());
    const dimension = BUDGET_DIMENSIONS.find((each) => each === name);
    const limit = dimension === undefined || rest.length > 0 ? undefined : limitOf(dimension, value);
    if (dimension === undefined || limit === undefined) {
      throw new RangeError(`${JSON.stringify(part)} is no limit: write ${BUDGET_FORM}`);
    }
    if (limits[dimension] !== undefined) throw new RangeError(`${dimension} is stated twice: state it once`);
    limits[dimension] = limit;
  }
  return limits;
}

function limitOf(dimension: BudgetDimension, text: string): number | undefined {
  const pattern = {
    calls: /^\d{1,12}$/,
    tokens: /^\d{1,12}$/,
    usd: /^\d{1,9}(\.\d{1,6})?$/,
    time: /^\d{1,9}(ms|s|m|h)$/,
  };
  if (!pattern[dimension].test(text)) return undefined;
  const unit = dimension === "time" ? UNITS[(/[a-z]+$/.exec(text)?.[0] ?? "ms") as keyof typeof UNITS] : 1;
  const limit = Number.parseFloat(text) * unit;
  return limit > 0 ? limit : undefined;
}

/** The limits as {@link parseBudget} reads them. */
export const writeBudget = (limits: BudgetLimits): string =>
  BUDGET_DIMENSIONS.flatMap((dimension) => {
    const limit = limits[dimension];
    return limit === undefined ? [] : [`${dimension}=${dimension === "time" ? timeAsWritten(limit) : limit}`];
  }).join(",");

const timeAsWritten = (ms: number): string => {
  const unit = (["h", "m", "s"] as const).find((each) => ms % UNITS[each] === 0) ?? "ms";
  return `${ms / UNITS[unit]}${unit}`;
};

/** An amount for a person: `12`, `$0.0123`, `90 s`. */
export function budgetAmount(dimension: BudgetDimension, amount: number): string {
  if (dimension === "usd") return `$${amount.toFixed(4).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
  if (dimension === "time")
    return amount < 120_000 ? `${Math.round(amount / 100) / 10} s` : `${Math.round(amount / 6000) / 10} min`;
  return String(Math.round(amount));
}

const NOUNS: Readonly<Record<BudgetDimension, string>> = {
  calls: " model calls",
  tokens: " tokens",
  usd: "",
  time: "",
};

/** `40 of 50 model calls`, `$1.20 of $1.50`. */
export const budgetShare = (dimension: BudgetDimension, used: number, limit: number): string =>
  `${budgetAmount(dimension, used)} of ${budgetAmount(dimension, limit)}${NOUNS[dimension]}`;

/** What was used of each limit that there is, for one line. */
export const describeBudget = (used: BudgetUse, limits: BudgetLimits): string =>
  BUDGET_DIMENSIONS.flatMap((dimension) => {
    const limit = limits[dimension];
    return limit === undefined ? [] : [budgetShare(dimension, used[dimension], limit)];
  }).join(", ");
