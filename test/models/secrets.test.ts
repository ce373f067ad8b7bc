// Which values of the environment are never recorded, and that no message about them shows one.

import { describe, expect, it } from "vitest";
import { redactionOf } from "../../checkpoints/journal/redaction.js";
import { readSettings, SettingsError } from "../../models/settings.js";
import { hmacSeal } from "../../trust/seal.js";

const read = (env: Readonly<Record<string, string>>) => readSettings(env).secrets;

describe("secrets", () => {
  it("are the keys of providers, and what the user names, each once", () => {
    const env = {
      ...{ OPENAI_API_KEY: "sk-primary", BULKHEAD_FALLBACK_API_KEY: "sk-fallback", BULKHEAD_FALLBACK_MODEL: "m" },
      ...{ CRM_TOKEN: " token-of-crm ", PIN: "123456", SAME: "sk-primary" },
      BULKHEAD_SECRETS: "CRM_TOKEN, PIN\tSAME",
    };
    expect(read(env)).toEqual({ values: ["sk-primary", "sk-fallback", "token-of-crm", "123456"], patterns: [] });
  });

  it("are not what local providers take for a key", () => {
    expect(read({ OPENAI_API_KEY: "none", OPENAI_BASE_URL: "http://localhost/v1" }).values).toEqual([]);
  });

  it("are patterns, separated by spaces", () => {
    expect(read({ BULKHEAD_SECRET_PATTERNS: " sk-[a-z]+ \\b\\d{16}\\b\n" }).patterns).toEqual([
      /sk-[a-z]+/,
      /\b\d{16}\b/,
    ]);
  });

  it.each([
    [{ BULKHEAD_SECRETS: "CRM_TOKN" }, "BULKHEAD_SECRETS names CRM_TOKN, which is not set. Correct that"],
    [{ BULKHEAD_SECRETS: "PIN", PIN: " " }, "BULKHEAD_SECRETS names PIN, which is not set"],
    [{ BULKHEAD_SECRETS: "PIN", PIN: "s3cr3" }, "BULKHEAD_SECRETS names PIN, which has fewer than 6 characters"],
    [{ BULKHEAD_SECRETS: "s3cr3t-itself" }, "BULKHEAD_SECRETS names something that is not set"],
    [{ BULKHEAD_SECRET_PATTERNS: "ok[a-z] s3cr3t(" }, "pattern 2 is no regular expression. Correct it"],
    [
      { BULKHEAD_SECRET_PATTERNS: "(?<=s3cr)3t" },
      "pattern 1 cannot be searched by in linear time: it looks ahead or b",
    ],
    [{ BULKHEAD_SECRET_PATTERNS: "(s3cr)3t\\1" }, "pattern 1 cannot be searched by in linear time: it refers back"],
    [{ BULKHEAD_SECRET_PATTERNS: "(s3cr3t)*" }, "pattern 1 matches the empty text, and so everything"],
  ])("are refused, without being shown: %j", (env, problem) => {
    const refused = () => readSettings(env as unknown as Record<string, string>);
    expect(refused).toThrow(SettingsError);
    expect(refused).toThrow(problem);
    expect(refused).not.toThrow(/s3cr/);
  });

  it("are what the journal takes: what passes here is not refused there", () => {
    const secrets = read({ BULKHEAD_SECRETS: "PIN", PIN: "123456", BULKHEAD_SECRET_PATTERNS: "sk-.+" });
    const redaction = redactionOf(secrets, hmacSeal(Buffer.alloc(32)));
    expect(redaction.text("pin 123456")).toMatch(/^pin \[secret:[0-9a-f]{16}\]$/);
  });
});
