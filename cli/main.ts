#!/usr/bin/env node
// The entry of the `bulkhead` command.

import { EventEmitter } from "node:events";
import { runProgram } from "./program.js";
import { processTerminal } from "./terminal.js";

// LangGraph listens to one abort signal once per parallel task; from the eleventh on Node would call that a leak.
EventEmitter.defaultMaxListeners = 1_000;

process.exitCode = await runProgram(process.argv.slice(2), processTerminal());
// A connection somebody forgot must not keep a finished command in the terminal.
setTimeout(() => process.exit(), 3_000).unref();
