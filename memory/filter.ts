// The filters of a store search, as LangGraph's in-memory store understands them: it does not export its own.

const OPERATORS = new Map<string, (value: unknown, wanted: unknown) => boolean>([
  ["$eq", (value, wanted) => value === wanted],
  ["$ne", (value, wanted) => value !== wanted],
  ["$gt", (value, wanted) => Number(value) > Number(wanted)],
  ["$gte", (value, wanted) => Number(value) >= Number(wanted)],
  ["$lt", (value, wanted) => Number(value) < Number(wanted)],
  ["$lte", (value, wanted) => Number(value) <= Number(wanted)],
  ["$in", (value, wanted) => Array.isArray(wanted) && wanted.includes(value)],
  ["$nin", (value, wanted) => !(Array.isArray(wanted) && wanted.includes(value))],
]);

/** Whether every key of `filter` holds for `value`: equality, or an object of `$eq $ne $gt $gte $lt $lte $in $nin`. */
export function matchesFilter(value: Record<string, unknown>, filter: Record<string, unknown> = {}): boolean {
  return Object.entries(filter).every(([key, wanted]) => holds(value[key], wanted));
}

function holds(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return value === wanted;
  // An object with any other key is a value, and two objects are never the same; an empty one asks for nothing.
  return Object.entries(wanted).every(([name, operand]) => OPERATORS.get(name)?.(value, operand) ?? false);
}
