// How the page of the reliability benchmark looks: light and dark by the reader's setting, readable when printed.

/** The style sheet. */
export const STYLE = `
:root { color-scheme: light dark;
  --ground: light-dark(#fbfbf9, #141517); --raised: light-dark(#ffffff, #1c1e21); --rule: light-dark(#e2e2dc, #303338);
  --text: light-dark(#1b1d1f, #e7e6e3); --quiet: light-dark(#5b6066, #a3a8ae); --bad: light-dark(#b3231b, #ff938a);
  --create-agent: light-dark(#9a9fa6, #747a82); --deep-agent: light-dark(#b98a2f, #c79b48); --bulkhead: light-dark(#1b6e3a, #55b877); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 2rem 1.5rem 4rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 22px; margin: 0 0 .25rem; } h2 { font-size: 17px; margin: 2.5rem 0 .75rem; } p { margin: .25rem 0; max-width: 90ch; }
.quiet, footer, dd { color: var(--quiet); font-size: 13px; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .75rem 0; }
dt { font-size: 13px; } dd { margin: 0; }
.key { display: flex; flex-wrap: wrap; gap: 1.25rem; list-style: none; padding: 0; margin: .75rem 0; font-size: 13px; }
.key i { display: inline-block; inline-size: .8rem; block-size: .8rem; border-radius: 2px; margin-inline-end: .4rem; vertical-align: -1px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 1.25rem; }
.chart { background: var(--raised); border: 1px solid var(--rule); border-radius: 8px; padding: .9rem 1rem 1rem; }
.chart table { inline-size: 100%; border-collapse: collapse; font-size: 12.5px; }
.chart caption { text-align: start; font-weight: 600; font-size: 13.5px; padding-block-end: .5rem; }
.chart caption small { display: block; font-weight: 400; color: var(--quiet); font-size: 12px; }
.chart th { font-weight: 400; text-align: start; white-space: nowrap; padding: 0 .6rem 0 0; color: var(--quiet); }
.chart th[scope=rowgroup] { vertical-align: top; color: var(--text); inline-size: 1%; padding-block-start: .3rem; }
.chart td { padding: .06rem 0; inline-size: 100%; } .chart tbody tr:first-child td { padding-block-start: .35rem; }
.bar { display: flex; align-items: center; gap: .45rem; white-space: nowrap; line-height: 1.25; }
.bar i { display: block; block-size: .62rem; border-radius: 2px; min-inline-size: 2px; flex: none; }
.create-agent { background: var(--create-agent); } .deep-agent { background: var(--deep-agent); } .bulkhead { background: var(--bulkhead); }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.figures { border-collapse: collapse; font-size: 13px; white-space: nowrap; }
.figures th, .figures td { padding: .25rem .7rem; text-align: end; border-block-end: 1px solid var(--rule); }
.figures tr > :nth-child(-n + 2) { text-align: start; }
.figures thead th { color: var(--quiet); font-weight: 500; } .figures .bad { color: var(--bad); font-weight: 600; }
.figures tbody th { font-weight: 400; }
`;
