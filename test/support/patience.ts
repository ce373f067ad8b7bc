// Runs functions in a process of its own, which is killed when one does not come to an end: what would block the event loop
// blocks that one's.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

interface Errand {
  readonly name: string;
  readonly given: readonly unknown[];
}

/** A process that calls functions of a module. */
export class Errands {
  private child: ChildProcess | undefined;

  constructor(private readonly module: string) {}

  /** Calls a function. Rejects with "still busy" when that takes longer than any machine needs. */
  async run(name: string, ...given: readonly unknown[]): Promise<unknown> {
    this.child ??= fork(fileURLToPath(import.meta.url), [this.module], { execArgv: ["--import", "tsx"] });
    const { child } = this;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error("still busy")), 20_000);
        child.once("message", ({ answer }: { readonly answer?: unknown }) => resolve(answer));
        child.once("error", reject);
        child.send({ name, given } satisfies Errand);
      });
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
      child.removeAllListeners();
    }
  }

  close(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }
}

const [script = "", module = ""] = process.argv.slice(1);
if (script === fileURLToPath(import.meta.url)) {
  const loaded = (await import(module)) as Record<string, (...args: readonly unknown[]) => unknown>;
  process.on("message", ({ name, given }: Errand) => {
    void Promise.resolve(loaded[name]?.(...given)).then((answer) => process.send?.({ answer }));
  });
}
