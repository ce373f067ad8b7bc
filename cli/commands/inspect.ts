// `bulkhead inspect THREAD`: reads the record of a thread: what happened, why it ended so, one step in full, and how it
// differs from another thread. Needs the journal only: no graph is loaded and nothing is run.

import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { CommandError, UsageError } from "../exit.js";
import type { StepRecord } from "../inspect/print.js";
import type { OpenedJournal } from "../journal.js";
import { command, wholeNumber, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { count, shellWord } from "../text.js";

interface InspectOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly step?: string;
  readonly why?: boolean;
  readonly diff?: string;
  readonly html?: string;
  readonly prices?: string;
}

export const inspectCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("inspect", "read a thread's record: what happened, and why", [
        "bulkhead inspect THREAD",
        "bulkhead inspect THREAD --why",
        "bulkhead inspect THREAD --step 12",
        "bulkhead inspect THREAD --diff OTHER --json",
        "bulkhead inspect THREAD --html thread.html",
      ]),
    ),
  )
    .argument("<thread>", "the thread, as `bulkhead threads` lists it")
    .addOption(
      new Option("--why", "what led to the last block or question, or to the final trust").conflicts(["step", "diff"]),
    )
    .addOption(new Option("--step <number>", "one superstep in full").argParser(wholeNumber).conflicts("diff"))
    .option("--diff <other>", "the first difference from another thread's record")
    .addOption(
      new Option("--html <file>", "the whole record as one page for a browser, which needs no network").conflicts([
        "why",
        "step",
        "diff",
        "json",
      ]),
    )
    .option("--prices <file>", "with --html: what a million tokens cost, by model, as JSON or YAML")
    .action((thread: string, options: InspectOptions) => inspect(thread, options, terminal));

async function inspect(thread: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const { json = false, step, why = false, diff, html, prices, ...flags } = options;
  if (prices !== undefined && html === undefined) throw new UsageError("--prices is for --html FILE.");
  const { requireThread, withJournal } = await import("../journal.js");
  const { redactUrl } = await import("../../checkpoints/index.js");
  const print = await import("../inspect/print.js");
  const { out, outStyle: style, program } = terminal;
  await withJournal(terminal, flags, async (opened) => {
    const { journal } = opened;
    const database = flags.db === undefined ? "" : ` --db ${shellWord(redactUrl(flags.db))}`;
    const tell = (value: unknown, lines: () => readonly string[], next?: string): void => {
      out(json ? print.printable(value) : lines().join("\n"));
      if (!json && next !== undefined) out(`Next:\n  ${program} inspect ${shellWord(thread)} ${next}${database}`);
    };
    await requireThread(opened, thread, terminal);
    if (html !== undefined) return writePage(thread, html, prices, journal, terminal);
    const events = await journal.events({ thread });
    if (diff !== undefined) {
      const { firstDifference } = await import("../../checkpoints/index.js");
      await requireThread(opened, diff, terminal);
      const difference = firstDifference(events, await journal.events({ thread: diff }));
      const found = { thread, other: diff, identical: difference === undefined, difference: difference ?? null };
      const next = difference?.step === undefined ? undefined : `--step ${difference.step}`;
      return tell(found, () => print.linesOfDifference(difference, [thread, diff], style), next);
    }
    if (step !== undefined) {
      const record = await stepRecord(thread, Number(step), events, opened);
      return tell(record, () => print.linesOfStep(record, style));
    }
    if (why) {
      const { whyOf } = await import("../inspect/why.js");
      const found = whyOf(events);
      const last = found.chain.findLast((link) => link.step !== undefined && link.lane === undefined);
      const next = last === undefined ? undefined : `--step ${last.step}`;
      return tell({ thread, ...found }, () => print.linesOfWhy(found, style), next);
    }
    const { timelineOf } = await import("../inspect/timeline.js");
    const timeline = timelineOf(events);
    tell({ thread, ...timeline }, () => print.linesOfTimeline(timeline, style), "--why");
  });
}

/** Writes the page. Only its owner can read it: it holds everything that was recorded. */
async function writePage(
  thread: string,
  file: string,
  priceFile: string | undefined,
  journal: OpenedJournal["journal"],
  { cwd, out }: Terminal,
): Promise<void> {
  const { htmlOf } = await import("../inspect/html/page.js");
  const { PriceError, readPrices } = await import("../../capacity/index.js");
  const { pageRecordOf } = await import("../inspect/html/record.js");
  const record = await pageRecordOf(journal, thread);
  let page: string;
  try {
    page = htmlOf({ ...record, ...(priceFile === undefined ? {} : { prices: readPrices(priceFile, { cwd }) }) });
  } catch (error) {
    throw PriceError.isInstance(error) ? new UsageError(`--prices: ${error.message}`) : error;
  }
  await writeFile(resolve(cwd, file), page, { mode: 0o600 }).catch((error: Error) => {
    throw new CommandError(`the page cannot be written: ${error.message}`);
  });
  const size = (Buffer.byteLength(page) / 1e6).toFixed(1);
  out(`${file}: ${count(record.events.length, "event")}, ${size} MB. Open it in a browser.`);
}

/** The step's events, and the approvals and effects they speak of as the journal has them. */
async function stepRecord(
  thread: string,
  step: number,
  all: Awaited<ReturnType<OpenedJournal["journal"]["events"]>>,
  { journal }: OpenedJournal,
): Promise<StepRecord> {
  const { eventsOfStep, stepsOf } = await import("../inspect/lanes.js");
  const events = eventsOfStep(all, step);
  if (events.length === 0) {
    const steps = stepsOf(all);
    const has =
      steps.length === 0 ? "no step is recorded" : `its steps are ${Math.min(...steps)} to ${Math.max(...steps)}`;
    throw new CommandError(`thread ${thread} has no step ${step}: ${has}. Leave out --step to see them all.`);
  }
  const approvals = new Set<string>();
  const effects = new Set<string>();
  for (const { event } of events) {
    if ("approval" in event && event.approval !== undefined) approvals.add(event.approval);
    if (event.kind.startsWith("approval.") && "id" in event) approvals.add(event.id);
    if (event.kind === "effect") effects.add(event.key);
  }
  const { contentsOf } = await import("../inspect/contents.js");
  const { recordedTexts } = await import("../inspect/html/record.js");
  const texts = await recordedTexts(journal, thread, events);
  const known = <Item>(item: Item | undefined): readonly Item[] => (item === undefined ? [] : [item]);
  return {
    thread,
    step,
    events,
    contents: contentsOf(events, texts),
    approvals: (await Promise.all([...approvals].map((id) => journal.approval(id)))).flatMap(known),
    effects: (await Promise.all([...effects].map((key) => journal.effect(key)))).flatMap(known),
  };
}
