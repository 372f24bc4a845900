/** A report as one HTML file that loads nothing: evidence, what is told beside it, and both made readable. */

import { createHash } from 'node:crypto';
import { formatBundle } from '../ledger/bundle/format.ts';
import type { Bundle } from '../ledger/bundle/format.ts';
import { bodyOf } from './page/body.ts';
import { embedded } from './page/embedded.ts';
import { el } from './page/element.ts';
import type { Told } from './page/told.ts';
import { escapeText, printHtml } from './print.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='1.5' y='6.5' width='13' height='8' rx='2' fill='%231d5fa8'/%3E%3Cpath d='M4.5 7V5a3.5 3.5 0 0 1 7 0v2' fill='none' stroke='%231d5fa8' stroke-width='2'/%3E%3C/svg%3E";

/** One script and one style, each known by its hash; no other source of anything. */
function contentPolicy(): string {
  return [
    "default-src 'none'",
    `script-src '${sourceHash(SCRIPT)}'`,
    `style-src '${sourceHash(STYLE)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** As Content Security Policy (level 3, section 2.3.1) names a source by what it is. */
function sourceHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** The page. The same bundle and the same told give the same bytes. */
export function reportPage(bundle: Bundle, told: Told): string {
  const evidence = formatBundle(bundle);
  const { title, head, main, foot } = bodyOf(bundle, told);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeText(contentPolicy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeText(title)}</title>
<link rel="icon" href="${escapeText(ICON)}">
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
${printHtml(head)}
${printHtml(CHECK)}
${printHtml(main)}
${printHtml(foot)}
<script type="application/json" id="told">${embedded(told)}</script>
<script type="application/json" id="bundle">${embedded(evidence)}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** The button and its answer. The script shows the button, so that there is none where it cannot work. */
const CHECK = el(
  'aside',
  { id: 'check', 'aria-label': 'Verification' },
  el('button', { type: 'button', id: 'verify', hidden: '' }, 'Verify this page'),
  el('p', { class: 'hint' }, 'Checks proofs, signature and every word of this page, here and offline.'),
  el('div', { id: 'result', class: 'result', role: 'status' }),
  el('noscript', {}, el('p', {}, 'Without JavaScript: run interlock verify on this file.')),
);
