// P17 of trust-replay.md: when the journal fails, nothing is dispatched. Any call of the journal rejects, rejects after
// it was done, or never comes back, at random places of a run and of the runs that resume it.

import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { type Journal, JournalError, openJournal } from "../../checkpoints/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { runs, smallAgent, task } from "./agent.js";

const numRuns = runs(150);

const anyFault = fc.record({
  /** Which call of the run, counted from its beginning. A run that pays makes about eighty. */
  at: fc.integer({ min: 1, max: 90 }),
  how: fc.constantFrom("rejects", "rejects late", "hangs", "hangs late", "closed"),
  /** A full disk stays full; a lock goes away. */
  stays: fc.boolean(),
});
type Fault = typeof anyFault extends fc.Arbitrary<infer One> ? One : never;

const statistics = { sent: 0, failedBefore: 0, failedAfter: 0 };

/** One run's view of the journal, which fails as told. */
class FailingJournal {
  calls = 0;
  failed = false;
  private tell: (() => void) | undefined;
  /** Resolves when the run stands still for ever. */
  readonly hangs = new Promise<void>((resolve) => {
    this.tell = resolve;
  });

  constructor(
    private readonly journal: Journal,
    private readonly fault: Fault | undefined,
  ) {}

  readonly view: Journal = new Proxy({} as Journal, {
    get: (_, name) => {
      const value: unknown = Reflect.get(this.journal, name);
      if (typeof value !== "function") return value;
      if (name === "id" || name === "keep") return value.bind(this.journal); // They only compute.
      return async (...args: unknown[]) => {
        const result: unknown = await this.perform(() => value.apply(this.journal, args));
        if (name !== "leaseEffect" || result === undefined) return result;
        const { lost, release } = result as { lost: AbortSignal; release: () => Promise<void> };
        return { lost, release: () => this.perform(() => release()) };
      };
    },
  });

  private async perform(call: () => unknown): Promise<unknown> {
    const { at, how, stays } = this.fault ?? { at: 0, how: "", stays: false };
    this.calls += 1;
    if (this.calls !== at && !(this.failed && stays)) return call();
    this.failed = true;
    if (how === "closed") await this.journal.close(); // Then it fails by itself.
    if (how === "closed" || how.endsWith("late")) await call();
    if (!how.startsWith("hangs")) throw new JournalError("JOURNAL_UNAVAILABLE", "memory:", "the disk is full");
    this.tell?.();
    return new Promise(() => undefined);
  }
}

async function play(words: string, faults: readonly Fault[]): Promise<void> {
  let now = Date.parse("2030-01-01T00:00:00Z");
  const sleep = async () => {
    now += 10_000; // Whoever waits for a run that stands still gets its lease in the end.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const journal = openJournal("memory:", { clock: { now: () => now, sleep }, every: () => () => undefined });
  const sent = new Map<string, number>();
  const problems: string[] = [];
  let failing = new FailingJournal(journal, undefined);
  const switching = new Proxy(journal, { get: (_, name) => Reflect.get(failing.view, name) });
  const reading = { description: "Reads.", schema: z.object({}), effect: "none", source: { integrity: 2 } } as const;
  const tools = [
    defineTool({ ...reading, name: "look", run: () => "a record" }),
    defineTool({
      name: "pay",
      description: "Pays.",
      schema: z.object({ to: z.string() }),
      source: {},
      run: async (_, { idempotencyKey }) => {
        if (failing.failed) problems.push("sent although the journal had failed");
        const stored = await journal.effect(idempotencyKey);
        if (stored?.status !== "dispatched") problems.push(`sent, and stored as ${stored?.status}`);
        sent.set(idempotencyKey, (sent.get(idempotencyKey) ?? 0) + 1);
        return "paid";
      },
    }),
  ] as unknown as HarnessTool[];
  const mind = (word: string) => ({
    calls: word.split("+").map((name, index) => ({ name, args: name === "pay" ? { to: String(index) } : {} })),
  });
  const { graph } = smallAgent({ journal: switching, tools, mind });
  const config = { configurable: { thread_id: "thread" } };
  let closed = false;
  // The runs that fail, and one at the end that may finish.
  for (const [index, fault] of [...faults, undefined].entries()) {
    failing = new FailingJournal(journal, fault);
    const before = sent.size;
    const run = graph.invoke((index === 0 ? task(words) : null) as never, { ...config, durability: "sync" });
    await Promise.race([run.catch(() => undefined), failing.hangs]);
    statistics[sent.size > before ? "failedAfter" : "failedBefore"] += failing.failed ? 1 : 0;
    closed = failing.failed && fault?.how === "closed";
    if (closed) break;
  }
  expect(problems).toEqual([]);
  for (const times of sent.values()) expect(times, "sent twice").toBe(1);
  statistics.sent += sent.size;
  if (closed) return;
  const dispatched = (await journal.effects()).filter(({ status }) => status !== "intended");
  expect(sent.size, "sent and not in the ledger").toBeLessThanOrEqual(dispatched.length);
  await journal.close();
}

it("P17: when the journal fails, nothing is dispatched", { timeout: 60_000 + numRuns * 1_000 }, async () => {
  const words = fc.constantFrom("pay", "look pay", "pay+pay", "pay look");
  await fc.assert(fc.asyncProperty(words, fc.array(anyFault, { minLength: 1, maxLength: 2 }), play), {
    numRuns,
    // What a tool answered cannot be written down: that is no answer of the tool's.
    examples: [["look pay", [3, 22].map((at) => ({ at, how: "rejects" as const, stays: false }))]],
  });
  expect(statistics.failedBefore).toBeGreaterThan(numRuns / 3);
  expect(statistics.failedAfter).toBeGreaterThan(numRuns / 20);
  expect(statistics.sent).toBeGreaterThan(numRuns / 10);
});
