// `bulkhead gc --older-than 30d`: erases the threads that ended long ago, and shortens the file of heads to what
// verification of them still needs.

import { type Command, InvalidArgumentError } from "commander";
import type { Family } from "../family.js";
import type { OpenedJournal } from "../journal.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { count, shellWord } from "../text.js";

interface CollectOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly olderThan: Age;
  readonly dryRun?: boolean;
}

/** As it was typed, and in milliseconds. */
interface Age {
  readonly text: string;
  readonly ms: number;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `30d`, `12h`, `90m`. */
const age = (text: string): Age => {
  const [, amount = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS[unit] ?? 0);
  if (ms > 0) return { text, ms };
  throw new InvalidArgumentError("Write days, hours or minutes: 30d, 12h, 90m.");
};

/** Why a family stays. */
const KEPT = {
  recent: "younger than that",
  unfinished: "running, waiting or parked",
  openEffects: "with an effect whose outcome is not known",
  broken: "whose recording does not verify",
} as const;

type Kept = keyof typeof KEPT;

/** What is to be done with a family: erased; nothing, because it was before; or it is kept. */
type Fate = "erase" | "erased" | Kept;

export const gcCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("gc", "erase threads that ended long ago", [
        "bulkhead gc --older-than 30d --dry-run",
        "bulkhead gc --older-than 30d",
      ]),
    ),
  )
    .requiredOption("--older-than <age>", "erase what was last at work before that: 30d, 12h, 90m", age)
    .option("--dry-run", "only say what would be erased")
    .addHelpText(
      "after",
      "\nA thread goes together with all that was derived from it, when all of them ended: finished, failed, blocked or\n" +
        "interrupted. What runs, waits or is parked is kept, and so is what has an effect in doubt or does not verify.",
    )
    .action((options: CollectOptions) => collect(options, terminal));

async function collect({ json = false, olderThan, dryRun = false, ...flags }: CollectOptions, terminal: Terminal) {
  const { withJournal } = await import("../journal.js");
  const { eraseFamily, familiesOf } = await import("../family.js");
  const { keptHeadsOf, redactUrl, ThreadBusyError } = await import("../../checkpoints/index.js");
  await withJournal(terminal, flags, async (opened) => {
    const { journal, settings } = opened;
    const before = journal.clock.now() - olderThan.ms;
    const erased: { readonly thread: string; readonly threads: readonly string[]; readonly updated: string }[] = [];
    const kept: Record<Kept, number> = { recent: 0, unfinished: 0, openEffects: 0, broken: 0 };
    const gone: string[] = [];
    for (const family of await familiesOf(journal)) {
      const { root, members } = family;
      let fate = await fateOf(family, before, opened);
      let threads: readonly string[] = members.map(({ thread }) => thread);
      if (fate === "erase" && !dryRun) {
        try {
          ({ threads } = await eraseFamily(opened, root, `older than ${olderThan.text}`, terminal, "gc"));
        } catch (error) {
          if (!ThreadBusyError.isInstance(error)) throw error;
          fate = "unfinished"; // It was begun again just now.
        }
      }
      if (fate === "erase" || fate === "erased") gone.push(...threads);
      if (fate === "erase") erased.push({ thread: root, threads, updated: new Date(lastOf(family)).toISOString() });
      else if (fate !== "erased") kept[fate] += 1;
    }
    const heads = keptHeadsOf(settings.database, settings.keyFile, terminal.cwd, journal.seal);
    const headsDropped = dryRun ? 0 : await heads.shorten(gone, journal.clock.now());
    const base = flags.db === undefined ? "" : ` --db ${shellWord(redactUrl(flags.db))}`;
    const next = `${terminal.program} ${dryRun ? `gc --older-than ${olderThan.text}` : "threads"}${base}`;
    if (json) {
      const told = { olderThan: olderThan.text, dryRun, erased, kept, headsDropped, next };
      return terminal.out(JSON.stringify(told, null, 2));
    }
    for (const { thread, threads, updated } of erased) {
      const derived = threads.length === 1 ? "" : `, with ${count(threads.length - 1, "thread")} derived from it`;
      terminal.out(
        `${dryRun ? "would erase" : "erased"} ${thread}  ${updated.slice(0, 16).replace("T", " ")}${derived}`,
      );
    }
    terminal.out(`${dryRun ? "To be erased" : "Erased"}: ${erased.length}. Kept: ${keptInWords(kept)}.`);
    if (headsDropped > 0) terminal.out(`${count(headsDropped, "line")} of the file of heads were no longer needed.`);
    terminal.out(`Next:\n  ${next}`);
  });
}

const lastOf = ({ members }: Family): number => Math.max(...members.map(({ updatedAt }) => updatedAt));

const keptInWords = (kept: Readonly<Record<Kept, number>>): string =>
  (Object.keys(KEPT) as Kept[])
    .filter((why) => kept[why] > 0)
    .map((why) => `${kept[why]} ${KEPT[why]}`)
    .join(", ") || "none";

async function fateOf(family: Family, before: number, { journal }: OpenedJournal): Promise<Fate> {
  const { statusOf } = await import("../journal.js");
  const { openEffect } = await import("../family.js");
  const { verifyThread } = await import("../../checkpoints/index.js");
  if (lastOf(family) >= before) return "recent";
  for (const record of family.members) {
    if (["running", "waiting", "parked"].includes(await statusOf(journal, record))) return "unfinished";
  }
  if ((await openEffect(journal, family.root)) !== undefined) return "openEffects";
  let isErased = true;
  for (const { thread } of family.members) {
    const found = await verifyThread(journal, thread);
    if (!found.ok) return "broken"; // It may be needed as evidence. `erase` does it all the same.
    const events = await journal.events({ thread });
    isErased &&= events.length > 0 && events.every(({ event }) => event.kind === "thread.erased");
  }
  return isErased ? "erased" : "erase";
}
