// Runs the benchmark of the capacity layer: one row after another, so that none takes time from another.

import { fairness, outage, short, spill } from "./crowds.js";
import type { CapacityRow } from "./figure.js";
import { openRedisPlace, type RedisPlace } from "./redis-place.js";
import { admission, nested, singleFlight } from "./shared.js";
import { CAPACITY_SIZES, type CapacityRowName, type CapacitySizes, REDIS_ROWS } from "./sizes.js";
import type { Run } from "./stage.js";

/** What is measured. When the signal aborts, the running row is cut and no further one begins. */
export interface CapacityBench extends Run {
  readonly rows: readonly CapacityRowName[];
  /** `redis://…`, for what processes share. Unset: a SQLite file, and no rows that need Redis. */
  readonly redis?: string;
  /** Default: {@link CAPACITY_SIZES}. */
  readonly sizes?: Partial<CapacitySizes>;
  /** Called before each row. */
  readonly onRow?: (name: CapacityRowName) => void;
}

/**
 * Measures. After an abort it returns the rows there are, the last one `cut`. Nothing is left behind.
 *
 * @throws RangeError for a row that needs Redis without one; Error when Redis cannot be reached.
 */
export async function benchCapacity(bench: CapacityBench): Promise<readonly CapacityRow[]> {
  const { rows: names, redis, signal, onRow } = bench;
  const needy = names.find((name) => REDIS_ROWS.includes(name));
  if (needy !== undefined && redis === undefined) throw new RangeError(`the row ${needy} needs a Redis`);
  const place = redis === undefined ? undefined : await openRedisPlace(redis);
  const rows: CapacityRow[] = [];
  try {
    for (const name of names) {
      if (signal.aborted) break;
      onRow?.(name);
      rows.push(await rowNamed(name, bench, place));
    }
  } finally {
    await place?.remove();
  }
  return rows;
}

function rowNamed(name: CapacityRowName, bench: CapacityBench, place: RedisPlace | undefined): Promise<CapacityRow> {
  const sizes = { ...CAPACITY_SIZES, ...bench.sizes };
  switch (name) {
    case "fairness":
      return fairness(sizes.fairness, bench);
    case "outage":
      return outage(sizes.outage, bench);
    case "spill":
      return spill(sizes.spill, bench);
    case "single-flight":
      return singleFlight(sizes["single-flight"], bench, place);
    case "nested":
      return nested(sizes.nested, bench);
    case "short":
      return short(sizes.short, bench);
    case "admission":
      return admission(sizes.admission, bench, place as RedisPlace);
  }
}
