import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPolicy } from "../../graphs/index.js";
import { balanced, definePolicy, PolicyError, strict } from "../../trust/index.js";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "bulkhead-policy-"));
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

function write(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return name;
}

describe("readPolicy", () => {
  it("knows the built-in policies by name", () => {
    expect(readPolicy("balanced")).toBe(balanced);
    expect(readPolicy("strict")).toBe(strict);
  });

  it("reads JSON and YAML to the same policy", () => {
    const document = { name: "house", floor: 2, tools: { refund: { hard: ["integrity"], deny: [true] } } };
    const { digest } = definePolicy(document);
    expect(readPolicy(write("a.json", JSON.stringify(document, null, "\t")), { cwd }).digest).toBe(digest);
    const yaml = "name: house\nfloor: 2\ntools:\n  refund:\n    hard: [integrity]\n    deny: [true]\n";
    expect(readPolicy(write("a.yaml", yaml), { cwd }).digest).toBe(digest);
    expect(readPolicy(join(cwd, write("a.YML", yaml))).digest).toBe(digest);
  });

  it.each<[string, string, string, RegExp]>([
    ["a problem", "b.json", '{"name":"house","floor":7}', /b\.json cannot be used:\n- floor: 7 is no rank/],
    ["a key stated twice", "c.json", '{"name":"house","floor":3,"floor":0}', /c\.json.*:\n.*Map keys must be unique/],
    ["broken JSON", "d.json", '{"name":', /d\.json.*:\n- the file is neither JSON nor YAML/],
    ["a custom tag", "e.yaml", "name: house\nfloor: !!js/function 3", /e\.yaml.*:\n- floor: "3" is no floor/],
    ["nothing in it", "f.yaml", "", /f\.yaml.*:\n- document: null is no object/],
  ])("refuses a file with %s, naming it", (_, name, text, message) => {
    write(name, text);
    expect(() => readPolicy(name, { cwd })).toThrow(PolicyError);
    expect(() => readPolicy(name, { cwd })).toThrow(message);
  });

  it("refuses a name that is no policy and a file that is not there", () => {
    for (const name of ["lenient", "", "__proto__", "Strict"]) {
      expect(() => readPolicy(name, { cwd })).toThrow(
        /there is no policy of this name: use balanced, strict, or the path of a .json or .yaml file$/,
      );
    }
    expect(() => readPolicy("none.json", { cwd })).toThrow(
      /none\.json cannot be used:\n- the file cannot be read \(ENOENT\)/,
    );
  });
});
