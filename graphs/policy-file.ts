// Finds the policy a user named: a built-in one, or a file. Read once, when a graph is built, and checked whole; there
// is no policy to fall back to, because that one might allow more.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { balanced, definePolicy, type Policy, PolicyError, strict } from "../trust/index.js";

const BUILT_IN: ReadonlyMap<string, Policy> = new Map([
  ["balanced", balanced],
  ["strict", strict],
]);

/**
 * Reads a policy: `balanced`, `strict`, or the path of a `.json`, `.yaml` or `.yml` file.
 *
 * @param options.cwd where relative paths begin; default the working directory
 * @throws PolicyError with the file and every problem in it.
 */
export function readPolicy(nameOrPath: string, { cwd = process.cwd() }: { readonly cwd?: string } = {}): Policy {
  const builtIn = BUILT_IN.get(nameOrPath);
  if (builtIn !== undefined) return builtIn;
  if (!/\.(json|ya?ml)$/i.test(nameOrPath)) {
    throw new PolicyError(JSON.stringify(nameOrPath), [
      "there is no policy of this name: use balanced, strict, or the path of a .json or .yaml file",
    ]);
  }
  const path = resolve(cwd, nameOrPath);
  try {
    // JSON is read as YAML, which refuses a key that is stated twice.
    return definePolicy(parse(textOf(path), { logLevel: "error" }));
  } catch (error) {
    if (error instanceof PolicyError) throw new PolicyError(path, error.problems);
    throw new PolicyError(path, [`the file is neither JSON nor YAML: ${(error as Error).message.trim()}`]);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PolicyError(path, [
      `the file cannot be read (${(error as NodeJS.ErrnoException).code}): correct the path`,
    ]);
  }
}
