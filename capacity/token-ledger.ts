// Tokens per minute by estimate and correction: a call is charged an estimate when it leaves and the difference when
// its usage is known. The ledger is a generic cell rate algorithm (GCRA) on one number, the time at which all that was
// charged is paid off.

import type { Clock } from "./clock.js";

/** The share of a minute whose tokens may leave at once. Less throttles itself on estimates that are too high. */
export const TOKEN_BURST_MS = 12_000;

/** Where the running mean of answer lengths begins, in tokens. */
const FIRST_GUESS = 256;

/** Paces tokens. All amounts are tokens, prompt and answer together. */
export class TokenLedger {
  #perMs: number;
  #paidOffAt = 0;
  #meanAnswer = FIRST_GUESS;

  /** `tokensPerMinute` is what may be used, headroom already taken off. */
  constructor(
    tokensPerMinute: number,
    private readonly clock: Clock,
  ) {
    this.#perMs = tokensPerMinute / 60_000;
  }

  /** From now on. What was charged before stays charged at the earlier rate. */
  setRate(tokensPerMinute: number): void {
    this.#perMs = tokensPerMinute / 60_000;
  }

  /** What a request will cost: about four characters to a token, and a mean answer or less when it asks for less. */
  estimate(characters: number, maxAnswer?: number): number {
    return Math.ceil(characters / 4 + Math.min(maxAnswer ?? Number.POSITIVE_INFINITY, this.#meanAnswer));
  }

  /** Milliseconds until `tokens` may leave. A call larger than the burst waits for an empty ledger, then owes. */
  waitMs(tokens: number): number {
    const now = this.clock.now();
    const cost = tokens / this.#perMs;
    const from = cost > TOKEN_BURST_MS ? now : now + TOKEN_BURST_MS - cost;
    return Math.max(0, Math.max(this.#paidOffAt, now) - from);
  }

  /** Charges a call that leaves. */
  charge(tokens: number): void {
    this.#paidOffAt = Math.max(this.#paidOffAt, this.clock.now()) + tokens / this.#perMs;
  }

  /** Charges tokens beyond what was charged, or gives some back. */
  correct(difference: number): void {
    this.#paidOffAt += difference / this.#perMs;
  }

  /** Learns from an answer how long answers are. */
  learn(answerTokens: number): void {
    this.#meanAnswer += (answerTokens - this.#meanAnswer) / 8;
  }

  /** Milliseconds that `tokens` take at the present rate. */
  durationMs(tokens: number): number {
    return tokens / this.#perMs;
  }
}

/** The size of a request for the token ledger: characters of its JSON, and the answer length it asks for at most. */
export function sizeOf(body: unknown): [characters: number, maxAnswer?: number] {
  if (typeof body !== "string") return [0];
  const limit = /"max_(?:completion_)?tokens":\s*(\d+)/.exec(body)?.[1];
  return limit === undefined ? [body.length] : [body.length, Number(limit)];
}
