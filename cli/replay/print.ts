// How a replay looks in a terminal. Everything that comes from a record is escaped, as `inspect` does it.

import type { Divergence, PolicyReplay, Regressed, Replayed, VerifiedRun } from "../../graphs/index.js";
import { visible } from "../../nodes/view.js";
import { callOf } from "../inspect/describe.js";
import { linesOfDifference, printable } from "../inspect/print.js";
import type { Terminal } from "../terminal.js";
import { barsOf, count, cut, describeLabel, type Style, shellWord } from "../text.js";

/** The longest value that is shown whole, in characters. */
const WIDTH = 300;

export const json = printable;

const one = (text: string): string => visible(cut(text, WIDTH));

/** What a strict replay found, and what a verification found besides. */
export function linesOfReplay(
  { thread, identical, divergence, given, compared, open, trust }: Replayed,
  verified: VerifiedRun | undefined,
  { outStyle: style, program }: Pick<Terminal, "outStyle" | "program">,
): readonly string[] {
  const work = `${count(compared, "event")} compared, ${count(given, "answer")} from the record, no live call`;
  const findings = verified?.findings ?? [];
  const lines = [
    ...(divergence === undefined ? [] : linesOfDivergence(divergence, style)),
    ...findings.map(({ about, step, message }) => {
      const where = step === undefined ? "" : `step ${step}: `;
      return `${style.bad(about)}  ${where}${one(message)}`;
    }),
    identical
      ? `${style.good("identical")}  ${work}${open ? "; the record stops in the middle of a run" : ""}`
      : `${style.bad("different")}  ${work}`,
    ...(verified === undefined || findings.length > 0 ? [] : [style.good(soundness(verified))]),
    `trust  ${barsOf(trust)}  ${describeLabel(trust)}`,
  ];
  if (divergence?.step === undefined) return lines;
  return [...lines, `Next:\n  ${program} inspect ${shellWord(thread)} --step ${divergence.step}`];
}

const soundness = ({ checkpoints }: VerifiedRun): string =>
  checkpoints > 0
    ? "The record is what was written, its verdicts follow, and the checkpoints are the saved ones."
    : "The record is what was written, and its verdicts follow. No checkpoint of the thread is here: an import brings none.";

function linesOfDivergence(divergence: Divergence, style: Style): readonly string[] {
  const { message, run, seq, recorded, now, fields, checkpoint } = divergence;
  const value = (of: unknown): string => (of === undefined ? "nothing" : one(JSON.stringify(of)));
  return [
    style.bold(one(message)),
    ...(seq === undefined ? [] : [`  event     ${seq} of run ${one(run ?? "")}`]),
    ...(recorded === undefined ? [] : [`  recorded  ${one(recorded)}`]),
    ...(now === undefined ? [] : [`  now       ${one(now)}`]),
    ...fields.flatMap(({ path, left, right }) => {
      const from = differsFrom(left, right);
      return [
        `  ${one(path)}${from === 0 ? "" : `, from character ${from + 1} on`}`,
        `    recorded  ${style.good(value(around(left, from)))}`,
        `    now       ${style.bad(value(around(right, from)))}`,
      ];
    }),
    ...(checkpoint === undefined
      ? []
      : [`  the last state in common: step ${checkpoint.step}, checkpoint ${one(checkpoint.id)}`]),
  ];
}

/** How much of a text is shown before the first difference, in characters. */
const BEFORE = 40;

/** Where two long texts begin to differ. */
function differsFrom(left: unknown, right: unknown): number {
  if (typeof left !== "string" || typeof right !== "string" || left.length < BEFORE) return 0;
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return at;
}

const around = (value: unknown, from: number): unknown =>
  typeof value === "string" && from > BEFORE ? `…${value.slice(from - BEFORE)}` : value;

/** What another policy would have decided. */
export function linesOfPolicy({ policy, decisions, changed }: PolicyReplay, style: Style): readonly string[] {
  if (decisions.length === 0) return ["The gate decided nothing in this thread: no policy changes anything."];
  const first = decisions.findIndex(({ before, after }) => before !== after);
  return [
    ...decisions.map(({ step, tool, arguments: args, before, after, reasons }, index) => {
      const verdict = before === after ? style.dim(`${before}, as recorded`) : style.warn(`${before} → ${after}`);
      const why = before === after || reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
      const guess = first !== -1 && index > first ? style.dim("  (the run might not have come here)") : "";
      return `${String(step ?? "").padStart(4)}  ${one(callOf(tool, args))}  ${verdict}${one(why)}${guess}`;
    }),
    changed === 0
      ? style.good(`The policy ${one(policy)} decides the same.`)
      : style.warn(
          `The policy ${one(policy)} decides ${changed} of ${count(decisions.length, "question")} differently.`,
        ),
  ];
}

/** What the live model did with the recorded world. */
export function linesOfRegression(
  { thread, identical, difference, unanswered, answer, trust }: Regressed,
  { outStyle: style }: Pick<Terminal, "outStyle">,
): readonly string[] {
  return [
    ...(difference === undefined ? [] : linesOfDifference(difference, [`${thread} (recorded)`, "now"], style)),
    ...unanswered.map((what) => style.bad(`The record has no answer to this ${one(what)}: nothing was done.`)),
    `recorded answer  ${one(answer.recorded)}`,
    `answer now       ${one(answer.now)}`,
    identical
      ? style.good("identical: the same calls, verdicts and falls of trust")
      : style.bad("different: see above. Nothing was done; every tool answered from the record."),
    `trust  ${barsOf(trust)}  ${describeLabel(trust)}`,
  ];
}
