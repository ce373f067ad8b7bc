// `bulkhead quota` without a server: what it makes of reports, how it prints and watches, and what it says without a fleet.

import { describe, expect, test } from "vitest";
import type { FleetProcess, FleetQuota } from "../../capacity/index.js";
import { runProgram } from "../../cli/program.js";
import { quotaLines } from "../../cli/quota/print.js";
import { standingOf } from "../../cli/quota/standing.js";
import { watch } from "../../cli/quota/watch.js";
import { PLAIN } from "../../cli/text.js";
import { FakeClock, settle } from "../capacity/support.js";
import { type TestTerminal, testTerminal } from "./terminal.js";

const REPORT: FleetProcess = {
  ...{ host: "a", pid: 1, agoMs: 100, requestsPerMinute: 600, tokensPerMinute: 60_000, slots: 16, share: 0.8 },
  ...{ queued: 2, admitted: 1_200, perMinute: 100, rateLimited: 1, shed: 3, timedOut: 4, breaker: "closed" },
};
const QUOTA: FleetQuota = {
  ...{ name: "host/large", processes: 2, inFlight: 5, share: 0.5, pausedMs: 0, reservedMs: 40, owedMs: 3_000 },
  breaker: "closed",
  reports: [REPORT, { ...REPORT, pid: 2, agoMs: 4_000, breaker: "open" }],
};
const REST: FleetQuota = {
  ...{ name: "host/large", processes: 1, inFlight: 0, pausedMs: 0, reservedMs: 0, owedMs: 0, reports: [] },
  breaker: "closed",
};

describe("how a quota stands", () => {
  test("adds up what the processes report", () => {
    expect(standingOf(QUOTA)).toMatchObject({
      limits: { requestsPerMinute: 600, tokensPerMinute: 60_000, slots: 16 },
      ...{ differ: false, owedTokens: 1_500, perMinute: 200, queued: 4, admitted: 2_400 },
      ...{ rateLimited: 2, shed: 6, timedOut: 8, breakers: { closed: 1, "half-open": 0, open: 1 } },
    });
  });

  test("takes the limits of the process that was heard of last, and says that they differ", () => {
    const older = { ...REPORT, agoMs: 5_000, requestsPerMinute: 300 };
    const standing = standingOf({ ...QUOTA, reports: [older, REPORT] });
    expect(standing).toMatchObject({ differ: true, limits: { requestsPerMinute: 600 } });
    expect(quotaLines([standing], PLAIN).join("\n")).toContain("host/large: its processes were given different limits");
  });

  test("knows only what was said", () => {
    const standing = standingOf(REST);
    expect(standing).not.toHaveProperty("limits");
    expect(standing).not.toHaveProperty("owedTokens");
  });
});

describe("a person reads", () => {
  const cells = (quota: FleetQuota) => quotaLines([standingOf(quota)], PLAIN)[1]?.split(/ {2,}/);

  test("one line for each quota", () => {
    expect(cells(QUOTA)).toEqual([
      ...["host/large", "2", "5 of 16", "200 of 600", "0.50", "4", "2,400", "2", "14", "open in 1 of 2"],
      "starts reserved 40 ms ahead; owes 1,500 tokens, 3.0 s",
    ]);
    expect(quotaLines([standingOf(QUOTA)], PLAIN).at(-1)).toBe("What processes say of themselves is up to 4.0 s old");
  });

  test("a pause before everything else", () => {
    expect(cells({ ...QUOTA, pausedMs: 12_000 })?.at(-1)).toBe("paused for 12 s after a 429");
  });

  test("a dead route, for how long, and why", () => {
    const open = cells({ ...QUOTA, breaker: "open", broken: { ms: 22_000, why: "server-error" } });
    expect(open?.slice(-2)).toEqual(["open", "dead for 22 s: server-error"]);
    const probed = cells({ ...QUOTA, breaker: "half-open", broken: { ms: 0, why: "timeout" } });
    expect(probed?.slice(-2)).toEqual(["half-open", "dead until a probe is answered: timeout"]);
  });

  test("dashes for what is not known", () => {
    expect(cells(REST)).toEqual(["host/large", "1", "0", "-", "-", "-", "-", "-", "-", "closed", "free"]);
    expect(cells({ ...REST, processes: 0 })?.at(-1)).toBe("nobody uses it");
    expect(quotaLines([standingOf(REST)], PLAIN).at(-1)).toContain(
      "1 use of a quota by a process that does not report",
    );
  });

  test("no control characters that somebody put into a name", () => {
    expect(cells({ ...REST, name: "x\u001b[2J" })?.[0]).not.toContain("\u001b");
  });
});

describe("a watch", () => {
  test("looks once a second, shows a failure and goes on, and ends at once", async () => {
    const clock = new FakeClock();
    const enough = new AbortController();
    const shown: unknown[] = [];
    const looks = [() => 1, () => Promise.reject(new Error("away")), () => 2];
    const watched = watch<number>({
      look: async () => looks.shift()?.() ?? 3,
      show: (seen) => void shown.push(seen),
      showFailure: ({ message }) => void shown.push(message),
      ...{ signal: enough.signal, clock },
    });
    await settle();
    expect(shown).toEqual([1]);
    await clock.advance(999);
    expect(shown).toEqual([1]);
    await clock.advance(2_001);
    expect(shown).toEqual([1, "away", 2, 3]);
    enough.abort();
    await watched;
    expect(clock.sleeping).toBe(0);
  });

  test("does not begin when the first look fails", async () => {
    const signal = new AbortController().signal;
    const nothing = () => undefined;
    const look = () => Promise.reject(new Error("away"));
    const watched = watch({ look, show: nothing, showFailure: nothing, signal, clock: new FakeClock() });
    await expect(watched).rejects.toThrow("away");
  });
});

describe("without a fleet", () => {
  async function typed(args: readonly string[], options: Parameters<typeof testTerminal>[0] = {}) {
    const terminal: TestTerminal = testTerminal({ cwd: "/", ...options });
    return { code: await runProgram(["quota", ...args], terminal), ...terminal.written };
  }

  test("says so, shows what is configured, and how to share it", async () => {
    const { code, out, err } = await typed([]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^Each process keeps its quotas for itself/);
    expect(out).toMatch(/^offline-large +1,200 +600,000 +32 +0\.8 to 0\.98$/m);
    expect(out).toMatch(/BULKHEAD_QUOTA=redis:\/\/HOST:PORT, or --quota redis:\/\/HOST:PORT/);
  });

  test("as JSON", async () => {
    const { redis, configured } = JSON.parse((await typed(["--json"])).out);
    expect({ redis, models: configured.length }).toEqual({ redis: null, models: 2 });
    expect(configured[0]).toMatchObject({ model: "offline-large", requestsPerMinute: 1_200, inFlight: 32 });
  });

  test("there is nothing to watch", async () => {
    expect(await typed(["--watch", "--json"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--quota redis://"),
    });
    expect(await typed(["--watch"])).toMatchObject({ code: 2, err: expect.stringContaining("Add --json") });
  });

  test("a Redis that is away is said with its address and what to do, and not its password", async () => {
    const { code, out, err } = await typed(["--quota", "redis://u:hush@127.0.0.1:1"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^error: .*Redis at 127\.0\.0\.1:1 cannot be reached: .*Correct BULKHEAD_QUOTA or --quota\./);
    expect(err).not.toContain("hush");
  });
});
