// What `bulkhead quota` does: shows the quotas of a fleet as their Redis has them, once or every second; of a project
// whose processes keep their quotas for themselves, what is configured, and how to share it.

import { type Clock, systemClock } from "../../capacity/clock.js";
import { FleetView } from "../../capacity/redis/fleet-view.js";
import { redactUrl } from "../../checkpoints/database/target.js";
import type { Settings } from "../../models/index.js";
import { OFFLINE_MODELS } from "../../models/offline/types.js";
import { CommandError, UsageError } from "../exit.js";
import { configure, findProject } from "../project.js";
import type { Terminal } from "../terminal.js";
import { count, type Style, shellWord } from "../text.js";
import { type ConfiguredQuota, configuredLines, quotaLines } from "./print.js";
import { type QuotaStanding, standingOf } from "./standing.js";
import { watch } from "./watch.js";

/** The options of `quota` as commander hands them over. */
export interface QuotaOptions {
  readonly quota?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** What is put in from outside, for tests. */
export interface QuotaSurroundings {
  readonly clock?: Clock;
  /** Before every key. */
  readonly prefix?: string;
}

/** How to share a quota. */
const SHARE =
  "To share them, give all processes the same Redis: BULKHEAD_QUOTA=redis://HOST:PORT, or --quota redis://HOST:PORT.";

/** Every so many looks it looks for new quotas as well: that goes through all keys of the database. */
const DISCOVER_EVERY = 10;

/** Shows. @throws UsageError, CommandError when Redis cannot be asked */
export async function showQuota(
  options: QuotaOptions,
  terminal: Terminal,
  { clock = systemClock, prefix }: QuotaSurroundings = {},
): Promise<void> {
  const { watch: again = false, json = false } = options;
  if (again && !json && !terminal.interactive) {
    throw new UsageError("--watch needs a terminal to draw in. Add --json for one line every second.");
  }
  const settings = await configure(terminal, findProject(terminal.cwd), { quota: options.quota });
  const configured = configuredQuotas(settings);
  const url = settings.fleet?.url;
  if (url === undefined) {
    if (again) throw new UsageError(`there is nothing to watch: each process keeps its quotas for itself. ${SHARE}`);
    tellOwn(configured, json, terminal);
    return;
  }
  const looker = openLooker(url, prefix);
  const fleet = { looker, configured, json, terminal, clock, redis: redactUrl(url) };
  try {
    await (again ? watchFleet(fleet) : showOnce(fleet));
  } finally {
    await looker.close();
  }
}

interface ShownFleet {
  readonly looker: Looker;
  readonly configured: readonly ConfiguredQuota[];
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Without its password. */
  readonly redis: string;
}

const timeOf = (clock: Clock): string => new Date(clock.now()).toISOString();

async function showOnce({ looker, configured, json, terminal, clock, redis }: ShownFleet): Promise<void> {
  const quotas = await looker.look();
  const next = nextOf(redis, terminal.program);
  if (json) {
    terminal.out(JSON.stringify({ at: timeOf(clock), redis, quotas, configured, next }, null, 2));
    return;
  }
  for (const line of [headOf(redis, quotas), ...bodyOf(quotas, configured, terminal.outStyle)]) terminal.out(line);
  terminal.out(`Next:\n${next.map((each) => `  ${each}`).join("\n")}`);
}

async function watchFleet({ looker, configured, json, terminal, clock, redis }: ShownFleet): Promise<void> {
  const enough = new AbortController();
  const stopListening = terminal.onInterrupt(() => enough.abort());
  const draw = screen(terminal);
  const tell = (line: object, lines: readonly string[]): void =>
    json ? terminal.out(JSON.stringify({ at: timeOf(clock), redis, ...line })) : draw(lines);
  const style = terminal.errStyle;
  try {
    await watch<readonly QuotaStanding[]>({
      look: () => looker.look(),
      show: (quotas) => {
        const head = `${headOf(redis, quotas)} · ${timeOf(clock).slice(11, 19)} UTC · Ctrl-C ends it`;
        tell({ quotas }, [head, ...bodyOf(quotas, configured, style)]);
      },
      showFailure: ({ message }) => tell({ error: message }, [style.bad(message)]),
      ...{ signal: enough.signal, clock },
    });
  } finally {
    stopListening();
  }
}

/** The quotas of the project. */
function configuredQuotas({ provider, offline }: Settings): readonly ConfiguredQuota[] {
  if (provider === undefined) {
    const [large, small] = OFFLINE_MODELS;
    return [
      { model: large, ...offline.primary },
      { model: small, ...offline.fallback },
    ];
  }
  const { primary, fallback } = provider;
  return [primary, ...(fallback === undefined ? [] : [fallback])].map(({ model, quota }) => ({ model, ...quota }));
}

function tellOwn(configured: readonly ConfiguredQuota[], json: boolean, terminal: Terminal): void {
  const next = nextOf("redis://HOST:PORT", terminal.program);
  if (json) {
    terminal.out(JSON.stringify({ redis: null, configured, next }, null, 2));
    return;
  }
  terminal.out("Each process keeps its quotas for itself: how they stand cannot be seen from outside.");
  for (const line of configuredLines(configured, terminal.outStyle)) terminal.out(line);
  terminal.out(`${SHARE}\nNext:\n${next.map((each) => `  ${each}`).join("\n")}`);
}

const nextOf = (redis: string, program: string): readonly string[] => [
  `${program} quota --quota ${shellWord(redis)} --watch`,
  `${program} worker --quota ${shellWord(redis)}`,
];

const headOf = (redis: string, quotas: readonly QuotaStanding[]): string =>
  `${count(quotas.length, "quota")} shared at ${redis}`;

const bodyOf = (
  quotas: readonly QuotaStanding[],
  configured: readonly ConfiguredQuota[],
  style: Style,
): readonly string[] =>
  quotas.length > 0
    ? quotaLines(quotas, style)
    : ["Nobody uses one now. This project would, once it runs:", ...configuredLines(configured, style)];

interface Looker {
  look(): Promise<readonly QuotaStanding[]>;
  close(): Promise<void>;
}

function openLooker(url: string, prefix: string | undefined): Looker {
  const failed = (error: unknown): never => {
    throw new CommandError(
      `${(error as Error).message}. Correct BULKHEAD_QUOTA or --quota. Processes go on without it, each with its safe part of the quota.`,
      { cause: error },
    );
  };
  const open = (): FleetView => {
    try {
      return new FleetView({ url, ...(prefix === undefined ? {} : { prefix }) });
    } catch (error) {
      throw new CommandError((error as Error).message, { cause: error });
    }
  };
  const view = open();
  let names: readonly string[] = [];
  let looks = 0;
  const look = async (): Promise<readonly QuotaStanding[]> => {
    if (looks % DISCOVER_EVERY === 0 || names.length === 0) names = await view.names();
    looks += 1;
    const standings: QuotaStanding[] = [];
    for (const name of names) standings.push(standingOf(await view.look(name)));
    return standings;
  };
  return { look: () => look().catch(failed), close: () => view.close() };
}

/** Draws over what was drawn before. To where questions appear: that is a terminal, wherever the results go. */
function screen(terminal: Terminal): (lines: readonly string[]) => void {
  let cleared = false;
  return (lines) => {
    const start = cleared ? "\x1b[H" : "\x1b[2J\x1b[H";
    cleared = true;
    terminal.err(`${start}${lines.map((line) => `${line}\x1b[K`).join("\n")}\x1b[J`);
  };
}
