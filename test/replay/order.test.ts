// Calls that changed places in the code: one after the other, that is reported; side by side, it is no difference.

import { Send } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../capacity/index.js";
import { readRecording } from "../../graphs/index.js";
import { type HarnessTool, harnessNode } from "../../nodes/index.js";
import { again, live, THREAD } from "./drive.js";
import { workingTools } from "./working-tools.js";
import { type Plan, type WorldOptions, world } from "./world.js";

describe("the order of calls", () => {
  type Ask = (name: string) => Promise<unknown>;
  const thinking =
    (body: (ask: Ask) => Promise<unknown>): NonNullable<WorldOptions["thinks"]> =>
    (model) =>
    async (_state, step) => {
      await body((name) => model.invoke(`think of ${name}`, step.config));
      return {};
    };
  const oneThenTwo = thinking(async (ask) => {
    await ask("one");
    await ask("two");
  });
  const twoThenOne = thinking(async (ask) => {
    await ask("two");
    await ask("one");
  });
  const both = (...names: string[]) => thinking((ask) => Promise.all(names.map(ask)));

  const recordedWith = async (options: WorldOptions, then: WorldOptions) => {
    const short: Plan = { turns: [[]] };
    const delay = () => systemClock.sleep(10);
    const before = await world(short, { ...options, delay, clock: systemClock });
    await live(before, { plan: short, answers: [], calling: "invoke", tasks: ["go"] });
    const { events: all } = await readRecording(before.journal, THREAD);
    const { replayed, copy } = await again(before, short, then);
    await copy.close();
    await before.close();
    return { replayed, all };
  };

  test("of two, one after the other, is reported at the one that came first", async () => {
    const { replayed, all } = await recordedWith({ thinks: oneThenTwo }, { thinks: twoThenOne });
    const index = all.findIndex(({ event }) => event.kind === "model.request");
    expect(replayed.divergence).toMatchObject({
      kind: "order",
      index,
      node: "dice",
      recorded: expect.any(String),
      now: expect.any(String),
    });
  });

  test("of two side by side in one node is none", async () => {
    const { replayed } = await recordedWith({ thinks: both("one", "two") }, { thinks: both("two", "one") });
    expect(replayed.divergence).toBeUndefined();
    expect(replayed).toMatchObject({ identical: true, given: expect.any(Number) });
  });

  /** Two tasks beside `dice`, each of which reads a record and keeps it in a file of its own. */
  const keeping =
    (...ids: readonly string[]): NonNullable<WorldOptions["rewire"]> =>
    (graph, journal) => {
      const look = workingTools(async () => undefined).tools[0] as HarnessTool;
      const keep = harnessNode<{ id: string }>(
        "taint",
        journal,
        async ({ id }, step) => {
          const content = String(await look.invoke({ id }, step.config));
          return { files: { [`/${id}`]: { content, mimeType: "text/plain", created_at: "", modified_at: "" } } };
        },
        () => ({}),
      );
      // biome-ignore lint/suspicious/noExplicitAny: names of nodes are types, and this one was none before.
      const any = graph as any;
      any
        .addNode("keep", keep)
        .addConditionalEdges("recall", () => ids.map((id) => new Send("keep", { id })), ["keep"]);
    };

  test("of two tasks side by side is none when they come to the same", async () => {
    const { replayed, all } = await recordedWith({ rewire: keeping("x", "y") }, { rewire: keeping("y", "x") });
    expect(all.filter(({ event }) => event.kind === "tool.output")).toHaveLength(2);
    expect(replayed.divergence).toBeUndefined();
  });
});
