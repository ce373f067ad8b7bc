// What `bulkhead replay` does in each of its modes. All but `branch` only read the thread's database: the graph that runs
// again has a journal and checkpoints of its own, in memory.

import { randomUUID } from "node:crypto";
import { deriveThread, type Journal, keyFileOf, openCheckpointer, openJournal } from "../../checkpoints/index.js";
import {
  canGoOn,
  judgeAgain,
  readPolicy,
  readRecording,
  regressThread,
  replayThread,
  verifyRun,
} from "../../graphs/index.js";
import type { Settings } from "../../models/index.js";
import type { ReplayOptions } from "../commands/replay.js";
import { CommandError, EXIT } from "../exit.js";
import { configure, loadGraph, type Project, requireProject } from "../project.js";
import { runOnce } from "../run/once.js";
import { chooseTarget, type Target } from "../run/target.js";
import type { Terminal } from "../terminal.js";
import { describeLabel } from "../text.js";
import * as print from "./print.js";

interface Opened {
  readonly project: Project;
  readonly settings: Settings;
  readonly target: Target;
  readonly options: ReplayOptions;
  readonly terminal: Terminal;
}

/** Runs the command. Returns the exit code. @throws ReplayError, CommandError when there is nothing that can be replayed */
export async function replayTask(thread: string, options: ReplayOptions, terminal: Terminal): Promise<number> {
  const project = requireProject(terminal.cwd);
  const settings = await configure(terminal, project, options);
  const target = await chooseTarget(project, { ...options, thread, resume: true }, settings, terminal);
  const opened = { project, settings, target, options, terminal };
  if (options.mode === "branch") return branch(opened);
  const { database, keyFile, secrets } = settings;
  const journal = openJournal(database, { keyFile, secrets });
  try {
    return options.mode === "policy" ? await policy(journal, opened) : await again(journal, opened);
  } finally {
    await journal.close();
  }
}

async function policy(journal: Journal, { target: { thread }, options, terminal }: Opened): Promise<number> {
  const other = readPolicy(options.policy ?? "", { cwd: terminal.cwd });
  const judged = judgeAgain(await journal.events({ thread }), other);
  if (options.json) terminal.out(print.json({ thread, mode: "policy", identical: judged.changed === 0, ...judged }));
  else for (const line of print.linesOfPolicy(judged, terminal.outStyle)) terminal.out(line);
  return judged.changed === 0 ? EXIT.finished : EXIT.diverged;
}

async function again(journal: Journal, opened: Opened): Promise<number> {
  const { project, settings, target, options, terminal } = opened;
  const { thread } = target;
  const recording = await readRecording(journal, thread);
  // The graph is built from the environment: with a journal in memory that names and signs as the recording one.
  const keyFile = keyFileOf(settings.database, settings.keyFile, terminal.cwd);
  terminal.env["BULKHEAD_DB"] = "memory:";
  // What asks no live model sends nothing, and is no member of a fleet.
  if (options.mode !== "regress") terminal.env["BULKHEAD_QUOTA"] = "process";
  if (keyFile !== undefined) terminal.env["BULKHEAD_KEY_FILE"] = keyFile;
  terminal.env["BULKHEAD_WORKSPACE"] = target.workspace ?? settings.workspace;
  const { graph, harness } = await loadGraph(project, target.graph);
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort(new CommandError("interrupted. Nothing was changed.")));
  const say = (line: string): void => {
    if (!options.json) terminal.err(terminal.errStyle.dim(line));
  };
  try {
    if (options.mode === "regress") {
      say(harness.model.sentence);
      const regressed = await regressThread({ recording, graph, harness, signal: stop.signal });
      if (options.json) terminal.out(print.json({ mode: "regress", ...regressed }));
      else for (const line of print.linesOfRegression(regressed, terminal)) terminal.out(line);
      return regressed.identical ? EXIT.finished : EXIT.diverged;
    }
    say(`replaying ${recording.events.length} events of ${thread}`);
    const keep = (text: string) => journal.keep(text);
    const replayed = await replayThread({ recording, graph, harness, keep, signal: stop.signal });
    const verified = options.mode === "verify" ? await verificationOf(journal, opened, recording.events) : undefined;
    const identical = replayed.identical && (verified?.findings ?? []).length === 0;
    if (options.json) {
      terminal.out(print.json({ mode: options.mode, ...replayed, identical, ...verified }));
    } else for (const line of print.linesOfReplay(replayed, verified, terminal)) terminal.out(line);
    return identical ? EXIT.finished : EXIT.diverged;
  } finally {
    stopListening();
    await harness.close();
  }
}

async function verificationOf(
  journal: Journal,
  { settings, target: { thread } }: Opened,
  events: Parameters<typeof verifyRun>[0]["events"],
) {
  const { saver, close } = await openCheckpointer(settings.database);
  try {
    return await verifyRun({ journal, saver, thread, events: events.filter(({ scope }) => scope.thread === thread) });
  } finally {
    await close();
  }
}

/** Goes on live from a step, in a new thread that inherits the lowest label of the whole family. */
async function branch({ project, settings, target, options, terminal }: Opened): Promise<number> {
  const { thread, workspace = settings.workspace } = target;
  const from = Number(options.from);
  terminal.env["BULKHEAD_WORKSPACE"] = workspace;
  const loaded = await loadGraph(project, target.graph);
  const { journal } = loaded.harness;
  const { saver, close } = await openCheckpointer(settings.database);
  try {
    const to = `thread-${randomUUID()}`;
    const checkpoint = await checkpointAt(from, thread, { graph: loaded.graph, saver });
    const floor = await deriveThread({ journal, saver, from: thread, checkpoint, to, as: "fork" });
    const task = (await journal.thread(thread))?.task;
    if (task !== undefined) await journal.updateThread(to, { task });
    const scope = { thread: to, run: randomUUID() };
    await journal.append(scope, { kind: "thread.derived", from: thread, step: from, as: "fork", floor });
    if (!options.json) {
      terminal.err(terminal.errStyle.dim(`branched ${thread} at step ${from}: trust ${describeLabel(floor)}`));
    }
    const { code } = await runOnce({ thread: to, mode: "resume", workspace }, undefined, {
      options,
      terminal,
      loaded,
      saver,
      settings,
    });
    return code;
  } finally {
    await close();
    await loaded.harness.close();
  }
}

async function checkpointAt(
  step: number,
  thread: string,
  {
    graph,
    saver,
  }: Pick<Awaited<ReturnType<typeof loadGraph>>, "graph"> & { readonly saver: typeof graph.checkpointer },
): Promise<string> {
  graph.checkpointer = saver ?? false;
  const steps: number[] = [];
  for await (const state of graph.getStateHistory({ configurable: { thread_id: thread } })) {
    const id: unknown = state.config.configurable?.["checkpoint_id"];
    const at = state.metadata?.step;
    if (at === step && typeof id === "string" && canGoOn(state)) return id;
    if (at !== undefined && canGoOn(state)) steps.push(at);
  }
  throw new CommandError(
    steps.length === 0
      ? `thread ${thread} has no checkpoint to go on from.`
      : `thread ${thread} cannot go on from step ${step}: its checkpoints are of the steps ${Math.min(...steps)} to ${Math.max(...steps)}. See them: bulkhead inspect ${thread}`,
  );
}
