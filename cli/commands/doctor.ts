// `bulkhead doctor`: looks at everything a run needs, says what is missing and how to get it.

import type { Command } from "commander";
import type { Settings } from "../../models/index.js";
import { EXIT, explain } from "../exit.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Project } from "../project.js";
import type { Terminal } from "../terminal.js";

interface DoctorOptions {
  readonly db?: string;
  readonly json?: boolean;
}

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** Whether runs need it. */
  readonly required: boolean;
  /** What was found; when not ok, what to do. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Longest wait for the model's endpoint, in ms. */
const PROBE_MS = 5_000;

const PACKAGES = ["@langchain/core", "@langchain/langgraph", "@langchain/openai", "deepagents", "zod"];

export const doctorCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withJson(
    withDatabase(
      command("doctor", "check versions, database, model and embeddings", [
        "bulkhead doctor",
        "bulkhead doctor --json",
      ]),
    ),
  ).action(async (options: DoctorOptions) => finish(await doctor(options, terminal)));

async function doctor({ json = false, db }: DoctorOptions, terminal: Terminal): Promise<number> {
  const { configure, findProject } = await import("../project.js");
  const findings: Finding[] = [nodeFinding(process.versions.node)];
  let project: Project | undefined;
  let settings: Settings | undefined;
  try {
    project = findProject(terminal.cwd);
    settings = await configure(terminal, project, { db });
  } catch (error) {
    findings.push({ name: "configuration", ok: false, required: true, message: explain(error).message });
  }
  findings.push(await packagesFinding(), projectFinding(project, terminal));
  if (settings !== undefined) findings.push(await databaseFinding(settings), await modelFinding(settings));
  findings.push(await embeddingsFinding(), await devFinding(project?.root ?? terminal.cwd));

  const ok = findings.every((finding) => finding.ok || !finding.required);
  if (json) {
    terminal.out(JSON.stringify({ ok, findings }, null, 2));
  } else {
    const { outStyle: style } = terminal;
    for (const { name, ok: fine, required, message } of findings) {
      const mark = fine ? style.good("ok     ") : required ? style.bad("missing") : style.warn("note   ");
      terminal.out(`${mark}  ${name.padEnd(13)} ${message}`);
    }
    terminal.out(
      ok ? `Next:\n  ${terminal.program} run "How many tickets are open?"` : "Mend what is missing, then ask again.",
    );
  }
  return ok ? EXIT.finished : EXIT.failed;
}

const nodeFinding = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  const message = ok
    ? `Node ${version}`
    : `Node ${version} is too old: install Node 20.19 or later from https://nodejs.org`;
  return { name: "node", ok, required: true, message };
};

async function packagesFinding(): Promise<Finding> {
  const { findPackage } = await import("../installed.js");
  const { packageRoot, version } = await import("../package.js");
  const root = packageRoot();
  const found = PACKAGES.map((name) => [name, findPackage(name, root)?.version] as const);
  const missing = found.filter(([, installed]) => installed === undefined).map(([name]) => name);
  const details = Object.fromEntries([
    ["bulkhead", version()],
    ...found.map(([name, installed]) => [name, installed ?? null]),
  ]);
  return {
    name: "packages",
    ok: missing.length === 0,
    required: true,
    message:
      missing.length === 0
        ? Object.entries(details)
            .map((pair) => pair.join(" "))
            .join(", ")
        : `${missing.join(", ")} not installed: run npm install`,
    details,
  };
}

const projectFinding = (project: Project | undefined, { cwd, program }: Terminal): Finding => ({
  name: "project",
  ok: project !== undefined,
  required: false,
  message:
    project === undefined
      ? `no langgraph.json in ${cwd} or above it. Make a project: ${program} new my-agent`
      : `${project.root}, graphs: ${Object.keys(project.graphs).join(", ")}`,
});

async function databaseFinding({ database, keyFile }: Settings): Promise<Finding> {
  const { openJournal, redactUrl } = await import("../../checkpoints/index.js");
  const finding = { name: "database", required: true };
  const journal = openJournal(database, { keyFile });
  try {
    const threads = await journal.threads();
    await (await journal.lease(journal.id("doctor"), "bulkhead doctor")).release(); // Proves that it can be written.
    return {
      ...finding,
      ok: true,
      message: `${redactUrl(database)}, writable, ${threads.length} threads, key ${journal.seal.key}`,
    };
  } catch (error) {
    return { ...finding, ok: false, message: explain(error).message };
  } finally {
    await journal.close().catch(() => undefined); // What was wrong has been said.
  }
}

async function modelFinding(settings: Settings): Promise<Finding> {
  const { probeModel, resolveModel } = await import("../../models/index.js");
  const finding = { name: "model", required: true };
  try {
    const resolved = resolveModel(settings, { cache: false });
    try {
      const { ok, message } = await probeModel(resolved, PROBE_MS);
      const { sentence, ...details } = resolved.description;
      return { ...finding, ok, message: ok ? `${message}. ${sentence}` : message, details };
    } finally {
      await resolved.close();
    }
  } catch (error) {
    return { ...finding, ok: false, message: explain(error).message };
  }
}

async function embeddingsFinding(): Promise<Finding> {
  const { weightsStatus } = await import("../../models/index.js");
  const { id, sha256, ok, message } = await weightsStatus();
  const hash = ok ? ` sha256 ${sha256?.slice(0, 16)}…` : "";
  return {
    name: "embeddings",
    ok,
    required: true,
    message: `${message}${hash}`,
    details: { id, sha256: sha256 ?? null },
  };
}

async function devFinding(root: string): Promise<Finding> {
  const { findLanggraphCli, GET_LANGGRAPH_CLI } = await import("../installed.js");
  const cli = findLanggraphCli(root);
  const message =
    cli === undefined
      ? `the LangGraph CLI is not installed, so there is no Studio: ${GET_LANGGRAPH_CLI}`
      : `@langchain/langgraph-cli ${cli.version}`;
  return { name: "dev server", ok: cli !== undefined, required: false, message };
}
