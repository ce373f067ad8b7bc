// A real worker's metrics and health, from its first run to its end.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QueuePlace, withoutServers } from "./worker-place.js";

describe.skipIf(await withoutServers())("a worker with --metrics", { timeout: 120_000 }, () => {
  let place: QueuePlace;
  beforeEach(() => {
    place = new QueuePlace();
  });
  afterEach(() => place.clear());

  test("counts what its runs do, and says when it is stopping", async () => {
    const worker = await place.worker(["--metrics", "0", "--fault", "slow,after=2"]); // The first run's two calls.
    const [{ metrics = "" } = {}] = worker.lines("ready") as readonly { readonly metrics?: string }[];
    const get = async (path: string) => {
      const response = await fetch(new URL(path, metrics));
      return { status: response.status, text: await response.text() };
    };
    const value = async (sample: string) => {
      const { text } = await get("/metrics");
      return Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${sample} `))
          ?.slice(sample.length),
      );
    };
    expect(await get("/healthz")).toEqual({ status: 200, text: "ready\n" });
    expect(await value("bulkhead_worker_runs_started_total")).toBe(0);

    await place.submit(["How many tickets are open?"]);
    await worker.said("end");
    expect(await value('bulkhead_worker_runs_total{outcome="finished"}')).toBe(1);
    expect(await value('bulkhead_requests_admitted_total{route="offline-large"}')).toBeGreaterThan(0);

    const queue = await place.queue();
    await queue.add({ thread: "last", graph: "agent", task: "How many tickets are open?" }, "batch", { again: false });
    await worker.said("start", 2);
    worker.kill("SIGTERM");
    await worker.said("draining");
    expect(await get("/healthz")).toEqual({ status: 503, text: "draining\n" });
    expect((await worker.process.ended).code).toBe(0);
    await expect(get("/healthz")).rejects.toThrow();
  });

  test("does not begin when the port is taken", async () => {
    const first = await place.worker(["--metrics", "0"]);
    const [{ metrics = "" } = {}] = first.lines("ready") as readonly { readonly metrics?: string }[];
    const { code, stderr } = await place.bulkhead(["worker", "--metrics", new URL(metrics).port]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: metrics cannot be served on port \d+ of 127\.0\.0\.1: it is in use\. /m);
  });
});
