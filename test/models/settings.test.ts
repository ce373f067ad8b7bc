// The environment: what it means, and how a mistake in it is explained.

import { describe, expect, it } from "vitest";
import { ENVIRONMENT } from "../../models/environment.js";
import { readSettings, SettingsError } from "../../models/settings.js";

const key = { OPENAI_API_KEY: "sk-secret" };

describe("readSettings", () => {
  it("means the offline provider when nothing is set", () => {
    const quota = {
      requestsPerMinute: 1_200,
      tokensPerMinute: 600_000,
      inFlight: 32,
      headroom: 0.8,
      maxHeadroom: 0.98,
    };
    expect(readSettings({})).toEqual({
      offline: { primary: quota, fallback: quota },
      maxQueued: 100_000,
      // A fault of the offline provider may never end: it is there to show what comes of it.
      patience: { admission: "auto", patienceMs: 0 },
      maxWaitMs: 60_000,
      callTimeoutMs: 10_000,
      incoming: { idleMs: 60_000, maxBodyBytes: 32 * 2 ** 20, maxArgumentCharacters: 2 ** 20, maxToolCalls: 128 },
      database: "sqlite:.bulkhead/bulkhead.db",
      secrets: { values: [], patterns: [] },
      policy: "balanced",
      workspace: "workspace",
      faults: [],
      seed: 0,
    });
  });

  it("counts empty variables as unset, as a copied .env.example leaves them", () => {
    const empty = Object.fromEntries(ENVIRONMENT.map(({ name }) => [name, " "]));
    expect(readSettings(empty)).toEqual(readSettings({}));
  });

  it("means OpenAI with a key alone", () => {
    const { provider, callTimeoutMs, patience } = readSettings(key);
    expect(patience).toEqual({ admission: "auto", patienceMs: 900_000 });
    expect(provider).toEqual({
      primary: {
        model: "gpt-4.1",
        baseUrl: "https://api.openai.com/v1",
        apiKey: "sk-secret",
        quota: { requestsPerMinute: 500, inFlight: 16, headroom: 0.8, maxHeadroom: 0.98 },
        logprobs: true,
      },
    });
    expect(callTimeoutMs).toBe(60_000);
  });

  it("needs no key for a base URL", () => {
    const { provider } = readSettings({ OPENAI_BASE_URL: "http://localhost:11434/v1/", BULKHEAD_MODEL: "llama3" });
    expect(provider?.primary).toMatchObject({ model: "llama3", baseUrl: "http://localhost:11434/v1", logprobs: false });
    expect(provider?.primary).not.toHaveProperty("apiKey");
  });

  it("reads each route's quota", () => {
    const { provider } = readSettings({
      ...key,
      BULKHEAD_REQUESTS_PER_MINUTE: "90",
      BULKHEAD_TOKENS_PER_MINUTE: "30000",
      BULKHEAD_IN_FLIGHT: "4",
      BULKHEAD_HEADROOM: "0.5",
      BULKHEAD_MAX_HEADROOM: "0.7",
      BULKHEAD_FALLBACK_MODEL: "small",
      BULKHEAD_FALLBACK_REQUESTS_PER_MINUTE: "30",
      BULKHEAD_FALLBACK_HEADROOM: "1",
    });
    expect(provider?.primary.quota).toEqual({
      requestsPerMinute: 90,
      tokensPerMinute: 30_000,
      inFlight: 4,
      headroom: 0.5,
      maxHeadroom: 0.7,
    });
    expect(provider?.fallback?.quota).toEqual({
      requestsPerMinute: 30,
      inFlight: 16,
      headroom: 1,
      maxHeadroom: 0.98,
    });
  });

  it("reads who shares the quotas, how many may wait, and what the routes can do", () => {
    expect(readSettings(key)).toMatchObject({ maxQueued: 100_000 });
    expect(readSettings(key)).not.toHaveProperty("fleet");
    expect(readSettings({ ...key, BULKHEAD_QUOTA: "process" })).not.toHaveProperty("fleet");
    const settings = readSettings({
      ...key,
      BULKHEAD_QUOTA: "redis://127.0.0.1:6379",
      BULKHEAD_QUOTA_PROCESSES: "7",
      BULKHEAD_MAX_QUEUED: "9",
      BULKHEAD_SPILL_MS: "5000",
      BULKHEAD_CONTEXT_TOKENS: "128000",
      BULKHEAD_FALLBACK_MODEL: "small",
      BULKHEAD_FALLBACK_CONTEXT_TOKENS: "8000",
      BULKHEAD_FALLBACK_TOOLS: "off",
    });
    expect(settings).toMatchObject({
      ...{ fleet: { url: "redis://127.0.0.1:6379", processes: 7 }, maxQueued: 9, spillMs: 5000 },
      provider: { primary: { contextTokens: 128_000 }, fallback: { contextTokens: 8_000, tools: false } },
    });
    expect(() => readSettings({ BULKHEAD_QUOTA: "memcached://x" })).toThrow("BULKHEAD_QUOTA must be process, redis://");
  });

  it("reads what answers may be like", () => {
    const env = { BULKHEAD_STREAM_IDLE_MS: "9", BULKHEAD_MAX_BODY_MB: "2", BULKHEAD_MAX_ARGUMENTS_KB: "3" };
    expect(readSettings({ ...key, ...env, BULKHEAD_MAX_TOOL_CALLS: "4" }).incoming).toEqual({
      ...{ idleMs: 9, maxBodyBytes: 2 * 2 ** 20, maxArgumentCharacters: 3 * 1024, maxToolCalls: 4 },
    });
  });

  it("reads other names of the models, each for its own route", () => {
    const { provider } = readSettings({
      ...key,
      BULKHEAD_MODEL_ALIASES: "gpt-4o-2024-08-06, /models/my qwen.gguf,large-preview-*",
      BULKHEAD_FALLBACK_MODEL: "small",
      BULKHEAD_FALLBACK_MODEL_ALIASES: "tiny",
    });
    expect(provider?.primary.aliases).toEqual(["gpt-4o-2024-08-06", "/models/my qwen.gguf", "large-preview-*"]);
    expect(provider?.fallback?.aliases).toEqual(["tiny"]);
    expect(readSettings(key).provider?.primary).not.toHaveProperty("aliases");
    const refused = (env: Record<string, string>) => expect(() => readSettings(env));
    for (const names of ["*", "a,*", "a*b", "a,,b", "a**"]) {
      refused({ ...key, BULKHEAD_MODEL_ALIASES: names }).toThrow("BULKHEAD_MODEL_ALIASES must be names separated by");
    }
    refused({ BULKHEAD_MODEL_ALIASES: "a" }).toThrow("BULKHEAD_MODEL_ALIASES needs a provider");
    refused({ ...key, BULKHEAD_FALLBACK_MODEL_ALIASES: "a" }).toThrow("needs BULKHEAD_FALLBACK_MODEL");
  });

  it("gives the fallback the primary's endpoint and key, but never sends that key to another endpoint", () => {
    const fallback = (env: Record<string, string>) =>
      readSettings({ ...key, BULKHEAD_FALLBACK_MODEL: "small", ...env }).provider?.fallback;
    expect(fallback({})).toMatchObject({ baseUrl: "https://api.openai.com/v1", apiKey: "sk-secret" });
    const elsewhere = { BULKHEAD_FALLBACK_BASE_URL: "https://other.example/v1" };
    expect(fallback(elsewhere)).not.toHaveProperty("apiKey");
    expect(fallback({ ...elsewhere, BULKHEAD_FALLBACK_API_KEY: "other" })).toMatchObject({ apiKey: "other" });
  });

  it("asks for log-probabilities as told", () => {
    expect(readSettings({ ...key, BULKHEAD_LOGPROBS: "off" }).provider?.primary.logprobs).toBe(false);
    expect(readSettings({ ...key, BULKHEAD_LOGPROBS: "5" }).provider?.primary).toMatchObject({
      logprobs: true,
      topLogprobs: 5,
    });
    expect(() => readSettings({ ...key, BULKHEAD_LOGPROBS: "21" })).toThrow("BULKHEAD_LOGPROBS must be on, off");
    const vllm = { OPENAI_BASE_URL: "http://localhost:8000/v1", BULKHEAD_LOGPROBS: "on" };
    expect(readSettings(vllm).provider?.primary.logprobs).toBe(true);
  });

  it("reads faults, separated by spaces or semicolons", () => {
    const { faults } = readSettings({ BULKHEAD_FAULTS: "outage:offline-large; slow,rate=0.5  timeout" });
    expect(faults.map(({ kind }) => kind)).toEqual(["outage", "slow", "timeout"]);
  });

  it.each([
    ["BULKHEAD_REQUESTS_PER_MINUTE", "many", "must be a whole number, 1 or more"],
    ["BULKHEAD_REQUESTS_PER_MINUTE", "0", "must be a whole number"],
    ["BULKHEAD_IN_FLIGHT", "1.5", "must be a whole number"],
    ["BULKHEAD_HEADROOM", "80", "must be a number above 0, up to 1"],
    ["BULKHEAD_FALLBACK_HEADROOM", "0", "must be a number above 0"],
    ["BULKHEAD_MAX_WAIT_MS", "1m", "must be milliseconds"],
    ["BULKHEAD_CALL_TIMEOUT_MS", "-1", "must be milliseconds"],
    ["OPENAI_BASE_URL", "localhost:11434", "must be an http:// or https:// address"],
    ["BULKHEAD_DB", "mysql://x", "must be sqlite:PATH, postgres://… or memory:"],
    ["BULKHEAD_SEED", "x", "must be a whole number, 0 or more"],
    ["BULKHEAD_FAULTS", "rate-limt", 'fault "rate-limt": unknown kind'],
    ["BULKHEAD_MODEL", "gpt-4.1", "needs a provider: set OPENAI_API_KEY or OPENAI_BASE_URL"],
    ["BULKHEAD_FALLBACK_MODEL", "small", "needs a provider"],
  ])("refuses %s=%s", (name, value, problem) => {
    const read = () => readSettings({ [name]: value });
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(expect.objectContaining({ code: "SETTINGS" }));
    expect(read).toThrow(name);
    expect(read).toThrow(problem);
  });

  it.each([["BULKHEAD_LOGPROBS", "maybe", "must be on, off, or a whole number from 1 to 20"]])(
    "refuses %s=%s of a provider",
    (name, value, problem) => {
      expect(() => readSettings({ ...key, [name]: value })).toThrow(`${name} ${problem}`);
    },
  );

  it("refuses a fallback's settings without a fallback", () => {
    expect(() => readSettings({ ...key, BULKHEAD_FALLBACK_IN_FLIGHT: "4" })).toThrow(
      "BULKHEAD_FALLBACK_IN_FLIGHT needs BULKHEAD_FALLBACK_MODEL",
    );
  });

  it("never repeats a value, which may be a secret", () => {
    const secret = "user:hunter2@host";
    for (const name of ["OPENAI_BASE_URL", "BULKHEAD_DB"]) {
      expect(() => readSettings({ [name]: secret })).not.toThrow(secret);
    }
  });
});

describe("ENVIRONMENT", () => {
  it("describes every variable once, with the default that really holds", () => {
    const names = ENVIRONMENT.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^(OPENAI|BULKHEAD)_[A-Z_]+$/.test(name))).toEqual([]);
    expect(ENVIRONMENT.every(({ description }) => description.length > 20)).toBe(true);
    expect(ENVIRONMENT.find(({ name }) => name === "BULKHEAD_REQUESTS_PER_MINUTE")?.default).toBe(
      "500 (offline provider: 1200)",
    );
    expect(ENVIRONMENT.find(({ name }) => name === "OPENAI_API_KEY")?.default).toBe("none");
  });

  it("stays readable when its defaults are set by hand", () => {
    const plain = ENVIRONMENT.map(({ name, default: value }) => [name, value.split(" (")[0]] as const);
    const defaults = Object.fromEntries(
      plain.filter(([name, value]) => value !== "none" && !name.startsWith("BULKHEAD_FALLBACK_")),
    );
    expect(readSettings({ ...key, ...defaults })).toEqual(readSettings(key));
  });
});
