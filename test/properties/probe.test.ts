import { expect, it } from "vitest";
import { z } from "zod";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { smallAgent, task } from "./agent.js";

it("costs", { timeout: 100_000 }, async () => {
  let done = 0;
  const tools = [
    defineTool({ name: "look", description: "", schema: z.object({}), effect: "none", source: { integrity: 2 }, run: () => "x" }),
    defineTool({ name: "pay", description: "", schema: z.object({ to: z.string() }), source: {}, run: () => { done++; return "paid"; } }),
  ] as unknown as HarnessTool[];
  for (let round = 0; round < 3; round++) {
    let t = performance.now();
    const list = [];
    for (let i = 0; i < 20; i++) list.push(smallAgent({ tools, mind: (word) => ({ calls: [{ name: word, args: word === "pay" ? { to: "a" } : {} }] }) }));
    console.log("build", (performance.now() - t) / 20);
    t = performance.now();
    for (const { graph } of list) await graph.invoke(task("look pay") as never, { configurable: { thread_id: "t" } });
    console.log("run", (performance.now() - t) / 20, done);
    t = performance.now();
    for (const { graph } of list) await graph.updateState({ configurable: { thread_id: "t" } }, task("look pay") as never);
    console.log("update", (performance.now() - t) / 20, done);
    const events = await list[0]!.journal.events({ thread: "t" });
    if (round === 0) console.log(events.map((e) => `${e.scope.node} ${e.event.kind} ${(e.event as any).verdict ?? (e.event as any).error ?? ""}`).join("\n"));
  }
});
