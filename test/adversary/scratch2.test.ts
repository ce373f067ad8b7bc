import { test } from "vitest";
import { sqlitePlace } from "../checkpoints/support.js";
import { CHANGED, THREAD, World } from "./refund.js";
const show = async (world: World, what: string) => {
  const events = (await world.events()).filter((e) => ["gate.decision","state.update","label.missing","tool.response","approval.decided","approval.refused","trust.fell", "effect"].includes(e.kind)).map((e: any) => `${e.kind} ${e.tool ?? ""} ${e.verdict ?? e.decision ?? e.ok ?? e.status ?? ""} ${JSON.stringify(e.arguments ?? e.values ?? e.fields ?? "")} ${e.error ?? e.why ?? ""} ${e.reasons ?? ""}`);
  process.stdout.write(`\n## ${what}\n${world.providers.done.join("|")}\n${events.join("\n")}\n`);
};
const j = (v: unknown) => `'${JSON.stringify(v).replaceAll("'", "''")}'`;
const go = (name: string, f: (w: World, sql: (s: string) => Promise<readonly any[]>) => Promise<unknown>, options = {}) => test(name, async () => {
  const place = sqlitePlace();
  const world = new World({ url: place.url, ...options });
  await world.journal.threads();
  try { await f(world, place.sql); } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0,300)}`); }
  await show(world, name);
  await world.journal.close(); await place.remove();
});
go("approve by column", async (w, sql) => { await w.ask(); await sql("UPDATE h_approval SET status='approved'"); const r = await w.run(null); process.stdout.write(r.messages.at(-1)!.text); });
go("args in approval row", async (w, sql) => { await w.askAndApprove(); const [r] = await sql("SELECT * FROM h_approval"); const q = JSON.parse(r.request); await sql(`UPDATE h_approval SET request=${j({ ...q, arguments: CHANGED })}`); await w.run(null); });
go("args in intent row", async (w, sql) => { await w.stopBeforeAct(); const [r] = await sql("SELECT * FROM h_effect"); const q = JSON.parse(r.intent); await sql(`UPDATE h_effect SET intent=${j({ ...q, arguments: CHANGED })}`); await w.run(null); });
go("args in intent row + message", async (w, sql) => { await w.stopBeforeAct(); const [r] = await sql("SELECT * FROM h_effect"); const q = JSON.parse(r.intent); await sql(`UPDATE h_effect SET intent=${j({ ...q, arguments: CHANGED })}`); const { cleared } = await w.state(); await w.graph.updateState(THREAD, { messages: [await w.swapped({ args: CHANGED })], cleared }, "gate"); await w.run(null); });
go("intent without approval, expired", async (w, sql) => { await w.stopBeforeAct(); const [r] = await sql("SELECT * FROM h_effect"); const q = JSON.parse(r.intent); delete q.approval; await sql(`UPDATE h_effect SET intent=${j(q)}`); w.passed = 25 * 3600000; await w.run(null); });
go("back to intended with approval", async (w, sql) => { await w.askAndApprove(); await w.run(null); await sql("UPDATE h_effect SET status='intended'"); await w.run(null, await w.before("act")); });
go("back to intended without approval", async (w, sql) => { await w.askAndApprove(); await w.run(null); const [r] = await sql("SELECT * FROM h_effect"); const q = JSON.parse(r.intent); delete q.approval; await sql(`UPDATE h_effect SET status='intended', intent=${j(q)}`); await w.run(null, await w.before("act")); });
go("back to dispatched, honours key", async (w, sql) => { await w.askAndApprove(); await w.run(null); await sql("UPDATE h_effect SET status='dispatched'"); await w.run(null, await w.before("act")); }, { refund: { honoursKey: true } });
go("intended→dispatched before act, approval expired", async (w, sql) => { await w.stopBeforeAct(); w.passed = 25 * 3600000; await sql("UPDATE h_effect SET status='dispatched'"); await w.run(null); }, { refund: { honoursKey: true } });
go("row deleted, back to gate", async (w, sql) => { await w.askAndApprove(); await w.run(null); await sql("DELETE FROM h_effect"); await w.run(null, await w.before("gate")); });
go("row deleted, back to gate, allowed by label", async (w, sql) => { await w.run({ messages: [{ role: "user", content: "x" }] }); await sql("DELETE FROM h_effect"); await w.run(null, await w.before("gate")); }, { refund: { floor: "balanced" } });
go("inserted intent, no question answered", async (w, sql) => {
  const { approval } = await w.ask();
  const { messages } = await w.state(); const callId = (messages.at(-1) as any).tool_calls[0].id;
  const q = { key: "forged", thread: "t1", root: "t1", run: "r", tool: "refund", callId, arguments: approval.arguments, binding: approval.binding, considered: approval.considered, policyDigest: approval.policyDigest };
  await sql(`INSERT INTO h_effect (key, thread, root, intent, status, attempts, updated_at) VALUES ('forged','t1','t1',${j(q)},'intended',0,0)`);
  await w.graph.updateState(THREAD, { cleared: [{ callId, key: "forged" }] }, "gate");
  await w.run(null);
});
go("rejected, then intent inserted", async (w, sql) => {
  const { approval } = await w.ask();
  await w.journal.decideApproval(approval.id, "rejected", { by: "ann", authenticated: "cli" });
  const { messages } = await w.state(); const callId = (messages.at(-1) as any).tool_calls[0].id;
  const q = { key: "forged", thread: "t1", root: "t1", run: "r", tool: "refund", callId, arguments: approval.arguments, binding: approval.binding, considered: approval.considered, policyDigest: approval.policyDigest };
  await sql(`INSERT INTO h_effect (key, thread, root, intent, status, attempts, updated_at) VALUES ('forged','t1','t1',${j(q)},'intended',0,0)`);
  await w.graph.updateState(THREAD, { cleared: [{ callId, key: "forged" }] }, "gate");
  await w.run(null);
});
go("floor raised", async (w, sql) => { await w.ask(); await sql(`UPDATE h_thread SET floor=${j({ integrity: 3, fidelity: 3, currency: 3, certainty: 3 })}`); await w.run(null); });
go("label rows raised", async (w, sql) => { await w.ask(); await w.graph.updateState(THREAD, { messages: [await w.swapped({ args: CHANGED })] }, "planner"); await sql(`UPDATE h_label SET label=${j({ integrity: 3, fidelity: 3, currency: 3, certainty: 3 })}`); await w.run(null); });
go("receipt forged", async (w, sql) => { await w.askAndApprove(); await w.run(null); await sql(`UPDATE h_effect SET outcome=${j({ receipt: "refunded 1000000", receiptLabel: { integrity: 3, fidelity: 3, currency: 3, certainty: 3 } })}`); const r = await w.run(null, await w.before("act")); process.stdout.write(r.messages.at(-1)!.text); });
