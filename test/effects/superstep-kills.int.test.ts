// Killed between the last stored write and the next checkpoint of every superstep, and right after every statement of the
// checkpointer, on both databases: the resumed run comes to what an unkilled one comes to, with every effect once.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Journal } from "../../checkpoints/index.js";
import { type AnyCompiledGraph, agentGraph } from "../../graphs/index.js";
import { TASKS, type Task } from "../../lab/bench/reliability/tasks.js";
import { Workspaces } from "../../lab/bench/reliability/workspace.js";
import { answer } from "../../models/offline/brain/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { defineSubagent } from "../../subagents/index.js";
import { prompt } from "../../template/graphs/prompt.js";
import { RecordsDatabase } from "../../template/nodes/records/database.js";
import { recordsTools } from "../../template/nodes/records/index.js";
import { subagents } from "../../template/subagents/index.js";
import { balanced } from "../../trust/index.js";
import { type Place, postgresPlace, sqlitePlace, withoutPostgres } from "../checkpoints/support.js";
import { calls, script, scriptedModel } from "../contracts/index.js";
import { type Build, type Came, Lives, type Point } from "./superstep.js";

const MINUTES = 60_000;

/** An agent on trial: made anew for each thread, it says what its tools have done there. */
interface Trial {
  readonly task: string;
  open(): Promise<{ readonly build: Build; readonly done: () => readonly string[] }>;
  close(): Promise<void>;
}

/** Reads and a subagent side by side, an effect that needs no gate, one that passes it, and one that is asked about. */
function smallAgent(): Trial {
  const brain = script(
    [
      calls(["look", { id: "1" }], ["tag", { id: "2" }], ["task", { description: "read", subagent_type: "reader" }]),
      calls(["pay", { to: "a" }], ["look", { id: "3" }]),
      calls(["erase", { id: "4" }]),
      "All done.",
    ],
    { "You are the reader": [calls(["look", { id: "5" }], ["look", { id: "6" }]), "read it"] },
  );
  const model = scriptedModel(brain);
  return {
    task: "do it",
    async open() {
      const done: string[] = [];
      const tool = (name: string, schema: z.ZodObject, rest: object) =>
        defineTool({
          ...{ name, description: `${name}s.`, schema, source: { integrity: 2 } },
          run: (args: object) => {
            if (name !== "look") done.push(`${name} ${JSON.stringify(args)}`);
            return `${name} done`;
          },
          ...rest,
        } as never) as unknown as HarnessTool;
      const id = z.object({ id: z.string() });
      const tools = [
        tool("look", id, { effect: "none" }),
        tool("tag", id, { effect: "idempotent", honoursKey: true }),
        tool("pay", z.object({ to: z.string() }), {}),
        tool("erase", id, { effect: "irreversible", floor: "strict" }),
      ];
      const build = (journal: Journal) => {
        const host = { journal, model: model.model, policy: balanced };
        const definition = { name: "reader", description: "Reads.", prompt: "You are the reader." };
        const reader = defineSubagent({ ...definition, tools: tools.slice(0, 1) }, host);
        const options = { journal, model, prompt: "You are the agent.", tools, subagents: [reader] };
        return agentGraph(options).compile() as unknown as AnyCompiledGraph;
      };
      return { build, done: () => [...done].sort() };
    },
    async close() {
      await model.provider.close();
      await model.close();
    },
  };
}

/** The agent of the template on the records workspace, with the offline brain. */
function recordsAgent(): Trial {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-superstep-"));
  const seed = join(folder, "seed");
  new RecordsDatabase(seed).close();
  const workspaces = new Workspaces(seed, folder);
  const model = scriptedModel(answer);
  let opened = 0;
  return {
    task: (TASKS[0] as Task).text,
    async open() {
      const index = opened++;
      await workspaces.make(index);
      return {
        build: (journal) => {
          const tools = recordsTools(workspaces.of(index));
          const host = { journal, model: model.model, policy: balanced };
          const options = { journal, model, prompt, tools, subagents: subagents(tools, host) };
          return agentGraph(options).compile() as unknown as AnyCompiledGraph;
        },
        done: () => [...workspaces.changes(index)].sort(),
      };
    },
    async close() {
      await model.provider.close();
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What came of a thread: how it ended, and what its tools did. */
type Whole = Came & { readonly done: readonly string[] };

/** Kills a thread at a point and resumes it. `undefined` when it came to its end before. */
async function killedAt(point: Point, thread: string, trial: Trial, place: Place): Promise<Whole | undefined> {
  const { build, done } = await trial.open();
  const lives = new Lives(place, build);
  try {
    if (!(await lives.killed(thread, trial.task, point))) return undefined;
    return { ...(await lives.next(thread, "resume")), done: done() };
  } finally {
    await lives.close();
  }
}

async function unkilled(trial: Trial, place: Place): Promise<Whole> {
  const { build, done } = await trial.open();
  const lives = new Lives(place, build);
  try {
    return { ...(await lives.next("unkilled", "start", trial.task)), done: done() };
  } finally {
    await lives.close();
  }
}

const AGENTS = [
  { name: "a small agent", open: smallAgent, done: 3, supersteps: 25, statements: 60 },
  { name: "the records agent", open: recordsAgent, done: 2, supersteps: 30, statements: 60 },
] as const;

const POINTS = [
  { name: "when its results are stored and no checkpoint is", at: (n: number): Point => ({ stored: n }) },
  { name: "right after a statement", at: (n: number): Point => ({ after: n }) },
] as const;

/** @param every Which statements: on a server each life takes its time. */
function kills(database: string, open: () => Place, every: number): void {
  describe.each(AGENTS)(`$name on ${database}`, ({ name, open: openTrial, done, ...least }) => {
    let place: Place;
    let trial: Trial;
    let whole: Whole;
    beforeAll(async () => {
      place = open();
      trial = openTrial();
      whole = await unkilled(trial, place);
    }, MINUTES);
    afterAll(async () => {
      await trial.close();
      await place.remove();
    });

    test("comes to its end without a kill", () => {
      expect(whole).toMatchObject({ status: "finished", recorded: "finished", ends: [{ status: "finished" }] });
      expect(whole.done).toHaveLength(done);
    });

    test.each(POINTS)("killed $name", { timeout: 10 * MINUTES }, async ({ name: point, at }) => {
      let count = 0;
      const stride = "after" in at(0) ? every : 1;
      for (; ; count += stride) {
        const came = await killedAt(at(count), `${point} ${count}`, trial, place);
        if (came === undefined) break;
        expect(came, `${name}, ${point} ${count}`).toEqual(whole);
      }
      expect(count).toBeGreaterThanOrEqual("stored" in at(0) ? least.supersteps : least.statements);
    });
  });
}

kills("sqlite", sqlitePlace, 1);
describe.skipIf(await withoutPostgres())("on a real server", () => kills("postgres", postgresPlace, 7));
