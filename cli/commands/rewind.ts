// `bulkhead rewind THREAD`: its options, and nothing else. The rewind itself is in `../run/rewind.ts`.

import { type Command, Option } from "commander";
import { collect, command, withDatabase, withJson } from "../options.js";
import type { RewindOptions } from "../run/rewind.js";
import type { Terminal } from "../terminal.js";

/** The command. @param finish Takes the exit code. */
export const rewindCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withJson(
    withDatabase(
      command("rewind", "go back to before the trust fell, and run again from there without a fallback", [
        "bulkhead rewind THREAD",
        "bulkhead rewind THREAD --json",
      ]),
    ),
  )
    .argument("<thread>", "the thread that the gate stopped; it stays as it is")
    .option("--graph <name>", "which graph of langgraph.json (default: the one that ran)")
    .addOption(
      new Option("--approve <how>", "answer the gate: ask in a terminal, yes or no to everything")
        .choices(["ask", "yes", "no"])
        .default("ask"),
    )
    .option("--fault <spec>", "a fault of the offline provider, repeatable: outage:offline-large", collect)
    .addHelpText(
      "after",
      "\nThe run goes on in a new thread, which waits for the primary model or parks. Exit codes as of run.",
    )
    .action(async (thread: string, options: RewindOptions) => {
      const { rewindTask } = await import("../run/rewind.js");
      finish(await rewindTask(thread, options, terminal));
    });
