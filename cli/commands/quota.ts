// `bulkhead quota`: its options, and nothing else. What it does is in `../quota/`.

import type { Command } from "commander";
import { command, quotaOption, withJson } from "../options.js";
import type { QuotaOptions } from "../quota/quota.js";
import type { Terminal } from "../terminal.js";

const COLUMNS = `
Columns:
  SHARE    how much of the provider's rates is used, adapted to what the provider says
  QUEUED   requests that wait in the processes    LEFT     requests that left since the processes began
  429S     of those, refused for rate             REFUSED  never left: too many waited, or they waited in vain
  NOW      a pause after a 429, how far ahead starts are reserved, tokens used ahead of the rate
What processes say of themselves is renewed every 5 s. Exit codes: 0 shown, 1 Redis cannot be asked, 2 usage`;

export const quotaCommand = (terminal: Terminal): Command =>
  withJson(
    command("quota", "how the quotas stand that a fleet shares", [
      "bulkhead quota",
      "bulkhead quota --watch",
      "bulkhead quota --quota redis://127.0.0.1:6379 --json",
    ]),
  )
    .addOption(quotaOption())
    .option("--watch", "show it again every second, until Ctrl-C")
    .addHelpText("after", COLUMNS)
    .action(async (options: QuotaOptions) => {
      const { showQuota } = await import("../quota/quota.js");
      await showQuota(options, terminal);
    });
