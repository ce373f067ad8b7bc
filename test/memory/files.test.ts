import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadInstructions, loadSkills, readSkill } from "../../memory/index.js";
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

  it("says so when it cannot be read, instead of going on without it", async () => {
    const folder = newFolder();
    mkdirSync(join(folder, "AGENTS.md"));
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
  ])("with %s are refused, naming file and field", async (_, text, message) => {
    const folder = withSkills({ refund: text });
    const path = join(folder, "skills/refund/SKILL.md");
    await expect(loadSkills(folder)).rejects.toMatchObject({
      code: "MALFORMED",
      path,
      message: expect.stringMatching(message),
    });
    await expect(loadSkills(folder)).rejects.toThrow(path);
  });

  it("are not silently missing when the folder cannot be listed", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "skills"), "a file");
    await expect(loadSkills(folder)).rejects.toMatchObject({ code: "UNREADABLE" });
    chmodSync(join(folder, "skills"), 0o600);
  });
});
