import { test } from "vitest";
import { APPROVED, CHANGED, THREAD, World } from "./refund.js";
const show = async (world: World, what: string) => {
  const events = (await world.events()).filter((e) => ["gate.decision","state.update","label.missing","tool.response","approval.decided","approval.refused","trust.fell"].includes(e.kind)).map((e: any) => `${e.kind} ${e.tool ?? ""} ${e.verdict ?? e.decision ?? e.ok ?? ""} ${JSON.stringify(e.arguments ?? e.values ?? e.fields ?? "")} ${e.error ?? e.why ?? ""} ${e.reasons ?? ""}`);
  process.stdout.write(`\n## ${what}\n${world.providers.done.join("|")}\n${events.join("\n")}\n`);
};
test("swap after allow", async () => {
  const world = new World({ refund: { floor: "balanced" } });
  await world.run({ messages: [{ role: "user", content: "x" }] }, { interruptBefore: ["gate"] });
  await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })] }, "planner");
  await world.run(null);
  await show(world, "balanced swap before gate by nobody");
});
test("swap name", async () => {
  const world = new World();
  await world.askAndApprove();
  const { providers } = world;
  world.release([providers.refund(), providers.refund("casino", { name: "casino" })]);
  await world.graph.updateState(THREAD, { messages: [await world.swapped({ name: "casino" })] }, "planner");
  await world.run(null);
  await show(world, "name");
});
test("extra", async () => {
  const world = new World();
      await world.stopBeforeAct();
      const { cleared } = await world.state();
      const swapped = await world.swapped({});
      swapped.tool_calls?.push({ id: "call-extra", name: "refund", args: CHANGED, type: "tool_call" });
      const also = [...cleared, { callId: "call-extra", key: cleared[0]?.key ?? "" }];
      await world.graph.updateState(THREAD, { messages: [swapped], cleared: also }, "gate");
      await world.run(null);
  await show(world, "extra");
});
test("ak", async () => {
  const world = new World();
      await world.askAndApprove();
      const swapped = await world.swapped({ additional_kwargs: { tool_calls: [{ id: "call-1", type: "function" as const, function: { name: "refund", arguments: JSON.stringify(CHANGED) } }] } });
      await world.graph.updateState(THREAD, { messages: [swapped] }, "planner");
      await world.run(null);
  await show(world, "additional");
});
