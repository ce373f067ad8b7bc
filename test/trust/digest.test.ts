import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, digest } from "../../trust/index.js";

describe("digest", () => {
  it("writes canonical JSON by RFC 8785", () => {
    // The number, string and literal forms of RFC 8785, section 3.2.2.
    expect(
      canonicalJson({ numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 1e-27], literals: [null, true, false] }),
    ).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}');
    expect(canonicalJson({ "\u20ac": 1, "\r": 2, "1": 3 })).toBe('{"\\r":2,"1":3,"€":1}');
  });

  it("is the SHA-256 of that text", () => {
    expect(digest({})).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  });

  it("does not depend on the order of keys, and does depend on everything else", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), (record) => {
        const reversed = Object.fromEntries(Object.entries(record).reverse());
        expect(digest(reversed)).toBe(digest(record));
        expect(digest({ ...record, extra: 1 })).not.toBe(digest({ ...record, extra: 2 }));
      }),
    );
    expect(digest([1, 2])).not.toBe(digest([2, 1]));
    expect(digest("1")).not.toBe(digest(1));
  });

  it("refuses what JSON cannot say", () => {
    for (const value of [undefined, () => 1, Number.NaN, Number.POSITIVE_INFINITY, Symbol("x"), 1n]) {
      expect(() => digest(value)).toThrow();
    }
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => digest(cycle)).toThrow();
  });
});
