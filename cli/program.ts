// The `bulkhead` command: all its subcommands, how it reports a mistake in typing, and how an error becomes an exit
// code. Nothing is imported here that a `--help` does not need.

import { Command } from "commander";
import { approvalsCommand } from "./commands/approvals.js";
import { approveCommand } from "./commands/approve.js";
import { benchCommand } from "./commands/bench.js";
import { devCommand } from "./commands/dev.js";
import { doctorCommand } from "./commands/doctor.js";
import { editCommand } from "./commands/edit.js";
import { effectsCommand } from "./commands/effects.js";
import { eraseCommand } from "./commands/erase.js";
import { exportCommand } from "./commands/export.js";
import { gcCommand } from "./commands/gc.js";
import { graphCommand } from "./commands/graph.js";
import { importCommand } from "./commands/import.js";
import { inspectCommand } from "./commands/inspect.js";
import { newCommand } from "./commands/new.js";
import { probeCommand } from "./commands/probe.js";
import { queueCommand } from "./commands/queue.js";
import { quotaCommand } from "./commands/quota.js";
import { rejectCommand } from "./commands/reject.js";
import { replayCommand } from "./commands/replay.js";
import { rewindCommand } from "./commands/rewind.js";
import { runCommand } from "./commands/run.js";
import { showCommand } from "./commands/show.js";
import { submitCommand } from "./commands/submit.js";
import { threadsCommand } from "./commands/threads.js";
import { verifyCommand } from "./commands/verify.js";
import { workerCommand } from "./commands/worker.js";
import { EXIT, explain } from "./exit.js";
import { version } from "./package.js";
import type { Terminal } from "./terminal.js";

/** Runs the command line `args` (without `node` and the script). Resolves with the exit code; never rejects. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.finished;
  const finish = (by: number) => {
    code = by;
  };
  const program = new Command("bulkhead")
    .description("LangGraph agents that stay up, and stay right.")
    .version(version())
    .addHelpText("after", "\nStart with:\n  $ bulkhead new my-agent\n  $ bulkhead doctor");
  const commands = [
    runCommand(terminal, finish),
    rewindCommand(terminal, finish),
    replayCommand(terminal, finish),
    submitCommand(terminal, finish),
    workerCommand(terminal, finish),
    queueCommand(terminal),
    quotaCommand(terminal),
    approvalsCommand(terminal),
    approveCommand(terminal),
    editCommand(terminal),
    rejectCommand(terminal),
    effectsCommand(terminal),
    threadsCommand(terminal),
    showCommand(terminal),
    verifyCommand(terminal, finish),
    exportCommand(terminal),
    importCommand(terminal),
    eraseCommand(terminal),
    gcCommand(terminal),
    inspectCommand(terminal),
    graphCommand(terminal),
    doctorCommand(terminal, finish),
    probeCommand(terminal),
    benchCommand(terminal),
    devCommand(terminal, finish),
    newCommand(terminal),
  ];
  for (const each of commands) program.addCommand(each);
  for (const each of [program, ...commands, ...commands.flatMap(({ commands: below }) => below)]) {
    each
      .exitOverride()
      .configureOutput({
        writeOut: (text) => terminal.out(text.trimEnd()),
        writeErr: (text) => terminal.err(text.trimEnd()),
      })
      .showHelpAfterError(`See: ${[terminal.program, ...pathOf(each)].join(" ")} --help`);
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return report(error, args, terminal);
  }
}

/** `["effects", "resolve"]`: how a command is reached from the program. */
const pathOf = (command: Command): readonly string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];

function report(error: unknown, args: readonly string[], terminal: Terminal): number {
  const { message, exitCode, known } = explain(error);
  if (message === "") return exitCode;
  terminal.err(`${terminal.errStyle.bad("error:")} ${message}`);
  const verbose = args.includes("--verbose") || Boolean(terminal.env["BULKHEAD_DEBUG"]);
  if (verbose) {
    for (let each: unknown = error; each instanceof Error; each = each.cause) terminal.err(each.stack ?? each.message);
  } else if (!known) {
    terminal.err(
      "This was not expected. Add --verbose for the stack. Nothing that was recorded is lost: threads can be resumed.",
    );
  }
  return exitCode;
}
