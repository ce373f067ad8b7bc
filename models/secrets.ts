// What of the environment must never be recorded: the keys of providers, what the user names, and what the user says a
// secret looks like. A name that is not set is refused: a slip of the pen must not leave a secret unprotected.

import { linearPattern, PatternError } from "../trust/pattern.js";

/** What must not be recorded; the journal takes it as it is. */
export interface SecretSettings {
  readonly values: readonly string[];
  readonly patterns: readonly RegExp[];
}

/** The journal refuses a shorter secret: it would be found everywhere. In characters. */
const SHORTEST = 6;

type Environment = Readonly<Record<string, string | undefined>>;

/** The error of whoever asks. */
type Refusal = new (message: string) => Error;

/**
 * Reads `BULKHEAD_SECRETS` (names of variables) and `BULKHEAD_SECRET_PATTERNS` (regular expressions). No message has a
 * value or a pattern in it.
 */
export function readSecrets(
  names: string | undefined,
  patterns: string | undefined,
  env: Environment,
  refusal: Refusal,
): SecretSettings {
  const values = [...keysOf(env), ...listed(names, /[\s,]+/).map((name) => secretOf(name, env, refusal))];
  return {
    values: [...new Set(values)],
    patterns: listed(patterns, /\s+/).map((source, index) => patternOf(source, index + 1, refusal)),
  };
}

const listed = (text: string | undefined, separator: RegExp): readonly string[] =>
  (text ?? "").split(separator).filter((each) => each !== "");

/** A shorter key stands in for none: local providers take anything. */
const keysOf = (env: Environment): readonly string[] =>
  ["OPENAI_API_KEY", "BULKHEAD_FALLBACK_API_KEY"]
    .map((name) => env[name]?.trim() ?? "")
    .filter((key) => key.length >= SHORTEST);

function secretOf(name: string, env: Environment, refusal: Refusal): string {
  const value = env[name]?.trim() ?? "";
  if (value.length >= SHORTEST) return value;
  const problem = value === "" ? "is not set" : `has fewer than ${SHORTEST} characters`;
  // What is no name may be the secret itself.
  const shown = /^[A-Z_][A-Z0-9_]*$/.test(name) ? `${name}, which` : "something that";
  throw new refusal(`BULKHEAD_SECRETS names ${shown} ${problem}. Correct that, or leave it out.`);
}

function patternOf(source: string, place: number, refusal: Refusal): RegExp {
  const refuse = (why: string) =>
    new refusal(`BULKHEAD_SECRET_PATTERNS: pattern ${place} ${why}. Correct it, or leave it out; a space is \\s.`);
  try {
    if (linearPattern(source).test("")) throw refuse("matches the empty text, and so everything");
  } catch (error) {
    if (error instanceof PatternError) throw refuse(`cannot be searched by in linear time: ${error.why}`);
    if (error instanceof SyntaxError) throw refuse("is no regular expression"); // What the engine says repeats the pattern.
    throw error;
  }
  return new RegExp(source);
}
