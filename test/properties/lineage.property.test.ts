// P2 of trust-replay.md: whatever comes out of a node is believed at most as far as the least of what went in. Checked on
// what real runs recorded, by an oracle that knows only what each tool declares and how each answer was obtained.

import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { RecordedEvent } from "../../checkpoints/index.js";
import { piecesOf } from "../../nodes/provenance.js";
import { live, type Story, THREAD } from "../replay/drive.js";
import { anyStory, randomDelay } from "../replay/stories.js";
import { world } from "../replay/world.js";
import { runs, settings } from "./agent.js";

const AXES = ["integrity", "fidelity", "currency", "certainty"] as const;
type Ranks = Readonly<Partial<Record<(typeof AXES)[number], number>>>;

/** What the tools of these runs declare. A tool that is not here is the harness's own, or does not exist. */
const DECLARED: Readonly<Record<string, number>> = { look: 2, mail: 1, web: 0, dump: 2 };

const lowest = (...all: readonly Ranks[]): Ranks =>
  Object.fromEntries(AXES.map((axis) => [axis, Math.min(3, ...all.map((ranks) => ranks[axis] ?? 3))]));

const statistics = { checked: 0, low: 0, lanes: 0, gates: 0, messages: 0 };

function expectAtMost(out: Ranks, inputs: Ranks, what: string): void {
  statistics.checked += 1;
  if (AXES.some((axis) => (inputs[axis] ?? 3) < 3)) statistics.low += 1;
  for (const axis of AXES) expect(out[axis] ?? 3, `${what}: ${axis}`).toBeLessThanOrEqual(inputs[axis] ?? 3);
}

/** What an event brought in, by itself. */
function broughtBy({ event }: RecordedEvent, { plan }: Story): Ranks {
  switch (event.kind) {
    case "tool.output":
      return event.ok && event.use === "run" ? { integrity: DECLARED[event.tool] ?? 3 } : {};
    case "tool.response":
    case "subagent.end":
      return event.label;
    case "model.response": {
      const { fallbackReason, unclearAttempts, attempts, rateLimited } = event.obtained;
      return {
        ...(fallbackReason === undefined ? {} : { fidelity: 1 }),
        ...(unclearAttempts > 0 ? { certainty: 1 } : attempts - rateLimited > 1 ? { certainty: 2 } : {}),
      };
    }
    case "recall":
      return lowest(
        ...(event.keys ?? []).map((key) => ({
          integrity: plan.memories?.[Number(key.replace("memory-", ""))]?.integrity ?? 3,
        })),
      );
    default:
      return {};
  }
}

async function play(story: Story, seed: number): Promise<void> {
  const agent = await world(story.plan, { delay: randomDelay(seed) });
  try {
    await live(agent, story);
    const events = await agent.journal.events({ thread: THREAD });
    const brought = (like: (scope: RecordedEvent["scope"], index: number) => boolean) =>
      lowest(...events.filter(({ scope }, index) => like(scope, index)).map((each) => broughtBy(each, story)));
    for (const [index, { event, scope }] of events.entries()) {
      if (event.kind === "tool.response") {
        const { lane, step, node, send } = scope;
        // What another call of the same message brought back is no input of this one.
        const { tool } = event;
        const own = brought((other, at) => {
          const isHere = other.lane === lane && other.step === step && other.node === node && other.send === send;
          const before = events[at]?.event;
          return at < index && isHere && before?.kind === "tool.output" && before.tool === tool;
        });
        expectAtMost(event.label, own, `${index}: the answer of ${event.tool}`);
      }
      if (event.kind === "subagent.end") {
        const start = events.findLast(
          (each, at) =>
            at < index &&
            each.event.kind === "subagent.start" &&
            each.scope.send === scope.send &&
            each.scope.step === scope.step,
        );
        const call = start?.event.kind === "subagent.start" ? start.event.callId : undefined;
        const lane = brought((other, at) => at < index && other.lane === `${event.subagent}:${call}`);
        statistics.lanes += AXES.some((axis) => (lane[axis] ?? 3) < 3) ? 1 : 0;
        expectAtMost(event.label, lane, `${index}: the answer of a subagent`);
      }
      if (event.kind === "gate.decision") {
        statistics.gates += 1;
        const before = brought((other) => other.lane === undefined && (other.step ?? 0) < (scope.step ?? 0));
        expectAtMost(event.considered, before, `${index}: the gate on ${event.tool}`);
      }
    }
    for await (const { values, metadata } of agent.graph.getStateHistory({ configurable: { thread_id: THREAD } })) {
      const step = metadata?.step ?? 0;
      if (values.trust === undefined) continue;
      const before = brought(
        (other) =>
          other.lane === undefined && other.node !== undefined && (other.step ?? 0) <= step && settled(events, other),
      );
      expectAtMost(values.trust as Ranks, before, `the state after step ${step}`);
    }
    if (!events.some(({ event }) => event.kind === "compact")) await expectMessages(agent);
  } finally {
    await agent.close();
  }
}

/** Whether the superstep of this place came to its checkpoint: what a failed one wrote is in no state yet. */
const settled = (events: readonly RecordedEvent[], { step, run }: RecordedEvent["scope"]): boolean =>
  events.some(({ event, scope }) => event.kind === "checkpoint" && scope.step === step && scope.run === run);

/** A message of the model is believed no further than anything that stood before it; a result, no further than its tool. */
async function expectMessages({ graph, journal }: Awaited<ReturnType<typeof world>>): Promise<void> {
  const { values } = await graph.getState({ configurable: { thread_id: THREAD } });
  const messages = (values.messages ?? []) as BaseMessage[];
  const events = await journal.events({ thread: THREAD });
  const ranks: Ranks[] = [];
  for (const message of messages) {
    const digest = piecesOf({ messages: [message] })[0]?.digest ?? "";
    const own: Ranks =
      (await journal.labels(THREAD, [digest])).get(digest) ??
      lowest({ integrity: 0, fidelity: 0, currency: 0, certainty: 0 });
    if (AIMessage.isInstance(message)) expectAtMost(own, lowest(...ranks), "a message of the model");
    if (ToolMessage.isInstance(message)) {
      const answer = events.find(
        ({ event }) => event.kind === "tool.response" && event.callId === message.tool_call_id,
      );
      if (answer?.event.kind === "tool.response") expectAtMost(own, answer.event.label, "a tool's result");
    }
    statistics.messages += 1;
    ranks.push(own);
  }
}

const numRuns = runs(10);

it("P2: nothing that comes out is believed further than what went in", {
  timeout: 60_000 + numRuns * 3_000,
}, async () => {
  await fc.assert(fc.asyncProperty(anyStory(3), fc.nat(), play), settings(numRuns));
  expect(statistics.low).toBeGreaterThan(numRuns * 5);
  expect(statistics.lanes).toBeGreaterThan(0);
  expect(statistics.gates).toBeGreaterThan(0);
  expect(statistics.messages).toBeGreaterThan(numRuns);
});
