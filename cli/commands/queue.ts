// `bulkhead queue`: what is in the queue and how it stands; `queue remove` takes a run out.

import { type Command, Option } from "commander";
import { command, withJson, withQueue } from "../options.js";
import type { Terminal } from "../terminal.js";
import type { QueueOptions } from "../worker/listing.js";
import { QUEUE_STATES } from "../worker/states.js";

const STATES = `
States:
  queued   in line                        parked   sleeps until there is capacity
  running  a worker has it                waiting  for a person: bulkhead approvals
  done     finished or blocked            failed   until it is put in again`;

export const queueCommand = (terminal: Terminal): Command =>
  withJson(
    withQueue(command("queue", "list the runs in the queue", ["bulkhead queue", "bulkhead queue --state failed"])),
  )
    .addOption(new Option("--state <state>", "only these").choices([...QUEUE_STATES]))
    .addHelpText("after", STATES)
    .action(async (options: QueueOptions) => {
      const { listQueue } = await import("../worker/listing.js");
      await listQueue(options, terminal);
    })
    .addCommand(
      withJson(
        withQueue(command("remove", "take a run out of the queue; its thread stays", ["bulkhead queue remove THREAD"])),
      )
        .argument("<thread>", "the thread, as `bulkhead queue` lists it")
        .action(async (thread: string, _own: QueueOptions, self: Command) => {
          const { removeFromQueue } = await import("../worker/listing.js");
          await removeFromQueue(thread, self.optsWithGlobals<QueueOptions>(), terminal);
        }),
    );
