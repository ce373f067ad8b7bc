// The oracle of P4: an own lattice that knows nothing of `trust/`. Whatever a test brings into a thread carries a token,
// and the oracle keeps the token's ranks; whoever is given a text with a token in it has read it.

/** Ranks by axis: what a label is to the oracle. */
export type Ranks = Readonly<Record<string, number>>;

/** From the least to the most permissive. */
const VERDICTS = ["block", "ask", "allow"];

/** What the oracle is told of a tool. */
export interface ToolFacts {
  readonly floor: number;
  /** Axes on which a deficit blocks. */
  readonly hard?: readonly string[];
  /** Judged by what it was made from alone. */
  readonly lineage?: boolean;
}

export class Oracle {
  private readonly tokens = new Map<string, Ranks>();
  private readonly threads = new Map<string, Ranks>();
  private readonly starts = new Map<string, Ranks>();

  constructor(
    private readonly axes: readonly string[],
    private readonly tools: Readonly<Record<string, ToolFacts>>,
  ) {}

  /** Text that carries these ranks; axes that are not named are nominal. */
  token(ranks: Ranks): string {
    const token = `token-${this.tokens.size}-`;
    this.tokens.set(token, ranks);
    return token;
  }

  /** Ranks that are 0 on every axis. */
  get worst(): Ranks {
    return Object.fromEntries(this.axes.map((axis) => [axis, 0]));
  }

  /** The lowest ranks of whatever tokens stand in a value. */
  ranksIn(value: unknown): Ranks {
    const found = (JSON.stringify(value) ?? "").match(/token-\d+-/g) ?? [];
    return this.lowest(...found.map((token) => this.tokens.get(token) ?? this.worst));
  }

  /** Somebody who works for this thread was given this value. */
  read(thread: string, value: unknown): void {
    this.threads.set(thread, this.lowest(this.threads.get(thread) ?? {}, this.ranksIn(value)));
  }

  /** A node begins. It answers for what was read before, not for what its neighbours read meanwhile. */
  begin(thread: string, node: string, state: unknown): void {
    this.read(thread, state);
    this.starts.set(`${node} ${thread}`, this.threads.get(thread) ?? {});
  }

  /** The most that the gate may say to a call, or let `act` do. */
  verdict(thread: string, node: string, tool: string, args: unknown): string {
    const { floor = 3, hard = [], lineage = false } = this.tools[tool] ?? {};
    const ranks = this.lowest(lineage ? {} : (this.starts.get(`${node} ${thread}`) ?? {}), this.ranksIn(args));
    const short = this.axes.filter((axis) => (ranks[axis] ?? 3) < floor);
    if (short.some((axis) => hard.includes(axis) || (axis === "integrity" && ranks[axis] === 0))) return "block";
    return short.length > 0 ? "ask" : "allow";
  }

  /** Whether `verdict` lets no more pass than `limit` does. */
  permits(limit: string, verdict: string): boolean {
    return VERDICTS.indexOf(verdict) <= VERDICTS.indexOf(limit);
  }

  /** Component by component. */
  lowest(...all: readonly Ranks[]): Ranks {
    return Object.fromEntries(this.axes.map((axis) => [axis, Math.min(3, ...all.map((ranks) => ranks[axis] ?? 3))]));
  }
}
