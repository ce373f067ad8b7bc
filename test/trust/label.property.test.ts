import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BOTTOM,
  isAtMost,
  type Label,
  meet,
  meetMarks,
  minTrust,
  parseLabel,
  readLabel,
  TOP,
  TrustChannel,
} from "../../trust/index.js";
import { anyLabel, neverAbove, notALabel } from "./generators.js";

describe("P1: labels form a lattice", () => {
  it("meet is commutative, associative and idempotent", () => {
    fc.assert(
      fc.property(anyLabel, anyLabel, anyLabel, (a, b, c) => {
        expect(meet(a, b)).toEqual(meet(b, a));
        expect(meet(meet(a, b), c)).toEqual(meet(a, meet(b, c)));
        expect(meet(a, b, c)).toEqual(meet(meet(a, b), c));
        expect(meet(a, a)).toEqual(a);
      }),
    );
  });

  it("has TOP as the neutral and BOTTOM as the absorbing element", () => {
    fc.assert(
      fc.property(anyLabel, (a) => {
        expect(meet(a, TOP)).toEqual(a);
        expect(meet(a, BOTTOM)).toEqual(BOTTOM);
      }),
    );
  });

  it("meet is the greatest lower bound", () => {
    fc.assert(
      fc.property(anyLabel, anyLabel, anyLabel, (a, b, lower) => {
        const both = meet(a, b);
        expect(neverAbove(both, a) && neverAbove(both, b)).toBe(true);
        if (neverAbove(lower, a) && neverAbove(lower, b)) expect(neverAbove(lower, both)).toBe(true);
        expect(isAtMost(a, b)).toBe(neverAbove(a, b));
      }),
    );
  });

  it("minTrust is monotone and is one of the ranks", () => {
    fc.assert(
      fc.property(anyLabel, anyLabel, (a, b) => {
        expect(minTrust(meet(a, b))).toBeLessThanOrEqual(minTrust(a));
        expect(minTrust(meet(a, b))).toBe(Math.min(minTrust(a), minTrust(b)));
        expect(Object.values(a)).toContain(minTrust(a));
      }),
    );
  });

  it("marks meet like labels", () => {
    fc.assert(
      fc.property(fc.array(anyLabel), (labels) => {
        expect(meetMarks(...labels)).toMatchObject(meet(...labels));
      }),
    );
  });
});

describe("P6: what is no label counts as the bottom", () => {
  it("parses as the bottom and never throws", () => {
    fc.assert(
      fc.property(notALabel, ({ make }) => {
        const value = make();
        expect(readLabel(value)).toBeUndefined();
        expect(parseLabel(value)).toEqual(BOTTOM);
      }),
    );
    expect(parseLabel(undefined)).toEqual(BOTTOM);
  });

  it("survives JSON unchanged when it is a label", () => {
    fc.assert(
      fc.property(anyLabel, (a) => {
        expect(parseLabel(JSON.parse(JSON.stringify(a)))).toEqual(a);
      }),
    );
  });

  it("reads a stored value that is missing, damaged or of a foreign version as the bottom", () => {
    const foreignVersion = fc
      .tuple(anyLabel, fc.constantFrom<unknown>(0, 2, "1", null, undefined, true))
      .map(([label, v]) => ({ name: `version ${v}`, make: () => ({ ...label, v, causes: [], violations: 0 }) }));
    fc.assert(
      fc.property(fc.oneof(foreignVersion, notALabel), ({ make }) => {
        const trust = new TrustChannel().fromCheckpoint(make()).get();
        expect(trust).toMatchObject({ ...BOTTOM, minTrust: 0 });
        expect(trust.causes.length).toBeGreaterThan(0);
      }),
    );
    expect(new TrustChannel().fromCheckpoint(undefined).get()).toMatchObject(BOTTOM);
    expect(new TrustChannel().fromCheckpoint().get()).toMatchObject(BOTTOM);
  });

  it("never lets a damaged stored value be lifted by later writes", () => {
    fc.assert(
      fc.property(notALabel, fc.array(anyLabel), ({ make }, writes) => {
        const channel = new TrustChannel().fromCheckpoint(make());
        channel.update(writes.map((write, index) => (index % 2 === 0 ? write : { begins: write as Label })));
        expect(channel.get()).toMatchObject(BOTTOM);
      }),
    );
  });
});
