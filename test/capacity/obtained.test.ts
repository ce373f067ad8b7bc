import { AIMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Obtained, obtainedOf, trustOfAnswer } from "../../capacity/index.js";
import { aliasOf, isSameModel } from "../../capacity/obtained.js";

const NOMINAL: Obtained = {
  provider: "openai",
  offline: false,
  route: "large",
  primary: "large",
  attempts: 1,
  rateLimited: 0,
  unclearAttempts: 0,
  queueMs: 0,
  finishReason: "stop",
  usage: { inputTokens: 1, outputTokens: 1 },
};

const messageOf = (bulkhead: unknown): AIMessage => new AIMessage({ content: "x", response_metadata: { bulkhead } });
const trust = (change: Partial<Obtained>) => trustOfAnswer(messageOf({ ...NOMINAL, ...change }), "planner#1");

describe("trustOfAnswer", () => {
  const TOP = { integrity: 3, fidelity: 3, currency: 3, certainty: 3 };

  test.each<[string, Partial<Obtained>, object, string[]]>([
    ["nominal", {}, {}, []],
    ["tool calls", { finishReason: "tool_calls" }, {}, []],
    ["a dated snapshot", { returnedModel: "large-2026-01-31" }, {}, []],
    [
      "another model",
      { returnedModel: "larger" },
      { fidelity: 1 },
      ["answered by larger instead of large; if that is the same model, name it in BULKHEAD_MODEL_ALIASES"],
    ],
    [
      "a smaller sibling",
      { returnedModel: "large-mini" },
      { fidelity: 1 },
      ["answered by large-mini instead of large; if that is the same model, name it in BULKHEAD_MODEL_ALIASES"],
    ],
    ["another name of the same model", { returnedModel: "gpt-4o-2024-08-06", alias: "gpt-4o-2024-08-06" }, {}, []],
    [
      "a fallback that is another model",
      { route: "small", fallbackReason: "timeout", returnedModel: "smaller" },
      { fidelity: 1 },
      [
        "fallback: small (large: timeout)",
        "answered by smaller instead of small; if that is the same model, name it in BULKHEAD_FALLBACK_MODEL_ALIASES",
      ],
    ],
    [
      "a fallback",
      { route: "small", fallbackReason: "timeout" },
      { fidelity: 1 },
      ["fallback: small (large: timeout)"],
    ],
    ["cut by length", { finishReason: "length" }, { fidelity: 2 }, ["answer ended early: length"]],
    ["filtered", { finishReason: "content_filter" }, { fidelity: 2 }, ["answer ended early: content_filter"]],
    ["waited for rate", { attempts: 3, rateLimited: 2 }, {}, []],
    ["after a 500", { attempts: 2 }, { certainty: 2 }, ["retry after a clean failure"]],
    [
      "after a timeout",
      { attempts: 2, unclearAttempts: 1 },
      { certainty: 1 },
      ["retry after an attempt with an unclear outcome"],
    ],
    [
      "fresh from the cache",
      { attempts: 0, cache: { ageMs: 2000, fresh: true } },
      { currency: 2 },
      ["cached answer, 2 s old"],
    ],
    ["stale", { attempts: 0, cache: { ageMs: 9000, fresh: false } }, { currency: 1 }, ["stale cached answer, 9 s old"]],
  ])("%s", (_name, change, ranks, reasons) => {
    const { causes = [], ...label } = trust(change);
    expect(label).toEqual({ ...TOP, ...ranks });
    expect(causes.map(({ reason }) => reason)).toEqual(reasons);
    for (const cause of causes) expect(cause.at).toBe("planner#1");
  });

  test("an answer without a finish reason is not nominal", () => {
    const { finishReason: _, ...unfinished } = NOMINAL;
    expect(trustOfAnswer(messageOf(unfinished))).toMatchObject({ fidelity: 2 });
  });

  test("whatever is no Obtained is of unknown origin", () => {
    expect(trustOfAnswer(new AIMessage("x"))).toEqual({
      ...TOP,
      fidelity: 0,
      causes: [{ axis: "fidelity", rank: 0, reason: "answer of unknown origin" }],
    });
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...Object.keys(NOMINAL)), (junk, key) => {
        expect(trustOfAnswer(messageOf(junk)).fidelity).toBe(0);
        if (key === "finishReason") return;
        const { [key as "route"]: _, ...partial } = NOMINAL;
        expect(obtainedOf(messageOf(partial))).toBeUndefined();
      }),
    );
  });
});

test.each([
  ["gpt-4o", "gpt-4o", true],
  ["gpt-4o", "GPT-4o", true],
  ["gpt-4o", "gpt-4o-2024-08-06", true],
  ["gpt-4o", "gpt-4o-mini", false],
  ["gpt-4o", "gpt-4o-mini-2024-07-18", false],
  ["gpt-4", "gpt-4-0613", true],
  ["gpt-4", "gpt-4-turbo", false],
  ["gpt-4", "gpt-4-0125-preview", false],
  ["gpt-4-0125-preview", "gpt-4-0125-preview", true],
  ["openai/gpt-4o", "gpt-4o-2024-08-06", true],
  ["gemini-2.5-flash", "models/gemini-2.5-flash", true],
  ["models/gemini-2.5-flash", "gemini-2.5-flash", true],
  ["gemini-2.5-flash", "gemini-2.5-flash-lite", false],
  ["gemini-2.5-flash", "gemini-2.5-flash-preview-05-20", false],
  ["llama-v3p1-8b-instruct", "accounts/fireworks/models/llama-v3p1-8b-instruct", true],
  ["Qwen/Qwen3-8B", "qwen3-8b", true],
  ["Qwen/Qwen3-8B", "Qwen/Qwen3-8B-AWQ", false],
  ["llama3.1", "llama3.1:latest", true],
  ["llama3.1:8b", "llama3.1:70b", false],
  ["llama3.1:8b", "llama3.1", false],
  ["meta-llama/llama-3.3-70b-instruct:free", "meta-llama/llama-3.3-70b-instruct", false],
  ["qwen3", "/models/qwen3-8b-q4_k_m.gguf", false],
  ["mistral-large-latest", "mistral-large-20240701", true],
  ["prod-chat", "gpt-4o-2024-08-06", false],
  ["offline-large", "offline-small", false],
])("asked for %s, got %s: the same is %s", (route, returned, same) => {
  expect(isSameModel(route, returned)).toBe(same);
  expect(aliasOf({ name: route }, returned)).toBeUndefined();
  // Whatever it is, it is the same by its own name as an alias, and by no other.
  expect(aliasOf({ name: route, aliases: ["another", returned] }, returned)).toBe(same ? undefined : returned);
});

test.each([
  ["prod-chat", ["gpt-4o-2024-08-06"], "gpt-4o-2024-08-06", "gpt-4o-2024-08-06"],
  ["prod-chat", ["gpt-4o-2024-08-06"], "gpt-4o-2024-05-13", undefined],
  ["prod-chat", ["gpt-4o"], "gpt-4o-mini", undefined],
  ["prod-chat", ["gpt-4o"], "gpt-4o-2024-08-06", undefined],
  ["prod-chat", ["gpt-4o-2024-*"], "gpt-4o-2024-08-06", "gpt-4o-2024-*"],
  ["prod-chat", ["gpt-4o-2024-*"], "gpt-4o-mini-2024-07-18", undefined],
  ["qwen", ["/models/Qwen3-8B-Q4_K_M.gguf"], "/models/qwen3-8b-q4_k_m.gguf", "/models/Qwen3-8B-Q4_K_M.gguf"],
  ["qwen", ["/models/*"], "/models/qwen3-8b.gguf", "/models/*"],
  ["qwen", ["qwen3-8b.gguf"], "/models/qwen3-8b.gguf", undefined],
  ["x", [], "y", undefined],
  ["x", ["y"], undefined, undefined],
])("%s with the aliases %j: %s counts as %s", (name, aliases, returned, alias) => {
  expect(aliasOf({ name, aliases }, returned)).toBe(alias);
});
