// What a worker shows over HTTP, asked by real requests.

import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { PoolStatus } from "../../../capacity/index.js";
import type { WorkerEvent } from "../../../cli/worker/log.js";
import { type MetricsServer, serveMetrics } from "../../../cli/worker/metrics.js";
import { RunTally } from "../../../cli/worker/metrics-tally.js";

const POOL: PoolStatus = {
  ...{ name: "large", inFlight: 1, queued: 0, admitted: 3, share: 0.8, gapMs: 1, pausedUntil: 0 },
  ...{ rateLimited: 0, shed: 0, timedOut: 0, breaker: "closed" },
};
const READY: WorkerEvent = { type: "ready", worker: "a:1", concurrency: 4, queue: "q" };
const DRAINING: WorkerEvent = { type: "draining", runs: 1, message: "" };
const HERE = { host: "127.0.0.1", port: 0 };

const servers: MetricsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serving() {
  const told: WorkerEvent[] = [];
  const tally = new RunTally({ tell: (event) => void told.push(event) });
  const shown = {
    pools: [{ status: POOL }],
    phase: () => tally.phase,
    metrics: () => tally.metrics({ atWork: 2, concurrency: 4 }),
  };
  const server = await serveMetrics(HERE, shown);
  servers.push(server);
  const get = async (path: string, method = "GET") => {
    const response = await fetch(new URL(path, server.address), { method });
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };
  return { server, shown, tally, told, get };
}

describe("a worker's metrics", () => {
  test("are its quotas and its runs, by what became of them", async () => {
    const { get, tally, told } = await serving();
    const events: WorkerEvent[] = [
      READY,
      { type: "taken over", thread: "t" },
      { type: "start", thread: "t", run: "r" },
      { type: "end", thread: "t", status: "finished", ms: 1 },
      { type: "end", thread: "t", status: "finished", ms: 1 },
      { type: "failed", thread: "t", message: "" },
      { type: "parked", thread: "t", until: 1 },
      { type: "trouble", message: "" },
    ];
    for (const event of events) tally.tell(event);
    expect(told).toEqual(events);
    const { status, type, text } = await get("/metrics");
    expect({ status, type }).toEqual({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" });
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines).toContain('bulkhead_requests_admitted_total{route="large"} 3');
    expect(lines.filter((line) => line.startsWith("bulkhead_worker_"))).toEqual([
      "bulkhead_worker_ready 1",
      "bulkhead_worker_runs 2",
      "bulkhead_worker_runs_limit 4",
      "bulkhead_worker_runs_started_total 1",
      'bulkhead_worker_runs_total{outcome="finished"} 2',
      'bulkhead_worker_runs_total{outcome="blocked"} 0',
      'bulkhead_worker_runs_total{outcome="spent"} 0',
      'bulkhead_worker_runs_total{outcome="failed"} 1',
      'bulkhead_worker_runs_total{outcome="parked"} 1',
      'bulkhead_worker_runs_total{outcome="waiting"} 0',
      'bulkhead_worker_runs_total{outcome="postponed"} 0',
      'bulkhead_worker_runs_total{outcome="returned"} 0',
      "bulkhead_worker_runs_taken_over_total 1",
    ]);
  });

  test("health is good only while it takes runs", async () => {
    const { get, tally } = await serving();
    expect(await get("/healthz")).toMatchObject({ status: 503, text: "starting\n" });
    tally.tell(READY);
    expect(await get("/healthz")).toMatchObject({ status: 200, text: "ready\n" });
    tally.tell(DRAINING);
    expect(await get("/healthz")).toMatchObject({ status: 503, text: "draining\n" });
    expect((await get("/metrics")).text).toContain("bulkhead_worker_ready 0\n");
  });

  test("nothing else is there, and nothing can be sent to it", async () => {
    const { get } = await serving();
    expect(await get("/")).toMatchObject({ status: 404 });
    expect(await get("/metrics", "POST")).toMatchObject({ status: 405 });
    expect(await get("/metrics?x=1", "HEAD")).toMatchObject({ status: 200, text: "" });
  });

  test("a port that is taken is said before a run is", async () => {
    const { server, shown } = await serving();
    const port = Number(new URL(server.address).port);
    await expect(serveMetrics({ ...HERE, port }, shown)).rejects.toThrow(
      `metrics cannot be served on port ${port} of 127.0.0.1: it is in use. Choose another one with --metrics`,
    );
  });

  test("it is gone when it is closed, whoever still listens", async () => {
    const { server, get } = await serving();
    await get("/healthz"); // Leaves a connection that is kept alive.
    const slow = connect(Number(new URL(server.address).port), "127.0.0.1").on("error", () => undefined);
    await once(slow, "connect");
    slow.write("GET /metrics HTTP/1.1\r\n"); // And never the rest.
    await get("/healthz");
    servers.splice(0);
    await server.close();
    await expect(get("/healthz")).rejects.toThrow();
  });
});
