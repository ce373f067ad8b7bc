// Redaction: what is replaced, wherever it stands, and what keeps its bytes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { harnessEvent } from "../../checkpoints/journal/event-schema.js";
import { redactionOf, type Secrets } from "../../checkpoints/journal/redaction.js";
import { hmacSeal } from "../../trust/seal.js";
import { runs } from "../properties/agent.js";
import { EVENTS } from "./recorded-events.js";

const seal = hmacSeal(Buffer.alloc(32, 7));
const of = (secrets: Secrets) => redactionOf(secrets, seal);
const TAG = /\[secret:[0-9a-f]{16}\]/;
const tagged = (text: string): string => text.replaceAll(new RegExp(TAG, "g"), "#");

describe("a declared value", () => {
  const secret = 'p"a\\ss\nwörd';
  const redaction = of({ values: [secret] });

  it("goes wherever it stands: alone, in a text, and in JSON in JSON in JSON", () => {
    let text = secret;
    for (let depth = 0; depth <= 4; depth += 1) {
      expect(redaction.text(text), `depth ${depth}`).not.toMatch(/ss(\\+n|\n)w/);
      expect(tagged(redaction.text(text)), `depth ${depth}`).toContain("#");
      text = JSON.stringify({ arguments: text });
    }
    expect(tagged(redaction.text(`say ${secret}, ${secret}!`))).toBe("say #, #!");
  });

  it("goes where JSON spells it otherwise", () => {
    const spelled = `{"a": "p\\u0022a\\u005css\\nw\\u00F6rd"}`;
    expect(tagged(redaction.text(spelled))).toBe('{"a": "#"}');
  });

  it("goes from the names of things, and from numbers", () => {
    const { text } = of({ values: ["hunter22", "123456"] });
    expect(tagged(text('{"hunter22": 123456, "n": [-123456.5, 12345]}'))).toBe('{"#": "#", "n": ["-#.5", 12345]}');
  });

  it("goes though it is JSON itself, and has lines", () => {
    const key = '{\n  "private_key": "-----BEGIN"\n}';
    const { text } = of({ values: [key] });
    expect(tagged(text(`data: x\n${key}\ndata: y`))).toBe("data: x\n#\ndata: y");
    expect(tagged(text(JSON.stringify({ file: key })))).toBe('{"file":"#"}');
    expect(tagged(text(`[${key}]`))).toBe("[#]");
  });

  it("has the same tag every time, and another one with another key or for another secret", () => {
    const [one, two] = ["first secret", "second secret"].map((value) => of({ values: [value] }).text(value));
    expect(one).toMatch(new RegExp(`^${TAG.source}$`));
    expect(of({ values: ["x".repeat(9), "first secret"] }).text("a first secret")).toBe(`a ${one}`);
    expect(two).not.toBe(one);
    const other = redactionOf({ values: ["first secret"] }, hmacSeal(Buffer.alloc(32, 8)));
    expect(other.text("first secret")).not.toBe(one);
    expect(of({ patterns: [/first \w+/] }).text("first secret")).toBe(one); // By a value or by a pattern: one secret.
  });

  it("is taken whole, though another one is a part of it, and no tag is taken for one", () => {
    const { text } = of({ values: ["secret", "secret-longer"], patterns: [/[0-9a-f]{8,}/] });
    const once = text("a secret-longer and a secret, 0123456789");
    expect(tagged(once)).toBe("a # and a #, #");
    expect(text(once)).toBe(once);
  });

  it("must be long enough to be told from other text; the message does not show it", () => {
    expect(() => of({ values: ["long enough", "xyzzy"] })).toThrow(/has 5 characters and needs at least 6/);
    expect(() => of({ values: ["xyzzy"] })).not.toThrow(/xyzzy/);
    expect(() => of({ values: ["xyzzy!"] })).not.toThrow();
  });
});

describe("a pattern", () => {
  it("goes through all of a text, whatever its flags, and leaves no state behind", () => {
    for (const flags of ["", "g", "y", "i"]) {
      const { text } = of({ patterns: [new RegExp("sk-[a-z]+", flags)] });
      for (const _ of [1, 2]) expect(tagged(text("sk-abc and sk-def"))).toBe("# and #");
    }
  });

  it("that matches the empty text is refused, whatever it was used for before", () => {
    const used = /x*/g;
    used.lastIndex = 3;
    for (const pattern of [/a*/, /(?:)/, /^/, used]) {
      expect(() => of({ patterns: [pattern] })).toThrow(/matches the empty text/);
    }
  });

  it("is tried on each JSON string by itself: greed does not eat the syntax, also of a stream's lines", () => {
    const { text } = of({ patterns: [/sk-.*/s] });
    expect(tagged(text('{"a":"sk-1 b","c":"d","n":[1.0,"x sk-"]}'))).toBe('{"a":"#","c":"d","n":[1.0,"x #"]}');
    const inner = JSON.stringify({ inner: JSON.stringify({ key: "sk-1", n: 1 }) });
    expect(tagged(text(inner))).toBe(JSON.stringify({ inner: JSON.stringify({ key: "#", n: 1 }) }));
    expect(tagged(text('data: {"a":"sk-1"}\n\ndata: [DONE]\n'))).toBe('data: {"a":"#"}\n\ndata: [DONE]\n');
    expect(tagged(text("not JSON: sk-1 {}"))).toBe("not JSON: #");
  });
});

describe("an event", () => {
  const DIGEST = "0123456789abcdef".repeat(4);
  const redaction = of({ values: ["hunter22"], patterns: [/[0-9a-f]{16,}/, /\b\d{16}\b/] });

  it("loses secrets in what people, models and tools wrote, of any shape", () => {
    const event: HarnessEvent = {
      ...{ kind: "tool.response", tool: "pay", callId: "c", ok: false, ms: 1, error: `no ${DIGEST}` },
      arguments: { card: 4111_1111_1111_1111, hunter22: [{ key: DIGEST }], note: '{"pw": "hunter22"}' },
      label: { integrity: 3, fidelity: 3, currency: 3, certainty: 3 },
    };
    const left = redaction.value(event);
    expect(JSON.parse(tagged(JSON.stringify(left)))).toEqual({
      ...event,
      error: "no #",
      arguments: { card: "#", "#": [{ key: "#" }], note: '{"pw": "#"}' },
    });
  });

  it("keeps its digests and ids: what a pattern put there would lead nowhere", () => {
    const events: HarnessEvent[] = [
      { kind: "input", as: "input", value: DIGEST },
      { kind: "checkpoint", id: DIGEST, parent: DIGEST, source: "loop", digest: DIGEST },
      {
        ...{ kind: "tool.output", tool: "t", use: "run", definition: DIGEST, arguments: DIGEST, key: DIGEST, ms: 1 },
        ...{ ok: true, output: DIGEST, bytes: 1 },
      } as HarnessEvent,
      {
        ...{ kind: "model.request", call: "c", provider: "p", endpoint: "e", route: "r", digest: DIGEST, bytes: 1 },
        prompt: { frame: { user: DIGEST }, pages: [DIGEST], rest: [DIGEST], tools: DIGEST },
      } as HarnessEvent,
    ];
    const left = events.map((event) => redaction.value(event));
    expect(left.slice(0, 3)).toEqual(events.slice(0, 3));
    expect(left[3]).toMatchObject({ prompt: { frame: { user: expect.stringMatching(TAG) }, pages: [DIGEST] } });
  });

  it("can be read, whatever a secret is", () => {
    const words = new Set<string>(["finished", "strict", "in_doubt", "unavailable", "rewind", "in-flight"]);
    for (const event of EVENTS) words.add(event.kind);
    const all = of({ values: [...words].filter((word) => word.length >= 6), patterns: [/^[a-z-]{4,9}$/] });
    const waiting: HarnessEvent = {
      kind: "capacity",
      event: { kind: "queued", route: "m", waitMs: 1, reason: "in-flight" },
    };
    for (const event of [...EVENTS, waiting])
      expect(harnessEvent.safeParse(all.value(event)).success, event.kind).toBe(true);
  });

  it("keeps a key named __proto__, and everything when nothing is declared", () => {
    const args = JSON.parse('{"__proto__": "hunter22", "a": 1}') as Record<string, unknown>;
    const event = { kind: "model.error", error: "", arguments: args };
    expect(tagged(JSON.stringify(redaction.value(event)))).toContain('{"__proto__":"#","a":1}');
    expect(of({}).value(event)).toBe(event);
    expect(of({}).text("hunter22")).toBe("hunter22");
  });
});

describe("any text", () => {
  const anySecret = fc.string({ minLength: 6, maxLength: 20, unit: "grapheme" }).filter((text) => !TAG.test(text));
  const anyPlace = fc.letrec<{ place: unknown }>((tie) => ({
    place: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant(undefined),
      fc.string(),
      fc.double({ noNaN: true }),
      fc.array(tie("place"), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie("place"), { maxKeys: 3 }),
      tie("place").map((inner) => JSON.stringify(inner ?? null)),
    ),
  })).place;
  /** Puts the secret where a hole is. */
  const filled = (place: unknown, secret: string): unknown => {
    if (place === undefined) return `<${secret}>`;
    if (Array.isArray(place)) return place.map((each) => filled(each, secret));
    if (typeof place !== "object" || place === null) return place;
    return Object.fromEntries(Object.entries(place).map(([name, each]) => [name, filled(each, secret)]));
  };

  it("has no secret left, is JSON when it was, and is the same again (property)", () => {
    fc.assert(
      fc.property(anySecret, anyPlace, fc.nat(2), fc.nat(3), (secret, place, indent, depth) => {
        const redaction = of({ values: [secret], patterns: [/never-there-\d+/] });
        let text = JSON.stringify(filled(place, secret), null, indent);
        for (let level = 0; level < depth; level += 1) text = JSON.stringify({ text });
        const left = redaction.text(text);
        const strings: string[] = [];
        const collect = (value: unknown): void => {
          if (typeof value === "string") {
            strings.push(value);
            if (/^\s*[[{"]/.test(value)) {
              try {
                collect(JSON.parse(value));
              } catch {
                return; // It only looks like JSON.
              }
            }
          } else if (Array.isArray(value)) value.forEach(collect);
          else if (typeof value === "object" && value !== null) Object.entries(value).forEach(collect);
        };
        collect(JSON.parse(left));
        for (const each of strings) expect(each.replaceAll(new RegExp(TAG, "g"), "")).not.toContain(secret);
        expect(redaction.text(left)).toBe(left);
      }),
      { numRuns: runs(2_000) },
    );
  });

  it("keeps its bytes when there is nothing in it (property)", () => {
    const redaction = of({ values: ["\ufdd0never there"], patterns: [/\ufdd0\d/] });
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "grapheme" }), fc.json({ stringUnit: "grapheme" })),
        fc.nat(2),
        (text, indent) => {
          expect(redaction.text(text)).toBe(text);
          const spaced = JSON.stringify({ text, a: [text] }, null, indent).replaceAll("/", "\\/");
          expect(redaction.text(spaced)).toBe(spaced);
        },
      ),
      { numRuns: runs(1_000) },
    );
  });
});

it("goes through texts of any size: one string of 20 MB, its escapes, and a number without an end", () => {
  const { text } = of({ values: ["s3cret-s3cret"], patterns: [/sk-[a-z0-9]{8,}/] });
  const long = 'a "b" \\ '.repeat(2_500_000);
  for (const content of [`${long}s3cret-s3cret`, `s3cret-s3cret${long}`, `${long}sk-abcdefghij`]) {
    const left = text(JSON.stringify({ content }));
    expect(tagged(JSON.parse(left).content.slice(content.startsWith("s3cret") ? 0 : -26))).toContain("#");
    expect(left).not.toMatch(/s3cret-s3cret|sk-abc/);
  }
  const number = `[${"1".repeat(9_000_000)}]`;
  expect(text(number)).toBe(number);
});
