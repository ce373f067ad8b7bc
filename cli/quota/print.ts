// Quotas in lines for a person. Pure: from what was seen to text.

import type { Quota } from "../../capacity/index.js";
import { visible } from "../../nodes/view.js";
import { count, duration, type Style, table } from "../text.js";
import type { QuotaStanding } from "./standing.js";

const HEADER = "QUOTA|PROCESSES|IN FLIGHT|REQUESTS/MIN|SHARE|QUEUED|LEFT|429S|REFUSED|BREAKER|NOW".split("|");

/** What is not known. */
const UNKNOWN = "-";

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** The quotas of a fleet as a table, and how fresh it is. */
export function quotaLines(quotas: readonly QuotaStanding[], style: Style): readonly string[] {
  const rows = quotas.map((quota) => {
    const { name, processes, inFlight, limits, share, perMinute, queued, admitted, rateLimited, shed, timedOut } =
      quota;
    const reported = quota.reports.length > 0;
    const told = (value: number): string => (reported ? whole(value) : UNKNOWN);
    return [
      visible(name),
      String(processes),
      limits === undefined ? String(inFlight) : `${inFlight} of ${limits.slots}`,
      limits === undefined ? UNKNOWN : `${whole(perMinute)} of ${whole(limits.requestsPerMinute)}`,
      share === undefined ? UNKNOWN : share.toFixed(2),
      ...[told(queued), told(admitted), told(rateLimited), told(shed + timedOut)],
      breakerOf(quota),
      nowOf(quota),
    ];
  });
  const [header = "", ...lines] = table([HEADER, ...rows]);
  const shown = lines.map((line, index) => {
    const quota = quotas[index] as QuotaStanding;
    if (quota.breaker === "open" || quota.breakers.open > 0) return style.bad(line);
    return quota.pausedMs > 0 ? style.warn(line) : line;
  });
  return [style.bold(header), ...shown, ...notesOf(quotas).map((note) => style.dim(note))];
}

/** That of the fleet; while it is closed, those of the processes: `open in 1 of 4`. */
function breakerOf({ breaker, breakers, reports }: QuotaStanding): string {
  if (breaker !== "closed" || reports.length === 0) return breaker;
  const parts = (["open", "half-open", "closed"] as const).filter((state) => breakers[state] > 0);
  const [worst = "closed"] = parts;
  return parts.length === 1 ? worst : `${worst} in ${breakers[worst]} of ${reports.length}`;
}

function nowOf({ broken, pausedMs, reservedMs, owedMs, owedTokens, processes }: QuotaStanding): string {
  if (broken !== undefined && broken.ms > 0) return `dead for ${duration(broken.ms)}: ${visible(broken.why)}`;
  if (broken !== undefined) return `dead until a probe is answered: ${visible(broken.why)}`;
  if (pausedMs > 0) return `paused for ${duration(pausedMs)} after a 429`;
  const owed = owedTokens === undefined ? "" : `${whole(owedTokens)} tokens, `;
  const parts = [
    ...(reservedMs > 0 ? [`starts reserved ${whole(reservedMs)} ms ahead`] : []),
    ...(owedMs > 0 ? [`owes ${owed}${duration(owedMs)}`] : []),
  ];
  return parts.join("; ") || (processes === 0 ? "nobody uses it" : "free");
}

function notesOf(quotas: readonly QuotaStanding[]): readonly string[] {
  const reports = quotas.flatMap((quota) => quota.reports);
  const silent = quotas.reduce((total, { processes, reports: said }) => total + processes - said.length, 0);
  const oldest = Math.max(...reports.map(({ agoMs }) => agoMs));
  return [
    ...quotas
      .filter(({ differ }) => differ)
      .map(({ name }) => `${visible(name)}: its processes were given different limits; give all of them the same`),
    ...(reports.length === 0 ? [] : [`What processes say of themselves is up to ${duration(oldest)} old`]),
    ...(silent === 0 ? [] : [`${count(silent, "use")} of a quota by a process that does not report`]),
  ];
}

/** A quota of the project, as it is configured. */
export interface ConfiguredQuota extends Quota {
  readonly model: string;
}

/** The quotas of a project as a table. */
export function configuredLines(quotas: readonly ConfiguredQuota[], style: Style): readonly string[] {
  const rows = quotas.map(({ model, requestsPerMinute, tokensPerMinute, inFlight, headroom, maxHeadroom }) => [
    model,
    whole(requestsPerMinute),
    tokensPerMinute === undefined ? "no limit" : whole(tokensPerMinute),
    String(inFlight),
    `${headroom ?? UNKNOWN} to ${maxHeadroom ?? UNKNOWN}`,
  ]);
  const [header = "", ...lines] = table([["MODEL", "REQUESTS/MIN", "TOKENS/MIN", "IN FLIGHT", "SHARE"], ...rows]);
  return [style.bold(header), ...lines];
}
