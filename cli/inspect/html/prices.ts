// The prices a person gives, so that the page can say what a thread cost. There are none of our own: they change, and a
// wrong one would be believed.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { UsageError } from "../../exit.js";
import type { Prices } from "./totals.js";

const price = z.number().nonnegative();

const schema = z.strictObject({
  currency: z.string().min(1).max(8),
  perMillion: z.record(z.string(), z.strictObject({ input: price, output: price, cachedInput: price.optional() })),
});

/**
 * Reads a file of prices: `{"currency": "USD", "perMillion": {"MODEL": {"input": 1, "output": 8, "cachedInput": 0.1}}}`,
 * by the model's name, for a million tokens each.
 *
 * @throws UsageError when it cannot be read or is not that.
 */
export async function readPrices(cwd: string, file: string): Promise<Prices> {
  const refused = (why: string): UsageError =>
    new UsageError(
      `${file} has no prices: ${why}. Write {"currency": "USD", "perMillion": {"MODEL": {"input": 1, "output": 8}}}.`,
    );
  const text = await readFile(resolve(cwd, file), "utf8").catch((error: Error) => {
    throw refused(error.message);
  });
  const parsed = schema.safeParse(jsonIn(text));
  if (!parsed.success) throw refused(z.prettifyError(parsed.error).replaceAll("\n", " "));
  const { currency, perMillion } = parsed.data;
  return {
    currency,
    perMillion: Object.fromEntries(
      Object.entries(perMillion).map(([model, { input, output, cachedInput }]) => [
        model,
        { input, output, ...(cachedInput === undefined ? {} : { cachedInput }) },
      ]),
    ),
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The schema says what is missing.
  }
}
