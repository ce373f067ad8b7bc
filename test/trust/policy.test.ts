import { describe, expect, it } from "vitest";
import {
  AXES,
  BOTTOM,
  balanced,
  deficitsOf,
  definePolicy,
  floorOf,
  type GateQuestion,
  judge,
  type Label,
  label,
  type PolicyDocument,
  ruleOf,
  strict,
  TOP,
} from "../../trust/index.js";

const level = (rank: number) => ({ integrity: rank, fidelity: rank, currency: rank, certainty: rank });

const ask = (over: Partial<GateQuestion> = {}): GateQuestion => ({
  tool: "refund",
  arguments: { order: "1", amount: 1 },
  considered: TOP,
  repeats: false,
  changed: false,
  ...over,
});

const house = (rule: object, over: Partial<PolicyDocument> = {}) =>
  definePolicy({ name: "house", floor: 2, tools: { refund: rule }, ...over });

const smallAmount = {
  type: "object",
  required: ["amount"],
  properties: { amount: { type: "number", maximum: 100 } },
};

describe("floors", () => {
  it("come from the policy's rule, then the tool, then the policy", () => {
    expect(ruleOf(balanced, "refund")).toEqual({ floor: level(2), hard: [], scope: "trajectory" });
    expect(ruleOf(balanced, "refund", 1).floor).toEqual(level(1));
    expect(ruleOf(house({ floor: "strict" }), "refund", 1).floor).toEqual(level(3));
    expect(ruleOf(house({ hard: ["fidelity"], scope: "lineage" }), "refund", 1)).toEqual({
      floor: level(1),
      hard: ["fidelity"],
      scope: "lineage",
    });
    expect(ruleOf(strict, "refund").floor).toEqual(level(3));
  });

  it("may be a rank, also 0, a policy's name, or single axes over the base", () => {
    expect(floorOf(0, level(2) as Label)).toEqual(level(0));
    expect(floorOf("balanced", level(3) as Label)).toEqual(level(2));
    expect(floorOf({ currency: 3, fidelity: 1 }, level(2) as Label)).toEqual({ ...level(2), currency: 3, fidelity: 1 });
  });

  it("that are nonsense are the highest, and are reached by nothing when a rank is", () => {
    for (const nonsense of ["lenient", null, 7, Number.NaN, undefined]) {
      expect(floorOf(nonsense as never, level(0) as Label)).toEqual(level(3));
    }
    for (const rank of [null, undefined, Number.NaN, -1, "0"]) {
      expect(deficitsOf(TOP, floorOf({ fidelity: rank as never }, level(0) as Label))).toHaveLength(1);
    }
  });

  it("are not looked up in Object.prototype", () => {
    for (const tool of ["constructor", "__proto__", "toString"]) {
      expect(ruleOf(balanced, tool, 1)).toEqual({ floor: level(1), hard: [], scope: "trajectory" });
      expect(judge(ask({ tool }), balanced).verdict).toBe("allow");
    }
  });
});

describe("a label", () => {
  it("that reaches the floor on every axis is allowed", () => {
    expect(judge(ask(), strict)).toEqual({ verdict: "allow", deficits: [], reasons: [] });
    expect(judge(ask({ considered: label({ fidelity: 2, certainty: 2 }) }), balanced).verdict).toBe("allow");
  });

  it("below the floor asks and names every axis that fell short", () => {
    expect(judge(ask({ considered: label({ fidelity: 1, currency: 0 }) }), balanced)).toEqual({
      verdict: "ask",
      deficits: [
        { axis: "fidelity", rank: 1, floor: 2 },
        { axis: "currency", rank: 0, floor: 2 },
      ],
      reasons: ["fidelity 1 below 2", "currency 0 below 2"],
    });
    expect(judge(ask({ considered: label({ fidelity: 2 }) }), strict).verdict).toBe("ask");
    expect(judge(ask({ considered: label({ certainty: 0 }) }), balanced).verdict).toBe("ask");
  });

  it("blocks at integrity 0 and asks at integrity 1", () => {
    for (const policy of [strict, balanced]) {
      expect(judge(ask({ considered: label({ integrity: 0 }) }), policy).verdict).toBe("block");
      expect(judge(ask({ considered: label({ integrity: 1 }) }), policy).verdict).toBe("ask");
      expect(judge(ask({ considered: BOTTOM }), policy).verdict).toBe("block");
    }
  });

  it("passes on an axis whose floor is 0, whatever it is", () => {
    expect(judge(ask({ considered: label({ fidelity: 0 }), floor: { fidelity: 0 } }), balanced).verdict).toBe("allow");
    expect(judge(ask({ considered: BOTTOM, floor: 0 }), strict).verdict).toBe("allow");
  });

  it("that is nonsense does not pass", () => {
    for (const nonsense of [Number.NaN, undefined, null, "3", {}, [3], 4]) {
      const considered = { ...TOP, fidelity: nonsense } as unknown as Label;
      expect(judge(ask({ considered }), balanced).verdict).toBe("ask");
      expect(judge(ask({ considered: { ...TOP, integrity: nonsense } as unknown as Label }), balanced).verdict).toBe(
        "block",
      );
    }
  });
});

describe("hard axes and blocksAt", () => {
  it("block a deficit, and only a deficit", () => {
    const policy = house({ hard: ["fidelity"] });
    expect(judge(ask({ considered: label({ fidelity: 1 }) }), policy)).toMatchObject({
      verdict: "block",
      reasons: ["fidelity 1 below 2, which no approval can mend"],
    });
    expect(judge(ask({ considered: label({ fidelity: 2 }) }), policy).verdict).toBe("allow");
    expect(judge(ask({ considered: label({ fidelity: 1 }), tool: "other" }), policy).verdict).toBe("ask");
    const blocking = house({}, { blocksAt: { currency: 1 } });
    expect(judge(ask({ considered: label({ currency: 1 }) }), blocking).verdict).toBe("block");
    expect(judge(ask({ considered: label({ integrity: 0 }) }), blocking).verdict).toBe("block");
  });
});

describe("repetitions and changed definitions", () => {
  it("ask, with a reason each, beside the deficits", () => {
    const judged = judge(ask({ repeats: true, changed: true, considered: label({ fidelity: 1 }) }), balanced);
    expect(judged.verdict).toBe("ask");
    expect(judged.reasons).toEqual([
      "fidelity 1 below 2",
      "the same action was already done, or may have been, in this thread",
      "the tool is not as it was when this thread first used it",
    ]);
    expect(judge(ask({ repeats: true }), balanced).verdict).toBe("ask");
    expect(judge(ask({ changed: true }), balanced).verdict).toBe("ask");
  });

  it("ask when nobody said that there is none", () => {
    expect(judge({ ...ask(), repeats: undefined } as never, balanced).verdict).toBe("ask");
    expect(judge({ ...ask(), changed: undefined } as never, balanced).verdict).toBe("ask");
  });
});

describe("argument rules", () => {
  it("block what fits a deny and what fits no allow", () => {
    const denying = house({ deny: [{ type: "object", properties: { order: { const: "9" } }, required: ["order"] }] });
    expect(judge(ask(), denying).verdict).toBe("allow");
    expect(judge(ask({ arguments: { order: "9" } }), denying)).toEqual({
      verdict: "block",
      deficits: [],
      reasons: ["the arguments fit the policy's deny[0]"],
    });
    const allowing = house({ allow: [smallAmount] });
    expect(judge(ask(), allowing).verdict).toBe("allow");
    expect(judge(ask({ arguments: { amount: 101 } }), allowing).verdict).toBe("block");
    expect(judge(ask({ arguments: { amount: "1" } }), allowing).verdict).toBe("block");
    expect(judge(ask({ arguments: { amount: 101 }, tool: "other" }), allowing).verdict).toBe("allow");
    expect(judge(ask(), house({ allow: [] })).verdict).toBe("block");
    expect(judge(ask(), house({ allow: [smallAmount], deny: [true] })).verdict).toBe("block");
  });

  it("see the canonical arguments: own keys only, also __proto__, and what toJSON says", () => {
    const closed = house({
      allow: [{ type: "object", properties: { amount: { type: "number" } }, additionalProperties: false }],
    });
    const hidden = JSON.parse('{"amount":1,"__proto__":{"amount":2}}');
    expect(judge(ask({ arguments: hidden }), closed).verdict).toBe("block");
    expect(judge(ask({ arguments: { amount: 1 } }), closed).verdict).toBe("allow");
    const needing = house({
      allow: [{ type: "object", required: ["toString"], properties: { toString: {} } }],
    });
    expect(judge(ask({ arguments: {} }), needing).verdict).toBe("block");
    expect(judge(ask({ arguments: { amount: { toJSON: () => 101 } } }), house({ allow: [smallAmount] })).verdict).toBe(
      "block",
    );
  });

  it("block what they cannot be applied to: no JSON, too deep, too long, endless", () => {
    const policy = house({ allow: [true] });
    let deep: Record<string, unknown> = {};
    for (let depth = 0; depth < 63; depth++) deep = { deep };
    expect(judge(ask({ arguments: deep }), policy).verdict).toBe("allow");
    for (let depth = 0; depth < 50_000; depth++) {
      if (depth % 10_000 === 0) expect(judge(ask({ arguments: { deep } }), policy).verdict).toBe("block");
      deep = { deep };
    }
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    for (const args of [cycle, { amount: Number.NaN }, { f: "x".repeat(70_000) }, undefined, { n: 1n }]) {
      expect(judge(ask({ arguments: args as never }), policy)).toMatchObject({
        verdict: "block",
        reasons: ["the policy's rules could not be applied to the arguments"],
      });
    }
    expect(judge(ask(), house({ deny: [{ $ref: "#" }] })).verdict).toBe("block");
    expect(judge(ask({ arguments: cycle }), balanced).verdict).toBe("allow");
  });

  it("do not change the arguments", () => {
    const withDefault = house({
      allow: [{ type: "object", properties: { amount: { type: "number" }, note: { type: "string", default: "x" } } }],
    });
    const args = Object.freeze({ amount: 1 });
    expect(judge(ask({ arguments: args }), withDefault).verdict).toBe("allow");
    expect(args).toEqual({ amount: 1 });
  });

  it("count money in cents exactly", () => {
    const cents = house({ allow: [{ type: "object", properties: { amount: { type: "number", multipleOf: 0.01 } } }] });
    for (const amount of [0.07, 19.99, 1.1]) expect(judge(ask({ arguments: { amount } }), cents).verdict).toBe("allow");
    expect(judge(ask({ arguments: { amount: 0.075 } }), cents).verdict).toBe("block");
  });
});

it("names the axes in their order", () => {
  expect(judge(ask({ considered: BOTTOM }), strict).deficits.map(({ axis }) => axis)).toEqual(AXES);
});
