// Which model answers for which settings, and that it does.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { HumanMessage } from "@langchain/core/messages";
import { describe, expect, it, onTestFinished } from "vitest";
import { OfflineProvider, parseFault } from "../../models/offline/index.js";
import { probeModel } from "../../models/probe.js";
import { type ResolveOptions, resolveModel } from "../../models/resolve.js";
import { readSettings, SettingsError } from "../../models/settings.js";
import { echo, startProvider } from "./support.js";

const resolved = (env: Record<string, string> = {}, options: ResolveOptions = {}) => {
  const model = resolveModel(readSettings(env), options);
  onTestFinished(() => model.close());
  return model;
};

describe("without a provider", () => {
  it("is the offline stand-in, and says what that is", () => {
    const { description, offline } = resolved();
    expect(description).toEqual({
      provider: "offline",
      model: "offline-large",
      fallback: "offline-small",
      offline: true,
      sentence:
        "model: offline-large, a deterministic rule-based stand-in for this workspace, not a language model " +
        "(set OPENAI_API_KEY or OPENAI_BASE_URL for a real one)",
    });
    expect(offline).toBeInstanceOf(OfflineProvider);
    expect(offline?.requests).toEqual([]);
  });

  it("starts its provider at the first call and answers over HTTP", async () => {
    const provider = new OfflineProvider({ brain: echo });
    onTestFinished(() => provider.close());
    const { model } = resolved({}, { provider });
    const answer = await model.invoke([new HumanMessage("hello")]);
    expect(answer.content).toBe("You said: hello");
    expect(provider.requests).toMatchObject([{ path: "/v1/chat/completions", status: 200 }]);
    const { temperature, logprobs } = JSON.parse(provider.requests[0]?.body ?? "{}");
    expect({ temperature, logprobs }).toEqual({ temperature: 0, logprobs: true });
  });

  it("falls back to offline-small when offline-large is out", async () => {
    const provider = new OfflineProvider({ brain: echo, faults: [parseFault("outage:offline-large")] });
    onTestFinished(() => provider.close());
    const { model } = resolved({}, { provider, random: () => 0 });
    const answer = await model.invoke([new HumanMessage("hello")]);
    expect(answer.response_metadata["bulkhead"]).toMatchObject({ route: "offline-small", primary: "offline-large" });
  });

  it("passes faults and seed to the provider it makes", async () => {
    const first = resolved({ BULKHEAD_FAULTS: "outage", BULKHEAD_SEED: "3" }, { random: () => 0 });
    const second = resolved({ BULKHEAD_FAULTS: "outage", BULKHEAD_SEED: "4" }, { random: () => 0 });
    for (const { model } of [first, second]) await expect(model.invoke("hello")).rejects.toThrow("503");
    const faults = first.offline?.requests.map(({ fault }) => fault) ?? [];
    expect(new Set(faults)).toEqual(new Set(["outage"]));
    expect(first.offline?.requests[0]?.body).toBe(second.offline?.requests[0]?.body);
    expect(first.offline?.requests[0]?.id).not.toBe(second.offline?.requests[0]?.id);
  });

  it("closes the provider it made, and not the one it was given", async () => {
    const { provider, url } = await startProvider();
    await resolved({}, { provider }).close();
    expect((await fetch(`${url}/models`)).status).toBe(200);
    const own = resolved();
    const ownUrl = await own.offline?.listen();
    await own.close();
    await expect(fetch(`${ownUrl}/models`)).rejects.toThrow();
  });

  it("serves embeddings with the embedded model", async () => {
    const { offline } = resolved();
    const url = await offline?.listen();
    const response = await fetch(`${url}/embeddings`, {
      method: "POST",
      body: '{"model":"minilm-l6-v2","input":["a"]}',
    });
    const { data } = (await response.json()) as { data: { embedding: number[] }[] };
    expect(data[0]?.embedding).toHaveLength(384);
  });
});

describe("with a provider", () => {
  it("names model, host and fallback", () => {
    expect(resolved({ OPENAI_API_KEY: "k" }).description).toEqual({
      provider: "openai",
      model: "gpt-4.1",
      offline: false,
      baseUrl: "https://api.openai.com/v1",
      sentence: "model: gpt-4.1 at api.openai.com, fallback none",
    });
    const local = {
      OPENAI_BASE_URL: "http://localhost:11434/v1",
      BULKHEAD_MODEL: "llama3",
      BULKHEAD_FALLBACK_MODEL: "phi",
    };
    expect(resolved(local).description).toMatchObject({
      provider: "localhost:11434",
      fallback: "phi",
      sentence: "model: llama3 at localhost:11434, fallback phi",
    });
    expect(resolved({ ...local, BULKHEAD_FALLBACK_BASE_URL: "https://api.openai.com/v1" }).description.sentence).toBe(
      "model: llama3 at localhost:11434, fallback phi at api.openai.com",
    );
  });

  it("asks the configured endpoint, with a placeholder where there is no key", async () => {
    const { url, provider } = await startProvider();
    const { model, offline } = resolved({ OPENAI_BASE_URL: url, BULKHEAD_MODEL: "offline-small" });
    expect((await model.invoke("hello")).content).toBe("You said: hello");
    expect(provider.requests).toHaveLength(1);
    expect(JSON.parse(provider.requests[0]?.body ?? "{}")).toMatchObject({ model: "offline-small", temperature: 0 });
    expect(offline).toBeUndefined();
  });

  it("leaves sampling alone for models that refuse to be told", async () => {
    const bodies = await bodiesAsked("gpt-5-mini");
    expect(bodies[0]).not.toHaveProperty("temperature");
    expect(bodies[0]).not.toHaveProperty("logprobs");
  });

  it("refuses faults", () => {
    const settings = { ...readSettings({ OPENAI_API_KEY: "k" }), faults: [parseFault("outage")] };
    expect(() => resolveModel(settings)).toThrow(SettingsError);
    expect(() => resolveModel(settings)).toThrow("--fault works with the offline provider only; unset OPENAI_API_KEY");
  });
});

describe("probeModel", () => {
  const answering = async (status: number, body: unknown) => {
    const server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
    return resolved({ OPENAI_BASE_URL: await listening(server) });
  };

  it("finds the offline provider", async () => {
    expect(await probeModel(resolved())).toEqual({
      ok: true,
      message: "the offline provider answers and has offline-large",
    });
  });

  it("names the variable to look at", async () => {
    const unreachable = await probeModel(resolved({ OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }));
    expect(unreachable).toMatchObject({
      ok: false,
      message: expect.stringContaining("cannot reach http://127.0.0.1:1/v1"),
    });
    expect(unreachable.message).toContain("Check OPENAI_BASE_URL");
    expect((await probeModel(await answering(401, {}))).message).toContain(
      "refuses the key (401). Check OPENAI_API_KEY",
    );
    expect((await probeModel(await answering(404, {}))).message).toContain("answers 404");
    const listed = await probeModel(await answering(200, { data: [{ id: "llama3" }] }));
    expect(listed).toMatchObject({
      ok: false,
      message: expect.stringContaining("Set BULKHEAD_MODEL; it lists: llama3."),
    });
    expect((await probeModel(await answering(200, { data: [{ id: "gpt-4.1" }] }))).ok).toBe(true);
    expect((await probeModel(await answering(200, "hm"))).ok).toBe(true);
  });

  it("gives up in time", async () => {
    const silent = await listening(createServer());
    const { ok, message } = await probeModel(resolved({ OPENAI_BASE_URL: silent }), 50);
    expect({ ok, message }).toMatchObject({ ok: false, message: expect.stringContaining("cannot reach") });
    expect(message).toContain("timeout");
  });
});

/** Starts a server for this test; its base URL. */
const listening = async (server: Server): Promise<string> => {
  await new Promise<void>((started) => server.listen(0, "127.0.0.1", started));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
};

/** The bodies that a model of this name sends. */
const bodiesAsked = async (name: string): Promise<unknown[]> => {
  const { url, provider } = await startProvider();
  const { model } = resolved({ OPENAI_BASE_URL: url, BULKHEAD_MODEL: name, BULKHEAD_LOGPROBS: "on" });
  await expect(model.invoke("hello")).rejects.toThrow();
  return provider.requests.map(({ body }) => JSON.parse(body));
};

it("has one retry authority: a dead primary is asked three times for one call, by nobody else again", async () => {
  const provider = new OfflineProvider({
    brain: () => ({ content: "hello", toolCalls: [] }),
    faults: [parseFault("outage:offline-large")],
  });
  const { model } = resolveModel(readSettings({}), { provider });
  await model.invoke("hi");
  const asked = provider.requests.map(({ body }) => (JSON.parse(body) as { model: string }).model);
  expect(asked).toEqual(["offline-large", "offline-large", "offline-large", "offline-small"]);
  await provider.close();
});
