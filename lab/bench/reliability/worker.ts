// A process of its own for one harness in one scenario: runs the tasks of its order and tells how they went. Nothing that
// is in it (patched timers, pools, memory) can leak into another cell, and it can be killed. node worker.js ORDER

import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { z } from "zod";
import type { Harness, HarnessSetting } from "./harness/harness.js";
import { operatorOf } from "./operator.js";
import { order as orderSchema, type Report } from "./order.js";
import { recordsProject, runTypeScript } from "./records.js";
import { taskOf } from "./tasks.js";
import { scaleTimers, sharedClock } from "./time.js";
import { Workspaces } from "./workspace.js";

const order = orderSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));
const clock = sharedClock(order.scale, order.epoch);
const workspaces = new Workspaces(order.seed, order.folder);
const tell = (said: Report): void => void process.stdout.write(`${JSON.stringify(said)}\n`);

/** How often it is looked whether timers come late, in real ms. */
const LOOK_MS = 10;

let effects = 0;
const onEffect = (): void => {
  effects += 1;
  if (effects === order.killAfter) process.kill(process.pid, "SIGKILL");
};

async function open(setting: HarnessSetting): Promise<Harness> {
  // What comes with LangChain has no clock of its own to be given.
  if (order.harness !== "bulkhead") scaleTimers(order.scale);
  switch (order.harness) {
    case "create-agent":
      return (await import("./harness/create-agent.js")).openCreateAgent(setting);
    case "deep-agent":
      return (await import("./harness/deep-agent.js")).openDeepAgent(setting);
    case "bulkhead":
      return (await import("./harness/bulkhead.js")).openBulkhead(setting);
  }
}

const messageOf = (error: unknown): string => z.object({ message: z.string() }).safeParse(error).data?.message ?? "";

await runTypeScript();
const harness = await open({ order, clock, project: await recordsProject(), onEffect });
const delay = monitorEventLoopDelay({ resolution: LOOK_MS });
delay.enable();
const origin = order.origin ?? clock.now();
if (order.origin === undefined) tell({ kind: "ready", at: origin });
await Promise.all(
  order.jobs.map(async ({ index, at, resume }) => {
    await clock.sleep(origin + at - clock.now());
    const task = taskOf(index);
    const workspace = resume ? workspaces.of(index) : await workspaces.make(index);
    if (!resume) tell({ kind: "started", index });
    const asked = () => tell({ kind: "asked", index });
    const changes = () => workspaces.changes(index);
    const operator = operatorOf(task, changes, { clock, thinkMs: order.operatorMs, asked });
    try {
      const answer = await harness.run({ task, thread: `task-${index}`, workspace, resume, operator });
      tell({ kind: "ended", index, finished: true, answer });
    } catch (error) {
      tell({ kind: "ended", index, finished: false, answer: "", error: messageOf(error).slice(0, 400) });
    }
  }),
);
await harness.close();
const { user, system } = process.cpuUsage();
const lateMs = Math.max(0, delay.percentile(99) / 1e6 - LOOK_MS) * order.scale;
tell({ kind: "used", processorMs: (user + system) / 1_000, memoryBytes: process.memoryUsage().rss, lateMs });
process.exit(0);
