// How much of a quota is used: from the share that the user set upwards while nobody objects, down at once on a 429.
// Additive increase, multiplicative decrease (Chiu and Jain, 1989), with the provider's own `x-ratelimit-remaining-*`
// as an earlier word. Pure steps on a plain state, so that a process and a fleet take the same ones.
// Source: capacity.md, sections 5, 6 and 10.

/** The share of a quota that is used, and what it rests on. Plain JSON. */
export interface Headroom {
  /** More than 0, at most 1. */
  readonly share: number;
  /** The most that is used without a word of the provider's. */
  readonly most: number;
  /** The lowest share at which the provider refused; 2 when it never did. */
  readonly refusedAt: number;
  /** The most requests that headers said were left; 0 when they said nothing. */
  readonly highest: number;
  /** When it refused last, and when the share last changed or might have, in milliseconds since the epoch. */
  readonly lastRefusal: number;
  readonly lastStep: number;
}

/** What the headers of an answer say of the requests of a quota. */
export interface Remaining {
  readonly limit: number;
  readonly remaining: number;
}

/** More than any share: the provider has not refused. */
const NEVER = 2;
/** The least that is used, however often the provider refuses. */
const LEAST = 0.05;
/** The most that is used while headers say that there is room. */
const PROVEN = 0.99;
/** Growth in shares per second: at first, and near a share that was refused before. */
const GROWTH = 0.004;
const CAREFUL_GROWTH = 0.0004;
/** How many times faster it grows while the provider says that more than a tenth of the limit is left. */
const ENCOURAGED = 5;
/** What is left of the share after a 429. Those of five seconds count as one: they left before anybody knew. */
const AFTER_REFUSAL = 0.85;
const ONE_REFUSAL_MS = 5_000;
/** What is left of the share after each second in which the provider says that next to nothing is left. */
const WHEN_LOW = 0.97;
/** The part of the limit that is next to nothing. */
const LOW = 0.015;
/** Headers that never say that more than this part is left speak of a short window, and not of how much may be used. */
const TELLING = 0.1;
/** A refusal is forgotten when so much more is used without another one. */
const FORGOTTEN = 0.05;
/** The share changes at most once in this time, but for refusals. */
const STEP_MS = 1_000;

/** A quota that nothing is known of yet. `start` and `most` are shares; `most` is at least `start`. */
export const freshHeadroom = (start: number, most: number, now: number): Headroom => ({
  ...{ share: start, most: Math.max(start, most), refusedAt: NEVER, highest: 0, lastRefusal: 0, lastStep: now },
});

/** After a 429. */
export function afterRefusal(headroom: Headroom, now: number): Headroom {
  const { share, refusedAt, lastRefusal } = headroom;
  if (now - lastRefusal < ONE_REFUSAL_MS) return headroom;
  return {
    ...headroom,
    share: Math.max(LEAST, share * AFTER_REFUSAL),
    refusedAt: Math.min(refusedAt, share),
    lastRefusal: now,
    lastStep: now,
  };
}

/**
 * After an answer. `wanted`: requests wait, so that the share is what holds them back; a quota that nobody asks for
 * proves nothing. Returns the same object while no second has passed.
 */
export function afterAnswer(headroom: Headroom, now: number, wanted: boolean, said: Remaining | undefined): Headroom {
  const seconds = Math.min(2, (now - headroom.lastStep) / 1000);
  if (seconds * 1000 < STEP_MS) return headroom;
  const highest = Math.max(headroom.highest, said?.remaining ?? 0);
  const tells = said !== undefined && said.limit >= 1 && highest >= TELLING * said.limit;
  const share = nextShare(headroom, seconds, wanted, tells ? said.remaining / said.limit : undefined);
  const refusedAt = share > headroom.refusedAt + FORGOTTEN ? NEVER : headroom.refusedAt;
  return { ...headroom, share, refusedAt, highest, lastStep: now };
}

function nextShare({ share, most, refusedAt }: Headroom, seconds: number, wanted: boolean, left?: number): number {
  if (left !== undefined && left <= LOW) return Math.max(LEAST, share * WHEN_LOW);
  if (!wanted) return share;
  const careful = share >= refusedAt * 0.97;
  const encouraged = left !== undefined && left > 0.1 && refusedAt === NEVER;
  const rate = careful ? CAREFUL_GROWTH : GROWTH * (encouraged ? ENCOURAGED : 1);
  const ceiling = left !== undefined && refusedAt === NEVER ? Math.max(PROVEN, most) : most;
  return Math.max(share, Math.min(ceiling, share + rate * seconds));
}
