// Runs the real, built `bulkhead` command as a child process, on a database and a workspace of its own, with no key
// and no terminal. What a stranger would type, and what they would see.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "libsql";

export const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = join(ROOT, "dist/cli/main.js");

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The last line of `run --json`, as far as tests look at it. */
export interface ResultLine {
  readonly thread: string;
  readonly run: string;
  readonly status: string;
  readonly answer: string | null;
  readonly message?: string;
  readonly trust: {
    readonly integrity: number;
    readonly fidelity: number;
    readonly minTrust: number;
    readonly causes: readonly { readonly axis: string; readonly reason: string; readonly at?: string }[];
  };
  readonly model: { readonly provider: string; readonly model: string; readonly offline: boolean };
  readonly usage: Readonly<Record<string, number>>;
  readonly effects: readonly { readonly tool: string; readonly status: string; readonly key: string }[];
  readonly pending: readonly {
    readonly id: string;
    readonly tool: string;
    readonly arguments: Record<string, unknown>;
  }[];
  readonly next: readonly string[];
}

/** An event line of `run --json`. */
export interface EventLine {
  readonly type: "event";
  readonly scope: { readonly thread: string; readonly node?: string; readonly step?: number; readonly lane?: string };
  readonly event: { readonly kind: string } & Readonly<Record<string, unknown>>;
}

/** A command that is running. */
export class Running {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;
  private readonly watchers = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      for (const watch of this.watchers) watch();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      for (const watch of this.watchers) watch();
    });
    this.ended = new Promise((done) => {
      child.on("close", (code, signal) => {
        done({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves when what it printed matches; rejects when it ended without. */
  async until(pattern: RegExp): Promise<void> {
    await new Promise<void>((found, missed) => {
      const watch = () => {
        if (!pattern.test(this.stdout + this.stderr)) return;
        this.watchers.delete(watch);
        found();
      };
      this.watchers.add(watch);
      watch();
      void this.ended.then((end) => missed(new Error(`ended without ${pattern}: ${JSON.stringify(end)}`)));
    });
  }
}

/** A place for one test: a folder with a database and a records workspace that nobody else uses. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), "bulkhead-cli-"));
  readonly db = `sqlite:${join(this.folder, "threads.db")}`;
  readonly workspace = join(this.folder, "workspace");
  private readonly kept = `${this.folder}-kept`;
  private readonly children = new Set<ChildProcess>();

  /** Starts the command. Variables that would choose a provider or a database are taken away first. */
  start(
    args: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly input?: string } = {},
  ): Running {
    if (!existsSync(MAIN)) throw new Error("dist/ is missing: npm run build");
    const { env = {}, cwd = ROOT, input } = options;
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(OPENAI_|BULKHEAD_|npm_|NODE_OPTIONS|VITEST|LANGSMITH_)/.test(name),
      ),
    );
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { ...clean, BULKHEAD_DB: this.db, BULKHEAD_WORKSPACE: this.workspace, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    child.stdin?.end(input);
    this.children.add(child);
    child.on("close", () => this.children.delete(child));
    return new Running(child);
  }

  /** Runs the command to its end. */
  bulkhead(args: readonly string[], options: Parameters<Place["start"]>[1] = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** `bulkhead run --json …`: the exit code, the events and the result. */
  async run(args: readonly string[], options: Parameters<Place["start"]>[1] = {}) {
    const ended = await this.bulkhead(["run", "--json", ...args], options);
    const lines = ended.stdout.split("\n").filter((line) => line !== "");
    const parsed = lines.map((line) => JSON.parse(line) as { type: string });
    const result = parsed.at(-1)?.type === "result" ? (parsed.at(-1) as unknown as ResultLine) : undefined;
    if (result === undefined) throw new Error(`no result line: ${JSON.stringify(ended)}`);
    return { ...ended, result, events: parsed.filter(({ type }) => type === "event") as unknown as EventLine[] };
  }

  /** Rows of the records as they are now. */
  rows(sql: string): Record<string, unknown>[] {
    const records = new Database(join(this.workspace, "records.db"), { readonly: true });
    try {
      return records.prepare(sql).all() as Record<string, unknown>[];
    } finally {
      records.close();
    }
  }

  /** Keeps what is there now, for {@link restore}. Nothing may be running. */
  keep(): void {
    cpSync(this.folder, this.kept, { recursive: true });
  }

  /** Puts everything back as it was kept. Nothing may be running. */
  restore(): void {
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(this.kept, this.folder, { recursive: true });
  }

  /** Ends what still runs and removes the folder. Politely at first: killed, `dev` would leave its server behind. */
  async clear(): Promise<void> {
    await Promise.all(
      [...this.children].map(async (child) => {
        const impatience = setTimeout(() => child.kill("SIGKILL"), 10_000);
        child.kill("SIGINT");
        await once(child, "close");
        clearTimeout(impatience);
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.kept, { recursive: true, force: true });
  }
}
