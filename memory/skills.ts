// The operator's procedures, `skills/<name>/SKILL.md`: an index that is always loaded, bodies only when asked for. One that
// cannot be used is left out and reported: it must not end every run, nor be missing without a word, as in the reader of
// deepagents.

import { type Dirent, promises as files } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { MemoryFileError } from "./errors.js";
import { readIfPresent } from "./instructions.js";

/** One line of the index. */
export interface Skill {
  /** Also the name of its folder: lower-case letters, digits and single hyphens, at most 64. */
  readonly name: string;
  /** What it does and when to use it; at most 1024 characters. */
  readonly description: string;
  /** Its `SKILL.md`. */
  readonly path: string;
}

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

// Limits: the Agent Skills specification (agentskills.io/specification).
const frontMatter = z.object({
  name: z.string().max(64).regex(NAME, "use lower-case letters, digits and single hyphens"),
  description: z.string().trim().min(1, "say what the skill does and when to use it").max(1024),
});

const FRONT_MATTER = /^\uFEFF?---\r?\n(?<yaml>[\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)(?<body>[\s\S]*)$/;

/** Hears of a skill that is left out, with `MALFORMED` or `UNREADABLE`, its file, and what is wrong with it. */
export type SkillReport = (problem: MemoryFileError) => void;

/**
 * The skills below `directory` that can be used, by name. No `skills` folder means no skills, and so does a folder without
 * `SKILL.md`. What cannot be used is reported; by default as a warning of the process.
 */
export async function loadSkills(
  directory: string,
  report: SkillReport = (problem) => process.emitWarning(problem),
): Promise<Skill[]> {
  const reported = (error: unknown): undefined => {
    if (!MemoryFileError.isInstance(error)) throw error;
    report(error);
  };
  const paths = (await skillPaths(join(directory, "skills")).catch(reported)) ?? [];
  const skills = await Promise.all(paths.map((path) => readSkillFile(path).catch(reported)));
  return skills
    .filter((each) => each !== undefined)
    .map(({ name, description, path }) => ({ name, description, path }));
}

/**
 * The text of one skill, without its front matter, as it is on disk now.
 * @throws MemoryFileError `UNKNOWN_SKILL`, naming those there are; `MALFORMED`; `UNREADABLE`
 */
export async function readSkill(directory: string, name: string): Promise<string> {
  const folder = join(directory, "skills");
  const found = NAME.test(name) ? await readSkillFile(join(folder, name, "SKILL.md")) : undefined;
  if (found !== undefined) return found.body;
  const skills = await loadSkills(directory, () => undefined); // Whoever recalled them has heard.
  const known = skills.map((each) => each.name).join(", ") || "none";
  throw new MemoryFileError("UNKNOWN_SKILL", folder, `There is no skill ${JSON.stringify(name)}. Skills: ${known}.`);
}

async function skillPaths(folder: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await files.readdir(folder, { withFileTypes: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new MemoryFileError("UNREADABLE", folder, `${folder} cannot be listed (${message}).`, error);
  }
  return entries
    .map((entry) => entry.name)
    .sort()
    .map((name) => join(folder, name, "SKILL.md"));
}

async function readSkillFile(path: string): Promise<(Skill & { readonly body: string }) | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return refuseBrokenLink(path);
  const malformed = (what: string, cause?: unknown) =>
    new MemoryFileError("MALFORMED", path, `${path}: ${what}`, cause);
  const match = FRONT_MATTER.exec(text)?.groups;
  if (match === undefined) {
    throw malformed(
      'no front matter. Begin the file with "---", `name:`, `description:` and "---", each on its own line.',
    );
  }
  const { yaml = "", body = "" } = match;
  const read = frontMatter.safeParse(parseYaml(yaml, malformed));
  if (!read.success) {
    const fields = read.error.issues.map((issue) => `field "${issue.path.join(".") || "(all)"}": ${issue.message}`);
    throw malformed(`${fields.join("; ")}.`);
  }
  const { name, description } = read.data;
  const folder = basename(dirname(path));
  if (name !== folder) throw malformed(`field "name": is ${name}, and the folder is ${folder}. Give both one name.`);
  return { name, description, path, body: body.trim() };
}

/** A link to something that is not there was meant to be a skill. */
async function refuseBrokenLink(path: string): Promise<undefined> {
  for (const each of [path, dirname(path)]) {
    const link = await files.readlink(each).catch(() => undefined); // Nothing there, or no link.
    if (link === undefined || (await files.stat(each).catch(() => undefined)) !== undefined) continue;
    throw new MemoryFileError("UNREADABLE", path, `${each} is a link to ${link}, which is not there.`);
  }
}

function parseYaml(yaml: string, malformed: (what: string, cause: unknown) => MemoryFileError): unknown {
  try {
    return parse(yaml, { logLevel: "error" });
  } catch (error) {
    throw malformed(`the front matter is not YAML: ${(error as Error).message}`, error);
  }
}
