// The page as text: what stands on its first screen, what is on its shelf, and that nothing a record holds gets out of it.

import { createHash } from "node:crypto";
import { Script } from "node:vm";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { promptOf } from "../../checkpoints/index.js";
import { htmlOf, type PageRecord } from "../../cli/inspect/html/page.js";
import { recordedTexts } from "../../cli/inspect/html/record.js";
import { gridOf, sectionsOf } from "../../cli/inspect/html/rows.js";
import { SCRIPT } from "../../cli/inspect/html/script.js";
import { Shelf } from "../../cli/inspect/html/shelf.js";
import { totalsOf } from "../../cli/inspect/html/totals.js";
import { deedsOf, verdictOf } from "../../cli/inspect/html/verdict.js";
import { EVENTS } from "../checkpoints/recorded-events.js";
import { longRun } from "./html-long.js";
import { story } from "./html-record.js";
import { answered, ended, fell, judged, type Line, recordOf, started, used } from "./record.js";

const pageOf = (events: PageRecord["events"]): string =>
  htmlOf({ thread: "t", events, texts: new Map(), approvals: [], effects: [], generatedAt: 0 });

/** Every text on the shelf. */
const shelfOf = (page: string): string[] =>
  [...page.matchAll(/class="shelf">([^<]*)</g)].flatMap(
    ([, data = ""]) => JSON.parse(gunzipSync(Buffer.from(data, "base64")).toString()) as string[],
  );

const textOf = (page: string): string =>
  page
    .replace(/<(script|style)[^>]*>.*?<\/\1>/gs, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("the first screen", () => {
  const page = htmlOf(story());
  const first = textOf(page.slice(page.indexOf("<main>"), page.indexOf('<section id="timeline"')));

  test("says how it ended, what it did and who let it, why, and how much it took", () => {
    for (const part of [
      "Finished",
      "Ticket 4711: close the account of A. Byrne",
      "delete_customer(customer_id: 8812) happened",
      "approved by night-oncall",
      "integrity fell to 1 at step 4 (tools: read_ticket): the text of a ticket",
      "fidelity fell to 1 at step 5 (planner: gpt-5-mini): fallback: gpt-5-mini at planner#5",
      "so the gate asked for delete_customer(customer_id: 8812) at step 9 (gate)",
      "tokens in 10,872 3,072 cached",
      "cost no price known",
      "rate limited 2 retries 1 fallbacks 1",
    ]) {
      expect(first).toContain(part);
    }
  });

  test("each fall of each axis leads to its line", () => {
    for (const [, target] of page.matchAll(/href="#(e\d+)"/g)) expect(page).toContain(`id="${target}"`);
    expect(page).toMatch(/aria-label="fidelity 3 to 1 at step 5, planner"/);
    expect(page).toMatch(/aria-label="currency: did not fall"/);
  });
});

describe("how it ended", () => {
  test.each([
    [[ended("finished")], "Finished", "good"],
    [[ended("waiting")], "Waits for a person", "warn"],
    [[ended("blocked")], "Blocked by the gate", "bad"],
    [[{ kind: "run.end", status: "parked" }], "Parked until there is capacity", "warn"],
    [
      [ended("waiting"), { kind: "approval.decided", id: "a", tool: "pay", decision: "approved", by: "ada" }],
      "Waits for a person",
      "warn",
    ],
  ] as const)("%j: %s", (events, headline, tone) => {
    const record = recordOf([{}, started], ...events.map((event): Line => [{}, event]));
    expect(verdictOf(record)).toEqual({ headline, tone, task: "do it" });
  });

  test("the last run counts, and one that was resumed and killed has no end", () => {
    const record = recordOf([{}, started], [{}, ended("waiting")], [{ run: "r2" }, { ...started, resumed: true }]);
    expect(verdictOf(record)).toMatchObject({
      headline: "No end is recorded",
      tone: "warn",
      detail: expect.stringContaining("killed"),
    });
  });

  test("an erased thread says by whom and why", () => {
    const erased = { kind: "thread.erased", by: "ada", reason: "asked for", events: 12 } as const;
    expect(verdictOf(recordOf([{}, erased]))).toEqual({ headline: "Erased", tone: "bad", detail: "by ada: asked for" });
    expect(textOf(pageOf(recordOf([{}, erased])))).toContain("the contents of 12 events were erased by ada: asked for");
  });
});

describe("what it did", () => {
  const effect = (status: "dispatched" | "committed" | "in_doubt"): Line => [
    { step: 10, node: "act" },
    { kind: "effect", tool: "pay", key: "k", callId: "call-pay", status },
  ];
  const outcomesOf = (...lines: readonly Line[]) =>
    deedsOf(recordOf(...lines), []).map(({ outcome, tone, by }) => [outcome, tone, by]);

  test("a block, a question, a refusal, an effect, and one whose outcome nobody knows", () => {
    expect(outcomesOf([{}, judged("block", "pay")])).toEqual([["was blocked", "bad", ""]]);
    expect(outcomesOf([{}, judged("ask", "pay")])).toEqual([["waits for a person", "warn", ""]]);
    const decided = { kind: "approval.decided", id: "approval-pay", tool: "pay", by: "ada" } as const;
    expect(outcomesOf([{}, judged("ask", "pay")], [{}, { ...decided, decision: "rejected" }])).toEqual([
      ["was rejected", "bad", "rejected by ada"],
    ]);
    expect(outcomesOf([{}, judged("allow", "pay")], effect("dispatched"), effect("committed"))).toEqual([
      ["happened", undefined, "the gate allowed it"],
    ]);
    expect(
      outcomesOf(
        [{}, judged("ask", "pay")],
        [{}, { ...decided, decision: "approved" }],
        [{}, judged("allow", "pay")],
        effect("committed"),
      ),
    ).toEqual([["happened", "warn", "approved by ada"]]);
    const calls = deedsOf(
      recordOf([{}, judged("ask", "pay")], [{}, judged("block", "erase")], [{}, judged("allow", "pay")]),
      [],
    );
    expect(calls.map(({ call, seq }) => [call, seq])).toEqual([
      ['erase(id: "7")', 2],
      ['pay(id: "7")', 3],
    ]);
    expect(outcomesOf([{}, judged("allow", "pay")], effect("dispatched"))[0]?.[0]).toMatch(/outcome is not recorded/);
  });
});

describe("the sums", () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 500_000 };
  const record = recordOf(
    [{ step: -1 }, { kind: "checkpoint", id: "c", source: "input", digest: "d" }],
    [{ step: 1, node: "planner" }, answered({ usage })],
    [{ step: 2, node: "planner" }, answered({ usage, cache: { ageMs: 1, fresh: true } })],
    [{ step: 2, node: "planner" }, answered({ usage, route: "s" })],
  );

  test("an answer from the cache took no tokens; without prices there is no cost", () => {
    const totals = totalsOf(record);
    expect(totals).toMatchObject({ modelCalls: 2, inputTokens: 2_000_000, cacheHits: 1, steps: 2, queueMs: 4_800 });
    expect(totals.cost).toBeUndefined();
    expect(totals.cachedTokens).toBeUndefined();
  });

  test("a step that a resume went through again counts once", () => {
    const resumed = record.map((each) => ({ ...each, scope: { ...each.scope, run: "r2" } }));
    expect(totalsOf([...record, ...resumed]).steps).toBe(totalsOf(record).steps);
  });

  const table = { source: "a test", date: "2026-01-01", notes: "invented" };

  test("with prices the cost is theirs, and routes without one are named", () => {
    const prices = { ...table, models: { m: { input: 2, output: 8 } } };
    expect(totalsOf(record, prices).cost).toEqual({ usd: 6, without: ["s"] });
  });

  test("what the provider had cached has its own price", () => {
    const { events } = story();
    const models = { "gpt-5": { input: 1, output: 0, cachedInput: 0 }, "gpt-5-mini": { input: 0, output: 0 } };
    const { cost } = totalsOf(events, { ...table, models });
    expect(cost?.usd).toBeCloseTo((3 * 1_812 - 2 * 1_024) / 1e6, 12);
  });
});

describe("the timeline", () => {
  test("subagents that ran side by side stand in columns, in the order of recording", () => {
    const section = sectionsOf(story().events).find(({ step }) => step === 6);
    expect(section?.lanes).toEqual([undefined, "reader#1", "auditor#1"]);
    const grid = gridOf(section ?? fail());
    expect(grid.map((cells) => cells.map((row) => row?.kind ?? ""))).toEqual([
      ["subagent.start", "", ""],
      ["subagent.start", "", ""],
      ["", "model.response", "model.response"],
      ["", "tool.response", "tool.response"],
      ["subagent.end", "", ""],
      ["subagent.end", "", ""],
    ]);
  });

  test("every event belongs to one section, those of steps without a line too", () => {
    const { events } = longRun(40);
    const quiet: Line = [{ step: 9, node: "compact" }, { kind: "node.start" }];
    for (const record of [events, [...recordOf(quiet), ...events, ...recordOf(quiet)]]) {
      const ends = sectionsOf(record).flatMap(({ from, to }) => [from, to]);
      expect(ends).toEqual(ends.toSorted((left, right) => left - right));
      expect(ends.slice(1, -1).filter((_, place) => place % 2 === 0)).toEqual(
        ends.slice(1, -1).filter((_, place) => place % 2 === 1),
      );
      expect([ends[0], ends.at(-1)]).toEqual([0, record.length]);
    }
  });

  test("a question to a model that nothing answers has a line", () => {
    const { events } = story();
    const cut = events.slice(0, events.findIndex(({ event }) => event.kind === "model.request") + 1);
    expect(textOf(pageOf(cut))).toContain("asks gpt-5; no answer is recorded");
    expect(textOf(pageOf(events))).not.toContain("no answer is recorded");
  });

  test("every kind of event can be shown, and one that is not known", () => {
    const unknown = { kind: "model.dreamt", of: "sheep" } as never;
    const lines = [...EVENTS, unknown].map((event): Line => [{ step: 1, node: "n" }, event]);
    const page = pageOf(recordOf(...lines));
    expect(textOf(page)).toContain("model.dreamt");
    expect(shelfOf(page).join("\n")).toContain('"of":"sheep"');
  });

  test("an empty record is a page too", () => expect(textOf(pageOf([]))).toContain("nothing is recorded"));
});

describe("the shelf", () => {
  test("has every event and every text, each once, and nothing is cut", () => {
    const record = longRun(400);
    const texts = shelfOf(htmlOf(record));
    expect(new Set(texts).size).toBe(texts.length);
    for (const recorded of record.events) expect(texts).toContain(JSON.stringify(recorded));
    const pages = new Set(
      record.events.flatMap(({ event }) => (event.kind === "model.request" ? (event.prompt.pages ?? []) : [])),
    );
    for (const [digest, text] of record.texts) if (!pages.has(digest)) expect(texts).toContain(text);
  });

  test("gives the same number for the same text, and blocks that begin where they say", () => {
    const shelf = new Shelf();
    const big = "x".repeat(300_000);
    expect([shelf.add("a"), shelf.add(big), shelf.add("a"), shelf.add("b")]).toEqual([0, 1, 0, 2]);
    expect(shelf.blocks().map(({ first }) => first)).toEqual([0, 2]);
  });

  test("the texts of a thread are got with those that the pages of prompts list", async () => {
    const { events, texts } = longRun(200);
    const asked: string[] = [];
    const journal = {
      texts: async (_: string, digests: readonly string[]) => {
        asked.push(...digests);
        return new Map(
          digests.flatMap((digest) => (texts.has(digest) ? [[digest, texts.get(digest) ?? ""] as const] : [])),
        );
      },
    };
    const got = await recordedTexts(journal, "t", events);
    expect(new Set(asked).size).toBe(asked.length);
    const last = events.findLast(({ event }) => event.kind === "model.request")?.event;
    expect(last?.kind === "model.request" ? promptOf(last.prompt, got) : undefined).toContain("word7");
  });
});

describe("nothing gets out", () => {
  const EVIL = `</script><script>alert(1)</script><img src=x onerror=alert(1)> "' \u202egnp.exe \u0000 ${"{"}{x}`;

  test("of what a record holds: no element, no attribute, no invisible character", () => {
    const page = htmlOf({ ...story(EVIL), thread: EVIL });
    const scripts = [...page.matchAll(/<script/g)].length;
    expect(scripts).toBe([...htmlOf(story()).matchAll(/<script/g)].length);
    expect(page).not.toContain("<img");
    expect(page).not.toMatch(/(?![\n\t])\p{C}/u);
    expect(page).toContain("\\u202egnp.exe");
    const titled = pageOf(
      recordOf([{ step: 1, node: EVIL, lane: `${EVIL}:1` }, fell("integrity", 3, 0, EVIL)], [{}, used(EVIL)]),
    );
    expect(titled).not.toContain("<img");
    expect(titled).not.toMatch(/="[^"<>]*<script/);
  });

  test("only the page's own script and style may run, and it loads nothing", () => {
    const page = htmlOf(story());
    const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const sha = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    expect(policy).toBe(
      `default-src 'none'; script-src ${sha(SCRIPT)}; style-src ${sha(style)}; base-uri 'none'; form-action 'none'`,
    );
    expect(page).toContain(`<script>${SCRIPT}</script>`);
    expect(page).not.toMatch(/\sstyle=|\son\w+=|src=|https?:/);
  });

  test("the script is JavaScript that no element can end", () => {
    expect(() => new Script(SCRIPT)).not.toThrow();
    expect(SCRIPT).not.toMatch(/<\/script|<!--/i);
    expect(SCRIPT).not.toMatch(/__vi|innerHTML|insertAdjacent|document\.write|\beval\b/);
  });
});

const fail = (): never => {
  throw new Error("there is no such section");
};
