// What a tool gives back, as text: a result, a thrown error. Whatever comes out of here is of a bounded length and has no
// half characters, so that nothing behind it (redaction, digests, the journal, the planner) can fail on it or take for ever.

/** Characters of a tool's result that are kept. What is longer is cut, and says so. */
export const MAX_RESULT = 1_000_000;

/** Characters of an error's text that are kept. */
const MAX_MESSAGE = 10_000;

/** How far back a cut looks for a place between words: half a secret would not be known as one. */
const LOOK_BACK = 1_024;

/** A text of at most `most` characters, and a note in place of the rest. */
export function bounded(text: string, most: number): string {
  const kept = text.length > most ? cut(text, most) : text;
  return Buffer.from(kept).toString(); // Half a surrogate pair has no digest; it becomes U+FFFD here.
}

function cut(text: string, most: number): string {
  const head = text.slice(0, most);
  const end = Math.max(...[" ", "\n", ",", '"'].map((blank) => head.lastIndexOf(blank)));
  const kept = end > most - LOOK_BACK ? head.slice(0, end) : head;
  return `${kept}\n[cut: ${kept.length} of ${text.length} characters]`;
}

/**
 * A tool's result as the planner reads it, before it is cut.
 *
 * @throws whatever its `toJSON` and its getters throw; TypeError for what has no JSON: cycles, `bigint`, functions, symbols.
 */
export function textOf(result: unknown): string {
  if (typeof result === "string") return result;
  if (typeof result === "function" || typeof result === "symbol") {
    throw new TypeError(`a ${typeof result} has no text: return text or JSON`);
  }
  return JSON.stringify(result) ?? "null";
}

/** The text of anything that was thrown. Total: it never throws. */
export function messageOf(error: unknown): string {
  try {
    const message = (error as { message?: unknown } | null | undefined)?.message;
    return bounded(typeof message === "string" ? message : String(error), MAX_MESSAGE);
  } catch {
    return "an error that cannot be read";
  }
}
