// The built command and a collector on loopback: what arrives there, and that a collector that is gone, deaf or cannot be
// sent to costs a line and a moment, never the run.

import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openJournal } from "../../checkpoints/journal/journal.js";
import { startTracing } from "../../cli/telemetry.js";
import { readSettings } from "../../models/settings.js";
import { TOP } from "../../trust/label.js";
import { Place } from "./bulkhead.js";
import { testTerminal } from "./terminal.js";

const TASK = "How many tickets are open?";

/** A span as OTLP has it in JSON, as far as these tests look at it. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Posted {
  readonly path: string | undefined;
  readonly token: string | string[] | undefined;
  readonly body: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: Span["attributes"] };
      readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
    }[];
  };
}

const posted: Posted[] = [];
const collector = createHttpServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    posted.push({ path: request.url, token: request.headers["x-token"], body: JSON.parse(text) });
    response.setHeader("content-type", "application/json").end("{}");
  });
});
/** Takes connections and never answers. */
const deaf = createServer((socket) => socket.on("error", () => undefined).resume());

const listening = (server: Server) =>
  new Promise<string>((ready) => {
    server.listen(0, "127.0.0.1", () => ready(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

let address: string;
let silence: string;
const place = new Place();
beforeAll(async () => {
  [address, silence] = await Promise.all([listening(collector), listening(deaf)]);
});
afterEach(() => posted.splice(0));
afterAll(async () => {
  await place.clear();
  collector.close();
  deaf.close();
});

const resources = () => posted.flatMap(({ body }) => body.resourceSpans);
const spans = () => resources().flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
const attributeOf = (attributes: Span["attributes"] | undefined, name: string) =>
  Object.values(attributes?.find(({ key }) => key === name)?.value ?? {})[0];

test("a run arrives as one trace, without what was written in it", async () => {
  const { result } = await place.run([TASK], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: address } });
  expect(result.status).toBe("finished");
  expect(new Set(posted.map(({ path }) => path))).toEqual(new Set(["/v1/traces"]));
  expect(new Set(spans().map(({ traceId }) => traceId)).size).toBe(1);
  const [root, ...others] = spans().filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(others).toEqual([]);
  expect(root?.name).toBe("invoke_agent agent");
  expect(attributeOf(root?.attributes, "gen_ai.conversation.id")).toBe(result.thread);
  expect(attributeOf(root?.attributes, "bulkhead.status")).toBe("finished");
  const ids = new Set(spans().map(({ spanId }) => spanId));
  for (const { parentSpanId } of spans()) if (parentSpanId !== undefined) expect(ids).toContain(parentSpanId);
  expect(spans().map(({ name }) => name)).toEqual(
    expect.arrayContaining(["planner", "chat offline-large", "execute_tool list_tickets"]),
  );
  const [resource] = resources().map((each) => each.resource.attributes);
  expect(attributeOf(resource, "service.name")).toBe("bulkhead");
  expect(JSON.stringify(posted)).not.toContain(TASK);
});

test("OpenTelemetry's own variables hold: address of traces, headers, name; and contents are opt-in", async () => {
  const { code } = await place.run([TASK], {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: silence,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${address}/mine`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-token=t0p",
      OTEL_SERVICE_NAME: "records",
      BULKHEAD_TRACE_CONTENT: "on",
    },
  });
  expect(code).toBe(0);
  expect(posted[0]).toMatchObject({ path: "/mine", token: "t0p" });
  expect(attributeOf(resources()[0]?.resource.attributes, "service.name")).toBe("records");
  expect(JSON.stringify(posted)).toContain(TASK);
});

test("a rewind is a trace as well", async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: address };
  const faulty = ["--fault", "outage:offline-large"];
  const first = await place.run([...faulty, "Handle ticket 1077: refund the duplicate charge on order 7781."], { env });
  posted.splice(0);
  const { code, stdout } = await place.bulkhead(["rewind", first.result.thread, "--json"], { env });
  const thread = (JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { thread: string }).thread;
  expect(code).toBe(0);
  const root = spans().find(({ parentSpanId }) => parentSpanId === undefined);
  expect(attributeOf(root?.attributes, "gen_ai.conversation.id")).toBe(thread);
});

describe("never worth the run", () => {
  /** The end of a command takes two seconds at most for it, and a moment for itself on a machine that is busy. */
  const PATIENCE_MS = 5_000;
  const run = async (env: Readonly<Record<string, string>>) => {
    const running = place.start(["run", TASK], { env });
    await running.until(/finished · /);
    const told = performance.now();
    const { code, stderr } = await running.ended;
    return { code, told: stderr.match(/^tracing.*$/gm) ?? [], delay: performance.now() - told };
  };

  test("nothing listens there", async () => {
    const { code, told, delay } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    expect(code).toBe(0);
    expect(told).toEqual([
      expect.stringMatching(/^tracing: http:\/\/127\.0\.0\.1:9 did not take the trace \(.*REFUSED/),
    ]);
    expect(delay).toBeLessThan(PATIENCE_MS);
  });

  test("it never answers; the password in its address is not repeated", async () => {
    const { code, told, delay } = await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: silence.replace("http://", "http://me:secret@"),
    });
    expect(code).toBe(0);
    expect(told).toEqual([expect.stringContaining("no answer within 2 s")]);
    expect(told[0]).not.toContain("secret");
    expect(delay).toBeLessThan(PATIENCE_MS);
  });

  test("the packages that send are missing: the command that gets them", async () => {
    const hooks = `export async function resolve(name, context, next) {
      if (name.startsWith("@opentelemetry/exporter")) throw Object.assign(new Error(name), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    }`;
    const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
    const register = `import { register } from "node:module"; register(${JSON.stringify(moduleOf(hooks))});`;
    const { code, told } = await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: address,
      NODE_OPTIONS: `--import=${moduleOf(register)}`,
    });
    expect({ code, told }).toEqual({
      code: 0,
      told: [expect.stringContaining("npm install @opentelemetry/sdk-trace@2")],
    });
    expect(posted).toEqual([]);
  });
});

describe("what the variables say before anything is sent", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** Traces a short run in this process. Returns what was told. */
  const trace = async (env: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const terminal = { ...testTerminal(), env: process.env };
    const journal = openJournal("memory:");
    const stop = await startTracing(journal, readSettings({}), terminal);
    const scope = { thread: "t", run: "r" };
    await journal.beginThread("t", "agent", TOP);
    const how = { model: "offline-large", offline: true, resumed: false };
    await journal.append(scope, { kind: "run.start", graph: "agent", task: TASK, ...how });
    await journal.append(scope, { kind: "run.end", status: "finished" });
    await stop();
    await journal.close();
    return terminal.written.err;
  };

  test("an address: it is sent there", async () => {
    expect(await trace({ OTEL_EXPORTER_OTLP_ENDPOINT: address })).toBe("");
    expect(spans().map(({ name }) => name)).toEqual(["invoke_agent agent"]);
  });

  test("an address that is none", async () => {
    const told = await trace({ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4317" });
    expect(told).toMatch(/^tracing is off: .* must be an http:\/\/ or https:\/\/ address .*\n$/);
  });

  test.for([{ OTEL_SDK_DISABLED: "true" }, { OTEL_TRACES_EXPORTER: "none" }])("switched off: %j", async (off) => {
    expect(await trace({ OTEL_EXPORTER_OTLP_ENDPOINT: address, ...off })).toBe("");
    expect(posted).toEqual([]);
  });
});
