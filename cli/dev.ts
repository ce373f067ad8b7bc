// Runs the project's own LangGraph CLI as a child process and waits for it. Only the CLI's own process is ever
// signalled: a signal to the whole group kills its server in the middle of saving (langgraph-cli 1.5.1).

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, EXIT } from "./exit.js";
import { findLanggraphCli, GET_LANGGRAPH_CLI } from "./installed.js";
import { configure, requireProject } from "./project.js";
import { ECHO_MS } from "./run/interruption.js";
import type { Terminal } from "./terminal.js";

/** Where the LangGraph CLI listens when nobody says otherwise. */
const FIRST_PORT = 2024;

/** How many ports are tried. */
const PORTS = 100;

/** After this time without an answer the user is told to look, in ms. The first start ever takes about 15 s. */
const PATIENCE_MS = 30_000;

const POLL_MS = 250;

/** Serves until Ctrl-C. @throws CommandError when the CLI is missing or does not start. */
export async function serve({ port }: { readonly port?: number }, terminal: Terminal): Promise<number> {
  const project = requireProject(terminal.cwd);
  const cli = findLanggraphCli(project.root);
  if (cli === undefined) throw new CommandError(`the LangGraph CLI is not installed. Get it: ${GET_LANGGRAPH_CLI}`);
  await configure(terminal, project, {});
  const listening = port ?? (await freePort());
  if (port !== undefined && !(await isFree(port))) {
    throw new CommandError(`port ${port} is in use. Choose another one, or leave out --port to get a free one.`);
  }
  const child = spawn(process.execPath, [cli.script, "dev", "--no-browser", "--port", String(listening)], {
    cwd: project.root,
    // A group of its own: the terminal's Ctrl-C reaches us, and we tell the CLI alone.
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...terminal.env, LANGGRAPH_CLI_NO_ANALYTICS: "1", LANGSMITH_TRACING: "false", BROWSER: "none" },
  });
  const ended = once(child, "exit").then(() => undefined);
  let stopping: number | undefined;
  const stop = terminal.onInterrupt(() => {
    const echo = stopping !== undefined && performance.now() - stopping < ECHO_MS;
    stopping = performance.now();
    if (!echo) child.kill("SIGINT");
  });
  try {
    await untilReady(child, listening, terminal);
    if (!hasEnded(child)) {
      terminal.out(`API:    http://localhost:${listening}`);
      terminal.out(`Studio: https://smith.langchain.com/studio?baseUrl=http://localhost:${listening}`);
      terminal.out(
        "Stop with Ctrl-C. What Studio does is kept in .langgraph_api; approvals, effects and records in the journal.",
      );
    }
    await ended;
    return EXIT.finished;
  } catch (error) {
    if (stopping !== undefined) return EXIT.finished; // Ctrl-C while it was starting.
    throw error;
  } finally {
    stop();
    if (!hasEnded(child)) child.kill("SIGINT");
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** A graph that cannot be loaded leaves the CLI waiting for a file to change, so this waits as well. */
async function untilReady(child: ChildProcess, port: number, terminal: Terminal): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  for (let told = false; ; ) {
    if (hasEnded(child)) {
      throw new CommandError(
        `the dev server ended (${child.signalCode ?? child.exitCode}) before it was ready; its own message is above.`,
      );
    }
    const ready = await fetch(`http://127.0.0.1:${port}/ok`, { signal: AbortSignal.timeout(POLL_MS * 4) })
      .then((response) => response.ok)
      .catch(() => false); // Not listening yet.
    if (ready) return;
    if (patience.aborted && !told) {
      told = true;
      terminal.err(
        "The server is not ready yet. If there is an error above, mend it: the server starts again by itself.",
      );
    }
    await sleep(POLL_MS);
  }
}

async function freePort(): Promise<number> {
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS; port += 1) if (await isFree(port)) return port;
  throw new CommandError(`no free port from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1}. Name one with --port.`);
}

/** Whether the port can be had on every address that `localhost` may mean. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      // A machine without IPv6 has nobody listening there.
      server.once("error", (error: NodeJS.ErrnoException) =>
        resolve(error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT"),
      );
      server.listen(port, host, () => resolve(true));
    });
    if (server.listening) {
      server.close();
      await once(server, "close");
    }
    if (!free) return false;
  }
  return true;
}
