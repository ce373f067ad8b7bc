// Fault specifications: what they mean, how a wrong one is explained, and when a fault strikes.

import { describe, expect, it } from "vitest";
import { FaultInjector } from "../../models/offline/faults.js";
import { FAULT_KINDS, FaultError, type OfflineModel, parseFault } from "../../models/offline/index.js";
import { stoppedClock } from "./support.js";

describe("parseFault", () => {
  it("gives a bare kind the limit that makes it show its point", () => {
    expect(parseFault("rate-limit")).toEqual({ kind: "rate-limit", rate: 1, after: 0, forMs: 2_000 });
    expect(parseFault("rate-limit-no-header")).toMatchObject({ forMs: 2_000 });
    expect(parseFault("outage:offline-large")).toEqual({ kind: "outage", model: "offline-large", rate: 1, after: 0 });
    expect(parseFault("slow")).toEqual({ kind: "slow", rate: 1, after: 0 });
    expect(parseFault("server-error")).toMatchObject({ times: 2 });
    for (const kind of ["timeout", "truncate-stream", "bad-json"]) expect(parseFault(kind)).toMatchObject({ times: 1 });
  });

  it("reads every part", () => {
    expect(parseFault(" slow:offline-small,rate=0.25,for=1.5s,after=3,times=7 ")).toEqual({
      kind: "slow",
      model: "offline-small",
      rate: 0.25,
      forMs: 1_500,
      after: 3,
      times: 7,
    });
    expect(parseFault("slow,for=250ms").forMs).toBe(250);
    expect(parseFault("slow,for=2m").forMs).toBe(120_000);
  });

  it.each(["rate=0.5", "for=10s", "times=5"])("drops the kind's own limit when %s is stated", (part) => {
    const name = part.split("=")[0];
    expect(parseFault(`timeout,${part}`).times).toBe(name === "times" ? 5 : undefined);
    expect(parseFault(`rate-limit,${part}`).forMs).toBe(name === "for" ? 10_000 : undefined);
  });

  it("keeps the kind's own limit when only `after` is stated", () => {
    expect(parseFault("server-error,after=2")).toMatchObject({ after: 2, times: 2 });
  });

  it.each([
    ["rate-limt", 'unknown kind "rate-limt"'],
    ["", 'unknown kind ""'],
    ["toString", 'unknown kind "toString"'],
    ["outage:gpt-4", 'unknown model "gpt-4"'],
    ["outage:offline-large:x", 'unknown model "offline-large:x"'],
    ["slow,speed=2", 'unknown part "speed=2"'],
    ["slow,rate", '"rate=" must be a number above 0, up to 1'],
    ["slow,rate=0", '"rate=0" must be'],
    ["slow,rate=1.1", '"rate=1.1" must be'],
    ["slow,for=10", '"for=10" must be a duration such as 500ms, 2s or 1m'],
    ["slow,times=-1", '"times=-1" must be a whole number'],
    ["slow,after=1,after=2", '"after" is given twice'],
  ])("refuses %j and says what is wrong and what is allowed", (text, problem) => {
    const parse = () => parseFault(text);
    expect(parse).toThrow(FaultError);
    expect(parse).toThrow(problem);
    expect(parse).toThrow(FAULT_KINDS.join(", "));
    expect(parse).toThrow("Models: offline-large, offline-small.");
  });
});

describe("FaultInjector", () => {
  const run = (
    specifications: string[],
    requests: number,
    { seed = 0, model = "offline-large" as OfflineModel } = {},
  ) => {
    const injector = new FaultInjector(specifications.map(parseFault), stoppedClock());
    return Array.from({ length: requests }, (_, n) => injector.strike(model, `${seed}:request-${n}`)?.kind ?? "-");
  };

  it("counts `after` and `times` over matching requests", () => {
    expect(run(["bad-json,after=2,times=2"], 6)).toEqual(["-", "-", "bad-json", "bad-json", "-", "-"]);
  });

  it("spares the other model", () => {
    expect(run(["outage:offline-large"], 2, { model: "offline-small" })).toEqual(["-", "-"]);
    expect(run(["outage"], 2, { model: "offline-small" })).toEqual(["outage", "outage"]);
  });

  it("lets the first fault in the list win, and counts requests for the others meanwhile", () => {
    expect(run(["timeout", "bad-json,after=1"], 4)).toEqual(["timeout", "bad-json", "-", "-"]);
  });

  it("ends a fault `for` that long after its first hit", () => {
    const clock = stoppedClock();
    const injector = new FaultInjector([parseFault("rate-limit,after=1,for=2s")], clock);
    const strike = () => injector.strike("offline-large", "request") !== undefined;
    expect(strike()).toBe(false);
    clock.advance(60_000);
    expect(strike()).toBe(true);
    clock.advance(1_999);
    expect(strike()).toBe(true);
    clock.advance(1);
    expect(strike()).toBe(false);
  });

  it("strikes about `rate` of the requests, the same ones under the same seed", () => {
    const first = run(["slow,rate=0.3"], 2_000);
    expect(first.filter((kind) => kind === "slow").length / 2_000).toBeCloseTo(0.3, 1);
    expect(run(["slow,rate=0.3"], 2_000)).toEqual(first);
    expect(run(["slow,rate=0.3"], 2_000, { seed: 1 })).not.toEqual(first);
  });
});
