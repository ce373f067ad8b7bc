// Policies as data: a recorded question and a recorded document give the recorded verdict (P16), and nothing that
// speaks against a call can ever make its verdict more permissive.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AXES,
  type Axis,
  definePolicy,
  type GateQuestion,
  isAtMost,
  type JsonSchema,
  judge,
  meet,
  type Policy,
  type PolicyDocument,
  type Rank,
  type ToolRule,
  type Verdict,
} from "../../trust/index.js";
import { anyLabel } from "./generators.js";

const rank = fc.constantFrom<Rank>(0, 1, 2, 3);
const axis = fc.constantFrom<Axis>(...AXES);
const someRanks = fc.dictionary(axis, rank, { noNullPrototype: true });
const floor = fc.oneof(rank, fc.constantFrom("strict" as const, "balanced" as const), someRanks);
const toolName = fc.constantFrom("refund", "mail", "__proto__", "constructor");

const schema = fc.constantFrom<JsonSchema>(
  true,
  false,
  { const: { n: 1 } },
  { type: "object", required: ["n"], properties: { n: { type: "number", maximum: 2 } } },
  { type: "object", properties: { n: {} }, additionalProperties: false },
  { type: "object", minProperties: 2 },
  { $ref: "#" },
);

/** Whatever a key of an object may be left out of; without `undefined`, which JSON does not have. */
const partly = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, requiredKeys: (keyof T & string)[] = []) =>
  fc.record(model, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<T>;

const labelRule = { floor, hard: fc.array(axis), scope: fc.constantFrom("trajectory" as const, "lineage" as const) };

// Compiling schemas is most of these tests' time, so not every rule has some.
const rule: fc.Arbitrary<ToolRule> = fc.oneof(
  { weight: 3, arbitrary: partly(labelRule) },
  {
    weight: 1,
    arbitrary: partly({
      ...labelRule,
      allow: fc.array(schema, { maxLength: 3 }),
      deny: fc.array(schema, { maxLength: 2 }),
    }),
  },
);

const policyDocument = partly(
  {
    name: fc.constantFrom("house", "other"),
    floor,
    blocksAt: someRanks,
    approvals: partly({
      ttlMinutes: fc.integer({ min: 1, max: 525_600 }),
      openLimit: fc.integer({ min: 0, max: 9 }),
      questionLimit: fc.integer({ min: 0, max: 99 }),
      approvers: fc.oneof(fc.constantFrom("anyone", "authenticated"), fc.constant(["ana"])),
    }),
    // Own keys, also `__proto__`, as a parsed file has them.
    tools: fc.array(fc.tuple(toolName, rule), { maxLength: 3 }).map((rules) => Object.fromEntries(rules)),
  },
  ["name", "floor"],
) as unknown as fc.Arbitrary<PolicyDocument>;

const question: fc.Arbitrary<GateQuestion> = partly(
  {
    tool: toolName,
    arguments: fc.oneof(
      fc.dictionary(fc.constantFrom("n", "m"), fc.integer({ min: 0, max: 4 }), { noNullPrototype: true }),
      fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
    ),
    considered: anyLabel,
    floor,
    repeats: fc.boolean(),
    changed: fc.boolean(),
  },
  ["tool", "arguments", "considered", "repeats", "changed"],
) as unknown as fc.Arbitrary<GateQuestion>;

const PERMISSION: Readonly<Record<Verdict, number>> = { block: 0, ask: 1, allow: 2 };
const permissionUnder = (policy: Policy, asked: GateQuestion): number => PERMISSION[judge(asked, policy).verdict];
const permission = (asked: GateQuestion, document: PolicyDocument): number =>
  permissionUnder(definePolicy(document), asked);

const withRule = (document: PolicyDocument, tool: string, change: (rule: ToolRule) => ToolRule): PolicyDocument => {
  const rules = new Map(Object.entries(document.tools ?? {}));
  rules.set(tool, change(rules.get(tool) ?? {}));
  return { ...document, tools: Object.fromEntries(rules) };
};

const runs = { numRuns: 200 };

describe("a policy", () => {
  it("means the same when its completed document is read again from JSON", () => {
    fc.assert(
      fc.property(policyDocument, fc.array(question, { maxLength: 5 }), (document, questions) => {
        const policy = definePolicy(document);
        const again = definePolicy(JSON.parse(JSON.stringify(policy.document)));
        expect(again.digest).toBe(policy.digest);
        expect(again.document).toEqual(policy.document);
        for (const asked of questions) {
          expect(judge(JSON.parse(JSON.stringify(asked)), again)).toEqual(judge(asked, policy));
        }
      }),
      runs,
    );
  });

  it("asks or blocks exactly when it has a reason", () => {
    fc.assert(
      fc.property(policyDocument, question, (document, asked) => {
        const { verdict, reasons, deficits } = judge(asked, definePolicy(document));
        expect(verdict === "allow").toBe(reasons.length === 0);
        if (verdict === "allow") expect([deficits.length, asked.repeats, asked.changed]).toEqual([0, false, false]);
      }),
      runs,
    );
  });
});

describe("a verdict is never more permissive", () => {
  it("for a lower label", () => {
    fc.assert(
      fc.property(policyDocument, question, anyLabel, (document, asked, other) => {
        const lower = { ...asked, considered: meet(asked.considered, other) };
        expect(isAtMost(lower.considered, asked.considered)).toBe(true);
        const policy = definePolicy(document);
        expect(permissionUnder(policy, lower)).toBeLessThanOrEqual(permissionUnder(policy, asked));
      }),
      runs,
    );
  });

  it("for a repetition or a changed definition", () => {
    fc.assert(
      fc.property(policyDocument, question, (document, asked) => {
        const policy = definePolicy(document);
        const most = Math.min(permissionUnder(policy, asked), PERMISSION.ask);
        expect(permissionUnder(policy, { ...asked, repeats: true })).toBeLessThanOrEqual(most);
        expect(permissionUnder(policy, { ...asked, changed: true })).toBeLessThanOrEqual(most);
      }),
      runs,
    );
  });

  it("for one more hard axis or blocking rank", () => {
    fc.assert(
      fc.property(policyDocument, question, axis, (document, asked, extra) => {
        const before = permission(asked, document);
        const hard = withRule(document, asked.tool, (old) => ({ ...old, hard: [...(old.hard ?? []), extra] }));
        expect(permission(asked, hard)).toBeLessThanOrEqual(before);
        const blocking = { ...document, blocksAt: { ...document.blocksAt, [extra]: 3 as const } };
        expect(permission(asked, blocking)).toBeLessThanOrEqual(before);
      }),
      runs,
    );
  });

  it("for one more deny rule", () => {
    fc.assert(
      fc.property(policyDocument, question, schema, (document, asked, denied) => {
        const denying = withRule(document, asked.tool, (old) => ({ ...old, deny: [...(old.deny ?? []), denied] }));
        expect(permission(asked, denying)).toBeLessThanOrEqual(permission(asked, document));
      }),
      { numRuns: 50 },
    );
  });

  it("for a higher floor of the policy, when the tool has none of its own", () => {
    fc.assert(
      fc.property(policyDocument, question, rank, rank, (document, { floor: _, ...asked }, left, right) => {
        const [low, high] = left < right ? [left, right] : [right, left];
        expect(permission(asked, { ...document, floor: high })).toBeLessThanOrEqual(
          permission(asked, { ...document, floor: low }),
        );
      }),
      runs,
    );
  });
});
