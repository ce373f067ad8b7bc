import { it } from "vitest";
import { z } from "zod";
import { openJournal } from "../../checkpoints/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { smallAgent, task } from "./agent.js";

it("costs", { timeout: 100_000 }, async () => {
  const tools = [
    defineTool({ name: "look", description: "", schema: z.object({}), effect: "none", source: { integrity: 2 }, run: () => "x" }),
    defineTool({ name: "pay", description: "", schema: z.object({ to: z.string() }), source: {}, run: () => "paid" }),
  ] as unknown as HarnessTool[];
  let inside = 0; let count = 0;
  const journal = openJournal("memory:");
  const t0 = performance.now();
  await journal.threads();
  console.log("open", performance.now() - t0);
  const watched = new Proxy(journal, { get(target, name) {
    const value = Reflect.get(target, name);
    return typeof value !== "function" ? value : (...args: unknown[]) => {
      const t = performance.now(); count++;
      const result = value.apply(target, args);
      inside += performance.now() - t;
      if (!(result instanceof Promise)) return result;
      return result.finally(() => {  });
    };
  }});
  const { graph } = smallAgent({ journal: watched, tools, mind: (word) => ({ calls: [{ name: word, args: word === "pay" ? { to: String(Math.random()) } : {} }] }) });
  for (let round = 0; round < 5; round++) {
    inside = 0; count = 0;
    const c = process.cpuUsage();
    const t = performance.now();
    for (let i = 0; i < 20; i++) await graph.invoke(task("look pay") as never, { configurable: { thread_id: `t${round}-${i}` } });
    console.log("run", (performance.now() - t) / 20, "cpu", process.cpuUsage(c).user / 20000, "journal sync", inside / 20, count / 20);
  }
});
