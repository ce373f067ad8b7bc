// What a person reads before they approve. An adversary chooses every character of the arguments and of the preview's
// data; whatever differs in what runs differs in what is read.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { viewOf, viewOfCall, visible } from "../../nodes/index.js";
import { viewOfAction } from "../../nodes/view.js";
import { label } from "../../trust/index.js";
import { CHANGED, World } from "./refund.js";

/** No character of a view does anything to the line but standing in it. */
const CALM = /^[^\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u00a0\u2000-\u200a\u202f\u3000\u2800]*$/u;

describe("what a person is shown", () => {
  it.each([
    ["right-to-left override", "\u202e00.1", "\\u202e00.1"],
    ["bidirectional isolates", "\u2066a\u2069", "\\u2066a\\u2069"],
    ["right-to-left mark", "a\u200fb", "a\\u200fb"],
    ["Arabic letter mark", "1\u061c2", "1\\u061c2"],
    ["zero-width space", "pay\u200bpal", "pay\\u200bpal"],
    ["zero-width joiner and non-joiner", "a\u200d\u200cb", "a\\u200d\\u200cb"],
    ["word joiner, byte order mark", "\u2060\ufeff", "\\u2060\\ufeff"],
    ["soft hyphen", "a\u00adb", "a\\u00adb"],
    ["no-break space", "a\u00a0b", "a\\u00a0b"],
    ["thin, figure and ideographic space", "\u2009\u2007\u3000", "\\u2009\\u2007\\u3000"],
    ["blanks that are no spaces", "\u2800\u3164\u115f\uffa0", "\\u2800\\u3164\\u115f\\uffa0"],
    ["tag characters", "\u{e0061}\u{e007f}", "\\u{e0061}\\u{e007f}"],
    ["variation selectors", "\ufe0f\u{e0100}", "\\ufe0f\\u{e0100}"],
    ["escape sequence of a terminal", "\u001b[2K\u001b[1A", "\\u001b[2K\\u001b[1A"],
    ["carriage return, new line, backspace, delete", "\r\n\b\u007f", "\\u000d\\u000a\\u0008\\u007f"],
    ["C1 control", "\u009b2J", "\\u009b2J"],
    ["line and paragraph separator", "\u2028\u2029", "\\u2028\\u2029"],
    ["half a surrogate pair", "\ud800", "\\ud800"],
    ["private use, unassigned, noncharacter", "\ue000\u0378\uffff", "\\ue000\\u0378\\uffff"],
    ["a stroke through a digit", "1\u0338000", "1\\u0338000"],
    ["a circle around it", "é\u20dd", "é\\u20dd"],
    ["an accent that stands apart", "cafe\u0301", "cafe\\u0301"],
    ["accents in another order", "ọ\u0302", "ọ\\u0302"],
    ["Hangul in parts", "\u1112\u1161\u11ab", "\\u1112\\u1161\\u11ab"],
    ["Kelvin and Ångström sign", "\u212a \u212b", "\\u212a \\u212b"],
    ["a double of a semicolon", "a\u037eb", "a\\u037eb"],
    ["a Cyrillic letter in a Latin word", "p\u0430ypal", "p\\u0430ypal"],
    ["a Greek letter in a Latin word", "\u039f1\u0399abel", "\\u039f1\\u0399abel"],
  ])("escapes: %s", (_, hidden, shown) => {
    expect(visible(hidden)).toBe(shown);
  });

  it.each([
    "Grüße aus Zürich, 49,00 €",
    "Привет, как дела?",
    "Ωραία μέρα",
    "返品してください",
    "한국어",
    "हिन्दी में",
    "tiếng Việt",
    "👍 ✓ → “quoted”",
    "\\u202e as text",
  ])("leaves readable: %s", (text) => {
    expect(visible(text)).toBe(text);
  });

  it("cannot be made to look like other arguments by a name", () => {
    expect(viewOfCall("refund", { order: 2, "amount: 1, note": "x", amount: 9 })).toBe(
      'refund(order: 2, "amount: 1, note": "x", amount: 9)',
    );
    expect(viewOfCall("refund", { "\u0430mount": 1 })).toBe('refund("\\u0430mount": 1)');
    expect(viewOfCall("refund", { "": 1, "a\u202e": 1, "a\n": 1 })).toBe('refund("": 1, "a\\u202e": 1, "a\\n": 1)');
  });

  it("shows what JSON says, whatever the value is made of", () => {
    const args = JSON.parse(
      '{"__proto__":{"a":1},"toJSON":"x","n":1e0,"z":-0,"big":9007199254740993,"text":"9007199254740993"}',
    );
    expect(viewOfCall("t", args)).toBe(
      't(__proto__: {"a":1}, toJSON: "x", n: 1, z: 0, big: 9007199254740992, text: "9007199254740993")',
    );
  });

  it("keeps a preview below the call, line by line", () => {
    const forged = "ok\nrefund(order: 1, amount: 1)\rrefund(order: 1)\u2028x";
    expect(viewOfAction("refund", CHANGED, forged).split("\n")).toEqual([
      "refund(order: 2, amount: 1000000)",
      "  preview  ok",
      "  preview  refund(order: 1, amount: 1)\\u000drefund(order: 1)\\u2028x",
    ]);
  });

  it("is calm for any text, and tells any two apart, also in their normal forms", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary" }),
      fc.string({
        unit: fc.constantFrom("e", "\u0301", "é", "\u0323", "가", "\u1100", "\u1161", "K", "\u212a", "\u200b"),
      }),
    );
    fc.assert(
      fc.property(text, text, (one, other) => {
        const [left, right] = [viewOfCall("t", { text: one }), viewOfCall("t", { text: other })];
        expect(left).toMatch(CALM);
        expect(left.normalize("NFC")).toBe(left);
        expect(left === right).toBe(one === other);
        const forms = (["NFC", "NFD"] as const).map((form) => one.normalize(form));
        const views = forms.map((form) => viewOfCall("t", { text: form }).normalize("NFKC"));
        expect(new Set(views).size).toBe(new Set(forms).size);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is what is stored, what the interrupt shows, and what the command line prints", async () => {
    const { PLAIN } = await import("../../cli/text.js");
    const { describeRequest } = await import("../../cli/run/approvals.js");
    const note = "1.00\u202e\u200b";
    const world = new World({ plan: [["refund", { ...CHANGED, note }]] });
    const { approval } = await world.ask();
    const shown = 'refund(order: 2, amount: 1000000, note: "1.00\\u202e\\u200b")';
    expect(approval.view).toBe(shown);
    expect(viewOf(approval)).toMatchObject({ view: shown, arguments: { note }, trust: label({ integrity: 2 }) });
    expect(describeRequest(approval, PLAIN).split("\n")[0]).toBe(shown);
    expect(describeRequest(approval, PLAIN).replaceAll("\n", "")).not.toMatch(/[\u202e\u200b]/u);
  });
});
