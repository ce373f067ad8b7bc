// How the page looks. Two colour schemes from one set of names; every text has a contrast of at least 4.5 to 1 on what
// it stands on (WCAG 2.2, AA). Nothing is told by colour alone.

const BASE = `
:root { color-scheme: light dark;
  --ground: light-dark(#fbfbf9, #141517); --raised: light-dark(#ffffff, #1c1e21); --sunk: light-dark(#f2f2ee, #101113);
  --text: light-dark(#1b1d1f, #e7e6e3); --quiet: light-dark(#5b6066, #a3a8ae); --rule: light-dark(#e2e2dc, #303338);
  --good: light-dark(#1b6e3a, #7fd99a); --warn: light-dark(#855300, #ecb44a); --bad: light-dark(#b3231b, #ff938a);
  --link: light-dark(#1556b5, #8fb8ff); --mark: light-dark(#fff2cf, #46381a);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding: 7.5rem 0 2rem; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums; }
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 3px; }
code, pre, kbd { font-family: var(--mono); font-size: .92em; }
button, input { font: inherit; color: inherit; }
h2 { font-size: 13px; font-weight: 600; color: var(--quiet); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 1rem; top: .5rem; z-index: 9; background: var(--raised); padding: .3rem .6rem; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.quiet, .hint { color: var(--quiet); font-size: 13px; }
.bar { display: flex; align-items: center; gap: 1.5rem; padding: .55rem 1.5rem; border-bottom: 1px solid var(--rule); }
.bar h1 { font-size: 15px; font-weight: 600; min-width: 0; overflow-wrap: anywhere; } .bar h1 span { color: var(--quiet); font-weight: 400; margin-right: .5rem; }
.bar .when { margin-left: auto; color: var(--quiet); font-size: 13px; white-space: nowrap; }
.bar button, .save, #close { background: var(--raised); border: 1px solid var(--rule); border-radius: 6px; padding: .15rem .6rem; font-size: 13px; cursor: pointer; }
main { container-type: inline-size; max-width: 1500px; margin: 0 auto; padding: 0 1.5rem 4rem; }
footer { margin-top: 2rem; color: var(--quiet); font-size: 13px; }
`;

const FIRST = `
.first { display: grid; grid-template-columns: minmax(0, 1.25fr) minmax(0, 1fr); gap: 1.4rem 3.5rem; padding: 1.6rem 0 1.4rem; }
.verdict.good { color: var(--text); } .verdict { font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
.detail { margin-top: .4rem; overflow-wrap: anywhere; }
.task { margin-top: .5rem; color: var(--text); overflow-wrap: anywhere; } .task span { color: var(--quiet); margin-right: .4rem; }
.answer section { margin-top: 1.2rem; }
.deeds li { padding: .3rem 0 .3rem .8rem; border-left: 3px solid currentColor; margin-top: .35rem; overflow-wrap: anywhere; }
.deeds .dim { color: var(--quiet); }
.deeds a { color: inherit; text-decoration: none; } .deeds a:hover { text-decoration: underline; }
.deeds code { color: var(--text); } .deeds .by { display: block; color: var(--quiet); font-size: 13px; }
.why { margin-top: .35rem; } .why li::first-letter { text-transform: uppercase; } .why li { font-size: 16.5px; line-height: 1.45; margin-top: .3rem; overflow-wrap: anywhere; }
.chain { margin-top: .8rem; font-size: 13.5px; border-top: 1px solid var(--rule); }
.chain li { border-bottom: 1px solid var(--rule); }
.chain a, .chain li > span { display: grid; grid-template-columns: 4.6rem minmax(7rem, 10rem) minmax(0, 1fr); gap: .7rem; padding: .25rem 0; color: inherit; text-decoration: none; }
.chain a:hover .what { text-decoration: underline; } .role, .where { color: var(--quiet); } .what { overflow-wrap: anywhere; }
.axes { display: grid; gap: .55rem; margin: .6rem 0 .5rem; }
.axis { display: grid; grid-template-columns: 5rem minmax(0, 1fr) 2.6rem; gap: .8rem; align-items: center; }
.axis .name { font-size: 14px; } .axis .rank { font-weight: 650; } .axis .rank s { font-weight: 400; color: var(--quiet); }
.axis svg { width: 100%; overflow: visible; display: block; }
.axis .nominal { stroke: var(--rule); stroke-dasharray: 2 3; } .axis .level { stroke: currentColor; stroke-width: 2; } .axis .under { fill: currentColor; opacity: .1; }
.axis a { color: inherit; } .axis circle { fill: currentColor; stroke: var(--ground); stroke-width: 1.5; } .axis a:hover circle { r: 6; }
.axis.rank-3 svg, .axis.rank-3 .rank { color: var(--quiet); } .axis.rank-2 svg, .axis.rank-2 .rank, .axis.rank-1 svg, .axis.rank-1 .rank { color: var(--warn); } .axis.rank-0 svg, .axis.rank-0 .rank { color: var(--bad); }
.strip .rank { color: var(--quiet); font-weight: 400; } .mark { fill: var(--quiet); } .mark.good { fill: var(--good); } .mark.warn { fill: var(--warn); } .mark.bad { fill: var(--bad); }
.strip a:hover .mark { fill: var(--link); }
.totals { border-top: 1px solid var(--rule); margin-top: 1.1rem; padding: .8rem 0; }
.totals dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.2rem, 1fr)); gap: .7rem 1rem; }
.totals dt { font-size: 12.5px; color: var(--quiet); } .totals dd { font-size: 17px; font-weight: 600; line-height: 1.3; color: var(--text); } .totals small { font-weight: 400; font-size: 12.5px; color: var(--quiet); }
.totals .none dd { color: var(--quiet); font-weight: 400; } .totals small { display: block; } .totals .warn dd { color: var(--warn); }
`;

const TIMELINE = `
.tools { position: sticky; top: 0; z-index: 3; background: var(--ground); display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .7rem 0; border-bottom: 1px solid var(--rule); }
.tools h2 { font-size: 16px; color: var(--text); }
#search { flex: 0 1 20rem; min-width: 10rem; background: var(--raised); border: 1px solid var(--quiet); border-radius: 6px; padding: .25rem .6rem; }
#search::placeholder { color: var(--quiet); opacity: 1; }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .15rem; } legend { position: absolute; left: -999px; }
fieldset label { cursor: pointer; } fieldset input { position: absolute; opacity: 0; pointer-events: none; }
fieldset span { display: block; padding: .15rem .55rem; border-radius: 6px; font-size: 13.5px; color: var(--quiet); }
fieldset input:checked + span { background: var(--text); color: var(--ground); } fieldset input:focus-visible + span { outline: 2px solid var(--link); outline-offset: 1px; }
#status { font-size: 13px; color: var(--quiet); } .keys { margin-left: auto; font-size: 12.5px; color: var(--quiet); white-space: nowrap; }
kbd { border: 1px solid var(--rule); border-radius: 4px; padding: 0 .3em; background: var(--raised); }
.run { margin: 1.4rem 0 .4rem; font-size: 14px; font-weight: 600; overflow-wrap: anywhere; } .run span { color: var(--quiet); font-weight: 400; margin-left: .6rem; }
.step { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: 0 1rem; border-top: 1px solid var(--rule); padding: .2rem 0; content-visibility: auto; contain-intrinsic-size: auto 34px; }
.head { padding: .2rem 0; font-size: 13.5px; color: var(--quiet); overflow-wrap: anywhere; } .head b { display: inline-block; min-width: 2.2rem; color: var(--text); font-weight: 600; }
.line { display: grid; grid-template-columns: 4.4rem minmax(0, 1fr); width: 100%; text-align: left; border: 0; background: none; padding: .2rem .5rem; border-radius: 4px; cursor: pointer; overflow-wrap: anywhere; }
.line time { color: var(--quiet); font-size: 13px; line-height: 1.75; } .line i { font-style: normal; color: var(--quiet); } .line .bars { letter-spacing: .06em; }
.line.dim { color: var(--quiet); } .line:hover { background: var(--sunk); } .line[aria-current=true] { background: var(--mark); }
.line > span { padding-left: .55rem; border-left: 3px solid transparent; } .line.good, .line.warn { color: var(--text); } .line[data-kind="trust.fell"] { color: var(--warn); }
.line.good > span { border-color: var(--good); } .line.warn > span { border-color: var(--warn); } .line.bad > span { border-color: var(--bad); }
.lanes { overflow-x: auto; } .lanes table { border-collapse: collapse; width: 100%; table-layout: fixed; } .lanes .of-3 { min-width: 38rem; } .lanes .of-4 { min-width: 52rem; } .lanes .of-5 { min-width: 66rem; } .lanes .of-6 { min-width: 80rem; }
.lanes th { text-align: left; font-size: 13px; font-weight: 600; padding: .2rem .5rem; color: var(--text); border-bottom: 1px solid var(--rule); } .lanes td { vertical-align: top; padding: 0; border-left: 1px solid var(--rule); } .lanes td:first-child { border-left: 0; } .lanes .line { grid-template-columns: 1fr; } .lanes .line time { display: none; }
`;

const PANEL = `
#panel { position: fixed; inset: 0 0 0 auto; width: min(46rem, 50vw); background: var(--raised); border-left: 1px solid var(--rule); z-index: 5; display: flex; flex-direction: column; box-shadow: 0 0 2rem rgb(0 0 0 / .12); }
.with-panel main { margin-right: min(46rem, 50vw); max-width: none; }
.panel-head { display: flex; gap: 1rem; align-items: start; padding: .9rem 1.2rem .7rem; border-bottom: 1px solid var(--rule); }
.panel-head h2 { flex: 1; font-size: 15.5px; color: var(--text); overflow-wrap: anywhere; max-height: 8rem; overflow: auto; } .panel-head small { display: block; font-weight: 400; font-size: 13px; color: var(--quiet); }
.scroll { overflow: auto; padding: 0 1.2rem 3rem; flex: 1; }
.part { padding: .9rem 0 .3rem; } .part h3 { font-size: 13px; font-weight: 600; color: var(--quiet); margin-bottom: .3rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; } .unseen { color: var(--bad); background: var(--sunk); font-family: var(--mono); font-size: .85em; border-radius: 3px; }
.said { background: var(--sunk); border-radius: 6px; padding: .6rem .8rem; margin-bottom: .35rem; }
.token { background: color-mix(in srgb, var(--warn) calc(var(--doubt, 0) * 42%), transparent); border-radius: 2px; } .token.unlikely { text-decoration: underline dotted; text-underline-offset: 3px; }
.call { margin: .4rem 0; padding: .4rem .8rem; border-left: 2px solid var(--rule); } .call code { font-weight: 600; }
pre { margin: .3rem 0; max-height: 34rem; overflow: auto; background: var(--sunk); border-radius: 6px; padding: .6rem .8rem; line-height: 1.45; font-size: 12.5px; }
.fields { display: grid; grid-template-columns: minmax(5rem, max-content) minmax(0, 1fr); gap: .1rem 1rem; font-size: 13.5px; } .fields dt { color: var(--quiet); } .fields dd:has(> .fields) { grid-column: 1 / -1; margin-left: .3rem; border-left: 1px solid var(--rule); padding-left: .7rem; }
.label span { margin-right: .6rem; } .label .rank-0 { color: var(--bad); font-weight: 600; } .label .rank-1, .label .rank-2 { color: var(--warn); font-weight: 600; } .label .rank-3 { color: var(--quiet); }
details { border-top: 1px solid var(--rule); } summary { cursor: pointer; padding: .3rem 0; font-size: 13.5px; } summary .text { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; display: inline-block; max-width: calc(100% - 1.5rem); vertical-align: bottom; } .folded { padding: .1rem 0 .7rem .9rem; }
@container (max-width: 900px) { .first { grid-template-columns: minmax(0, 1fr); } .keys { display: none; } }
@media (max-width: 820px) { #panel { width: 100%; } .with-panel main { margin-right: 0; } main, .bar { padding-left: 1rem; padding-right: 1rem; } .bar { flex-wrap: wrap; gap: .3rem 1rem; } .verdict { font-size: 25px; } .chain a, .chain li > span { grid-template-columns: 4.6rem minmax(0, 1fr); row-gap: 0; } .chain .what { grid-column: 1 / -1; } .step { grid-template-columns: minmax(0, 1fr); } .tools { position: static; } }
@media (prefers-reduced-motion: no-preference) { .line, .axis circle { transition: background-color .12s, r .12s; } }
@media print { .tools, .bar button, .skip { display: none; } .step { content-visibility: visible; } }
`;

/** The style sheet. */
export const STYLES = [BASE, FIRST, TIMELINE, PANEL].join("");
