// How long to wait before trying again.

import type { Random } from "./clock.js";

const BASE_MS = 500;
const LONGEST_MS = 30_000;

/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): a uniform draw from 0 to
 * 500 ms × 2^`earlier`, at most 30 s. `earlier` counts the failures in a row before this one, from 0.
 */
export const fullJitterMs = (earlier: number, random: Random): number =>
  random() * Math.min(LONGEST_MS, BASE_MS * 2 ** earlier);
