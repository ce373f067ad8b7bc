// The official suite of LangGraph's checkpointers, and what ours adds: a version in every checkpoint, and one database
// shared with the journal. The official suite needs its test functions as globals.

import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { deltaChannelHistoryTests, validate } from "@langchain/langgraph-checkpoint-validation";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { TOP } from "../../trust/index.js";
import type { Place } from "./support.js";

type Opened = Awaited<ReturnType<typeof openCheckpointer>> & { readonly at: Place };

/** `checkpointerName` is how the suite knows a saver; some of its tests hold only for some of them. */
export function officialSuite(checkpointerName: string, place: () => Place): void {
  Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test });
  const opened = new Map<BaseCheckpointSaver, Opened>();
  const initializer = {
    checkpointerName,
    async createCheckpointer() {
      const at = place();
      const checkpointer = await openCheckpointer(at.url);
      opened.set(checkpointer.saver, { ...checkpointer, at });
      return checkpointer.saver;
    },
    async destroyCheckpointer(saver: BaseCheckpointSaver) {
      const checkpointer = opened.get(saver);
      await checkpointer?.close();
      await checkpointer?.at.remove();
    },
  };
  validate(initializer);
  deltaChannelHistoryTests(initializer);
}

/** `setStamp` rewrites the version of all stored checkpoints; `undefined` takes it away. */
export function checkpointerSuite(
  name: string,
  place: () => Place,
  setStamp?: (at: Place, version: number | undefined) => Promise<void>,
): void {
  describe(`checkpointer on ${name}`, () => {
    let at: Place;
    let checkpointer: Awaited<ReturnType<typeof openCheckpointer>>;
    beforeEach(async () => {
      at = place();
      checkpointer = await openCheckpointer(at.url);
    });
    afterEach(async () => {
      await checkpointer.close();
      await at.remove();
    });

    const State = Annotation.Root({
      steps: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
    });
    const config = { configurable: { thread_id: "t1" } };

    it("keeps a graph's thread while the journal works on the same database", async () => {
      const journal = openJournal(at.url);
      const graph = new StateGraph(State)
        .addNode("one", async () => {
          await journal.beginThread("t1", "test", TOP);
          return { steps: ["one"] };
        })
        .addNode("two", async () => {
          const scope = { thread: "t1", run: "r1" };
          const ms = Array.from({ length: 20 }, (_, index) => index);
          await Promise.all(ms.map((each) => journal.append(scope, { kind: "node.end", ms: each })));
          return { steps: ["two"] };
        })
        .addNode("three", async () => ({ steps: ["three"] }))
        .addEdge(START, "one")
        .addEdge("one", "two")
        .addEdge("one", "three")
        .addEdge("two", END)
        .compile({ checkpointer: checkpointer.saver });
      await graph.invoke({ steps: [] }, { ...config, durability: "sync" });
      await graph.invoke({ steps: ["again"] }, config);
      const steps = [...(await graph.getState(config)).values.steps].sort();
      expect(steps).toEqual(["again", "one", "one", "three", "three", "two", "two"]);
      expect(await journal.events({ thread: "t1" })).toHaveLength(40);
      await journal.close();
    });

    it.skipIf(setStamp === undefined)("stamps every checkpoint, refuses a newer one, accepts one without", async () => {
      const { saver } = checkpointer;
      const graph = new StateGraph(State)
        .addNode("one", () => ({ steps: ["one"] }))
        .addEdge(START, "one")
        .compile({ checkpointer: saver });
      await graph.invoke({ steps: [] }, config);
      expect((await saver.getTuple(config))?.metadata).not.toHaveProperty("bulkhead_schema");
      const listed = [];
      for await (const tuple of saver.list(config, { filter: { bulkhead_schema: 1 } })) listed.push(tuple.metadata);
      expect(listed).toHaveLength(3);
      expect(listed[0]).not.toHaveProperty("bulkhead_schema");

      await setStamp?.(at, 2);
      const newer = {
        code: "JOURNAL_NEWER",
        message: expect.stringMatching(/has version 2, this version reads up to 1. Update bulkhead/),
      };
      await expect(saver.getTuple(config)).rejects.toMatchObject(newer);
      await expect(saver.list(config).next()).rejects.toMatchObject(newer);
      await expect(graph.invoke({ steps: [] }, config)).rejects.toMatchObject(newer);

      await setStamp?.(at, undefined);
      expect((await graph.getState(config)).values.steps).toEqual(["one"]);
    });

    it.each(["\0", "\ud800"])("keeps state and metadata with %j in them, and refuses an id with it", async (odd) => {
      const { saver } = checkpointer;
      const graph = new StateGraph(State)
        .addNode("one", () => ({ steps: [`one${odd}`] }))
        .addEdge(START, "one")
        .compile({ checkpointer: saver });
      await graph.invoke({ steps: [`in${odd}`] }, config);
      expect((await graph.getState(config)).values.steps).toEqual([`in${odd}`, `one${odd}`]);
      const newest = await saver.getTuple(config);
      const { checkpoint, metadata } = newest ?? {};
      if (checkpoint === undefined || metadata === undefined) throw new Error("nothing was saved");
      const told = { ...metadata, user: `ann${odd}` }; // As a server's client may add it.
      await saver.put({ configurable: { thread_id: "t1", checkpoint_ns: "" } }, checkpoint, told, {});
      expect((await saver.getTuple(config))?.metadata).toMatchObject({ user: "ann\ufffd" });
      const listed = [];
      for await (const tuple of saver.list(config, { filter: { user: `ann${odd}` } })) listed.push(tuple);
      expect(listed).toHaveLength(1);
      const other = { configurable: { thread_id: `t${odd}` } };
      const refused = {
        name: "JournalError",
        message: expect.stringMatching(/which no database keeps. Choose another/),
      };
      await expect(graph.invoke({ steps: [] }, other)).rejects.toMatchObject(refused);
      await expect(saver.list(other).next()).rejects.toMatchObject(refused);
    });

    it("forgets a thread when told to", async () => {
      const { saver } = checkpointer;
      const graph = new StateGraph(State)
        .addNode("one", () => ({}))
        .addEdge(START, "one")
        .compile({ checkpointer: saver });
      await graph.invoke({ steps: ["x"] }, config);
      await saver.deleteThread("t1");
      expect(await saver.getTuple(config)).toBeUndefined();
    });
  });
}
