// A process of its own for the crash matrix: starts and resumes runs of agents with one irreversible tool, one line of
// JSON with thread and answer for each; or kills itself with SIGKILL when each run stands at the boundary of its cell.
// A run that does not get there fails it, and so does SIGTERM; its last words are the threads that are on their way.
// node --import tsx worker.ts ORDER

import { HumanMessage } from "@langchain/core/messages";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { type Reach, watchedTool, watchStatements } from "../contracts/boundaries.js";
import { scriptedModel } from "../contracts/script.js";
import { type Cell, FileProvider, type Order, threadOf } from "./matrix.js";
import { sender, sendTool } from "./send.js";

const { url, keyFile, folder, start = [], resume = [], crash } = JSON.parse(process.argv[2] ?? "") as Order;

/** As many as begin before the first of them is at its end, or stands. */
const LANES = 3;

/** The threads of the runs that are on their way, or wait for a lane. */
const moving = new Set([...start, ...resume].map(threadOf));
process.once("SIGTERM", () => process.exit(1));
process.once("exit", () => {
  if (moving.size > 0) process.stderr.write(`still on their way: ${[...moving].join("; ")}\n`);
});

/** At its boundary a run stands still, not one statement more, until the others have come as far as well. */
function standStill(cell: Cell, stood: () => void): Reach {
  let stands = false;
  return async (point) => {
    if (!stands && point !== cell.point) return;
    stands = true;
    moving.delete(threadOf(cell));
    if (moving.size === 0) process.kill(process.pid, "SIGKILL");
    stood();
    await new Promise(() => undefined);
  };
}

/** One run, with connections and a model of its own: nobody waits for another one's quota. */
async function run(cell: Cell, input: { messages: HumanMessage[] } | null, reach: Reach): Promise<void> {
  const thread = threadOf(cell);
  const model = scriptedModel(sender);
  const journal = openJournal(url, { keyFile });
  const { saver, close } = await openCheckpointer(url);
  watchStatements(journal, saver, reach);
  const tools = [watchedTool(sendTool(new FileProvider(folder, thread, cell.kind)), reach)];
  const graph = agentGraph({ journal, model, prompt: "You send.", tools }).compile({ checkpointer: saver });
  const config = { configurable: { thread_id: thread, run_id: thread }, durability: "sync" as const };
  const { messages } = (await graph.invoke(input as never, config)) as unknown as { messages: { text: string }[] };
  if (crash) throw new Error(`never stood at its boundary: ${thread}`);
  process.stdout.write(`${JSON.stringify({ thread, answer: messages.at(-1)?.text })}\n`);
  await journal.close();
  await close();
  await model.close();
  moving.delete(thread);
}

/** The lanes share it: whoever is free takes the next one. */
const runs = [
  ...start.map((cell) => ({ cell, input: { messages: [new HumanMessage("send")] } })),
  ...resume.map((cell) => ({ cell, input: null })),
].values();

async function lane(): Promise<void> {
  for (const { cell, input } of runs) {
    if (!crash) await run(cell, input, async () => undefined);
    else await new Promise<void>((stood, failed) => void run(cell, input, standStill(cell, stood)).catch(failed));
  }
}

await Promise.all(Array.from({ length: LANES }, lane));
