import { describe, expect, it } from "vitest";
import { BOTTOM, balanced, judge, type Label, label, PROFILES, resolveFloor, strict, TOP } from "../../trust/index.js";

const level = (rank: number) => ({ integrity: rank, fidelity: rank, currency: rank, certainty: rank });

describe("resolveFloor", () => {
  it("takes the profile's floor when nothing is stated", () => {
    expect(resolveFloor(undefined, balanced)).toEqual(level(2));
    expect(resolveFloor(undefined, strict)).toEqual(level(3));
  });

  it("takes a rank for all axes, also 0", () => {
    expect(resolveFloor(1, strict)).toEqual(level(1));
    expect(resolveFloor(0, strict)).toEqual(level(0));
  });

  it("takes another profile by name, and single axes over the profile", () => {
    expect(resolveFloor("strict", balanced)).toEqual(level(3));
    expect(resolveFloor({ currency: 3, fidelity: 1 }, balanced)).toEqual({ ...level(2), currency: 3, fidelity: 1 });
  });
});

describe("judge", () => {
  const balancedFloor = resolveFloor(undefined, balanced);

  it("allows what reaches the floor on every axis", () => {
    expect(judge(TOP, strict.floor, strict)).toEqual({ verdict: "allow", deficits: [] });
    expect(judge(label({ fidelity: 2, certainty: 2 }), balancedFloor, balanced).verdict).toBe("allow");
  });

  it("asks below the floor and names every axis that fell short", () => {
    expect(judge(label({ fidelity: 1, currency: 0 }), balancedFloor, balanced)).toEqual({
      verdict: "ask",
      deficits: [
        { axis: "fidelity", rank: 1, floor: 2 },
        { axis: "currency", rank: 0, floor: 2 },
      ],
    });
    expect(judge(label({ fidelity: 2 }), strict.floor, strict).verdict).toBe("ask");
  });

  it("blocks at integrity 0 and asks at integrity 1", () => {
    for (const profile of Object.values(PROFILES)) {
      expect(judge(label({ integrity: 0 }), profile.floor, profile).verdict).toBe("block");
      expect(judge(label({ integrity: 1 }), profile.floor, profile).verdict).toBe("ask");
    }
    expect(judge(BOTTOM, balancedFloor, balanced).verdict).toBe("block");
  });

  it("allows an axis whose floor is 0, whatever it is", () => {
    expect(judge(label({ fidelity: 0 }), resolveFloor({ fidelity: 0 }, balanced), balanced).verdict).toBe("allow");
    expect(judge(BOTTOM, resolveFloor(0, strict), strict).verdict).toBe("allow");
  });

  it("does not let nonsense through", () => {
    for (const nonsense of [Number.NaN, undefined, "x", {}]) {
      const considered = { ...TOP, fidelity: nonsense } as unknown as Label;
      expect(judge(considered, balancedFloor, balanced).verdict).toBe("ask");
      expect(judge({ ...TOP, integrity: nonsense } as unknown as Label, balancedFloor, balanced).verdict).toBe("block");
    }
  });
});
