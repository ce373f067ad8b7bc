// A process of its own for the crash matrix: runs agents with one irreversible tool and kills itself with SIGKILL when
// each of them stands at the boundary it is told; or resumes them, one line of JSON with thread and answer for each.
// node --import tsx worker.ts ORDER

import { HumanMessage } from "@langchain/core/messages";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { type Reach, watchedTool, watchStatements } from "../contracts/boundaries.js";
import { scriptedModel } from "../contracts/script.js";
import { type Cell, FileProvider, type Order, threadOf } from "./matrix.js";
import { sender, sendTool } from "./send.js";

const { url, keyFile, folder, work, point: end, cells } = JSON.parse(process.argv[2] ?? "") as Order;
const model = scriptedModel(sender);

let standing = 0;

/** At its boundary a run stands still, not one statement more, until the others have come as far as well. */
function standStill(): Reach {
  let stands = false;
  return async (point) => {
    if (!stands && (work === "resume" || point !== end)) return;
    if (!stands) standing += 1;
    stands = true;
    if (standing === cells.length) process.kill(process.pid, "SIGKILL");
    await new Promise(() => undefined);
  };
}

/** One run on connections of its own. */
async function run(cell: Cell): Promise<void> {
  const thread = threadOf(cell);
  const journal = openJournal(url, { keyFile });
  const { saver, close } = await openCheckpointer(url);
  const reach = standStill();
  watchStatements(journal, saver, reach);
  const tools = [watchedTool(sendTool(new FileProvider(folder, thread, cell.kind)), reach)];
  const graph = agentGraph({ journal, model, prompt: "You send.", tools }).compile({ checkpointer: saver });
  const config = { configurable: { thread_id: thread, run_id: thread }, durability: "sync" as const };
  const input = work === "run" ? { messages: [new HumanMessage("send")] } : null;
  const { messages } = (await graph.invoke(input as never, config)) as unknown as { messages: { text: string }[] };
  process.stdout.write(`${JSON.stringify({ thread, answer: messages.at(-1)?.text })}\n`);
  await journal.close();
  await close();
}

await Promise.all(cells.map(run));
await model.close();
