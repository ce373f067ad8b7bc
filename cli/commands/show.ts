// `bulkhead show THREAD`: everything known about one thread: how it stands, why its trust fell, what it did, what it
// waits for, and where it would go on.

import type { Command } from "commander";
import type { RunStatus } from "../../checkpoints/index.js";
import type { OpenedJournal } from "../journal.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";

interface ShowOptions {
  readonly db?: string;
  readonly json?: boolean;
}

/** Where a checkpoint goes on. */
interface Ahead {
  /** `null` when the graph could not be loaded to say. */
  readonly next: readonly string[] | null;
  /** Of those, which have run already: their results are stored and are taken in first. */
  readonly stored: readonly string[];
  /** Why that is not known, or why a thread with nothing to run has not ended. */
  readonly why?: string;
}

export const showCommand = (terminal: Terminal): Command =>
  withJson(withDatabase(command("show", "show one thread", ["bulkhead threads", "bulkhead show THREAD --json"])))
    .argument("<thread>", "the thread, as `bulkhead threads` lists it")
    .action((thread: string, options: ShowOptions) => show(thread, options, terminal));

async function show(thread: string, { json = false, ...flags }: ShowOptions, terminal: Terminal): Promise<void> {
  const { withJournal } = await import("../journal.js");
  await withJournal(terminal, flags, async (opened) => {
    const view = await viewOf(thread, opened, terminal);
    if (json) return terminal.out(JSON.stringify(view, null, 2));
    const { barsOf, count, cut, describeLabel, callInShort } = await import("../text.js");
    const { trust, checkpoint, effects, approvals } = view;
    const lines: [string, string][] = [
      ["thread", view.thread],
      ["status", view.status],
      ["graph", view.graph],
      ["task", cut(view.task ?? "", 200)],
      ...(view.erased === null ? [] : [["erased", erasedInWords(view.erased)] satisfies [string, string]]),
      ["trust", `${trust.minTrust}  ${barsOf(trust)} ${describeLabel(trust)}`],
      ...trust.causes.map((cause): [string, string] => ["", cause]),
      ["checkpoint", checkpoint === null ? "none" : `${checkpoint.id}  ${checkpoint.at}  step ${checkpoint.step}`],
      ...(checkpoint === null ? [] : [["next", nextOf(checkpoint)] satisfies [string, string]]),
      ["events", `${count(view.events, "event")} in ${count(view.runs.length, "run")}`],
      ...effects.map(({ tool, status, arguments: args, key }): [string, string] => [
        "effect",
        `${status.replace("_", " ")}  ${callInShort(tool, args, 120)}  ${key.slice(0, 12)}`,
      ]),
      ...approvals.map(({ id, tool, status, by }): [string, string] => [
        "approval",
        `${status}  ${tool}  ${id}${by === null ? "" : `  by ${by}`}`,
      ]),
      ...(view.answer === null ? [] : [["answer", view.answer] satisfies [string, string]]),
    ];
    for (const [head, text] of lines) terminal.out(`${head.padEnd(11)}${text}`);
  });
}

const erasedInWords = ({ at, by, reason }: { at: string; by: string; reason: string }): string =>
  `on ${at} by ${by}: ${reason}`;

function nextOf({ next, stored, why }: Ahead): string {
  if (next === null) return `unknown: ${why}`;
  if (next.length === 0) return why === undefined ? "nothing, it is done" : `the model is asked again: ${why}`;
  return `${next.join(", ")}${stored.length === 0 ? "" : ` (${stored.join(", ")} has run, its result is stored)`}`;
}

/** The journal knows how the last run ended; whoever wrote into the state since then may have left it unfinished. */
const isStale = (status: RunStatus, ahead: Ahead | undefined): boolean =>
  (status === "finished" || status === "blocked" || status === "spent") &&
  ahead?.next != null &&
  (ahead.next.length > 0 || ahead.why !== undefined);

async function viewOf(thread: string, opened: OpenedJournal, terminal: Terminal) {
  const { erasureOf, requireThread, statusOf } = await import("../journal.js");
  const { journal, settings } = opened;
  const record = await requireThread(opened, thread, terminal);
  const { describeCause, minTrust, parseCauses } = await import("../../trust/index.js");
  const { answerOf } = await import("../run/outcome.js");
  const { openCheckpointer } = await import("../../checkpoints/index.js");
  const { saver, close } = await openCheckpointer(settings.database);
  try {
    const tuple = await saver.getTuple({ configurable: { thread_id: thread } });
    const values = tuple?.checkpoint.channel_values;
    const events = await journal.events({ thread });
    const erased = erasureOf(events);
    const trust = values?.["trust"] as { causes?: unknown } | undefined;
    const ahead = tuple === undefined ? undefined : await aheadOf(thread, record.graph, opened, saver, terminal);
    const status = await statusOf(journal, record);
    return {
      thread,
      status: isStale(status, ahead) ? "interrupted" : status,
      graph: record.graph,
      task: record.task ?? null,
      erased: erased === undefined ? null : { ...erased, at: new Date(erased.at).toISOString() },
      answer: answerOf(values) ?? null,
      trust: {
        ...record.floor,
        minTrust: minTrust(record.floor),
        causes: parseCauses(trust?.causes).map(describeCause),
      },
      checkpoint:
        tuple === undefined || ahead === undefined
          ? null
          : { id: tuple.checkpoint.id, at: tuple.checkpoint.ts, step: tuple.metadata?.step ?? 0, ...ahead },
      created: new Date(record.createdAt).toISOString(),
      updated: new Date(record.updatedAt).toISOString(),
      runs: [...new Set(events.map(({ scope }) => scope.run))],
      events: events.length,
      effects: (await journal.effects({ thread })).map((effect) => ({
        tool: effect.tool,
        status: effect.status,
        key: effect.key,
        arguments: effect.arguments,
        approval: effect.approval ?? null,
        error: effect.error ?? null,
      })),
      approvals: (await journal.approvals({ thread })).map((approval) => ({
        id: approval.id,
        tool: approval.tool,
        status: approval.status,
        arguments: approval.arguments,
        by: approval.decidedBy ?? null,
        reason: approval.reason ?? null,
        expires: new Date(approval.expiresAt).toISOString(),
      })),
    };
  } finally {
    await close();
  }
}

/** Only the graph itself knows where a checkpoint goes on. A thread can be looked at without it. */
async function aheadOf(
  thread: string,
  name: string,
  { project }: OpenedJournal,
  saver: Awaited<ReturnType<typeof import("../../checkpoints/index.js")["openCheckpointer"]>>["saver"],
  { cwd }: Terminal,
): Promise<Ahead> {
  const { graphName, loadGraph } = await import("../project.js");
  const { explain } = await import("../exit.js");
  if (project === undefined) return { next: null, stored: [], why: `there is no langgraph.json in ${cwd} or above it` };
  try {
    const { graph, harness } = await loadGraph(project, graphName(project, name));
    graph.checkpointer = saver;
    try {
      const { standingOf } = await import("../../graphs/index.js");
      const standing = standingOf(await graph.getState({ configurable: { thread_id: thread } }));
      if (standing.at === "work") return { next: standing.next, stored: standing.stored };
      return { next: [], stored: [], ...(standing.at === "loose end" ? { why: standing.why } : {}) };
    } finally {
      await harness.close();
    }
  } catch (error) {
    return { next: null, stored: [], why: explain(error).message };
  }
}
