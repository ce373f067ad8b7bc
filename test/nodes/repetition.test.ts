// The same action in other words: compared on what the schema makes of the arguments, and on those that identify the effect.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type EffectRecord, isRepetition, isSameDeed } from "../../checkpoints/index.js";
import { deedOf } from "../../nodes/consider.js";
import { defineTool, type HarnessTool, NotDoneError } from "../../nodes/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

type Args = Record<string, unknown>;

const refundSchema = z.object({
  order_id: z.coerce.number(),
  charge_id: z.string().trim(),
  amount: z.number(),
  currency: z.string().default("EUR"),
  note: z.string().nullish(),
  reason: z.string(),
});
const define = (schema: z.ZodObject, identity?: readonly string[], run: (args: Args) => unknown = () => "paid") =>
  defineTool({
    ...{ name: "pay", description: "Pays.", schema, source: {}, run },
    ...(identity === undefined ? {} : { identity }),
  }) as unknown as HarnessTool;

const FIRST = { order_id: 7, charge_id: "CH-1", amount: 10, reason: "duplicate" };

describe("the same action", () => {
  const identified = define(refundSchema, ["order_id", "charge_id"]);
  const whole = define(refundSchema);
  let count = 0;
  const next = (): number => {
    count += 1;
    return count;
  };
  const clock = define(refundSchema.extend({ at: z.number().default(next) }));
  const nested = define(z.object({ to: z.object({ name: z.string().trim(), city: z.string().nullish() }) }));
  const throwing = define(
    z.object({
      to: z.string().transform((to): string => {
        if (to.startsWith("no")) throw new Error("no");
        return to;
      }),
    }),
  );
  const random = define(z.object({ to: z.string().transform((to) => `${to} ${next()}`) }));
  const money = define(z.object({ cents: z.string().transform((cents) => BigInt(cents)) }));

  test.each<[string, HarnessTool, Args, Args, boolean]>([
    ["another reason, by identity", identified, FIRST, { ...FIRST, reason: "charged twice" }, true],
    ["another amount, by identity", identified, FIRST, { ...FIRST, amount: 11 }, true],
    ["another charge, by identity", identified, FIRST, { ...FIRST, charge_id: "CH-2" }, false],
    ["another reason, without identity", whole, FIRST, { ...FIRST, reason: "charged twice" }, false],
    ["a default that is stated", whole, FIRST, { ...FIRST, currency: "EUR" }, true],
    ["another value than the default", whole, FIRST, { ...FIRST, currency: "USD" }, false],
    ["blanks around it", whole, FIRST, { ...FIRST, charge_id: " CH-1 " }, true],
    ["a number as text", whole, FIRST, { ...FIRST, order_id: "7" }, true],
    ["a key that the schema strips", whole, FIRST, { ...FIRST, please: "now" }, true],
    ["another order of keys", whole, FIRST, Object.fromEntries(Object.entries(FIRST).reverse()), true],
    ["null and nothing", whole, FIRST, { ...FIRST, note: null }, true],
    ["something and nothing", whole, FIRST, { ...FIRST, note: "x" }, false],
    ["a default that is the clock", clock, FIRST, { ...FIRST, charge_id: "CH-1 " }, true],
    ["a clock that is stated", clock, { ...FIRST, at: 1 }, { ...FIRST, at: 2 }, false],
    ["blanks inside", nested, { to: { name: "a" } }, { to: { name: " a", city: null } }, true],
    ["another one inside", nested, { to: { name: "a" } }, { to: { name: "b" } }, false],
    ["what the schema cannot read", throwing, { to: "no" }, { to: "b" }, true],
    ["what the schema makes new each time", random, { to: "a" }, { to: "b" }, true],
    ["a bigint", money, { cents: "100" }, { cents: "0100" }, true],
    ["another bigint", money, { cents: "100" }, { cents: "101" }, false],
  ])("%s", (_, tool, first, second, same) => {
    expect(isSameDeed(deedOf({ args: second }, tool), deedOf({ args: first }, tool))).toBe(same);
    expect(isSameDeed(deedOf({ args: first }, tool), deedOf({ args: second }, tool))).toBe(same);
  });

  test("with a default that changes with the time, and not from one look to the next", () => {
    let now = 1;
    const tool = define(z.object({ to: z.string().trim(), at: z.number().default(() => now) }));
    const before = deedOf({ args: { to: "a" } }, tool);
    now = 2;
    expect(isSameDeed(deedOf({ args: { to: "a " } }, tool), before)).toBe(true);
    expect(isSameDeed(deedOf({ args: { to: "b" } }, tool), before)).toBe(false);
  });

  test("by an identity that neither call states", () => {
    const tool = define(z.object({ to: z.string().optional(), reason: z.string() }), ["to"]);
    expect(isSameDeed(deedOf({ args: { reason: "a" } }, tool), deedOf({ args: { reason: "b" } }, tool))).toBe(true);
  });

  test("under another definition is compared by the one of now", () => {
    const before = deedOf({ args: FIRST }, whole);
    expect(isSameDeed(deedOf({ args: { ...FIRST, reason: "again" } }, identified), before)).toBe(true);
    expect(isSameDeed(deedOf({ args: { ...FIRST, order_id: 8 } }, identified), before)).toBe(false);
  });
});

describe("an identity", () => {
  test.each([
    [[], "identity names nothing"],
    [["order"], "identity names order"],
    [["order_id", "order_id"], "identity names order_id"],
  ])("%j is refused when the tool is defined", (identity, why) => {
    expect(() => define(refundSchema, identity)).toThrow(why);
  });

  test("is part of what the tool is", () => {
    const digests = [undefined, ["order_id"], ["charge_id"]].map((each) => define(refundSchema, each).digest);
    expect(new Set(digests).size).toBe(3);
  });
});

describe("in an agent", () => {
  const pay = (...args: readonly Args[]) => calls(...args.map((each): [string, Args] => ["pay", each]));
  const again = { ...FIRST, reason: "the customer asked once more", charge_id: " CH-1" };

  test.each([
    ["under another call", [pay(FIRST), pay(again)]],
    ["in one message", [pay(FIRST, again)]],
  ] as const)("another wording is asked about %s, and not paid", async (_, steps) => {
    const done: Args[] = [];
    const tool = define(refundSchema, ["order_id", "charge_id"], (args) => done.push(args) && "paid");
    const agent = testAgent(script([...steps, "done"]), { tools: [tool] });
    const { asked } = await agent.run("pay");
    expect(asked?.value.requests).toMatchObject([
      { arguments: again, causes: [expect.stringContaining("already done")] },
    ]);
    expect(done.length).toBeLessThanOrEqual(1);
  });

  test("another payment is not asked about", async () => {
    const tool = define(refundSchema, ["order_id", "charge_id"]);
    const agent = testAgent(script([pay(FIRST), pay({ ...FIRST, charge_id: "CH-2" }), "done"]), { tools: [tool] });
    expect((await agent.run("pay")).asked).toBeUndefined();
    expect(await agent.journal.effects()).toMatchObject([{ status: "committed" }, { status: "committed" }]);
  });

  test("what certainly failed may be tried again in other words", async () => {
    let tries = 0;
    const tool = define(refundSchema, ["order_id"], () => {
      tries += 1;
      if (tries === 1) throw new NotDoneError("try later");
      return "paid";
    });
    const agent = testAgent(script([pay(FIRST), pay(again), "done"]), { tools: [tool] });
    expect((await agent.run("pay")).asked).toBeUndefined();
    expect(tries).toBe(2);
  });

  test("a forged row may have been anything: whatever comes after it is asked about", () => {
    const call = { key: "two", ...deedOf({ args: FIRST }, define(refundSchema)) };
    const row = { key: "one", tool: "another", arguments: {}, compensates: undefined };
    expect(isRepetition(call, [{ ...row, status: "forged" } as EffectRecord])).toBe(true);
    expect(isRepetition(call, [{ ...row, status: "committed" } as EffectRecord])).toBe(false);
    expect(isRepetition(call, [{ ...call, key: "one", status: "failed", compensates: undefined } as never])).toBe(
      false,
    );
  });

  test("two workers past the gate do it once: the second dispatch sees the first, in other words too", async () => {
    const { journal } = testAgent(script([]));
    const intent = (key: string, args: Args) => ({
      ...deedOf({ args }, define(refundSchema, ["order_id", "charge_id"])),
      ...{ key, thread: "t", root: "t", run: "r", callId: key, intent: key, binding: "b", policyDigest: "p" },
      ...{ considered: { integrity: 3, fidelity: 3, currency: 3, certainty: 3 } as const, mayRepeat: false },
      ...{ preconditions: undefined, compensates: undefined, approval: undefined },
    });
    await journal.intendEffect(intent("one", FIRST));
    await journal.intendEffect(intent("two", again));
    await journal.dispatchEffect("one");
    await expect(journal.dispatchEffect("two")).rejects.toMatchObject({ code: "EFFECT_REPEATS" });
  });
});
