// `bulkhead submit`: its options, and nothing else. What it does is in `../worker/`.

import { type Command, Option } from "commander";
import { budget, command, withDatabase, withJson, withQueue } from "../options.js";
import type { Terminal } from "../terminal.js";
import type { SubmitOptions } from "../worker/submit.js";

/** The command. @param finish Takes the exit code. */
export const submitCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withJson(
    withQueue(
      withDatabase(
        command("submit", "put a run into the queue, for a worker", [
          'bulkhead submit "How many tickets are open?"',
          'bulkhead submit --wait "Handle ticket 1077: refund the duplicate charge on order 7781."',
          'bulkhead submit --thread ticket-1077 "Handle ticket 1077."     # twice is once',
          "bulkhead submit --thread ID --resume                           # what failed, parked or was stopped",
        ]),
      ),
    ),
  )
    .argument("[task]", "what to do; also from --file, or piped in")
    .option("--file <path>", "read the task from a file")
    .option("--graph <name>", "which graph of langgraph.json (default: agent)")
    .option("--thread <id>", "name the new thread; the same one is never queued twice")
    .option("--resume", "go on where the thread of --thread stands")
    .addOption(
      new Option("--priority <which>", "who is served first").choices(["interactive", "batch"]).default("interactive"),
    )
    .option(
      "--budget <limits>",
      "what it may use, with its subagents: calls=50,tokens=200000,usd=1.50,time=10m",
      budget,
    )
    .option("--wait", "follow the run to its end; the exit code is that of `run`")
    .action(async (task: string | undefined, options: SubmitOptions) => {
      const { submitTask } = await import("../worker/submit.js");
      finish(await submitTask(task, options, terminal));
    });
