// Runs the worker of this folder as a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order } from "./matrix.js";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** When to ask a worker, with SIGTERM, what it still waits for. */
const PATIENCE_MS = 120_000;

/**
 * The answers of the agents that came to their end, by thread. Rejects when the worker did not end as ordered: by
 * SIGKILL if it was to crash, else by itself.
 */
export async function work(order: Order): Promise<ReadonlyMap<string, string>> {
  const child = spawn(process.execPath, ["--import", "tsx", WORKER, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
  });
  const [out, complaint, [code, signal]] = await Promise.all([
    child.stdout.setEncoding("utf8").toArray() as Promise<string[]>,
    child.stderr.setEncoding("utf8").toArray() as Promise<string[]>,
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  if (order.crash ? signal !== "SIGKILL" : code !== 0)
    throw new Error(`a worker ended with ${code ?? signal}: ${complaint.join("")}`);
  const lines = out
    .join("")
    .split("\n")
    .filter((line) => line !== "");
  const answers = lines.map((line) => JSON.parse(line) as { thread: string; answer: string });
  return new Map(answers.map(({ thread, answer }) => [thread, answer]));
}
