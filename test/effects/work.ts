// Runs the worker of this folder as a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order } from "./matrix.js";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** How a worker ended. */
export interface Worked {
  readonly signal: NodeJS.Signals | null;
  /** The answers of the agents that came to their end, by thread. */
  readonly answers: ReadonlyMap<string, string>;
}

export async function work(order: Order): Promise<Worked> {
  const child = spawn(process.execPath, ["--import", "tsx", WORKER, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const lines = out.split("\n").filter((line) => line !== "");
  const answers = lines.map((line) => JSON.parse(line) as { thread: string; answer: string });
  return { signal, answers: new Map(answers.map(({ thread, answer }) => [thread, answer])) };
}
