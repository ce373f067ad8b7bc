// A call without an answer is told truthfully: that it has not run when it surely has not, what the ledger knows when it
// was sent, and else that nobody knows. What was told stands in the record, and a replay tells the same.

import { AIMessage, HumanMessage, RemoveMessage } from "@langchain/core/messages";
import { expect, test } from "vitest";
import { z } from "zod";
import { readRecording, replayThread } from "../../graphs/index.js";
import { defineTool, NotDoneError, OutcomeUnclearError } from "../../nodes/index.js";
import type { Label } from "../../trust/index.js";
import { calls } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

/** Pays when told to, and says what it was told of that call when asked. */
function scene(run: () => unknown, source: Partial<Label> = {}) {
  const wire = defineTool({
    name: "wire",
    description: "Pays.",
    schema: z.object({ to: z.string() }),
    floor: 3,
    source: {},
    run,
  });
  const look = defineTool({
    name: "look",
    description: "Looks.",
    schema: z.object({}),
    effect: "none",
    source,
    run: () => "seen",
  });
  return testAgent(
    ({ messages }) => {
      const last = messages.at(-1);
      if (last?.role === "user" && (last.content === "wire" || last.content === "look")) {
        return calls([last.content, last.content === "wire" ? { to: "ada" } : {}]);
      }
      const told = messages.flatMap(({ role, content }) => (role === "tool" ? [content] : []));
      return { content: `told: ${told.join(" | ")}`, toolCalls: [] };
    },
    { tools: [wire, look] as never },
  );
}

type Scene = ReturnType<typeof scene>;

/** Takes the answer away, as a client may. */
async function forget(it: Scene): Promise<void> {
  const { values } = await it.graph.getState(it.config());
  const { messages } = values as { messages: { id: string; getType(): string }[] };
  const answer = messages.findLast((each) => each.getType() === "tool");
  await it.graph.updateState(it.config(), { messages: [new RemoveMessage({ id: answer?.id ?? "" })] });
}

async function replayed(it: Scene, run: () => unknown, source?: Partial<Label>) {
  const recording = await readRecording(it.journal, "t1");
  const { graph, journal } = scene(run, source);
  const keep = (text: string) => it.journal.keep(text);
  return replayThread({ recording, graph: graph as never, harness: { journal } as never, keep });
}

test("an effect that was carried out is done, whatever became of its answer", async () => {
  const it = scene(() => "paid");
  await it.run("wire");
  await forget(it);
  const { answer, trust } = await it.run("and?");
  expect(answer).toBe("told: Done: wire was carried out. Its result is not in this conversation.");
  expect(trust.certainty).toBe(3);
  expect((await it.journal.effects({ thread: "t1" })).map(({ status }) => status)).toEqual(["committed"]);
});

test("an effect that did not happen is said to have failed", async () => {
  const it = scene(() => {
    throw new NotDoneError("no funds");
  });
  await it.run("wire");
  await forget(it);
  expect((await it.run("and?")).answer).toContain("told: Error: wire was tried, and did not happen.");
});

test("an effect that was cut off stays in doubt when the user goes on, and the thread's certainty with it", async () => {
  const stop = new AbortController();
  const it = scene(() => {
    stop.abort();
    throw new OutcomeUnclearError("the line broke");
  });
  await expect(it.run("wire", "t1", { signal: stop.signal })).rejects.toThrow();
  await expect.poll(async () => (await it.journal.effects({ thread: "t1" }))[0]?.status).toBe("in_doubt");
  const { answer, trust } = await it.run("and?");
  const [effect] = await it.journal.effects({ thread: "t1" });
  const told = "told: Outcome unknown: wire was sent, and nobody knows whether it happened. Do not send it again.";
  expect(answer).toContain(told);
  expect(answer).toContain(`bulkhead effects resolve ${effect?.key.slice(0, 12)}`);
  expect(trust.certainty).toBe(0);
  // It was settled since: the next turn is told so.
  await it.journal.resolveEffect(effect?.key ?? "", "committed", "ada", "the bank has it");
  expect((await it.run("and now?")).answer).toContain("told: Done: wire was carried out.");
});

test("what was told stands in the record, and a replay tells the same", async () => {
  const it = scene(() => "paid");
  const plan = new AIMessage({ content: "", tool_calls: [{ id: "c1", name: "task", args: {} }] });
  const { answer } = await it.run({ messages: [plan, new HumanMessage("and?")] });
  expect(answer).toContain("Outcome unknown: the user went on before it was answered. It may have begun");
  const events = (await it.journal.events({ thread: "t1" })).map(({ event }) => event);
  const lost = [{ callId: "c1", tool: "task", outcome: "begun" }];
  expect(events).toContainEqual({ kind: "lost.calls", calls: lost });
  expect(await replayed(it, () => "paid")).toMatchObject({ identical: true });
});

test("a read whose answer is gone may have run; one that the user did not wait for is cancelled", async () => {
  const it = scene(() => "paid");
  await it.run("look");
  await forget(it);
  const { answer } = await it.run("and?");
  expect(answer).toBe("told: Outcome unknown: the conversation has no answer to this call. It may have run.");
});

test("an action that was waiting for a decision when the user went on was cancelled", async () => {
  const it = scene(() => "paid", { integrity: 2 });
  await it.run("look");
  expect((await it.run("wire")).asked?.value.type).toBe("approval");
  expect((await it.run("and?")).answer).toBe("told: seen | Cancelled: the user went on before it was answered.");
  expect(await it.journal.effects({ thread: "t1" })).toEqual([]);
  expect(await replayed(it, () => "paid", { integrity: 2 })).toMatchObject({ identical: true });
});
