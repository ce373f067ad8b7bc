// Quotas as Prometheus reads them: the format is read back by the letter of its specification, with a reader of our own.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Metric, metricsOf, metricsText, type PoolStatus, QuotaPool } from "../../capacity/index.js";
import { RunTally } from "../../cli/worker/metrics-tally.js";
import { FakeClock, until } from "./support.js";

interface Read {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly labels: Record<string, string>; readonly value: number }[];
}

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));

/** Reads the exposition format 0.0.4; throws for everything that a Prometheus server would refuse. */
function read(text: string): Record<string, Read> {
  const found: Record<string, Read> = {};
  if (text === "") return found;
  if (!text.endsWith("\n")) throw new Error("the last line must end");
  let current: [string, Read] | undefined;
  const lines = text.slice(0, -1).split("\n");
  for (const [index, line] of lines.entries()) {
    const [, helped, help] = /^# HELP ([a-zA-Z_:][\w:]*) (.*)$/.exec(line) ?? [];
    if (helped !== undefined) {
      const [, typed, type] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge)$/.exec(lines[index + 1] ?? "") ?? [];
      if (typed !== helped || type === undefined) throw new Error(`no type after ${line}`);
      if (helped in found) throw new Error(`${helped} twice`);
      current = [helped, { type, help: unescaped(help ?? ""), samples: [] }];
      found[helped] = current[1];
    } else if (!line.startsWith("# TYPE ")) {
      const [, name, labels = "", value] =
        /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined || name !== current?.[0]) throw new Error(`a stray line: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      const number = value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value);
      const read = Object.fromEntries(pairs.map(([, label, text]) => [label as string, unescaped(text ?? "")]));
      const twice = current[1].samples.some((each) => JSON.stringify(each.labels) === JSON.stringify(read));
      if (twice) throw new Error(`a sample twice: ${line}`);
      current[1].samples.push({ labels: read, value: number });
    }
  }
  return found;
}

const REST: PoolStatus = {
  ...{ name: "large", inFlight: 0, queued: 0, admitted: 0, share: 0.8, gapMs: 1, pausedUntil: 0 },
  ...{ rateLimited: 0, shed: 0, timedOut: 0, breaker: "closed" },
};
const pools = (...statuses: Partial<PoolStatus>[]) => statuses.map((status) => ({ status: { ...REST, ...status } }));
const at = (now: number) => ({ now: () => now });
const values = (metrics: Record<string, Read>, name: string) =>
  metrics[`bulkhead_${name}`]?.samples.map(({ labels: { route, ...labels }, value }) => ({
    [[route, ...Object.values(labels)].join(" ")]: value,
  }));

describe("metrics of quotas", () => {
  test("counters end in _total, everything else is a gauge, and times are seconds", () => {
    const found = read(metricsText(metricsOf(pools({ fleet: { available: true, processes: 3 } }))));
    expect(Object.keys(found)).toHaveLength(11);
    for (const [name, { type }] of Object.entries(found)) {
      expect(type === "counter", name).toBe(name.endsWith("_total"));
      expect(name).not.toMatch(/_(ms|milliseconds)\b/);
    }
  });

  test("show what a pool has done, and how it stands", async () => {
    const clock = new FakeClock();
    const quota = { requestsPerMinute: 60_000, inFlight: 1, headroom: 1 };
    const pool = new QuotaPool({ name: "large", quota, clock, highWater: 1, random: () => 0.5 });
    const replies = [() => new Response("", { status: 429, headers: { "retry-after": "30" } })];
    let answer = (): void => {};
    const held = new Promise<Response>((resolve) => {
      answer = () => resolve(new Response("fine"));
    });
    const send = pool.gate(async () => replies.shift()?.() ?? held);
    const first = send("http://test/v1");
    expect((await first).status).toBe(429);
    await (await first).text();
    const second = send("http://test/v1");
    await expect(send("http://test/v1")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    const shown = () => read(metricsText(metricsOf([pool], clock)));
    const paused = shown();
    expect(values(paused, "requests_admitted_total")).toEqual([{ large: 1 }]);
    expect(values(paused, "requests_rate_limited_total")).toEqual([{ large: 1 }]);
    expect(values(paused, "requests_shed_total")).toEqual([{ large: 1 }]);
    expect(values(paused, "requests_timed_out_total")).toEqual([{ large: 0 }]);
    expect(values(paused, "requests_queued")).toEqual([{ large: 1 }]);
    expect(values(paused, "requests_in_flight")).toEqual([{ large: 0 }]);
    expect(values(paused, "quota_pause_seconds")).toEqual([{ large: 30 }]);
    expect(values(paused, "quota_share_ratio")).toEqual([{ large: 0.85 }]);
    expect(values(paused, "breaker_state")).toEqual([
      { "large closed": 1 },
      { "large half-open": 0 },
      { "large open": 0 },
    ]);
    expect(paused).not.toHaveProperty("bulkhead_fleet_available");
    await clock.advance(31_000);
    await until(() => pool.status.inFlight === 1); // Bottleneck has a timer of its own.
    const going = shown();
    expect(values(going, "requests_in_flight")).toEqual([{ large: 1 }]);
    expect(values(going, "quota_pause_seconds")).toEqual([{ large: 0 }]);
    answer();
    await (await second).text();
    await pool.close();
  });

  test("of one name are one route: sums, and of the rest the worse", () => {
    const found = read(
      metricsText(
        metricsOf(
          pools(
            { admitted: 2, queued: 1, share: 0.9, pausedUntil: 5_000, fleet: { available: true, processes: 2 } },
            { admitted: 3, queued: 4, share: 0.5, breaker: "half-open", fleet: { available: false, processes: 3 } },
            { name: "small", admitted: 7 },
          ),
          at(1_000),
        ),
      ),
    );
    expect(values(found, "requests_admitted_total")).toEqual([{ large: 5 }, { small: 7 }]);
    expect(values(found, "requests_queued")).toEqual([{ large: 5 }, { small: 0 }]);
    expect(values(found, "quota_share_ratio")).toEqual([{ large: 0.5 }, { small: 0.8 }]);
    expect(values(found, "quota_pause_seconds")).toEqual([{ large: 4 }, { small: 0 }]);
    expect(values(found, "breaker_state")?.slice(0, 3)).toEqual([
      { "large closed": 0 },
      { "large half-open": 1 },
      { "large open": 0 },
    ]);
    expect(values(found, "fleet_available")).toEqual([{ large: 0 }]);
    expect(values(found, "fleet_processes")).toEqual([{ large: 3 }]);
  });

  test("a pool that is named twice counts once", () => {
    const [pool] = pools({ admitted: 2 });
    if (pool === undefined) throw new Error("no pool");
    expect(values(read(metricsText(metricsOf([pool, pool]))), "requests_admitted_total")).toEqual([{ large: 2 }]);
  });

  test("are those that the page lists, in its order", () => {
    const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| `(bulkhead_\w+)` \|/gm)].map(([, name]) => name);
    const fleet = { available: true, processes: 1 };
    const worker = new RunTally({ tell: () => undefined }).metrics({ atWork: 0, concurrency: 1 });
    expect([...metricsOf(pools({ fleet })), ...worker].map(({ name }) => name)).toEqual(listed);
  });

  test("no pools: nothing", () => {
    expect(metricsText(metricsOf([]))).toBe("");
  });
});

test("whatever is in a label, a help or a number is read back as it was", () => {
  // Above all what has to be escaped.
  const label = fc.string({ unit: fc.constantFrom('"', "\\", "\n", "n", "a", "{", "}", ",", "=", " ", "é") });
  const sample = fc.record({ labels: fc.dictionary(fc.constantFrom("a", "b_2", "_c"), label), value: fc.double() });
  const metric = fc.record({
    ...{ name: fc.constant("x_total"), help: label, type: fc.constantFrom<Metric["type"]>("counter", "gauge") },
    samples: fc.array(sample, { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(metric, (given) => {
      const seen = new Set<string>();
      const samples = given.samples.filter(({ labels }) => {
        const key = JSON.stringify(labels);
        return seen.has(key) ? false : seen.add(key);
      });
      const { x_total: got } = read(metricsText([{ ...given, samples }]));
      expect(got?.help).toBe(given.help);
      expect(got?.samples.map(({ labels }) => labels)).toEqual(samples.map(({ labels }) => ({ ...labels })));
      expect(got?.samples.map(({ value }) => value)).toEqual(samples.map(({ value }) => value + 0));
    }),
    { numRuns: 50 },
  );
});
