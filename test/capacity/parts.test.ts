import { describe, expect, test } from "vitest";
import { fullJitterMs } from "../../capacity/backoff.js";
import { CircuitBreaker } from "../../capacity/breaker.js";
import { UnusableAnswerError } from "../../capacity/classify.js";
import { BrokenAnswerError, givenUp } from "../../capacity/errors.js";
import { retryAfterMs } from "../../capacity/headers.js";
import { CapacityError, CapacityWaitError, classifyError, QuotaPool } from "../../capacity/index.js";
import { RetryBudget } from "../../capacity/retry-budget.js";
import { TokenLedger } from "../../capacity/token-ledger.js";
import { WireFailure } from "../../capacity/wire.js";
import { FakeClock } from "./support.js";

describe("retry-after", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  test.each([
    [{ "retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "x-ms-retry-after-ms": "70" }, 70],
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30_000],
    [{ "retry-after": "Wed, 31 Dec 2025 23:59:00 GMT" }, undefined],
    [{ "retry-after": "0" }, undefined],
    [{ "retry-after": "-3" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "retry-after-ms": "junk", "retry-after": "3" }, 3000],
    [{ "retry-after": "3600" }, 600_000],
    [{}, undefined],
  ])("%j is %s", (headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), now)).toBe(expected);
  });
});

describe("classifyError", () => {
  const status = (code: number, extra: object = {}): Error =>
    Object.assign(new Error("boom"), { status: code, headers: new Headers(), ...extra });
  const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

  test.each<[string, unknown, string, boolean]>([
    ["429", status(429), "rate-limit", true],
    ["429 without quota", status(429, { code: "insufficient_quota" }), "quota-exhausted", true],
    ["402", status(402), "quota-exhausted", true],
    ["500", status(500), "server-error", true],
    ["408", status(408), "server-error", true],
    ["503", status(503), "overload", true],
    ["529", status(529), "overload", true],
    ["401", status(401), "auth", true],
    ["403", status(403), "auth", true],
    ["400", status(400), "invalid-request", true],
    ["404", status(404), "invalid-request", true],
    ["413", status(413), "context-length", true],
    ["context", status(400, { code: "context_length_exceeded" }), "context-length", true],
    ["refused", system("ECONNREFUSED"), "network", true],
    ["no such host", system("ENOTFOUND"), "network", true],
    ["reset", system("ECONNRESET"), "network", false],
    ["slow headers", system("UND_ERR_HEADERS_TIMEOUT"), "timeout", false],
    ["bad port", new TypeError("fetch failed", { cause: new Error("bad port") }), "network", false],
    ["gate: time", new WireFailure("unanswered", "x"), "timeout", false],
    ["gate: cut", new WireFailure("broken", "x", { cause: system("UND_ERR_SOCKET") }), "truncated", false],
    ["no end", new UnusableAnswerError("truncated", "x"), "truncated", false],
    ["bad tool call", new UnusableAnswerError("bad-response", "x"), "bad-response", true],
    ["not JSON", new SyntaxError("Unexpected end"), "bad-response", true],
    ["abort", new DOMException("x", "AbortError"), "aborted", false],
    ["unknown", new Error("?"), "server-error", false],
    ["no error at all", "text", "server-error", false],
  ])("%s", (_name, error, kind, clean) => {
    expect(classifyError(error)).toMatchObject({ kind, clean });
    // However deep it is wrapped.
    const wrapped = new Error("middleware", { cause: new Error("node", { cause: error }) });
    expect(classifyError(wrapped)).toMatchObject({ kind, clean });
  });

  test("carries hint and status, drops LangChain's help link, survives a circle", () => {
    const error = status(429, { headers: new Headers({ "retry-after": "2" }) });
    error.message = "slow down\n\nTroubleshooting URL: https://example.com\n";
    expect(classifyError(error)).toEqual({
      kind: "rate-limit",
      clean: true,
      status: 429,
      retryAfterMs: 2000,
      message: "slow down",
    });
    const circle = new Error("round");
    circle.cause = circle;
    expect(classifyError(circle)).toMatchObject({ kind: "server-error", message: "round" });
  });
});

describe("errors", () => {
  test("are recognised without instanceof, one class per decision", () => {
    const wait = new CapacityWaitError("CAPACITY_TIMEOUT", "later", 5);
    const broken = new BrokenAnswerError("cut", "truncated");
    expect([CapacityError.isInstance(wait), CapacityWaitError.isInstance(wait)]).toEqual([true, true]);
    expect([CapacityError.isInstance(broken), CapacityWaitError.isInstance(broken)]).toEqual([true, false]);
    expect(CapacityError.isInstance(new Error("CAPACITY_TIMEOUT"))).toBe(false);
  });

  test("the primary decides the class, the earliest time counts, the fallback is told", () => {
    const primary = { route: "large", reason: "rate-limit", message: "large is limited", retryAt: 900 } as const;
    const other = { route: "small", reason: "circuit-open", message: "small is down", retryAt: 400 } as const;
    expect(givenUp(primary, [other], undefined)).toMatchObject({
      code: "CAPACITY_TIMEOUT",
      retryAt: 400,
      message: "large is limited; fallback small: small is down",
    });
    expect(givenUp({ route: "large", reason: "server-error", message: "x" }, [other], undefined)).toMatchObject({
      code: "ROUTES_EXHAUSTED",
      failures: [{ route: "large" }, { route: "small" }],
    });
  });
});

describe("backoff", () => {
  test("full jitter: uniform from 0, doubling, capped", () => {
    expect([0, 1, 2, 20].map((earlier) => fullJitterMs(earlier, () => 0.999_999))).toEqual([
      expect.closeTo(500, 0),
      expect.closeTo(1000, 0),
      expect.closeTo(2000, 0),
      expect.closeTo(30_000, 0),
    ]);
    expect(fullJitterMs(5, () => 0)).toBe(0);
  });
});

describe("the retry budget", () => {
  const spendAll = async (budget: RetryBudget, runs: readonly string[]) => {
    const spent: boolean[] = [];
    for (const run of runs) spent.push(await budget.spend(run));
    return spent.filter(Boolean).length;
  };
  const times = (count: number, run: string) => Array<string>(count).fill(run);

  test("of all: ten retries at once and then one for ten calls", async () => {
    const budget = new RetryBudget();
    expect(await spendAll(budget, times(12, ""))).toBe(10);
    for (let n = 0; n < 11; n += 1) budget.earn("");
    expect(await spendAll(budget, times(2, ""))).toBe(1);
  });

  test("of a run: five, so that something is left for the others", async () => {
    const budget = new RetryBudget();
    expect(await spendAll(budget, times(12, "fan-out"))).toBe(5);
    expect(await spendAll(budget, ["a", "b", "c", "fan-out", "d", "e", "f"])).toBe(5);
    for (let n = 0; n < 11; n += 1) budget.earn("fan-out");
    expect(await spendAll(budget, times(2, "fan-out"))).toBe(1);
  });

  test("of a fleet: what that has left, and the process's own while it cannot be asked", async () => {
    const fleet = { available: true, left: 2, retry: async () => fleet.left-- > 0 };
    const budget = new RetryBudget(fleet);
    expect(await spendAll(budget, times(5, ""))).toBe(2);
    fleet.retry = () => Promise.reject(new Error("gone"));
    expect(await spendAll(budget, times(12, ""))).toBe(10);
  });
});

describe("circuit breaker", () => {
  const dead = (breaker: CircuitBreaker): void => void breaker.enter()?.("dead", "server-error");

  test("opens after three in a row, not after three in all", () => {
    const breaker = new CircuitBreaker(new FakeClock(), "large");
    dead(breaker);
    dead(breaker);
    breaker.enter()?.("alive");
    dead(breaker);
    dead(breaker);
    expect(breaker.refusesUntil).toBeUndefined();
    dead(breaker);
    expect(breaker.state).toMatchObject({ kind: "open", reason: "server-error" });
    expect(breaker.enter()).toBeUndefined();
  });

  test("answers to what left before the route died do not hide that it is dead", () => {
    const breaker = new CircuitBreaker(new FakeClock(), "large");
    const before = Array.from({ length: 3 }, () => breaker.enter());
    for (const slow of before) {
      dead(breaker);
      slow?.("alive");
    }
    expect(breaker.state).toMatchObject({ kind: "open", reason: "server-error" });
  });

  test("opens when half of twenty in twenty seconds were dead, though never three in a row", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker(clock, "large");
    const attempt = (outcome: "alive" | "dead") => breaker.enter()?.(outcome, "timeout");
    for (let n = 0; n < 19; n += 1) attempt(n % 2 === 0 ? "dead" : "alive");
    expect(breaker.state.kind).toBe("closed");
    await clock.advance(20_000); // Forgotten.
    for (let n = 0; n < 19; n += 1) attempt(n % 2 === 0 ? "alive" : "dead");
    expect(breaker.state.kind).toBe("closed");
    expect(attempt("dead")).toMatchObject({ kind: "open", reason: "timeout" });
  });

  test("is opened by what another process found out, and tells what it found out itself", () => {
    const clock = new FakeClock();
    const told: string[] = [];
    const breaker = new CircuitBreaker(clock, "large", ({ kind }) => told.push(kind));
    breaker.open(clock.now() + 5_000, "server-error");
    expect(breaker.refusesUntil).toBe(clock.now() + 5_000);
    expect(told).toEqual([]);
    const other = new CircuitBreaker(clock, "large", ({ kind }) => told.push(kind));
    for (let n = 0; n < 3; n += 1) dead(other);
    expect(told).toEqual(["open"]);
  });

  test("lets one probe through after 30 s, which decides", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker(clock, "large");
    for (let n = 0; n < 3; n += 1) dead(breaker);
    await clock.advance(29_999);
    expect(breaker.enter()).toBeUndefined();
    await clock.advance(1);
    const failing = breaker.enter();
    expect(breaker.enter()).toBeUndefined();
    expect(failing?.("dead", "timeout")).toMatchObject({ kind: "open", reason: "timeout" });
    await clock.advance(30_000);
    expect(breaker.enter()?.("alive")).toEqual({ kind: "closed", failures: 0 });
    expect(breaker.refusesUntil).toBeUndefined();
  });

  test("a probe that shows nothing leaves the next call to probe; a late old failure changes nothing", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker(clock, "large");
    const old = breaker.enter();
    for (let n = 0; n < 3; n += 1) dead(breaker);
    await clock.advance(30_000);
    breaker.enter()?.("unknown");
    expect(breaker.refusesUntil).toBeUndefined();
    expect(old?.("alive")).toBeUndefined();
    expect(breaker.state.kind).toBe("open");
    expect(breaker.enter()?.("alive")).toMatchObject({ kind: "closed" });
  });
});

describe("token ledger", () => {
  test("paces beyond the burst, gives back what was over-estimated, lets an oversized call through and then owes", async () => {
    const clock = new FakeClock();
    const ledger = new TokenLedger(60_000, clock); // One token a millisecond, 12 000 at once.
    expect(ledger.waitMs(10_000)).toBe(0);
    ledger.charge(10_000);
    expect(ledger.waitMs(2000)).toBe(0);
    expect(ledger.waitMs(10_000)).toBe(8000);
    ledger.correct(2000 - 10_000);
    expect(ledger.waitMs(10_000)).toBe(0);
    expect(ledger.waitMs(50_000)).toBe(2000);
    await clock.advance(2000);
    expect(ledger.waitMs(50_000)).toBe(0);
    ledger.charge(50_000);
    expect(ledger.waitMs(1000)).toBe(39_000);
  });

  test("learns the length of answers, and never estimates more than was asked for", () => {
    const ledger = new TokenLedger(60_000, new FakeClock());
    expect(ledger.estimate(400)).toBe(356);
    expect(ledger.estimate(400, 50)).toBe(150);
    for (let n = 0; n < 50; n += 1) ledger.learn(900);
    expect(ledger.estimate(400)).toBeGreaterThan(950);
  });
});

test("a quota that cannot be met is refused with the reason", () => {
  const pool = (quota: object, rest: object = {}) =>
    new QuotaPool({ name: "large", quota: { requestsPerMinute: 60, inFlight: 1, ...quota }, ...rest });
  expect(() => pool({ requestsPerMinute: 0 })).toThrow("requestsPerMinute is 0 and must be at least 1");
  expect(() => pool({ inFlight: 0.5 })).toThrow("whole number");
  expect(() => pool({ headroom: 1.2 })).toThrow("headroom is 1.2");
  expect(() => pool({ maxHeadroom: 0 })).toThrow("maxHeadroom is 0");
  expect(() => pool({}, { highWater: 0 })).toThrow("highWater is 0");
  expect(() => pool({ tokensPerMinute: Number.NaN })).toThrow("tokensPerMinute");
  expect(() => pool({}, { callTimeoutMs: 0 })).toThrow("callTimeoutMs");
});
