// The offline provider over plain HTTP: headers, journal, models, embeddings, quota, determinism, and its life.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { OpenAIEmbeddings } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../capacity/index.js";
import { eventsOf, lookUpTools, startProvider, stoppedClock } from "./support.js";

describe("over plain HTTP", () => {
  it("sends request id, rate-limit headers and an unbroken event stream", async () => {
    const { post, provider } = await startProvider();
    const response = await post({ stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("x-request-id")).toBe(provider.requests[0]?.id);
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("1200");
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("99");
    expect(response.headers.get("x-ratelimit-limit-tokens")).toBe("600000");
    expect(response.headers.get("x-ratelimit-reset-tokens")).toMatch(/^\d+ms$/);
    const events = eventsOf(await response.text());
    expect(events.at(-1)).toBe("[DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    expect(chunks[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
    expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens_details: { cached_tokens: 0 } } });
  });

  it("sends no usage in a stream unless asked", async () => {
    const { post } = await startProvider();
    expect(await (await post({ stream: true })).text()).not.toContain("usage");
  });

  it("keeps a journal", async () => {
    const { post, provider } = await startProvider({ clock: stoppedClock(5_000) });
    await (await post({})).text();
    await (await post({ model: "nope" })).text();
    expect(provider.requests).toMatchObject([
      { at: 5_000, method: "POST", path: "/v1/chat/completions", status: 200 },
      { body: expect.stringContaining("nope"), status: 404 },
    ]);
  });

  it("lists its models", async () => {
    const { url } = await startProvider();
    const listing = await (await fetch(`${url}/models`)).json();
    expect(listing).toMatchObject({ object: "list", data: [{ id: "offline-large" }, { id: "offline-small" }] });
  });

  it("answers an unknown path as the API does", async () => {
    const { url } = await startProvider();
    const response = await fetch(`${url}/responses`, { method: "POST", body: "{}" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "unknown_url", type: "invalid_request_error" } });
  });

  it("reports a brain that fails as its own error", async () => {
    const brain = () => {
      throw new Error("no rule");
    };
    const { post } = await startProvider({ brain });
    const response = await post({});
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("no rule") } });
  });
});

describe("embeddings", () => {
  it("embeds through the injected embedder, as floats and as bytes", async () => {
    const { url } = await startProvider({ embed: async (texts) => texts.map((text) => [text.length, 0.5]) });
    for (const encoding of [{ encodingFormat: "float" }, {}] as const) {
      const embeddings = new OpenAIEmbeddings({
        model: "minilm",
        apiKey: "none",
        maxRetries: 0,
        ...encoding,
        configuration: { baseURL: url },
      });
      expect(await embeddings.embedDocuments(["a", "bcd"])).toEqual([
        [1, 0.5],
        [3, 0.5],
      ]);
    }
  });

  it("says that it has none", async () => {
    const { url } = await startProvider();
    const response = await fetch(`${url}/embeddings`, { method: "POST", body: '{"model":"m","input":"x"}' });
    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("without an embedding") },
    });
  });
});

describe("quota", () => {
  const quota = { requestsPerMinute: 60, tokensPerMinute: 100_000, inFlight: 2 };

  it("refuses what is over, says when to come back, and is right about it", async () => {
    const clock = stoppedClock();
    const { post } = await startProvider({ clock, quotas: { "offline-large": quota } });
    for (let n = 0; n < 5; n += 1) expect((await post({})).status).toBe(200);
    const refused = await post({});
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("retry-after-ms")).toBe("1000");
    expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded", type: "requests" } });
    expect((await post({ model: "offline-small" })).status).toBe(200);
    clock.advance(1_000);
    expect((await post({})).status).toBe(200);
  });

  it("counts requests in flight, and gives the slot of a caller back who left", async () => {
    let fallAsleep = (): void => undefined;
    const asleep = new Promise<void>((resolve) => {
      fallAsleep = resolve;
    });
    const clock = { now: () => 0, sleep: (_ms: number, signal?: AbortSignal) => untilLeft(signal, fallAsleep) };
    const { post, provider } = await startProvider({
      clock,
      quotas: { "offline-large": { ...quota, inFlight: 1 } },
      faults: [{ kind: "slow", rate: 1, after: 0, times: 1 }],
    });
    const caller = new AbortController();
    const slow = post({}, caller.signal);
    await asleep;
    expect((await post({})).status).toBe(429);
    caller.abort();
    await expect(slow).rejects.toThrow();
    await until(async () => (await post({})).status === 200);
    expect(provider.requests[0]?.fault).toBe("slow");
  });
});

describe("determinism", () => {
  const conversation = async (seed: number) => {
    const { post } = await startProvider({ seed, clock: stoppedClock() });
    const answers = [
      await post({ tools: lookUpTools }),
      await post({ tools: lookUpTools }),
      await post({ stream: true, tools: lookUpTools }),
    ];
    return Promise.all(answers.map(async (each) => [each.headers.get("x-request-id"), await each.text()]));
  };

  it("gives the same bytes under the same seed, and other ids under another", async () => {
    const first = await conversation(7);
    expect(await conversation(7)).toEqual(first);
    expect((await conversation(8))[0]?.[0]).not.toBe(first[0]?.[0]);
    expect(first[0]?.[1]).not.toBe(first[1]?.[1]);
  });
});

it("starts once, closes, and starts again", async () => {
  const { provider, url } = await startProvider();
  expect(await provider.listen()).toBe(url);
  await provider.close();
  await provider.close();
  await expect(fetch(`${url}/models`)).rejects.toThrow();
  expect((await fetch(`${await provider.listen()}/models`)).status).toBe(200);
});

it("keeps no process alive, also with a request in its hands", async () => {
  const script = `
    import { OfflineProvider, parseFault } from "./models/offline/index.ts";
    const provider = new OfflineProvider({ faults: [parseFault("timeout,after=1")] });
    const url = await provider.listen();
    const body = JSON.stringify({ model: "offline-large", messages: [{ role: "user", content: "hi" }] });
    const { status } = await fetch(url + "/chat/completions", { method: "POST", body });
    await fetch(url + "/chat/completions", { method: "POST", body, signal: AbortSignal.timeout(50) }).catch(() => {});
    const done = performance.now();
    process.on("exit", () => process.stdout.write(JSON.stringify({ status, lingered: performance.now() - done })));
  `;
  const argv = ["--import", "tsx", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 20_000 });
  const { status, lingered } = JSON.parse(stdout);
  expect(status).toBe(200);
  expect(lingered).toBeLessThan(3_000); // An idle connection would hold it for five seconds.
});

const untilLeft = (signal: AbortSignal | undefined, started: () => void): Promise<void> =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    started();
  });

/** Asks again until it is so; the server learns of a closed connection in its own time. */
const until = async (so: () => Promise<boolean>): Promise<void> => {
  while (!(await so())) await systemClock.sleep(5);
};
