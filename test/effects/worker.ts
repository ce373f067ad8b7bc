// A process of its own for the crash matrix: runs an agent with one irreversible tool and kills itself with SIGKILL at
// the boundary it is told, or resumes what was killed. Prints one line of JSON, a thread and its answer, per resumed cell.
// node --import tsx worker.ts ORDER

import { HumanMessage } from "@langchain/core/messages";
import { z } from "zod";
import { type Journal, openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { calls, type ScriptStep, script, scriptedModel } from "../contracts/index.js";
import { type Cell, FileProvider, type Order, type Point, threadOf } from "./matrix.js";

const { url, folder, work, cells } = JSON.parse(process.argv[2] ?? "") as Order;

function reach(point: Point): void {
  if (work === "resume" || cells[0]?.point !== point) return;
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // Not one statement more.
}

const journal = openJournal(url);
const { saver, close } = await openCheckpointer(url);
let settled = false;

const between = <Name extends "intendEffect" | "dispatchEffect" | "settleEffect">(
  name: Name,
  before: Point,
  after: Point,
) => {
  const method = journal[name].bind(journal) as (...args: unknown[]) => Promise<unknown>;
  journal[name] = (async (...args: unknown[]) => {
    reach(before);
    const result = await method(...args);
    reach(after);
    settled ||= name === "settleEffect";
    return result;
  }) as Journal[Name];
};
between("intendEffect", "before intent", "after intent");
between("dispatchEffect", "before dispatch", "after dispatch");
between("settleEffect", "before settle", "after settle");

const { put, putWrites } = saver;
saver.putWrites = (...args) => {
  if (settled) reach("before act's writes");
  return putWrites.apply(saver, args);
};
saver.put = (...args) => {
  if (settled) reach("before checkpoint");
  return put.apply(saver, args);
};

function sendTool(cell: Cell): HarnessTool {
  const provider = new FileProvider(folder, cell);
  return defineTool({
    name: "send",
    description: "Sends.",
    schema: z.object({ to: z.string() }),
    source: {},
    honoursKey: cell.kind === "honours keys",
    ...(cell.kind === "can be probed"
      ? { probe: (key: string) => (provider.effects().includes(key) ? "committed" : "failed") }
      : {}),
    run: (_args, { idempotencyKey }) => {
      reach("before provider");
      provider.send(idempotencyKey);
      reach("after provider");
      return "sent";
    },
  }) as unknown as HarnessTool;
}

/** Sends, and sends again what certainly failed, as a planner does. What is in doubt it leaves alone. */
const send = calls(["send", { to: "a" }]);
const again: ScriptStep = ({ messages }) => {
  const answer = messages.at(-1)?.content ?? "";
  return answer.startsWith("Error:") ? send : answer;
};
const model = scriptedModel(script([send, again, again]));

for (const cell of cells) {
  const tools = [sendTool(cell)];
  const graph = agentGraph({ journal, model, prompt: "You send.", tools }).compile({ checkpointer: saver });
  const config = { configurable: { thread_id: threadOf(cell), run_id: threadOf(cell) }, durability: "sync" as const };
  const input = work === "run" ? { messages: [new HumanMessage("send")] } : null;
  const { messages } = (await graph.invoke(input as never, config)) as unknown as { messages: { text: string }[] };
  process.stdout.write(`${JSON.stringify({ thread: threadOf(cell), answer: messages.at(-1)?.text })}\n`);
}
await model.close();
await journal.close();
await close();
