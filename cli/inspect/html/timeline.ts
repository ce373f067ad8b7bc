// The timeline: a section for each superstep, its lines below it. Where subagents ran side by side their lines stand in
// columns of a table, the run's own in the first. All of it is in the page; the browser leaves out what is off screen.

import { barsOf, cut } from "../../text.js";
import { html, type Insert, type Markup } from "./markup.js";
import { gridOf, type Row, type Section } from "./rows.js";

/** The longest line, in characters. What stands behind it is whole. */
const WIDTH = 300;

/** The timeline. */
export function timelineMarkup(sections: readonly Section[]): Markup {
  let run: string | undefined;
  let day: string | undefined;
  const parts: Markup[] = [];
  for (const section of sections) {
    const at = new Date(section.rows[0]?.at ?? 0).toISOString().slice(0, 10);
    if (section.run !== run || at !== day) {
      parts.push(html`<h3 class="run">run ${section.run} <span>${at}</span></h3>`);
      run = section.run;
      day = at;
    }
    parts.push(sectionMarkup(section));
  }
  return html`${parts}`;
}

function sectionMarkup(section: Section): Markup {
  const { step, lanes, rows } = section;
  const nodes = [...new Set(rows.filter(({ lane }) => lane === undefined).map(({ node }) => node))].filter(
    (node) => node !== undefined,
  );
  const head = html`<div class="head">${step === undefined ? undefined : html`<b>${step}</b>`} ${nodes.join(", ")}</div>`;
  if (lanes.length === 1)
    return html`<section class="step">${head}<div class="lines">${rows.map((row) => lineOf(row, nodes.length > 1))}</div></section>`;
  const names = lanes.map((lane) => html`<th scope="col">${lane ?? "run"}</th>`);
  const body = gridOf(section).map(
    (cells) =>
      html`<tr>${cells.map((row) => html`<td>${row === undefined ? undefined : lineOf(row, row.lane !== undefined)}</td>`)}</tr>`,
  );
  return html`<section class="step">${head}<div class="lanes" role="region" aria-label="parallel lanes of step ${step}" tabindex="0"><table class="of-${Math.min(lanes.length, 6)}">
<thead><tr>${names}</tr></thead><tbody>${body}</tbody></table></div></section>`;
}

function lineOf(row: Row, withNode: boolean): Markup {
  const { index, at, tone, trust, text, node, step, lane, kind } = row;
  const time = new Date(at).toISOString().slice(11, 19);
  const who: Insert =
    withNode && node !== undefined ? html`<i>${lane === undefined ? "" : `${step} `}${node}</i> ` : undefined;
  const bars = trust === undefined ? undefined : html`<span class="bars" aria-label="trust">${barsOf(trust)}</span> `;
  return html`<button type="button" class="line ${tone ?? ""}" id="e${index}" data-kind="${kind}" tabindex="-1"><time>${time}</time><span>${who}${bars}${cut(text, WIDTH)}</span></button>`;
}
