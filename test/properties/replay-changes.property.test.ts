// P13 of trust-replay.md: one change anywhere in a recording is reported at the event that was changed, or at the first one
// that it touches. Random recordings, and in each of them changes at random events.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { HarnessEvent, RecordedEvent } from "../../checkpoints/index.js";
import { type Divergence, readRecording, replayThread, type ThreadRecording } from "../../graphs/index.js";
import { eventsThatCount } from "../../graphs/replay/attempts.js";
import { live, THREAD } from "../replay/drive.js";
import { anyStory, randomDelay } from "../replay/stories.js";
import { type World, world } from "../replay/world.js";
import { runs, settings } from "./agent.js";

/** A change, and where it has to be found: between two positions, both included. */
interface Change {
  readonly what: string;
  readonly recording: ThreadRecording;
  readonly from: number;
  readonly to: number;
}

const changed = (recording: ThreadRecording, index: number, change: object): ThreadRecording => ({
  ...recording,
  events: recording.events.map((each, at) =>
    at === index ? { ...each, event: { ...each.event, ...change } as HarnessEvent } : each,
  ),
});

/** The text under a digest, changed: seen where an event first names it. */
function otherText(recording: ThreadRecording, counted: ReadonlySet<number>, digest: string, what: string): Change[] {
  const text = recording.texts.get(digest);
  const other = text?.replace(/turn-|the record|mail |page |tagged /, (found) => found.toUpperCase());
  if (text === undefined || other === undefined || other === text) return [];
  const names = ({ event }: RecordedEvent, at: number) => counted.has(at) && JSON.stringify(event).includes(digest);
  const index = recording.events.findIndex(names);
  return [
    {
      what,
      from: index,
      to: index,
      recording: { ...recording, texts: new Map([...recording.texts, [digest, other]]) },
    },
  ];
}

/** The ways to change an event; none for one that says only what the others say as well. */
function changesOf(recording: ThreadRecording, index: number, counted: ReadonlySet<number>): readonly Change[] {
  const { events } = recording;
  const { event, scope } = events[index] as RecordedEvent;
  const here = (what: string, change: object): Change[] => [
    { what, from: index, to: index, recording: changed(recording, index, change) },
  ];
  switch (event.kind) {
    case "tool.output":
      return [
        ...here("a tool's definition", { definition: "0".repeat(64) }),
        ...here("a tool's arguments", { arguments: "0".repeat(64) }),
        ...(event.output === undefined ? [] : otherText(recording, counted, event.output, "a tool's output")),
      ];
    case "model.request":
      return here("a prompt", { digest: "0".repeat(64) });
    case "model.response":
      return event.raw === undefined ? [] : otherText(recording, counted, event.raw, "a model's answer");
    case "tool.response":
      return here("a label", { label: { ...event.label, currency: event.label.currency === 3 ? 2 : 3 } });
    case "subagent.end":
      return here("a subagent's end", { ok: !event.ok });
    case "gate.decision":
      return here("a verdict", { verdict: event.verdict === "allow" ? "block" : "allow" });
    case "checkpoint":
      return here("a state", { digest: "0".repeat(64) });
    case "clock":
    case "random": {
      // Seen in the state that the node writes it into.
      const after = events.findIndex(
        (each, at) => at > index && each.event.kind === "checkpoint" && each.scope.thread === scope.thread,
      );
      const change = event.kind === "clock" ? { at: event.at + 1 } : { value: event.value / 2 };
      return after < 0 ? [] : [{ what: "a lot", from: index, to: after, recording: changed(recording, index, change) }];
    }
    default:
      return [];
  }
}

const statistics = new Map<string, number>();

async function play(agent: World, plan: Parameters<typeof world>[0], choices: readonly number[]): Promise<void> {
  const recording = await readRecording(agent.journal, THREAD);
  const { record, repeated } = eventsThatCount(recording.events);
  const counted = new Set(record.map(({ index }) => index).filter((index) => !repeated.has(index)));
  const all = [...counted].flatMap((index) => changesOf(recording, index, counted));
  for (const choice of choices) {
    const change = all[choice % all.length];
    if (change === undefined) continue;
    const copy = await world(plan);
    const { graph, harness } = copy;
    const keep = (text: string) => agent.journal.keep(text);
    const replayed = await replayThread({ recording: change.recording, graph, harness, keep });
    expect(copy.provider.requests).toHaveLength(0);
    await copy.close();
    expect(replayed.identical, `${change.what} at ${change.from}`).toBe(false);
    const { index, checkpoint } = replayed.divergence as Divergence;
    expect([change.what, index >= change.from && index <= change.to, index, change.from]).toEqual([
      change.what,
      true,
      index,
      change.from,
    ]);
    const before = recording.events.slice(0, index).findLast(({ event }) => event.kind === "checkpoint");
    expect(checkpoint?.step).toBe(before?.scope.step);
    statistics.set(change.what, (statistics.get(change.what) ?? 0) + 1);
  }
}

const numRuns = runs(4);

it("P13: one change in a recording is reported where it is", { timeout: 60_000 + numRuns * 15_000 }, async () => {
  const property = fc.asyncProperty(
    anyStory(3),
    fc.nat(),
    fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
    async (story, seed, choices) => {
      const agent = await world(story.plan, { delay: randomDelay(seed) });
      try {
        await live(agent, story);
        await play(agent, story.plan, choices);
      } finally {
        await agent.close();
      }
    },
  );
  await fc.assert(property, settings(numRuns));
  expect(statistics.size).toBeGreaterThan(4);
});
