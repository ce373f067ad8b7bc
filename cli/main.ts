#!/usr/bin/env node
// The entry of the `bulkhead` command.

import { runProgram } from "./program.js";
import { processTerminal } from "./terminal.js";

process.exitCode = await runProgram(process.argv.slice(2), processTerminal());
// A connection somebody forgot must not keep a finished command in the terminal.
setTimeout(() => process.exit(), 3_000).unref();
