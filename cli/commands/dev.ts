// `bulkhead dev`: the LangGraph dev server of this project, on a free port, with Studio's address. Nothing leaves the
// machine: analytics and tracing are off.

import { type Command, InvalidArgumentError } from "commander";
import { command } from "../options.js";
import type { Terminal } from "../terminal.js";

const port = (value: string): number => {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError("It is a port, 1 to 65535.");
};

export const devCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  command("dev", "serve the graphs for LangGraph Studio", ["bulkhead dev", "bulkhead dev --port 2100"])
    .option("--port <number>", "where to listen (default: the first free port from 2024)", port)
    .action(async (options: { readonly port?: number }) => {
      const { serve } = await import("../dev.js");
      finish(await serve(options, terminal));
    });
