// How large the rows of the benchmark are, and what is asked of each: the figures of specs/capacity.md, section 10.

/** Sizes of all rows. Times are in simulated milliseconds unless they say otherwise. */
export const CAPACITY_SIZES = {
  /** A fan-out in the queue, and people who come after it and ask one question after another. */
  fairness: { fanOut: 600, people: 20, calls: 5, requestsPerMinute: 500 },
  /** Tasks, their calls one after another, and an outage after so many requests. */
  outage: { tasks: 100, calls: 20, requestsPerMinute: 500, after: 500, forMs: 60_000 },
  /** Tasks at once, for two routes with a quota each. */
  spill: { tasks: 200, calls: 10, requestsPerMinute: 500, fallbackRequestsPerMinute: 300, spillMs: 5_000 },
  /** Processes, equal calls at once in each, and how long the model takes in real milliseconds. */
  "single-flight": { processes: 2, calls: 20, latencyMs: 300 },
  /** Tasks of each task, and levels of them. */
  nested: { width: 3, depth: 3, longestMinutes: 10 },
  /** Tasks at once, their calls one after another. */
  short: { tasks: 25, calls: 20, requestsPerMinute: 500 },
  /** Admissions, one after another. */
  admission: { takes: 2_000 },
};

/** See {@link CAPACITY_SIZES}. */
export type CapacitySizes = typeof CAPACITY_SIZES;

/** A row of the benchmark. */
export type CapacityRowName = keyof CapacitySizes;

/** The rows, in the order in which they are measured. */
export const CAPACITY_ROWS = Object.keys(CAPACITY_SIZES) as readonly CapacityRowName[];

/** Rows that need a Redis. */
export const REDIS_ROWS: readonly CapacityRowName[] = ["admission"];

/** What is asked. */
export const ASKED = {
  interactiveP99Seconds: 5,
  /** With people in between, all calls may take so many times as long as the fan-out alone would. */
  slowdown: 1.03,
  outageFinished: 1,
  outageWasted: 120,
  spillGoodput: 0.95,
  shortGoodput: 0.9,
  admissionMedianMs: 0.3,
} as const;
