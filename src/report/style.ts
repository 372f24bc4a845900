/** The style of the page: light and dark, wide and narrow, screen and paper. Every pair of colours has a contrast of AA. */

export const STYLE: string = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #fff; --text: #1b1e21; --soft: #565d64; --line: #d9dcdf; --code: #f1f2f3;
  --link: #1a56a0; --done: #0f6b45; --denied: #ad1f1a; --failed: #8f4a00; --open: #1a56a0; --unknown: #6a3aa2;
  --done-bg: #e4f3ec; --denied-bg: #fbe9e7; --failed-bg: #fcefdc; --open-bg: #e6eef8; --unknown-bg: #f0e8f9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121518; --card: #1a1e22; --text: #e7e9eb; --soft: #a9b1b9; --line: #343a41; --code: #23282d;
    --link: #8dbdf5; --done: #6fd6a6; --denied: #ff9c92; --failed: #f2b464; --open: #8dbdf5; --unknown: #cdaeff;
    --done-bg: #14301f; --denied-bg: #3b1a18; --failed-bg: #38260d; --open-bg: #16273b; --unknown-bg: #2a1d40;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 8rem; }
body {
  margin: 0 auto; max-width: 76rem; padding: 1.5rem 1.25rem 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere;
}
code, time { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
time { font-variant-numeric: tabular-nums; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1, h2, h3, h4 { line-height: 1.2; margin: 0; }
h1 { font-size: 1.75rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin-bottom: .75rem; }
h3 { font-size: 1.05rem; margin: 1rem 0 .5rem; }
h4 { font-size: .95rem; }
p { margin: .25rem 0; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 3; }
.brand { color: var(--soft); font-weight: 600; letter-spacing: .04em; text-transform: uppercase; font-size: .8rem; }
.sub, .note, .moment, .hint, figcaption, caption, .left { color: var(--soft); }
.left { border-left: 4px solid var(--failed); padding-left: .75rem; margin: 1rem 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: 1rem 0 0; }
.verdict { border-radius: .5rem; padding: .6rem .9rem; margin: 1rem 0 0; }
.verdict.ok { background: var(--done-bg); color: var(--done); }
.verdict.bad { background: var(--denied-bg); color: var(--denied); border: 2px solid var(--denied); }
#check {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem;
  background: var(--page); border-bottom: 1px solid var(--line); padding: .75rem 0; margin-bottom: 1rem;
}
#check:has(.result.bad) { position: static; }
#check .hint { margin: 0; font-size: .9rem; }
button {
  font: inherit; font-weight: 600; color: var(--card); background: var(--link); border: 0; border-radius: .5rem;
  padding: .5rem 1rem; cursor: pointer;
}
.result { flex-basis: 100%; max-height: 40vh; overflow: auto; border-radius: .5rem; }
.result:empty { display: none; }
.result { padding: .6rem .9rem; background: var(--code); }
.result.ok { background: var(--done-bg); color: var(--done); }
.result.bad { background: var(--denied-bg); color: var(--denied); border: 2px solid var(--denied); }
.result.unsure { background: var(--failed-bg); color: var(--failed); }
.result a { color: inherit; }
.differs { outline: 3px solid var(--denied); outline-offset: 2px; background: var(--denied-bg); }
main:focus { outline: none; }
main > section {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; margin-bottom: 1.25rem;
}
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); }
dd { margin: 0; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 0 0 1rem; }
.tile { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; border-top: 4px solid var(--soft); }
.tile dd { font-size: 1.75rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile dt { font-size: .875rem; }
.tile.done { border-top-color: var(--done); } .tile.denied { border-top-color: var(--denied); }
.tile.failed { border-top-color: var(--failed); } .tile.open { border-top-color: var(--open); }
.tile.unknown { border-top-color: var(--unknown); }
.tile.none { border-top-color: var(--line); }
.tile.none dd { color: var(--soft); font-weight: 400; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem 2rem; align-items: start; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
caption { text-align: left; padding-bottom: .35rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; border-top: 0; white-space: nowrap; }
tbody th { font-weight: 500; min-width: 7rem; }
td time, th time { white-space: nowrap; }
.because { font-style: italic; }
.value { white-space: pre-wrap; }
.chip {
  display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem;
  background: var(--code); margin-right: .25rem;
}
.chip.gone { background: var(--denied-bg); color: var(--denied); }
.wrong { color: var(--denied); font-weight: 600; }
.evidence { display: inline-block; margin-right: .9rem; }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
.bar { stroke: var(--card); stroke-width: .5; }
.bar.done, .done .swatch { fill: var(--done); background: var(--done); }
.bar.denied, .denied .swatch { fill: var(--denied); background: var(--denied); }
.bar.failed, .failed .swatch { fill: var(--failed); background: var(--failed); }
.bar.open, .open .swatch { fill: var(--open); background: var(--open); }
.bar.unknown, .unknown .swatch { fill: var(--unknown); background: var(--unknown); }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); }
.tick, .limit-name { fill: var(--soft); font-size: 12px; }
.steps { fill: none; stroke: var(--link); stroke-width: 2; } .dot { fill: var(--link); }
.limit { stroke: var(--denied); stroke-width: 1.5; stroke-dasharray: 6 4; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .5rem 0; }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; vertical-align: -.05rem; }
summary { cursor: pointer; }
.fold > summary { padding: .4rem 0; color: var(--link); }
.filters { border: 1px solid var(--line); border-radius: .5rem; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 1rem; padding: .4rem .9rem .6rem; }
.calls { list-style: none; margin: 0; padding: 0; }
.call { border-top: 1px solid var(--line); content-visibility: auto; contain-intrinsic-height: auto 2.75rem; }
.call > details > summary {
  display: grid; grid-template-columns: 3.5rem 7.5rem 1fr max-content; gap: .1rem .75rem; padding: .55rem .25rem;
  align-items: baseline; list-style: none;
}
.call > details > summary::-webkit-details-marker { display: none; }
.call > details > summary:hover { background: var(--code); }
.nth { color: var(--soft); text-align: right; font-variant-numeric: tabular-nums; }
.nth::before { content: "▸ "; }
details[open] > summary > .nth::before { content: "▾ "; }
.when { color: var(--soft); }
.what code { color: var(--soft); }
.state { border-radius: 1rem; padding: .05rem .7rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.state.done { color: var(--done); background: var(--done-bg); } .state.denied { color: var(--denied); background: var(--denied-bg); }
.state.failed { color: var(--failed); background: var(--failed-bg); } .state.open { color: var(--open); background: var(--open-bg); }
.state.unknown { color: var(--unknown); background: var(--unknown-bg); }
.story { padding: .25rem .25rem 1rem 4.25rem; }
.story h3 { margin: .25rem 0 .75rem; }
.step { border-left: 3px solid var(--line); padding: .1rem 0 .6rem 1rem; }
.step.decision.done { border-color: var(--done); } .step.decision.denied { border-color: var(--denied); }
.step.decision.open { border-color: var(--open); }
.moment { font-size: .9rem; }
.rules, .clauses, .numbers { margin: .25rem 0; padding-left: 1.1rem; }
.numbers { list-style: none; padding: 0; }
.clauses .false, .clauses .error { color: var(--soft); }
footer { color: var(--soft); font-size: .9rem; }
body:has(#show-done:checked) .call:not(.done), body:has(#show-denied:checked) .call:not(.denied),
body:has(#show-failed:checked) .call:not(.failed), body:has(#show-open:checked) .call:not(.open),
body:has(#show-unknown:checked) .call:not(.unknown) { display: none; }
body:has(.filters input:checked:not(#show-all)) #calls .fold::details-content {
  content-visibility: visible; display: block; height: auto;
}
body:has(.filters input:checked:not(#show-all)) #calls .fold > summary { display: none; }
@media (max-width: 40rem) {
  body { padding: 1rem .75rem 2rem; }
  main > section { padding: 1rem .8rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .call > details > summary { grid-template-columns: 3rem 1fr max-content; }
  .what { grid-column: 1 / -1; grid-row: 2; padding-left: 1rem; }
  .story { padding-left: .75rem; }
  .wide table { min-width: 40rem; }
  .hint { display: none; }
}
@media (forced-colors: active) { .bar, .swatch { forced-color-adjust: none; } }
@media print {
  :root {
    --page: #fff; --card: #fff; --text: #000; --soft: #444; --line: #bbb; --code: #fff;
    --link: #1a56a0; --done: #0f6b45; --denied: #ad1f1a; --failed: #8f4a00; --open: #1a56a0; --unknown: #6a3aa2;
    --done-bg: #fff; --denied-bg: #fff; --failed-bg: #fff; --open-bg: #fff; --unknown-bg: #fff;
  }
  @page { margin: 14mm; }
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; }
  .tiles { grid-template-columns: repeat(6, 1fr); }
  nav, #check, .filters, .skip, .nth::before { display: none; }
  main > section { border: 0; padding: 0; break-inside: auto; }
  h2, h3, h4 { break-after: avoid; }
  figure, tr, .tile, .step { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  .call { content-visibility: visible; }
  .wide { overflow: visible; }
  .story { padding-left: 1rem; }
}
`;
