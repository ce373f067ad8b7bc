// `bulkhead inspect THREAD --html FILE`: a thread's record as one page that needs nothing else, no network and no
// server. What the reader needs first stands first; everything the record has is behind it. Pure: from a record to text.
//
// Everything in a record may come from an attacker. It reaches the page as escaped text, as text nodes, or compressed;
// and the page's own policy lets run only the script and the style whose digests it names.

import { createHash } from "node:crypto";
import type { PriceTable } from "../../../capacity/index.js";
import type { ApprovalRecord, EffectRecord, RecordedEvent } from "../../../checkpoints/index.js";
import { count } from "../../text.js";
import { timelineOf } from "../timeline.js";
import { whyOf } from "../why.js";
import { shelveDetails } from "./details.js";
import { html, trusted } from "./markup.js";
import { sectionsOf } from "./rows.js";
import { SCRIPT } from "./script.js";
import { Shelf } from "./shelf.js";
import { STYLES } from "./styles.js";
import { summaryOf } from "./summary.js";
import { timelineMarkup } from "./timeline.js";
import { totalsOf } from "./totals.js";
import { deedsOf, verdictOf } from "./verdict.js";

/** What the page is made from. */
export interface PageRecord {
  readonly thread: string;
  /** In the order of recording. */
  readonly events: readonly RecordedEvent[];
  /** Every text that the events name, those of prompts' pages included; `recordedTexts` gets them. What is missing was erased. */
  readonly texts: ReadonlyMap<string, string>;
  readonly approvals: readonly ApprovalRecord[];
  readonly effects: readonly EffectRecord[];
  /** Without them the page says that no price is known. */
  readonly prices?: PriceTable;
  /** Milliseconds since the epoch. */
  readonly generatedAt: number;
}

const FILTERS = ["all", "trouble", "trust", "models", "tools", "gate", "limits"] as const;

/** Writes the page. */
export function htmlOf(record: PageRecord): string {
  const { thread, events, approvals, prices, generatedAt } = record;
  const sections = sectionsOf(events);
  const rows = sections.flatMap((section) => section.rows);
  const shelf = new Shelf();
  const found = shelveDetails(record, sections, shelf);
  const blocks = shelf.blocks();
  const index = JSON.stringify({ blocks: blocks.map(({ first }) => first), ...found });
  const first = summaryOf({
    verdict: verdictOf(events),
    why: whyOf(events),
    deeds: deedsOf(events, approvals),
    totals: totalsOf(events, prices),
    rows,
    trust: timelineOf(events).trust,
  });
  const policy = `default-src 'none'; script-src ${sourceOf(SCRIPT)}; style-src ${sourceOf(STYLES)}; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${thread} · Bulkhead record</title>
<style>${trusted(STYLES)}</style>
</head>
<body>
<a class="skip" href="#timeline">To the timeline</a>
<div class="bar"><h1><span>Bulkhead record</span> ${thread}</h1><span class="when">${spanOf(events)}</span>
<button type="button" id="theme">Light / dark</button></div>
<main>
${first}
<section id="timeline" aria-labelledby="timeline-title">
<div class="tools"><h2 id="timeline-title">Timeline</h2>
<input type="search" id="search" placeholder="Search lines, prompts, answers   /" aria-label="Search lines, prompts and answers" autocomplete="off" spellcheck="false">
<fieldset><legend>Show</legend>${FILTERS.map(
    (name, place) =>
      html`<label><input type="radio" name="kind" value="${name}"${place === 0 ? html` checked` : undefined}><span>${name}</span></label>`,
  )}</fieldset>
<span id="status" role="status"></span>
<span class="keys"><kbd>j</kbd> <kbd>k</kbd> move  <kbd>Enter</kbd> opens  <kbd>Esc</kbd> closes</span></div>
<noscript><p class="hint">Prompts, answers and search need scripts; what stands here does not.</p></noscript>
${timelineMarkup(sections)}
</section>
<footer>${count(events.length, "event")} · written ${iso(generatedAt)} UTC · times are UTC</footer>
</main>
<aside id="panel" aria-labelledby="panel-title" hidden><div class="panel-head"><h2 id="panel-title" tabindex="-1"></h2><button type="button" id="close" aria-label="Close">Esc</button></div><div class="scroll" id="panel-content"></div></aside>
<script type="application/json" id="index">${trusted(index)}</script>
${blocks.map(({ data }) => html`<script type="text/plain" class="shelf">${trusted(data)}</script>\n`)}
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

const sourceOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const iso = (at: number): string => new Date(at).toISOString().slice(0, 16).replace("T", " ");

function spanOf(events: readonly RecordedEvent[]): string {
  const from = events[0]?.at;
  const to = events.at(-1)?.at;
  if (from === undefined || to === undefined) return "nothing is recorded";
  const [start, end] = [iso(from), iso(to)];
  return `${start} to ${start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end} UTC`;
}
