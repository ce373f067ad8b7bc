// Where a command reads and writes. One port, so that every command can be tested without a process, and the one
// place that decides about colour and about asking.

import { relative } from "node:path";
import { createInterface } from "node:readline/promises";
import type { WriteStream } from "node:tty";
import { COLOURED, PLAIN, type Style, shellWord } from "./text.js";

/** The terminal a command runs in. */
export interface Terminal {
  readonly cwd: string;
  /** Also how flags are handed to the project: they are set here before its graph is imported. */
  readonly env: Record<string, string | undefined>;
  /** How this program was started, for the commands it tells people to type: `bulkhead`, `npx bulkhead`. */
  readonly program: string;
  /** Whether a person can be asked: both the input and the place where questions appear are a terminal. */
  readonly interactive: boolean;
  /** Style of what goes to {@link out}. */
  readonly outStyle: Style;
  /** Style of what goes to {@link err}. */
  readonly errStyle: Style;
  /** Results: one or more lines to the standard output. */
  out(text: string): void;
  /** Progress, questions and errors: one or more lines to the standard error. */
  err(text: string): void;
  /** Everything that is piped in; `undefined` when nothing is. */
  input(): Promise<string | undefined>;
  /** Asks for a line. Rejects when `signal` aborts. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  /** Calls `handler` on Ctrl-C and on a polite request to stop. Returns the function that ends it. */
  onInterrupt(handler: () => void): () => void;
}

/** How this program was started, from the traces that npm and the shell leave. Pure. */
export function programName(env: Terminal["env"], script: string, cwd: string): string {
  const ownScript = /[\\/]dist[\\/]cli[\\/]\w+\.js$/.test(script) && !/[\\/]node_modules[\\/]/.test(script);
  if (env["npm_command"] === "exec") return "npx bulkhead";
  if (env["npm_lifecycle_event"] !== undefined) return ownScript ? "npm run -s bulkhead --" : "npx bulkhead";
  if (/[\\/]node_modules[\\/]/.test(script)) return "npx bulkhead";
  return ownScript ? `node ${shellWord(relative(cwd, script))}` : "bulkhead";
}

const styleOf = (stream: WriteStream): Style => (stream.isTTY && stream.hasColors() ? COLOURED : PLAIN);

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error; // Nobody reads any more: the run goes on, its record is elsewhere.
    });
  }
  return {
    cwd: process.cwd(),
    env,
    program: programName(env, process.argv[1] ?? "", process.cwd()),
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    outStyle: styleOf(stdout),
    errStyle: styleOf(stderr),
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    input: async () => {
      if (stdin.isTTY === true) return undefined;
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer));
      return Buffer.concat(chunks).toString("utf8");
    },
    ask: async (question, signal) => {
      const reader = createInterface({ input: stdin, output: stderr });
      reader.on("SIGINT", () => process.emit("SIGINT")); // readline takes Ctrl-C for itself otherwise.
      try {
        return await reader.question(question, { signal });
      } finally {
        reader.close();
      }
    },
    onInterrupt: (handler) => {
      const signals = ["SIGINT", "SIGTERM"] as const;
      for (const signal of signals) process.on(signal, handler);
      return () => {
        for (const signal of signals) process.off(signal, handler);
      };
    },
  };
}
