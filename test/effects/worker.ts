// A process of its own for the crash matrix: runs agents with one irreversible tool and kills itself with SIGKILL when
// each of them stands at the boundary it is told; or resumes them, one line of JSON with thread and answer for each.
// node --import tsx worker.ts ORDER

import { HumanMessage } from "@langchain/core/messages";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { z } from "zod";
import { type Journal, openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { calls, type ScriptStep, script, scriptedModel } from "../contracts/index.js";
import { type Cell, FileProvider, type Order, type Point, threadOf } from "./matrix.js";

const { url, folder, work, point: end, cells } = JSON.parse(process.argv[2] ?? "") as Order;

let standing = 0;

/** One run on connections of its own. At the boundary it stands still: not one statement more. */
class Run {
  private stands = false;
  private settled = false;

  constructor(
    readonly cell: Cell,
    readonly journal: Journal,
    readonly saver: BaseCheckpointSaver,
  ) {
    const { intendEffect, dispatchEffect, settleEffect } = journal;
    journal.intendEffect = this.between("before intent", intendEffect.bind(journal), "after intent");
    journal.dispatchEffect = this.between("before dispatch", dispatchEffect.bind(journal), "after dispatch");
    journal.settleEffect = this.between("before settle", settleEffect.bind(journal), "after settle");
    const putWrites = saver.putWrites.bind(saver);
    const put = saver.put.bind(saver);
    saver.putWrites = async (...args) => {
      await this.reach(this.settled ? "before act's writes" : undefined);
      return putWrites(...args);
    };
    saver.put = async (...args) => {
      await this.reach(this.settled ? "before checkpoint" : undefined);
      return put(...args);
    };
  }

  private between<Args extends unknown[], Result>(
    before: Point,
    method: (...args: Args) => Promise<Result>,
    after: Point,
  ): (...args: Args) => Promise<Result> {
    return async (...args) => {
      await this.reach(before);
      const result = await method(...args);
      await this.reach(after);
      this.settled ||= after === "after settle";
      return result;
    };
  }

  async reach(point: Point | undefined): Promise<void> {
    if (!this.stands && (work === "resume" || point !== end)) return;
    if (!this.stands) standing += 1;
    this.stands = true;
    if (standing === cells.length) process.kill(process.pid, "SIGKILL");
    await new Promise(() => undefined);
  }

  tool(): HarnessTool {
    const provider = new FileProvider(folder, this.cell);
    return defineTool({
      name: "send",
      description: "Sends.",
      schema: z.object({ to: z.string() }),
      source: {},
      honoursKey: this.cell.kind === "honours keys",
      ...(this.cell.kind === "can be probed"
        ? { probe: (key: string) => (provider.effects().includes(key) ? "committed" : "failed") }
        : {}),
      run: async (_args, { idempotencyKey }) => {
        await this.reach("before provider");
        provider.send(idempotencyKey);
        await this.reach("after provider");
        return "sent";
      },
    }) as unknown as HarnessTool;
  }
}

/** Sends, and sends again what certainly failed, as a planner does. What is in doubt it leaves alone. */
const send = calls(["send", { to: "a" }]);
const again: ScriptStep = ({ messages }) => {
  const answer = messages.at(-1)?.content ?? "";
  return answer.startsWith("Error:") ? send : answer;
};
const model = scriptedModel(script([send, again, again]));

async function run(cell: Cell): Promise<void> {
  const journal = openJournal(url);
  const { saver, close } = await openCheckpointer(url);
  const tools = [new Run(cell, journal, saver).tool()];
  const graph = agentGraph({ journal, model, prompt: "You send.", tools }).compile({ checkpointer: saver });
  const config = { configurable: { thread_id: threadOf(cell), run_id: threadOf(cell) }, durability: "sync" as const };
  const input = work === "run" ? { messages: [new HumanMessage("send")] } : null;
  const { messages } = (await graph.invoke(input as never, config)) as unknown as { messages: { text: string }[] };
  process.stdout.write(`${JSON.stringify({ thread: threadOf(cell), answer: messages.at(-1)?.text })}\n`);
  await journal.close();
  await close();
}

await Promise.all(cells.map(run));
await model.close();
