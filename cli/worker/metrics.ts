// What a worker shows of itself over HTTP: `/metrics` for Prometheus, `/healthz` for whoever starts and stops workers.
// Nothing is written and no run is touched, whoever asks.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { METRICS_TYPE, type Metric, metricsOf, metricsText, type PoolStatus } from "../../capacity/index.js";
import { CommandError } from "../exit.js";
import type { WorkerPhase } from "./metrics-tally.js";

/** Where to listen. */
export interface MetricsPlace {
  /** 0: any free one. */
  readonly port: number;
  /** An address of this machine. */
  readonly host: string;
}

/** What is shown. */
export interface Shown {
  /** The quotas of the worker's graphs. */
  readonly pools: readonly { readonly status: PoolStatus }[];
  readonly phase: () => WorkerPhase;
  /** The metrics of the worker itself. */
  readonly metrics: () => readonly Metric[];
}

/** A server that is listening. */
export interface MetricsServer {
  /** `http://127.0.0.1:9464/metrics` */
  readonly address: string;
  close(): Promise<void>;
}

/** Listens. The server keeps no process alive. @throws CommandError when the port cannot be had */
export async function serveMetrics({ host, port }: MetricsPlace, shown: Shown): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const { status, type, body } = answerTo(request.method ?? "", request.url ?? "", shown);
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  await listen(server, host, port);
  server.unref();
  const { port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${host.includes(":") ? `[${host}]` : host}:${taken}/metrics`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "it is in use" : message;
    throw new CommandError(
      `metrics cannot be served on port ${port} of ${host}: ${why}. Choose another one with --metrics, or leave it out.`,
      { cause: error },
    );
  }
}

interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const plain = (status: number, body: string): HttpAnswer => ({ status, type: "text/plain; charset=utf-8", body });

function answerTo(method: string, url: string, { pools, phase, metrics }: Shown): HttpAnswer {
  const [path] = url.split("?");
  if (path !== "/metrics" && path !== "/healthz") return plain(404, "There are /metrics and /healthz.\n");
  if (method !== "GET" && method !== "HEAD") return plain(405, "Only GET is answered.\n");
  if (path === "/healthz") return plain(phase() === "ready" ? 200 : 503, `${phase()}\n`);
  return { status: 200, type: METRICS_TYPE, body: metricsText([...metricsOf(pools), ...metrics()]) };
}
