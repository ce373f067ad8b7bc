import { describe, expect, it } from "vitest";
import { BOTTOM, isAtMost, label, meet, minTrust, parseLabel, readLabel, sameLabel, TOP } from "../../trust/index.js";

describe("label", () => {
  it("starts at the top and lowers only the axes given", () => {
    expect(label({})).toEqual(TOP);
    expect(label({ fidelity: 1, currency: 2 })).toEqual({ integrity: 3, fidelity: 1, currency: 2, certainty: 3 });
  });

  it("is the bottom when a rank is no rank", () => {
    expect(label({ fidelity: 4 as never })).toEqual(BOTTOM);
  });

  it("meets component by component", () => {
    expect(meet(label({ integrity: 1 }), label({ fidelity: 2 }), label({ integrity: 2, certainty: 0 }))).toEqual({
      integrity: 1,
      fidelity: 2,
      currency: 3,
      certainty: 0,
    });
    expect(meet()).toEqual(TOP);
  });

  it("has the lowest rank as its scalar, whichever axis it is on", () => {
    expect(minTrust(TOP)).toBe(3);
    for (const axis of ["integrity", "fidelity", "currency", "certainty"] as const) {
      expect(minTrust(label({ [axis]: 1 }))).toBe(1);
    }
  });

  it("orders component-wise, so two labels may be incomparable", () => {
    const [left, right] = [label({ integrity: 1 }), label({ fidelity: 1 })];
    expect(isAtMost(left, TOP)).toBe(true);
    expect(isAtMost(TOP, left)).toBe(false);
    expect(isAtMost(left, right)).toBe(false);
    expect(isAtMost(right, left)).toBe(false);
    expect(sameLabel(left, label({ integrity: 1 }))).toBe(true);
    expect(sameLabel(left, right)).toBe(false);
  });

  it("cannot be changed in place", () => {
    for (const each of [TOP, BOTTOM, meet(TOP), label({ fidelity: 1 })]) expect(Object.isFrozen(each)).toBe(true);
  });
});

describe("readLabel", () => {
  it("reads a label with anything around it", () => {
    expect(readLabel({ ...label({ currency: 2 }), extra: 1 })).toEqual(label({ currency: 2 }));
  });

  it("tells the bottom from what is no label", () => {
    expect(readLabel({ ...BOTTOM })).toEqual(BOTTOM);
    expect(readLabel({})).toBeUndefined();
  });

  it("reads each property once, so a changing getter cannot show two faces", () => {
    let reads = 0;
    const shifty = {
      ...BOTTOM,
      get integrity() {
        reads += 1;
        return reads === 1 ? 0 : 3;
      },
    };
    expect(parseLabel(shifty).integrity).toBe(0);
    expect(reads).toBe(1);
  });

  it("takes a throwing getter and a revoked proxy for no label", () => {
    const revocable = Proxy.revocable({ ...TOP }, {});
    revocable.revoke();
    const throwing = {
      ...TOP,
      get fidelity(): number {
        throw new Error("no");
      },
    };
    expect(parseLabel(revocable.proxy)).toEqual(BOTTOM);
    expect(parseLabel(throwing)).toEqual(BOTTOM);
  });
});
