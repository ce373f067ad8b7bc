// What a database can keep of a text. Postgres refuses NUL in text and in JSON, SQLite may cut a text there, and half a
// surrogate pair has neither UTF-8 nor a digest. Content that is kept for reading has U+FFFD in their place; an id is refused,
// because two ids must not become one.

const UNSTORABLE = /[\0\p{Cs}]/u;
const ALL = new RegExp(UNSTORABLE.source, "gu");

/** Whether every database keeps the text as it is. */
export const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

/** The value with U+FFFD for every NUL and half surrogate pair, in names too. What is no plain data stays what it is. */
export function storable<Value>(value: Value): Value {
  return replaced(value) as Value;
}

function replaced(value: unknown): unknown {
  if (typeof value === "string") return isStorable(value) ? value : value.replaceAll(ALL, "\ufffd");
  if (Array.isArray(value)) return value.map(replaced);
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [replaced(name), replaced(of)]));
}
