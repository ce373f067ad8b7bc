import { AIMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { compareAnswers, sampleAnswers } from "../../models/index.js";
import { scriptedModel } from "../contracts/index.js";

const said = (text: string, tokens?: readonly string[]) =>
  new AIMessage({
    content: text,
    ...(tokens === undefined
      ? {}
      : { response_metadata: { logprobs: { content: tokens.map((token) => ({ token, logprob: -0.1 })) } } }),
  });

describe("comparing answers", () => {
  test("all the same", () => {
    const found = compareAnswers([said("a b c"), said("a b c"), said("a b c")]);
    expect(found).toMatchObject({ answers: 3, distinct: 1, mostFrequent: 3, firstDifference: undefined });
    expect(found.meaning).toMatch(/^All 3 answers are the same/);
  });

  test("the earliest difference of any two, in words", () => {
    const found = compareAnswers([
      said("born in Queens, New York"),
      said("born in New York"),
      said("born in Queens, USA"),
    ]);
    expect(found).toMatchObject({ distinct: 3, mostFrequent: 1 });
    expect(found.firstDifference).toEqual({ at: 2, unit: "word", left: "Queens, ", right: "New " });
    expect(found.meaning).toMatch(/^Running again is no evidence here/);
  });

  test("in tokens, where the provider gives them; an answer may be the beginning of another", () => {
    const found = compareAnswers([said("ab", ["a", "b"]), said("abc", ["a", "b", "c"])]);
    expect(found.firstDifference).toEqual({ at: 2, unit: "token", left: "", right: "c" });
  });

  test("one answer says nothing", () => {
    expect(compareAnswers([said("a")]).meaning).toBe("Too few answers to compare.");
    expect(compareAnswers([])).toMatchObject({ answers: 0, distinct: 0, mostFrequent: 0 });
  });
});

describe("sampling", () => {
  test("sends identical requests to the primary model and keeps what came", async () => {
    const requests: string[] = [];
    const { model, close } = scriptedModel(({ messages }) => {
      requests.push(JSON.stringify(messages));
      return { content: `answer ${requests.length % 2}`, toolCalls: [] };
    });
    const heard: number[] = [];
    const { signal } = new AbortController();
    const { answers, failures } = await sampleAnswers({
      model,
      prompt: "Say.",
      n: 6,
      signal,
      onAnswer: (n) => heard.push(n),
    });
    await close();
    expect({ answers: answers.length, failures, heard }).toEqual({
      answers: 6,
      failures: [],
      heard: [1, 2, 3, 4, 5, 6],
    });
    expect(new Set(requests).size).toBe(1);
    expect(compareAnswers(answers)).toMatchObject({ distinct: 2, mostFrequent: 3, models: ["offline-large"] });
  });

  test("an interruption keeps what was answered, a failure does not end it", async () => {
    const aborting = new AbortController();
    let asked = 0;
    const { model, close } = scriptedModel(() => {
      asked += 1;
      if (asked === 1) throw new Error("no");
      return { content: "yes", toolCalls: [] };
    });
    const onAnswer = (done: number) => {
      if (done === 3) aborting.abort();
    };
    const sampling = { model, prompt: "Say.", n: 50, concurrency: 1, signal: aborting.signal, onAnswer };
    const { answers, failures } = await sampleAnswers(sampling);
    await close();
    expect(answers.length + failures.length).toBe(3);
    expect(answers.length).toBeGreaterThan(0);
  });
});
