// Prompts: taken apart and put together again byte for byte, also through the journal; and a conversation that grows
// keeps each message once.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestsOf, type Journal, openJournal, promptMessages, promptOf } from "../../checkpoints/index.js";
import { takeApart } from "../../checkpoints/journal/prompt.js";
import type { KeptText } from "../../checkpoints/journal/types.js";
import { runs } from "../properties/agent.js";

let journal: Journal;
beforeEach(() => {
  journal = openJournal("memory:");
});
afterEach(() => journal.close());

const keep = (text: string): KeptText => journal.keep(text);
const scope = { thread: "t1", run: "r1" };
const EVENT = { kind: "model.request", call: "c", provider: "p", endpoint: "e", route: "m", digest: "d" } as const;

function roundTrip(body: string, by = keep): string | undefined {
  const { prompt, texts } = takeApart(body, by);
  return promptOf(prompt, new Map(texts.map(({ digest, text }) => [digest, text])));
}

const message = (number: number) => ({ role: number % 2 === 0 ? "user" : "assistant", content: `message ${number}` });
const bodyOf = (length: number) =>
  JSON.stringify({
    model: "m",
    messages: Array.from({ length }, (_, index) => message(index)),
    tools: [{ name: "t" }],
  });

describe("a prompt", () => {
  it.each([
    bodyOf(0),
    bodyOf(40),
    '{"messages":[],"tools":[]}',
    '{"tools":[1],"a":{"messages":[1]},"messages":["x",null,7,{"__proto__":1}],"z":null}',
    '{"messages":[{"b":1,"a":2}],"__proto__":{"a":1},"constructor":1}',
    '{"messages":[{"b":1,"b":2}]}',
    '{"messages":[1.0,1e3,-0,12345678901234567890]}',
    '{ "messages": [] }',
    '{"messages":null}',
    '{"messages":[],"tools":{"a":1}}',
    '{"messages":["\\u2028 \\ud83d\\ude00 \\/"]}',
    '{"messages":["\u2028 😀 é"]}',
    '{"2":1,"1":2,"messages":[]}',
    "[1,2]",
    "null",
    "not JSON",
    "",
  ])("comes back byte for byte: %s", (body) => expect(roundTrip(body)).toBe(body));

  it("comes back byte for byte from the journal, whatever it is (property)", async () => {
    const key = fc.oneof(fc.constantFrom("messages", "tools", "__proto__", "toString", "1"), fc.string());
    const anyJson = fc.jsonValue({ stringUnit: "grapheme", depthSize: "small" });
    const list = fc.array(anyJson, { maxLength: 40 });
    const anyBody = fc.oneof(
      fc.dictionary(key, anyJson),
      fc.tuple(fc.dictionary(key, anyJson), list, fc.option(list)).map(([frame, messages, tools]) => ({
        ...frame,
        messages,
        ...(tools === null ? {} : { tools }),
      })),
      fc.constantFrom('{"messages":[1],"messages":[2]}', '{"messages":[0.10]}', '{"messages":[1e999]}').map(JSON.parse),
    );
    const anyText = fc.oneof(
      { weight: 6, arbitrary: anyBody.map((body) => JSON.stringify(body)) },
      { weight: 1, arbitrary: anyBody.map((body) => JSON.stringify(body, null, 1)) },
      fc.string({ unit: "grapheme" }),
      fc.constantFrom('{"messages":[1],"messages":[2]}', '{"messages":[0.10]}', '{"messages":[1e999]}'),
    );
    let apart = 0;
    await fc.assert(
      fc.asyncProperty(anyText, async (body) => {
        const { prompt, texts } = takeApart(body, keep);
        if (prompt.whole === undefined) apart += 1;
        await journal.append(scope, { ...EVENT, bytes: body.length, prompt }, texts);
        const event = (await journal.events({ thread: "t1" })).at(-1)?.event;
        if (event?.kind !== "model.request") throw new Error("it is not there");
        const listed = await journal.texts("t1", digestsOf(event));
        const messages = promptMessages(event.prompt, listed) ?? [];
        expect(promptOf(event.prompt, new Map([...listed, ...(await journal.texts("t1", messages))]))).toBe(body);
      }),
      { numRuns: runs(150) },
    );
    expect(apart).toBeGreaterThan(runs(150) / 4);
  }, 120_000);

  it("keeps each message of a conversation that grows once, and pages that are full for good", () => {
    const kept = new Map<string, number>();
    let bytes = 0;
    const events: number[] = [];
    const LENGTH = 200;
    for (let length = 1; length <= LENGTH; length += 1) {
      const { prompt, texts } = takeApart(bodyOf(length), keep);
      for (const { digest, bytes: size } of texts) {
        if (!kept.has(digest)) bytes += size;
        kept.set(digest, (kept.get(digest) ?? 0) + 1);
      }
      events.push(JSON.stringify(prompt).length);
    }
    expect(kept.size).toBe(LENGTH + Math.floor(LENGTH / 16) + 1); // Messages, pages, the tools.
    expect(bytes).toBeLessThan(3 * bodyOf(LENGTH).length);
    expect(Math.max(...events)).toBeLessThan(16 * 67 + (LENGTH / 16) * 67 + 200);
  });

  it("has its secrets replaced, and can be put together; or is kept whole when it would be no JSON any more", () => {
    const own = openJournal("memory:", {
      secrets: { values: ["hunter22", '"role":"user"'], patterns: [/[0-9a-f]{16,}/] },
    });
    const by = (text: string) => own.keep(text);
    const body = JSON.stringify({ model: "m", messages: [{ content: "hunter22" }, ...Array(20).fill("hunter22 too")] });
    const back = roundTrip(body, by) ?? "";
    expect(back).not.toContain("hunter22");
    expect(back.replaceAll(/\[secret:\w+\]/g, "hunter22")).toBe(body);
    expect(takeApart(bodyOf(2), by).prompt.whole).toMatch(/^[0-9a-f]{64}$/);
    expect(roundTrip(bodyOf(2), by)).not.toContain('"role":"user"');
  });

  it("is missing when a text of it is", () => {
    const { prompt, texts } = takeApart(bodyOf(20), keep);
    for (const gone of texts) {
      const left = new Map(texts.filter((each) => each !== gone).map(({ digest, text }) => [digest, text]));
      expect(promptOf(prompt, left)).toBeUndefined();
    }
    expect(promptOf({ whole: "gone" }, new Map())).toBeUndefined();
  });
});
