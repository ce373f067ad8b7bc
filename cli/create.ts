#!/usr/bin/env node
// The entry of `create-bulkhead`, so that `npm create` works: it is `bulkhead new`.

import { runProgram } from "./program.js";
import { processTerminal } from "./terminal.js";

process.exitCode = await runProgram(["new", ...process.argv.slice(2)], processTerminal());
