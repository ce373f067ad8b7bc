import { describe, expect, it } from "vitest";
import { balanced, checkPolicyTools, definePolicy, PolicyError, strict } from "../../trust/index.js";

function problemsOf(document: unknown): readonly string[] {
  try {
    definePolicy(document);
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
  return [];
}

const house = (over: object) => ({ name: "house", floor: 2, ...over });
const refund = (rule: object) => house({ tools: { refund: rule } });

describe("a policy document", () => {
  it("gets its defaults, and keeps its digest when it is read again", () => {
    expect(balanced.document).toEqual({
      name: "balanced",
      floor: { integrity: 2, fidelity: 2, currency: 2, certainty: 2 },
      blocksAt: { integrity: 0 },
      approvals: { ttlMinutes: 1440, openLimit: 5, questionLimit: 20, approvers: "anyone", authentication: "none" },
      tools: {},
    });
    for (const policy of [balanced, strict]) expect(definePolicy(policy.document).digest).toBe(policy.digest);
    expect(strict.digest).not.toBe(balanced.digest);
  });

  it("holds unnamed axes of its floor at 3, and adds to what blocks", () => {
    const { document } = definePolicy({ name: "house", floor: { fidelity: 1 }, blocksAt: { currency: 1 } });
    expect(document.floor).toEqual({ integrity: 3, fidelity: 1, currency: 3, certainty: 3 });
    expect(document.blocksAt).toEqual({ integrity: 0, currency: 1 });
  });

  it("is copied and frozen", () => {
    const mine = { name: "house", floor: 3, tools: { refund: { hard: ["fidelity"] } } };
    const policy = definePolicy(mine);
    mine.tools.refund.hard.pop();
    expect(policy.document.tools["refund"]?.hard).toEqual(["fidelity"]);
    const hard = policy.document.tools["refund"]?.hard as string[];
    expect(() => hard.pop()).toThrow(TypeError);
    expect(() => Object.assign(policy.document.floor, { integrity: 0 })).toThrow(TypeError);
  });

  it.each<[string, unknown, readonly string[]]>([
    ["nothing", {}, ["name: is missing: the document needs name", "floor: is missing: the document needs floor"]],
    ["no object", 3, ["document: 3 is no object: write an object with name, floor, blocksAt, approvals, tools"]],
    ["an empty name", { name: " ", floor: 1 }, ['name: " " is no name: write a name such as "house"']],
    ["a rank out of range", { name: "a", floor: 4 }, ["floor: 4 is no rank: use 0, 1, 2 or 3"]],
    [
      "an unknown floor",
      { name: "a", floor: "strickt" },
      ['floor: "strickt" is no floor: use a rank from 0 to 3, "strict", "balanced", or ranks by axis'],
    ],
    [
      "a misspelt axis",
      refund({ hard: ["integrety"] }),
      ['tools.refund.hard[0]: "integrety" is no axis: use integrity, fidelity, currency or certainty'],
    ],
    [
      "a misspelt axis of a floor",
      refund({ floor: { fidelty: 3, currency: "3" } }),
      [
        'tools.refund.floor.currency: "3" is no rank: use 0, 1, 2 or 3',
        'tools.refund.floor.fidelty: "fidelty" is no axis: use integrity, fidelity, currency or certainty',
      ],
    ],
    ["a misspelt key", refund({ dney: [] }), ['tools.refund.dney: "dney" is no key here: did you mean "deny"?']],
    [
      "an unknown key",
      house({ endorsements: [] }),
      ['endorsements: "endorsements" is no key here: the keys are name, floor, blocksAt, approvals, tools'],
    ],
    [
      "a scope",
      refund({ scope: "thread" }),
      ['tools.refund.scope: "thread" is no scope: use "trajectory" or "lineage"'],
    ],
    [
      "a schema",
      refund({ allow: [3] }),
      ["tools.refund.allow[0]: 3 is no JSON Schema: write an object, true or false"],
    ],
    ["no list", refund({ deny: {} }), ["tools.refund.deny: {} is no list of JSON Schemas: write [...]"]],
    [
      "approvals",
      house({ approvals: { ttlMinutes: 0, openLimit: 1.5, questionLimit: -1, approvers: [] } }),
      [
        "approvals.approvers: [] is no list of identities: write [...] with at least 1",
        "approvals.openLimit: 1.5 is no limit: use a whole number from 0 to 1000",
        "approvals.questionLimit: -1 is no limit: use a whole number from 0 to 1000",
        "approvals.ttlMinutes: 0 is no length of time: use minutes from 1 to 525600",
      ],
    ],
    [
      "approvers",
      house({ approvals: { approvers: "ana" } }),
      ['approvals.approvers: "ana" names nobody: use "anyone", "authenticated" or a list of identities'],
    ],
    [
      "a tool with an odd name",
      house({ tools: JSON.parse('{"two words":3,"__proto__":{"hard":1}}') }),
      [
        "tools.__proto__.hard: 1 is no list of axes: write [...]",
        'tools["two words"]: 3 is no object: write an object with floor, hard, scope, allow, deny',
      ],
    ],
    [
      "a hidden key",
      JSON.parse('{"name":"a","floor":2,"__proto__":{"floor":0}}'),
      ['__proto__: "__proto__" is no key here: the keys are name, floor, blocksAt, approvals, tools'],
    ],
  ])("is refused for %s", (_, document, problems) => {
    expect(problemsOf(document)).toEqual(problems);
  });

  it.each<[string, unknown, RegExp]>([
    ["a misspelt keyword", { type: "number", maximun: 3 }, /unknown keyword: "maximun"/],
    ["a type left out", { properties: { a: { maximum: 3 } } }, /missing type "object"/],
    ["a required name that is not listed", { type: "object", required: ["a"] }, /required property "a" is not defined/],
    ["a format", { type: "string", format: "email" }, /unknown format "email"/],
    ["a remote reference", { $ref: "https://example.com/a.json" }, /can't resolve reference/],
    ["a broken pattern", { type: "string", pattern: "(" }, /Invalid regular expression/],
    ["a pattern that looks ahead", { type: "string", pattern: "(?=a)" }, /\(\?=a\).* in linear time: it looks ahead/],
    ["a pattern of names that refers back", { type: "object", patternProperties: { "(a)\\1": {} } }, /it refers back/],
    [
      "a property that a pattern fits as well",
      { type: "object", properties: { ab: { type: "string" } }, patternProperties: { "^a": { type: "string" } } },
      /property ab fits the pattern \^a as well/,
    ],
    ["a promise", { $async: true, type: "object" }, /"\$async" cannot be checked/],
    ["__proto__", JSON.parse('{"type":"object","properties":{"__proto__":{"const":1}}}'), /"__proto__" cannot be/],
    ["another draft", { $schema: "http://json-schema.org/draft-07/schema#" }, /no schema with key or ref/],
  ])("is refused for a schema with %s", (_, schema, message) => {
    expect(problemsOf(refund({ deny: [true, schema] }))).toEqual([
      expect.stringMatching(new RegExp(`^tools\\.refund\\.deny\\[1\\]: .*${message.source}`)),
    ]);
  });

  it("is refused when it is no JSON", () => {
    const cycle: Record<string, unknown> = { name: "a" };
    cycle["tools"] = cycle;
    for (const document of [cycle, undefined, { name: "a", floor: Number.NaN }]) {
      expect(problemsOf(document)).toEqual([expect.stringMatching(/^the document is not JSON: /)]);
    }
  });

  it("says in the message which policy it is and every problem", () => {
    expect(() => definePolicy({ name: "house", floor: 9, extra: 1 })).toThrow(
      /^policy "house" cannot be used:\n- extra: .*\n- floor: 9 is no rank: use 0, 1, 2 or 3$/,
    );
  });
});

describe("checkPolicyTools", () => {
  it("passes rules about tools that exist", () => {
    checkPolicyTools(definePolicy(refund({})), ["refund", "mail"]);
    checkPolicyTools(balanced, []);
  });

  it("refuses others, with the name that is near", () => {
    const policy = definePolicy(house({ tools: { refnud: {}, launch: {} } }));
    expect(() => checkPolicyTools(policy, ["refund", "mail"])).toThrow(
      'policy "house" cannot be used:\n- tools.launch: there is no tool "launch" that a policy is asked about: there are refund, mail\n- tools.refnud: there is no tool "refnud" that a policy is asked about: did you mean "refund"?',
    );
    expect(() => checkPolicyTools(policy, [])).toThrow(PolicyError);
  });

  it("refuses labels asked of a tool that does not pass the gate, but not rules about its arguments", () => {
    const policy = definePolicy(house({ tools: { read: { hard: ["fidelity"], deny: [true] }, refund: { floor: 3 } } }));
    expect(() => checkPolicyTools(policy, ["read", "refund"], ["refund"])).toThrow(
      /:\n- tools\.read\.hard: "read" does not pass the gate, where labels are compared: leave it out[^\n]*$/,
    );
    checkPolicyTools(policy, ["read", "refund"]);
  });
});
