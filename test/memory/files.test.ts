import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadInstructions, loadSkills, type MemoryFileError, readSkill } from "../../memory/index.js";
import { temporaryFolder } from "./helpers.js";

const temporary = temporaryFolder();
const newFolder = () => mkdtempSync(join(temporary, "project-"));

function withSkills(skills: Record<string, string>): string {
  const folder = newFolder();
  for (const [name, text] of Object.entries(skills)) {
    mkdirSync(join(folder, "skills", name), { recursive: true });
    writeFileSync(join(folder, "skills", name, "SKILL.md"), text);
  }
  return folder;
}

const skill = (name: string, body = "Do it.") =>
  `---\nname: ${name}\ndescription: >-\n  How to\n  ${name}.\n---\n\n${body}\n`;

describe("loadInstructions", () => {
  it("reads AGENTS.md, and nothing where there is none", async () => {
    const folder = newFolder();
    expect(await loadInstructions(folder)).toBeUndefined();
    expect(await loadInstructions(join(folder, "nowhere"))).toBeUndefined();
    writeFileSync(join(folder, "AGENTS.md"), "Be kind.\n");
    expect(await loadInstructions(folder)).toBe("Be kind.\n");
  });

  it.each<[string, (path: string) => void]>([
    ["a folder", (path) => mkdirSync(path)],
    ["a pipe that nobody writes to", (path) => execFileSync("mkfifo", [path])],
  ])("says so when it is %s, instead of going on without it", async (_, make) => {
    const folder = newFolder();
    make(join(folder, "AGENTS.md"));
    await expect(loadInstructions(folder)).rejects.toMatchObject({
      code: "UNREADABLE",
      path: join(folder, "AGENTS.md"),
    });
  });
});

describe("skills", () => {
  it("are listed by name, with description and path, whatever else lies in the folder", async () => {
    const folder = withSkills({
      refund: skill("refund"),
      "delete-account": `\uFEFF${skill("delete-account").replaceAll("\n", "\r\n")}`,
    });
    mkdirSync(join(folder, "skills", "shared"));
    writeFileSync(join(folder, "skills", "README.md"), "not a skill");
    expect(await loadSkills(folder)).toEqual([
      {
        name: "delete-account",
        description: "How to delete-account.",
        path: join(folder, "skills/delete-account/SKILL.md"),
      },
      { name: "refund", description: "How to refund.", path: join(folder, "skills/refund/SKILL.md") },
    ]);
    expect(await loadSkills(newFolder())).toEqual([]);
  });

  it("are read on demand, without their front matter, as they are now", async () => {
    const folder = withSkills({ refund: skill("refund", "Check both charges.\n\n---\n\nThen refund.") });
    expect(await readSkill(folder, "refund")).toBe("Check both charges.\n\n---\n\nThen refund.");
    writeFileSync(join(folder, "skills/refund/SKILL.md"), skill("refund", "Changed."));
    expect(await readSkill(folder, "refund")).toBe("Changed.");
  });

  it.each(["nothing", "../refund", "refund/..", "__proto__"])(
    "are not found by the name %s; the error names those there are",
    async (name) => {
      const folder = withSkills({ refund: skill("refund"), greet: skill("greet") });
      await expect(readSkill(folder, name)).rejects.toMatchObject({
        code: "UNKNOWN_SKILL",
        message: expect.stringContaining("Skills: greet, refund."),
      });
    },
  );

  it.each([
    ["no front matter", "# Refund", /no front matter/],
    ["front matter that never ends", "---\nname: refund\n", /no front matter/],
    ["no description", "---\nname: refund\n---\n", /field "description"/],
    ["an empty description", "---\nname: refund\ndescription: ' '\n---\n", /field "description": say what/],
    ["a description that is a list", "---\nname: refund\ndescription: [a]\n---\n", /field "description"/],
    ["a name in capitals", "---\nname: Refund\ndescription: d\n---\n", /field "name": use lower-case/],
    [
      "another folder's name",
      "---\nname: other\ndescription: d\n---\n",
      /field "name": is other, and the folder is refund/,
    ],
    ["front matter that is no object", "---\njust text\n---\n", /field "\(all\)"/],
    ["broken YAML", "---\nname: 'refund\ndescription: d\n---\n", /not YAML/],
  ])("with %s are left out and reported, naming file and field", async (_, text, message) => {
    const folder = withSkills({ greet: skill("greet"), refund: text });
    const path = join(folder, "skills/refund/SKILL.md");
    const { names, problems } = await load(folder);
    expect(names).toEqual(["greet"]);
    expect(problems).toMatchObject([{ code: "MALFORMED", path, message: expect.stringMatching(message) }]);
    expect(problems[0]?.message).toContain(path);
    await expect(readSkill(folder, "refund")).rejects.toMatchObject({ code: "MALFORMED", path });
    expect(await readSkill(folder, "greet")).toBe("Do it.");
  });

  it.each<[string, (path: string) => void]>([
    ["a folder", (path) => mkdirSync(path)],
    ["a link to nothing", (path) => symlinkSync("nowhere.md", path)],
    ["a link to itself", (path) => symlinkSync("SKILL.md", path)],
    ["a pipe that nobody writes to", (path) => execFileSync("mkfifo", [path])],
  ])("that are %s are left out and reported", async (_, make) => {
    const folder = withSkills({ greet: skill("greet") });
    mkdirSync(join(folder, "skills/refund"));
    make(join(folder, "skills/refund/SKILL.md"));
    const { names, problems } = await load(folder);
    expect(names).toEqual(["greet"]);
    expect(problems).toMatchObject([{ code: "UNREADABLE", path: join(folder, "skills/refund/SKILL.md") }]);
    await expect(readSkill(folder, "refund")).rejects.toMatchObject({ code: "UNREADABLE" });
  });

  it("whose folder is a link to nothing are left out and reported", async () => {
    const folder = withSkills({ greet: skill("greet") });
    symlinkSync("nowhere", join(folder, "skills/refund"));
    const { names, problems } = await load(folder);
    expect(names).toEqual(["greet"]);
    expect(problems).toMatchObject([{ code: "UNREADABLE", message: expect.stringContaining("is a link to nowhere") }]);
  });

  it("are reported as a warning when nobody asks for more", async () => {
    const folder = withSkills({ refund: "no front matter" });
    const warned = once(process, "warning");
    expect(await loadSkills(folder)).toEqual([]);
    expect(await warned).toMatchObject([{ code: "MALFORMED" }]);
  });

  it("are not silently missing when the folder cannot be listed", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "skills"), "a file");
    expect(await load(folder)).toMatchObject({ names: [], problems: [{ code: "UNREADABLE" }] });
    chmodSync(join(folder, "skills"), 0o600);
  });
});

async function load(folder: string) {
  const problems: MemoryFileError[] = [];
  const skills = await loadSkills(folder, (problem) => problems.push(problem));
  return { names: skills.map(({ name }) => name), problems };
}
