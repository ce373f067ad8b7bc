// What may come in: the watch over one body on a clock that stands still, and what the limits are counted in.

import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { followedToTheEnd } from "../../capacity/body.js";
import { bodyWatch, excessOf, INCOMING, onOneServer } from "../../capacity/incoming.js";
import { QuotaPool } from "../../capacity/index.js";
import { OpenAIServer } from "./openai-server.js";
import { FakeClock, settle, until, WIDE } from "./support.js";

const part = (bytes: number) => new Uint8Array(bytes);

describe("a body", () => {
  const watched = (limits: Partial<typeof INCOMING>) => {
    const clock = new FakeClock();
    const over = new AbortController();
    const request = new AbortController();
    return { clock, over, request, watch: bodyWatch({ ...INCOMING, ...limits }, clock, over.signal, request) };
  };

  test.each([
    [10, [10], undefined],
    [10, [4, 6], undefined],
    [10, [11], "longer than 0 MB"],
    [10, [4, 6, 1], "longer than 0 MB"],
    [3 * 2 ** 20, [2 ** 20, 2 ** 21], undefined],
    [3 * 2 ** 20, [2 ** 20, 2 ** 21, 1], "longer than 3 MB (BULKHEAD_MAX_BODY_MB)"],
  ])("of at most %d bytes, in parts of %j: %s", (maxBodyBytes, parts, says) => {
    const { watch, over } = watched({ maxBodyBytes });
    const all = () => {
      for (const bytes of parts) watch(part(bytes));
    };
    if (says === undefined) all();
    else expect(all).toThrow(says);
    over.abort();
  });

  test("may be silent before its first byte, and for as long as the limit between two", async () => {
    const { clock, over, request, watch } = watched({ idleMs: 1_000 });
    await clock.advance(100_000);
    expect(clock.sleeping).toBe(0);
    for (let n = 0; n < 5; n += 1) {
      watch(part(1));
      await clock.advance(999);
    }
    expect(request.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(request.signal.reason).toMatchObject({
      message: "silent for 1000 ms in the middle of its answer (BULKHEAD_STREAM_IDLE_MS)",
    });
    over.abort();
  });

  test("comments that keep the connection open are no silence", async () => {
    const { clock, over, request, watch } = watched({ idleMs: 1_000 });
    const comment = new TextEncoder().encode(": keep-alive\n\n");
    for (let n = 0; n < 100; n += 1) {
      watch(comment);
      await clock.advance(900);
    }
    expect(request.signal.aborted).toBe(false);
    over.abort();
  });

  test("that is over is watched no more", async () => {
    const { clock, over, request, watch } = watched({ idleMs: 1_000 });
    watch(part(1));
    over.abort();
    await settle();
    expect(clock.sleeping).toBe(0);
    await clock.advance(10_000);
    expect(request.signal.aborted).toBe(false);
  });

  test("that is aborted while it is decompressed is over: Node's own read of it never ends", async () => {
    const raw = [gzipSync("x".repeat(8 * 2 ** 20))];
    await using server = await OpenAIServer.start(() => ({ headers: { "content-encoding": "gzip" }, raw }));
    const request = new AbortController();
    const response = await fetch(server.url, { method: "POST", body: "{}", signal: request.signal });
    const failures: unknown[] = [];
    const reader = followedToTheEnd(response, request.signal, (failure) => failures.push(failure)).body?.getReader();
    await reader?.read();
    await until(() => server.inFlight === 0); // Everything was sent, and much of it is still to be decompressed.
    const reason = new Error("too late");
    request.abort(reason);
    const rest = async () => {
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read());
    };
    await expect(rest()).rejects.toBe(reason);
    expect(failures).toEqual([reason]);
  });
});

test.each([
  [["{}"], undefined],
  [["x".repeat(2_048)], undefined],
  [["{}", "x".repeat(2_049)], "the arguments of its call of t1 are longer than 2 KB (BULKHEAD_MAX_ARGUMENTS_KB)"],
  [["", "", ""], undefined],
  [["", "", "", ""], "it calls 4 tools at once, and may call 3 (BULKHEAD_MAX_TOOL_CALLS)"],
])("calls with %j", (args, excess) => {
  const calls = args.map((each, index) => ({ name: `t${index}`, args: each }));
  expect(excessOf(calls, { ...INCOMING, maxArgumentCharacters: 2_048, maxToolCalls: 3 })).toBe(excess);
});

describe("a redirect", () => {
  const from = (status: number, location: string): typeof fetch => {
    const asked: string[] = [];
    return async (input, init) => {
      asked.push(`${init?.method ?? "GET"} ${String(input)}`);
      if (asked.length > 1) return new Response(asked.join(", "));
      return new Response(null, { status, headers: location === "" ? {} : { location } });
    };
  };
  const ask = async (status: number, location: string, init: RequestInit = { method: "POST", body: "{}" }) =>
    onOneServer(from(status, location))("http://one.example/v1", init);

  test.each([
    ["another host", "http://two.example/v1"],
    ["a host whose name begins the same", "http://one.example.evil/v1"],
    ["another port", "http://one.example:8080/v1"],
    ["another scheme", "https://one.example/v1"],
    ["another host without a scheme", "//two.example/v1"],
    ["another host behind a user", "http://one.example@two.example/v1"],
    ["no address", "http://["],
    ["no location", ""],
    ["a file", "file:///etc/passwd"],
  ])("to %s is refused", async (_, location) => {
    for (const status of [301, 302, 303, 307, 308]) {
      await expect(ask(status, location)).rejects.toThrow(/no prompt follows; set OPENAI_BASE_URL/);
    }
  });

  test("within the server is followed when it repeats the request", async () => {
    expect(await (await ask(307, "/v2")).text()).toBe("POST http://one.example/v1, POST http://one.example/v2");
    expect(await (await ask(308, "http://one.example:80/v2")).text()).toContain("POST http://one.example/v2");
    expect(await (await ask(302, "v2", {})).text()).toBe("GET http://one.example/v1, GET http://one.example/v2");
    for (const status of [301, 302, 303]) await expect(ask(status, "/v2")).rejects.toThrow("loses the body");
    const stream = { method: "POST", body: new Blob(["{}"]).stream() };
    await expect(ask(307, "/v2", stream)).rejects.toThrow("loses the body");
  });

  test("says nothing of a password or a query", async () => {
    await expect(ask(307, "http://u:secret@two.example/v1?key=secret")).rejects.not.toThrow(/secret/);
  });
});

test("limits that nothing can meet are refused", () => {
  const pool = (incoming: object) => () => new QuotaPool({ name: "large", quota: WIDE, incoming });
  expect(pool({ maxBodyBytes: 0 })).toThrow("quota of large: maxBodyBytes must be at least 1");
  expect(pool({ idleMs: Number.NaN })).toThrow("idleMs must be at least 1");
});
