// What models cost, from a table that its user writes and keeps: no price is known here. Money is counted in whole
// billionths of a dollar, rounded up per call, so that sums are exact.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { PriceError } from "./errors.js";
import type { TokenUsage } from "./types.js";

/** Billionths of a dollar in one. */
export const NANO = 1e9;

const dollars = z.number().min(0).max(1e6);

const price = z.strictObject({
  input: dollars.describe("US dollars for a million tokens of the prompt"),
  cachedInput: dollars.exactOptional().describe("the same for those the provider had in its cache; default: as input"),
  output: dollars.describe("US dollars for a million tokens of the answer"),
});

const table = z.strictObject({
  date: z.iso.date().describe("when these prices were looked up"),
  notes: z.string().min(1).describe("where they are from"),
  models: z.record(z.string(), price),
});

/** What one model costs, in US dollars for a million tokens. */
export type ModelPrice = z.output<typeof price>;

/** A price table. `source`: its file, or what else to call it in a message. */
export interface PriceTable extends z.output<typeof table> {
  readonly source: string;
}

/** Without a file: the offline provider costs nothing, and two entries show the form. Their prices are invented. */
export const DEFAULT_PRICES: PriceTable = {
  source: "the built-in price table",
  date: "2026-11-23",
  notes:
    "The offline models are computed here and cost nothing. The example models do not exist; their prices show the form.",
  models: {
    "offline-large": { input: 0, output: 0 },
    "offline-small": { input: 0, output: 0 },
    "example-large": { input: 2, cachedInput: 0.5, output: 8 },
    "example-small": { input: 0.4, output: 1.6 },
  },
};

/**
 * Reads a price table from a `.json`, `.yaml` or `.yml` file.
 *
 * @param options.cwd where relative paths begin; default the working directory
 * @throws PriceError with the file, the field and the fix.
 */
export function readPrices(path: string, { cwd = process.cwd() }: { readonly cwd?: string } = {}): PriceTable {
  const file = resolve(cwd, path);
  let content: unknown;
  try {
    // JSON is read as YAML, which refuses a key that is stated twice.
    content = parse(readFileSync(file, "utf8"), { logLevel: "error" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code?.startsWith("E")
      ? `cannot be read (${code}): correct the path`
      : `is neither JSON nor YAML: ${message}`;
    throw new PriceError(`the price table ${file} ${why.trim()}`);
  }
  const read = table.safeParse(content);
  if (read.success) return { source: file, ...read.data };
  const problems = read.error.issues.map(({ path: at, message }) => `${at.join(".") || "the file"}: ${message}`);
  throw new PriceError(
    `the price table ${file} cannot be used: ${problems.join("; ")}. It needs date, notes and models, each with input and output (US dollars for a million tokens).`,
  );
}

/** What a model costs. @throws PriceError that names the model and the table, when the table does not have it. */
export function priceOf(prices: PriceTable, model: string): ModelPrice {
  const found = Object.hasOwn(prices.models, model) ? prices.models[model] : undefined;
  if (found !== undefined) return found;
  const fix =
    prices === DEFAULT_PRICES
      ? "write a table that has it and set BULKHEAD_PRICES to its path (docs/budgets.md)"
      : "add it there";
  throw new PriceError(
    `a budget in usd needs the price of ${model}, and ${prices.source} has none: ${fix}, or leave usd out of the budget.`,
  );
}

/** What these tokens cost, in whole billionths of a dollar. */
export function costOf({ input, cachedInput = input, output }: ModelPrice, usage: TokenUsage): number {
  const cached = Math.min(usage.cachedTokens ?? 0, usage.inputTokens);
  const perMillion = (usage.inputTokens - cached) * input + cached * cachedInput + usage.outputTokens * output;
  return Math.ceil(Number((perMillion * 1000).toPrecision(15)));
}
