// What a tool returns and throws, of any shape: once its function has run, nothing that goes wrong says that it did not,
// and nothing it gives is too large, too deep or too strange to be written down.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { EffectRecord } from "../../checkpoints/index.js";
import { compensateEffect, defineTool, type HarnessTool, LabelledResult, NotDoneError } from "../../nodes/index.js";
import { MAX_RESULT } from "../../nodes/text.js";
import { TOP } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

type Run = () => unknown;
const PAY = calls(["pay", {}]);

/** Runs an agent that pays twice if it is let, and says what it is told. */
async function pay(run: Run, definition: object = {}, secrets?: Parameters<typeof testAgent>[1]) {
  let ran = 0;
  const tool = defineTool({
    ...{ name: "pay", description: "Pays.", schema: z.object({}), source: {} },
    run: () => {
      ran += 1;
      return run();
    },
    ...definition,
  }) as unknown as HarnessTool;
  const agent = testAgent(script([PAY, PAY, ({ messages }) => messages.at(-1)?.content ?? ""]), {
    tools: [tool],
    ...secrets,
  });
  const result = await agent.run("pay");
  return { ...result, agent, tool, ran: () => ran, effects: await agent.journal.effects() };
}

const circular = (): unknown => {
  const value: Record<string, unknown> = {};
  value["self"] = value;
  return value;
};
const deep = (depth: number) => {
  let value: unknown = 0;
  for (let at = 0; at < depth; at += 1) value = [value];
  return value;
};
const refusal = new NotDoneError("refused");
const throws =
  (value: unknown): (() => never) =>
  () => {
    throw value;
  };
const refuses = throws(refusal);
const notConnected = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
const getter = (get: () => never, name = "id", of: object = {}) =>
  Object.defineProperty(of, name, { get, enumerable: true });

const UNWRITABLE: readonly [string, Run][] = [
  ["a bigint", () => ({ cents: 10n })],
  ["a cycle", circular],
  ["a toJSON that throws", () => ({ toJSON: throws(new Error("no")) })],
  ["a toJSON that throws a refusal", () => ({ toJSON: refuses })],
  ["a getter that throws a refusal", () => getter(refuses)],
  ["a getter that throws what proves no connection", () => getter(throws(notConnected))],
  ["a proxy that throws a refusal", () => [new Proxy({}, { ownKeys: refuses })]],
  ["a function", () => () => "paid"],
  ["a symbol", () => Symbol("paid")],
  ["a structure too deep for JSON", () => deep(100_000)],
  ["a labelled value that cannot be written down", () => new LabelledResult(10n, TOP, "x")],
];

describe("a result that cannot be written down", () => {
  test.each(UNWRITABLE)("%s: in doubt, and not paid again unasked", async (_, run) => {
    const { effects, ran, asked, messages } = await pay(run);
    expect(effects[0]).toMatchObject({ status: "in_doubt", error: expect.stringContaining("pay has run") });
    expect(ran()).toBe(1);
    expect(messages.map(({ text }) => text).join("\n")).toContain("In doubt: pay was sent");
    expect(asked?.value.requests[0]?.causes[0] ?? "blocked").toMatch(/may have been|blocked/);
  });

  test.each(UNWRITABLE)("%s, of a tool in the ledger that needs no gate: in doubt as well", async (_, run) => {
    const { effects } = await pay(run, { effect: "idempotent" });
    expect(effects[0]?.status).toBe("in_doubt");
  });

  test("is learnt from the provider where that can be asked", async () => {
    const { effects, ran } = await pay(() => 10n, { probe: () => "committed" });
    expect(effects[0]?.status).toBe("committed");
    expect(ran()).toBe(1);
  });

  test.each(UNWRITABLE)("%s, of a compensation: in doubt", async (_, run) => {
    const { agent, effects, tool } = await pay(() => "paid", { effect: "compensable", compensate: run });
    const { signal } = new AbortController();
    const undone = await compensateEffect(effects[0] as EffectRecord, {
      tool,
      journal: agent.journal,
      by: "ann",
      signal,
    });
    expect(undone.status).toBe("in_doubt");
  });
});

describe("a result that can be written down after all is a receipt", () => {
  test.each<[string, Run, string]>([
    ["nothing", () => undefined, "null"],
    ["half a surrogate pair", () => "paid \ud83d", "paid \ufffd"],
    ["half a surrogate pair in JSON", () => ({ to: "\ud83d" }), '{"to":"\\ud83d"}'],
    ["a labelled value whose label is none", () => new LabelledResult("paid", { integrity: 9 } as never, "x"), "paid"],
  ])("%s", async (_, run, receipt) => {
    const { effects, ran } = await pay(run);
    expect(effects[0]).toMatchObject({ status: "committed", receipt });
    expect(ran()).toBe(1);
  });

  test("with the lowest label, when its own is none", async () => {
    const { trust } = await pay(() => new LabelledResult("paid", { integrity: 9 } as never, "x"));
    expect(trust).toMatchObject({ integrity: 0, certainty: 0 });
  });

  const secrets = { secrets: { values: ["s3cret-s3cret"], patterns: [/sk-[a-z0-9]{8,}/] } };
  test.each([
    ["text of 9 MB", () => "paid ".repeat(1_800_000)],
    ["JSON of 9 MB", () => ({ log: '"paid" '.repeat(1_300_000) })],
    ["text of 200 MB", () => "paid ".repeat(40_000_000)],
    ["no blank anywhere", () => "x".repeat(9_000_000)],
  ] as const)(
    "%s: cut before it is redacted and kept, and says so",
    async (_, run) => {
      const { effects, ran, trust } = await pay(run, {}, secrets);
      const receipt = effects[0]?.receipt ?? "";
      expect(effects[0]?.status).toBe("committed");
      expect(receipt.length).toBeLessThan(MAX_RESULT + 100);
      expect(receipt).toMatch(/\n\[cut: \d+ of \d+ characters\]$/);
      expect(ran()).toBe(1);
      expect(trust.fidelity).toBe(2);
    },
    60_000,
  );

  test("a cut halves no word: half a secret would not be known as one", async () => {
    const text = `${"x ".repeat(MAX_RESULT / 2 - 5)}s3cret-s3cret and more`;
    expect((await pay(() => text, {}, secrets)).effects[0]?.receipt).not.toContain("s3c");
  });
});

describe("anything may be thrown", () => {
  test.each<[string, Run]>([
    ["nothing", throws(undefined)],
    ["null", throws(null)],
    ["a text", throws("refused")],
    ["a symbol", throws(Symbol("refused"))],
    ["an error whose message throws", throws(getter(refuses, "message", new Error()))],
    ["an error whose code throws", throws(getter(refuses, "code", new Error("x")))],
    [
      "a proxy that throws at every look",
      throws(new Proxy({}, { get: refuses, has: refuses, getPrototypeOf: refuses, ownKeys: refuses })),
    ],
    ["a proxy that has everything", throws(new Proxy(new Error("x"), { has: () => true }))],
    ["an object without a prototype", throws(Object.create(null))],
    ["an error with a message of 50 MB", throws(new Error("x".repeat(50_000_000)))],
    ["an error with half a surrogate pair", throws(new Error("\ud83d"))],
  ])("%s: in doubt", async (_, run) => {
    const { effects, ran } = await pay(run);
    expect(effects[0]?.status).toBe("in_doubt");
    expect((effects[0]?.error ?? "").length).toBeLessThan(12_000);
    expect(ran()).toBe(1);
  });

  test("what goes wrong before the function has run is failed: it never ran", async () => {
    let parsed = 0;
    const schema = z.object({
      to: z
        .string()
        .default("a")
        .transform((to) => {
          parsed += 1;
          return parsed > 5 ? refuses() : to;
        }),
    });
    const { effects, ran } = await pay(() => "paid", { schema });
    expect(ran()).toBe(0);
    expect(effects.filter(({ status }) => status !== "intended")).toMatchObject([{ status: "failed" }]);
  });

  test("arguments that the schema cannot read never come to the gate", async () => {
    const schema = z.object({
      to: z
        .string()
        .default("a")
        .transform(throws(new Error("broken"))),
    });
    const { effects, messages } = await pay(() => "paid", { schema });
    expect(effects).toEqual([]);
    expect(messages.map(({ text }) => text).join("\n")).toContain("its schema cannot read these arguments: broken");
  });
});

test("an answer that cannot be recorded leaves the outcome unclear", async () => {
  const agent = testAgent(script([PAY, "done"]), {
    tools: [
      defineTool({
        name: "pay",
        description: "Pays.",
        schema: z.object({}),
        source: {},
        run: () => "paid, with a mark",
      }) as unknown as HarnessTool,
    ],
  });
  const { keep } = agent.journal;
  agent.journal.keep = (text) => {
    if (text === "paid, with a mark") throw new RangeError("Maximum call stack size exceeded");
    return keep.call(agent.journal, text);
  };
  await agent.run("pay");
  expect((await agent.journal.effects())[0]).toMatchObject({
    status: "in_doubt",
    error: expect.stringContaining("could not be recorded: Maximum call stack"),
  });
});
