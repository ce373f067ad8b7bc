// Names of content under attack: two writings of one thing have one name, two things never do, and what has no name is
// refused to the planner. What a person sees, what is digested, what the ledger keeps and what the tool gets is one thing.

import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { describe, expect, it, test } from "vitest";
import { z } from "zod";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { canonicalJson, definePolicy, digest, judge, TOP } from "../../trust/index.js";
import { APPROVED, CHANGED, stagedGraph, World } from "./refund.js";

type Arguments = Record<string, unknown>;

/** One property whose answer is another one every time it is read. */
const changing = (answers: (reads: number) => number) => {
  let reads = 0;
  return {
    order: 1,
    get amount() {
      reads += 1;
      return answers(reads);
    },
  };
};

describe("a digest", () => {
  it.each([
    ["the order of keys", '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
    ["how a number is written", '{"a":1}', '{"a":1.0}'],
    ["an exponent", '{"a":1}', '{"a":1e0}'],
    ["a negative zero", '{"a":0}', '{"a":-0.0}'],
    ["an escape", '{"a":"é/"}', '{"a":"\\u00e9\\/"}'],
    ["blanks", '{"a":[1,2]}', '{ "a" : [ 1 , 2 ] }'],
    ["digits a number cannot hold", '{"a":9007199254740993}', '{"a":9007199254740992}'],
  ])("is the same whatever %s", (_, one, other) => {
    expect(digest(JSON.parse(one))).toBe(digest(JSON.parse(other)));
  });

  it.each([
    ["normal forms", { a: "é" }, { a: "e\u0301" }],
    ["a number and its text", { a: 1 }, { a: "1" }],
    ["long numbers as text", { a: "9007199254740993" }, { a: "9007199254740992" }],
    ["nothing and null", {}, { a: null }],
    ["an empty object and an empty list", { a: {} }, { a: [] }],
    ["an own __proto__", {}, JSON.parse('{"__proto__":{"a":1}}') as object],
    ["a text named toJSON", {}, { toJSON: "x" }],
    ["something invisible", { a: "b" }, { a: "b\u200b" }],
    ["the order of a list", [1, 2], [2, 1]],
    ["nesting", [[1], 2], [[1, 2]]],
  ])("differs by %s", (_, one, other) => {
    expect(digest(one)).not.toBe(digest(other));
  });

  it("takes missing and undefined for the same, as JSON does", () => {
    expect(digest({ a: undefined })).toBe(digest({}));
  });

  it.each([
    ["half a surrogate pair", { a: "\ud800" }, /surrogate/],
    ["half a surrogate pair as a name", { "\udfff": 1 }, /surrogate/],
    ["NaN", { a: Number.NaN }, /NaN/],
    ["infinity", { a: Number.POSITIVE_INFINITY }, /Infinity/],
    ["a bigint", { a: 1n }, /BigInt|bigint/],
  ])("refuses %s", (_, value, why) => {
    expect(() => digest(value)).toThrow(why);
  });

  it("is read by the rules of a policy as well: a rule sees what would run", () => {
    const rules = { refund: { deny: [{ type: "object", properties: { amount: { type: "number", minimum: 100 } } }] } };
    const policy = definePolicy({ name: "rules", floor: 0, tools: rules });
    const question = { tool: "refund", considered: TOP, repeats: false, changed: false };
    const verdict = (text: string) => judge({ ...question, arguments: JSON.parse(text) as Arguments }, policy).verdict;
    expect(verdict('{"amount":1e0}')).toBe("allow");
    expect(verdict('{"amount":1e2}')).toBe("block");
    expect(verdict('{"\\u0061mount":1e6}')).toBe("block");
    expect(verdict('{"amount":1,"amount":1000000}')).toBe("block");
    expect(verdict('{"__proto__":{"amount":1},"amount":1000000}')).toBe("block");
  });
});

/** Takes anything and tells exactly what arrived. */
function openTool(got: string[]): HarnessTool {
  return defineTool({
    name: "refund",
    description: "Refunds.",
    schema: z.looseObject({ order: z.number(), amount: z.number() }),
    floor: "strict",
    source: {},
    run: (args) => {
      got.push(canonicalJson(args));
      return "refunded";
    },
  }) as unknown as HarnessTool;
}

/** Lets the model ask for the arguments, has whatever is asked approved, and goes on. */
async function throughTheGate(world: World) {
  await world.run({ messages: [new HumanMessage("refund")] });
  const asked = await world.journal.approvals();
  for (const { id } of asked) await world.journal.decideApproval(id, "approved", { by: "ann", authenticated: "cli" });
  const { messages } = await world.run(null);
  return { asked: asked[0], answer: messages.at(-1)?.text ?? "" };
}

describe("arguments on their way from the model to the tool", () => {
  test.each([
    ["another order of keys", '{"amount":1,"order":1}'],
    ["1.0", '{"order":1.0,"amount":1.0}'],
    ["1e0", '{"order":1e0,"amount":1e0}'],
    ["-0", '{"order":1,"amount":-0}'],
    ["2^53+1: what is seen is what runs", '{"order":9007199254740993,"amount":1}'],
    ["2^53+1 as text", '{"order":1,"amount":1,"n":"9007199254740993"}'],
    ["composed", '{"order":1,"amount":1,"n":"\\u00e9"}'],
    ["decomposed", '{"order":1,"amount":1,"n":"e\\u0301"}'],
    ["toJSON", '{"order":1,"amount":1,"toJSON":"x"}'],
    ["then, constructor, lc", '{"order":1,"amount":1,"then":1,"constructor":{"prototype":1},"lc":1}'],
    ["lone escapes in pairs", '{"order":1,"amount":1,"n":"\\ud83d\\ude00"}'],
    ["nested", `{"order":1,"amount":1,"n":${"[".repeat(20)}${"]".repeat(20)}}`],
    ["large", JSON.stringify({ order: 1, amount: 1, n: "x".repeat(300_000) })],
  ])("%s: shown, stored and run alike", async (_, text) => {
    const args = JSON.parse(text) as Arguments;
    const got: string[] = [];
    const world = new World({ plan: [["refund", args]] });
    world.release([openTool(got)]);
    const { asked } = await throughTheGate(world);
    expect(got).toEqual([canonicalJson(args)]);
    expect(canonicalJson(asked?.arguments)).toBe(got[0]);
    expect((await world.journal.effects()).map((effect) => canonicalJson(effect.arguments))).toEqual(got);
  });

  test.each([
    ["half a surrogate pair", '{"order":1,"amount":1,"n":"\\ud800"}', /canonical form.*surrogate/],
    ["half a surrogate pair as a name", '{"order":1,"amount":1,"\\udc00":1}', /canonical form.*surrogate/],
  ])("%s: refused to the planner", async (_, text, why) => {
    const got: string[] = [];
    const world = new World({ plan: [["refund", JSON.parse(text) as Arguments]] });
    world.release([openTool(got)]);
    const { asked, answer } = await throughTheGate(world);
    expect(answer).toMatch(why);
    expect([asked, got, await world.journal.effects()]).toEqual([undefined, [], []]);
  });

  test.each([
    ["a name that a checkpoint loses", '{"order":1,"amount":1,"__proto__":{"amount":9}}', /key named __proto__/],
    ["nesting that no checkpoint gives back", `{"order":1,"n":${"[".repeat(99)}${"]".repeat(99)}}`, /levels deep/],
  ])("%s: never reaches the state, and the model can be asked again", async (_, text, why) => {
    const got: string[] = [];
    const world = new World({ plan: [["refund", JSON.parse(text) as Arguments]] });
    world.release([openTool(got)]);
    await expect(throughTheGate(world)).rejects.toThrow(why);
    expect((await world.state()).messages).toHaveLength(3);
    world.plan = [["refund", APPROVED]];
    await world.run(null);
    expect(await world.journal.approvals()).toMatchObject([{ arguments: APPROVED, status: "pending" }]);
    expect(got).toEqual([]);
  });
});

describe("arguments that are no plain data, from a planner of the user's own", () => {
  test.each<[string, () => Arguments]>([
    [
      "a getter that answers the view with less",
      () => ({
        order: 1,
        get amount() {
          return isCalledFrom("view.ts") ? 1 : 1_000_000;
        },
      }),
    ], // prettier-ignore
    ...[1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30].map((calm): [string, () => Arguments] => [
      `a getter that is calm for ${calm} reads`,
      () => changing((reads) => (reads <= calm ? 1 : 1_000_000)),
    ]),
    ["a getter that alternates", () => changing((reads) => (reads % 2 === 0 ? 1 : 1_000_000))],
    [
      "a getter that has no canonical form for whoever makes a copy of it",
      () => ({
        order: 1,
        get amount() {
          if (isCalledFrom("snapshot")) return Number.NaN;
          return isCalledFrom("view.ts") ? 1 : 1_000_000;
        },
      }),
    ],
    ["toJSON", () => ({ ...APPROVED, toJSON: () => CHANGED })],
    ["inherited", () => Object.assign(Object.create({ amount: 1_000_000 }) as Arguments, { order: 1 })],
    ["an own __proto__", () => JSON.parse('{"order":1,"amount":1,"__proto__":{"amount":9}}') as Arguments],
    ["undefined beside it", () => ({ ...APPROVED, note: undefined })],
    ["NaN", () => ({ order: 1, amount: Number.NaN })],
    ["a number object", () => ({ order: 1, amount: Object(1_000_000) as unknown })],
    ["a bigint", () => ({ order: 1, amount: 1n })],
    ["a date", () => ({ ...APPROVED, at: new Date(0) })],
    ["a proxy that shows one property", () => new Proxy({ ...CHANGED }, { ownKeys: () => ["order"] })],
  ])("%s: nothing runs that was not shown", async (_, make) => {
    const world = new World();
    const plan = new AIMessage({ id: "m1", content: "", tool_calls: [{ id: "c1", name: "refund", args: make() }] });
    world.graph = stagedGraph(world, world.providers.refund(), () => plan) as never;
    const shown: string[] = [];
    try {
      await world.run({ messages: [new HumanMessage("refund")] });
      for (let pending = await pendingOf(world); pending.length > 0; pending = await pendingOf(world)) {
        const [{ id, view, arguments: args }] = pending as [(typeof pending)[0]];
        expect(view).toContain(`order: ${String(args["order"])}`);
        shown.push(`bank ${String(args["order"])} ${String(args["amount"])}`);
        const said = /amount: (\d+)/.exec(view)?.[1];
        expect(said).toBe(args["amount"] === undefined ? undefined : String(args["amount"]));
        expect(view).not.toMatch(/undefined|toJSON/);
        await world.journal.decideApproval(id, "approved", { by: "ann", authenticated: "cli" });
        await world.run(null);
      }
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringMatching(/BigInt/) as string }); // No checkpoint holds one.
    }
    for (const done of world.providers.done) expect(shown).toContain(done);
    expect(world.providers.done.length).toBeLessThanOrEqual(1);
  });

  const isCalledFrom = (place: string): boolean => new Error().stack?.includes(place) === true;
  const pendingOf = (world: World) => world.journal.approvals({ status: "pending" });
});
