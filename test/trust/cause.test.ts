import { describe, expect, it } from "vitest";
import {
  BOTTOM,
  type Cause,
  causesOf,
  describeCause,
  label,
  MAX_CAUSES,
  mergeCauses,
  parseCauses,
  TOP,
} from "../../trust/index.js";

const cause = (reason: string, rank: Cause["rank"] = 1): Cause => ({ axis: "fidelity", rank, reason });

describe("causes", () => {
  it("names one cause per axis below nominal", () => {
    expect(causesOf(TOP, "nothing")).toEqual([]);
    expect(causesOf(BOTTOM, "all of it")).toHaveLength(4);
    expect(causesOf(label({ fidelity: 1, currency: 2 }), "cached fallback", "planner#4")).toEqual([
      { axis: "fidelity", rank: 1, reason: "cached fallback", at: "planner#4" },
      { axis: "currency", rank: 2, reason: "cached fallback", at: "planner#4" },
    ]);
  });

  it("leaves the place out when there is none", () => {
    expect(causesOf(label({ fidelity: 1 }), "x")[0]).not.toHaveProperty("at");
  });

  it("joins without repeats, first come first", () => {
    expect(mergeCauses([cause("a"), cause("b")], [cause("b"), cause("c")]).map((each) => each.reason)).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(mergeCauses([cause("a", 1)], [cause("a", 2)])).toHaveLength(2);
    expect(mergeCauses([{ ...cause("a"), at: "x" }], [{ ...cause("a"), at: "y" }])).toHaveLength(2);
  });

  it("keeps the lowest ranks when there are too many, in their old order", () => {
    const mild = Array.from({ length: MAX_CAUSES }, (_, index) => cause(`mild ${index}`, 2));
    const kept = mergeCauses(mild, [cause("grave", 0)]);
    expect(kept).toHaveLength(MAX_CAUSES);
    expect(kept.at(-1)).toEqual(cause("grave", 0));
    expect(kept[0]).toEqual(cause("mild 0", 2));
  });

  it("cuts long reasons", () => {
    expect(causesOf(label({ fidelity: 1 }), "x".repeat(500))[0]?.reason).toHaveLength(200);
  });

  it("reads causes from foreign JSON and drops what is none", () => {
    const good = { axis: "currency", rank: 1, reason: "stale", at: "cache" };
    expect(
      parseCauses([
        good,
        null,
        7,
        { ...good, axis: "luck" },
        { ...good, rank: 9 },
        { ...good, reason: 1 },
        { ...good, at: 5 },
      ]),
    ).toEqual([good, { axis: "currency", rank: 1, reason: "stale" }]);
    expect(parseCauses("x")).toEqual([]);
    expect(parseCauses(Array.from({ length: 1000 }, (_, index) => cause(`${index}`)))).toHaveLength(MAX_CAUSES);
    expect(parseCauses([{ ...good, at: "y".repeat(500) }])[0]?.at).toHaveLength(200);
  });

  it("describes a cause in one line", () => {
    expect(describeCause({ axis: "fidelity", rank: 1, reason: "fallback: offline-small", at: "planner#4" })).toBe(
      "fidelity 1: fallback: offline-small (planner#4)",
    );
    expect(describeCause(cause("truncated", 2))).toBe("fidelity 2: truncated");
  });
});
