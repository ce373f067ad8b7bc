// The files of a thread's own state, searched by globs that a model wrote. The matcher of Deep Agents makes a JavaScript
// pattern of a glob, and some, such as `(a+)+b`, would keep the process busy for ever: here they are searched in linear time.

import { basename } from "node:path/posix";
import { applyGrepMaxCount, StateBackend } from "deepagents";
import { type LinearPattern, linearPattern } from "../trust/pattern.js";

/** The backend of Deep Agents on the state, with globs of its own. */
export class SearchableState extends StateBackend {
  override glob(pattern: string, path = "/"): ReturnType<StateBackend["glob"]> {
    const glob = globPattern(pattern);
    if (typeof glob === "string") return { error: glob };
    const { files = [], ...rest } = super.glob("**", path);
    return { ...rest, files: files.filter((file) => glob.test(relativeTo(path, file.path))) };
  }

  override grep(
    pattern: string,
    path: string | null = "/",
    glob: string | null = null,
    maxCount: number | null = null,
  ): ReturnType<StateBackend["grep"]> {
    const named = glob === null ? undefined : globPattern(glob);
    if (typeof named === "string") return { error: named };
    const { matches = [], ...rest } = super.grep(pattern, path ?? "/");
    const kept = named === undefined ? matches : matches.filter((match) => named.test(basename(match.path)));
    return applyGrepMaxCount({ result: { ...rest, matches: kept }, maxCount });
  }
}

/** As Deep Agents sees a file below a folder; a file that is named itself by its name. */
function relativeTo(path: string, file: string): string {
  const folder = `${path.startsWith("/") ? "" : "/"}${path}${path.endsWith("/") ? "" : "/"}`;
  return file.startsWith(folder) ? file.slice(folder.length) : basename(file);
}

/** The pieces of a glob: an escape, a class, the start of a group, wildcards, what divides and ends groups. */
const PIECE = /\\(?<plain>.)|\[(?<not>[!^]?)(?<class>\]?[^\]]*)\]|(?<kind>[?*+@!])?\(|\*\*\/|\*+|[?{},|)]|./gsu;

/** How often what a group names may come: `+(a)` once or more. */
const OFTEN: Readonly<Record<string, string>> = { "?": "?", "*": "*", "+": "+", "@": "" };

/** Longest glob, in characters. */
const LONGEST = 1_000;

/** The glob as a pattern over a whole path, or what is wrong with it. */
export function globPattern(glob: string): LinearPattern | string {
  if (glob.length > LONGEST) return `a glob has at most ${LONGEST} characters, and this one has ${glob.length}.`;
  const open: { readonly end: string; readonly often: string }[] = [];
  let source = "";
  let problem: string | undefined;
  const text = glob.replace(/^\.\//, "");
  for (const { 0: piece, index, groups = {} } of text.matchAll(PIECE)) {
    const { plain, kind, not = "", class: members } = groups;
    const startsSegment = index === 0 || text[index - 1] === "/";
    const group = open.at(-1);
    if (plain !== undefined) source += literal(plain);
    else if (members !== undefined) source += `[${not === "" ? "" : "^/"}${members.replaceAll(/[\\[\]^]/g, "\\$&")}]`;
    else if (piece.endsWith("(")) {
      if (kind === "!") problem = "a group after ! says what a name is not";
      open.push({ end: ")", often: OFTEN[kind ?? "@"] ?? "" });
      source += "(?:";
    } else if (piece === "{") {
      open.push({ end: "}", often: "" });
      source += "(?:";
    } else if (group !== undefined && piece === (group.end === ")" ? "|" : ",")) source += "|";
    else if (group !== undefined && piece === group.end) {
      open.pop();
      source += `)${group.often}`;
    } else if (piece === "**/" && startsSegment) source += "(?:.*/)?";
    else if (piece === "**" && startsSegment && index + 2 === text.length) source += ".*";
    else if (piece.startsWith("*")) source += piece.endsWith("/") ? "[^/]*/" : "[^/]*";
    else if (piece === "?") source += "[^/]";
    else source += literal(piece);
  }
  if (open.length > 0) problem = "a group is not closed";
  try {
    return problem === undefined
      ? linearPattern(`^(?:${source})$`, "su")
      : `${JSON.stringify(glob)} is no glob that can be searched by: ${problem}. Write it with *, **, ?, [a-z] and {a,b}.`;
  } catch (error) {
    return `${JSON.stringify(glob)} is no glob that can be searched by: ${(error as Error).message}`;
  }
}

const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
