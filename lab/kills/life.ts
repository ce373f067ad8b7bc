// One life of the command line: a process of the built package that is killed at a moment, or comes to its end.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { packageRoot } from "../bench/reliability/root.js";

/** When a life is killed: so long after so many events of its run, or after its start. */
export interface Moment {
  readonly events: number;
  readonly delayMs: number;
}

/** What a life runs in. */
export interface Surroundings {
  readonly url: string;
  readonly keyFile: string;
  readonly workspace: string;
  readonly signal: AbortSignal;
}

const resultLine = z.object({
  type: z.literal("result"),
  thread: z.string(),
  status: z.string(),
  answer: z.string().nullable(),
  message: z.string().optional(),
});

/** How a life ended. */
export interface Ended {
  readonly killed: boolean;
  readonly code: number | null;
  /** How many events it told. */
  readonly events: number;
  /** From its start to its first event, in ms. */
  readonly bootMs: number;
  /** Unset when it was killed before it could say. */
  readonly result?: z.output<typeof resultLine>;
  readonly complaint: string;
}

/** A life that does not end by itself is a fault, and is ended after this, in ms. */
const LONGEST_MS = 180_000;

/** Runs `bulkhead run` with `args`; kills it with SIGKILL at `moment`, unless it is quicker. */
export async function live(args: readonly string[], around: Surroundings, moment?: Moment): Promise<Ended> {
  const root = packageRoot();
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [join(root, "dist", "cli", "main.js"), "run", "--json", "--approve", "yes", ...args],
    {
      cwd: root,
      env: { BULKHEAD_DB: around.url, BULKHEAD_KEY_FILE: around.keyFile, BULKHEAD_WORKSPACE: around.workspace },
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([around.signal, AbortSignal.timeout(LONGEST_MS)]),
      killSignal: "SIGKILL",
    },
  );
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const complaining = child.stderr.setEncoding("utf8").toArray() as Promise<string[]>;
  let doomed = false;
  const doom = (after: number) => {
    doomed = true;
    setTimeout(() => kill(child), after).unref();
  };
  let events = 0;
  let bootMs = 0;
  let result: Ended["result"];
  if (moment?.events === 0) doom(moment.delayMs);
  for await (const line of createInterface({ input: child.stdout })) {
    const read = parsed(line);
    if (read === undefined) continue; // The last line of a process that was killed while it wrote.
    result = resultLine.safeParse(read).data ?? result;
    if (result !== undefined) continue;
    events += 1;
    if (events === 1) bootMs = performance.now() - begun;
    if (moment !== undefined && !doomed && events >= moment.events) doom(moment.delayMs);
  }
  const [code, signal] = await closed;
  const killed = signal === "SIGKILL";
  const complaint = (await complaining).join("").trim();
  return { killed, code, events, bootMs, complaint, ...(result === undefined ? {} : { result }) };
}

const kill = (child: ChildProcess): void => {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
};

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
