// The first screen: how it ended, why, what it did, how the trust fell, what it used.

import type { Label } from "../../../trust/index.js";
import { count, cut, duration } from "../../text.js";
import type { Link, Why } from "../why.js";
import { html, type Insert, type Markup } from "./markup.js";
import { overviewOf } from "./overview.js";
import type { Row } from "./rows.js";
import type { Totals } from "./totals.js";
import type { Deed, Verdict } from "./verdict.js";

/** What the first screen tells. */
export interface Summary {
  readonly verdict: Verdict;
  readonly why: Why;
  readonly deeds: readonly Deed[];
  readonly totals: Totals;
  readonly rows: readonly Row[];
  readonly trust: Label;
}

/** How many actions stand on the first screen. The others are in the timeline. */
const DEEDS = 6;

/** The first screen. */
export function summaryOf({ verdict, why, deeds, totals, rows, trust }: Summary): Markup {
  const places = new Map(rows.map((row) => [`${row.run} ${row.seq}`, row.index]));
  const linkTo = (run: string, seq: number, inner: Insert): Markup => {
    const index = places.get(`${run} ${seq}`);
    return index === undefined ? html`<span>${inner}</span>` : html`<a href="#e${index}">${inner}</a>`;
  };
  return html`<header class="first">
<div class="answer">
<p class="verdict ${verdict.tone}">${verdict.headline}</p>
${verdict.detail === undefined ? undefined : html`<p class="detail">${cut(verdict.detail, 400)}</p>`}
${verdict.task === undefined ? undefined : html`<p class="task"><span>Task</span> ${cut(verdict.task, 280)}</p>`}
${deeds.length === 0 ? undefined : deedsOf(deeds, linkTo)}
<section aria-labelledby="why-title"><h2 id="why-title">${WHY[why.about]}</h2>
<ul class="why">${why.summary.map((line) => html`<li>${cut(line, 600)}</li>`)}</ul>
${why.chain.length === 0 ? undefined : html`<ol class="chain">${why.chain.map((link) => linkOf(link, linkTo))}</ol>`}
</section>
</div>
<div class="measured">
${overviewOf(rows, trust)}
${totalsOf(totals)}
</div>
</header>`;
}

const WHY = {
  block: "Why it was blocked",
  ask: "Why it was asked",
  label: "Why the trust is what it is",
} as const;

const deedsOf = (deeds: readonly Deed[], linkTo: (run: string, seq: number, inner: Insert) => Markup): Markup => html`
<section aria-labelledby="deeds-title"><h2 id="deeds-title">What it did</h2><ul class="deeds">
${deeds
  .slice(-DEEDS)
  .map(
    ({ call, outcome, tone, by, run, seq, at }) =>
      html`<li class="${tone ?? ""}">${linkTo(
        run,
        seq,
        html`<code>${call}</code> <strong>${outcome}</strong>`,
      )} <span class="by">${[timeOf(at), by].filter((each) => each !== "").join(" · ")}</span></li>`,
  )}</ul>${deeds.length > DEEDS ? html`<p class="hint">The last ${DEEDS} of ${deeds.length}; the timeline has them all.</p>` : undefined}</section>`;

const linkOf = (
  { role, run, seq, step, node = "", lane, text }: Link,
  linkTo: (run: string, seq: number, inner: Insert) => Markup,
): Markup =>
  html`<li>${linkTo(
    run,
    seq,
    html`<span class="role">${role}</span><span class="where">${step === undefined ? "" : `step ${step}`} ${lane ?? ""} ${node}</span> <span class="what">${cut(text, 200)}</span>`,
  )}</li>`;

function totalsOf(totals: Totals): Markup {
  const number = (value: number): string => value.toLocaleString("en-US");
  const cached = !totals.cachedTokens ? "" : `${number(totals.cachedTokens)} cached`;
  const cost = costOf(totals.cost);
  const tile = (name: string, value: string, more = "", tone = ""): Markup =>
    html`<div class="${tone}"><dt>${name}</dt><dd>${value}${more === "" ? undefined : html` <small>${more}</small>`}</dd></div>`;
  const counted = (name: string, value: number): Markup => tile(name, number(value), "", value === 0 ? "none" : "warn");
  return html`<section class="totals" aria-label="Totals"><dl>
${tile("time", duration(totals.ms), totals.runs > 1 ? count(totals.runs, "run") : "")}
${tile("steps", number(totals.steps))}
${tile("model calls", number(totals.modelCalls), totals.modelErrors === 0 ? "" : `${totals.modelErrors} failed`)}
${tile("tool calls", number(totals.toolCalls))}
${tile("tokens in", number(totals.inputTokens), cached)}
${tile("tokens out", number(totals.outputTokens))}
${tile("cost", ...cost)}
${tile("queued", duration(totals.queueMs), "", totals.queueMs < 1000 ? "none" : "warn")}
${counted("rate limited", totals.rateLimited)}
${counted("retries", totals.retries)}
${counted("fallbacks", totals.fallbacks)}
${tile("cache hits", number(totals.cacheHits), "", totals.cacheHits === 0 ? "none" : "")}
</dl></section>`;
}

function costOf(cost: Totals["cost"]): [string, string, string] {
  if (cost === undefined) return ["no price known", "", "none"];
  const { usd, without } = cost;
  return [`${usd.toFixed(usd < 1 ? 4 : 2)} USD`, without.length === 0 ? "" : `without ${without.join(", ")}`, ""];
}

const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 19);
