import { test } from "vitest";
import { APPROVED, CHANGED, THREAD, World } from "./refund.js";
const show = async (world: World, what: string) => {
  const events = (await world.events()).filter((e) => ["gate.decision","state.update","label.missing","tool.response","approval.decided","approval.refused","trust.fell"].includes(e.kind)).map((e: any) => `${e.kind} ${e.tool ?? ""} ${e.verdict ?? e.decision ?? e.ok ?? ""} ${JSON.stringify(e.arguments ?? e.values ?? e.fields ?? "")} ${e.error ?? e.why ?? ""} ${e.reasons ?? ""}`);
  process.stdout.write(`\n## ${what}\n${world.providers.done.join("|")}\n${events.join("\n")}\n`);
};


import { z } from "zod";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { stagedGraph } from "./refund.js";
const getter = (answers: (n: number) => number) => { let n = 0; return { order: 1, get amount() { return answers(++n); } }; };
const objects: [string, () => any][] = [
  ["getter view", () => ({ order: 1, get amount() { return /viewOf/.test(new Error().stack ?? "") ? 1 : 1000000; } })],
  ["getter count2", () => getter((n) => (n < 8 ? 1 : 1000000))],
  ["getter count20", () => getter((n) => (n < 20 ? 1 : 1000000))],
  ["toJSON", () => ({ order: 1, amount: 1, toJSON: () => ({ order: 2, amount: 1000000 }) })],
  ["proto", () => JSON.parse('{"order":1,"amount":1,"__proto__":{"amount":1000000}}')],
  ["protoset", () => Object.assign(Object.create({ amount: 1000000 }), { order: 1 })],
  ["undefined", () => ({ order: 1, amount: 1, note: undefined })],
  ["nan", () => ({ order: 1, amount: Number.NaN })],
  ["bigint", () => ({ order: 1, amount: 1n })],
  ["date", () => ({ order: 1, amount: 1, at: new Date(0) })],
  ["cycle", () => { const a: any = { order: 1, amount: 1 }; a.self = a; return a; }],
  ["minus0", () => ({ order: -0, amount: 1 })],
  ["number object", () => ({ order: 1, amount: new Number(1) })],
  ["proxy", () => new Proxy({ order: 1, amount: 1 }, { ownKeys: () => ["order"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) })],
];
for (const [name, make] of objects) test(name, async () => {
  const world = new World();
  const tool = world.providers.refund("bank");
  const args = make();
  world.graph = stagedGraph(world, tool, () => new AIMessage({ id: "m1", content: "", tool_calls: [{ id: "c1", name: "refund", args }] })) as never;
  try {
    await world.run({ messages: [new HumanMessage("x")] });
    for (const a of await world.journal.approvals()) {
      process.stdout.write(`\nVIEW ${a.view} ARGS ${JSON.stringify(a.arguments)} ${a.status}`);
      await world.journal.decideApproval(a.id, "approved", { by: "ann", authenticated: "cli" });
    }
    const r = await world.run(null);
    process.stdout.write("\nLAST " + r.messages?.at(-1)?.text.slice(0,200));
  } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0,200)}`); }
  await show(world, name);
});
for (const json of ['{"order":1,"amount":1,"__proto__":{"amount":1000000}}', '{"order":1,"amount":1,"note":"\\ud800"}','{"order":1,"amount":9007199254740993}','{"order":1,"amount":1,"toJSON":"x"}', `{"order":1,"amount":1,"deep":${"[".repeat(2000)}${"]".repeat(2000)}}`, `{"order":1,"amount":1,"deep":${"[".repeat(20000)}${"]".repeat(20000)}}`])
test("json " + json.slice(0, 40), async () => {
  const world = new World({ plan: [["refund", JSON.parse(json)]] });
  try {
    await world.run({ messages: [new HumanMessage("x")] });
    for (const a of await world.journal.approvals()) {
      process.stdout.write(`\nVIEW ${a.view.slice(0, 200)} ARGS ${JSON.stringify(a.arguments).slice(0, 200)} ${a.status}`);
      await world.journal.decideApproval(a.id, "approved", { by: "ann", authenticated: "cli" });
    }
    const r = await world.run(null);
    process.stdout.write("\nLAST " + r.messages?.at(-1)?.text.slice(0,200));
  } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0,200)}`); }
  process.stdout.write("\nDONE " + world.providers.done.join()+ "  " + json.slice(0, 60));
});
