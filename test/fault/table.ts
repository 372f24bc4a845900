/** The fault table of docs/ledger.md: what was found at each point, as text. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../source.ts';
import { ARROWS, type Arrow, type Outcome } from './arrows.ts';
import { OTHER_WRITES } from './other-writes.ts';

export interface Found {
  readonly arrow: string;
  readonly point: string;
  readonly outcome: Outcome;
}

/** What an ordinary call is told after a write that is of no call. */
export interface FoundOther {
  readonly type: string;
  readonly lost: string;
  readonly landed: string;
}

export const PAGE: string = join(ROOT, 'docs/ledger.md');
const BEGIN = '<!-- faults: written by `npm run faults -- --write` -->';
const END = '<!-- /faults -->';

export function pointsOf({ points }: Arrow): readonly (readonly [string, Outcome])[] {
  return Object.entries(points);
}

export function renderFaults(found: readonly Found[], others: readonly FoundOther[]): string {
  return [
    '| arrow | killed at | then the ledger says | asked again under its key | effects |',
    '|---|---|---|---|---|',
    ...found.map(
      ({ arrow, point, outcome: { stored, told, effects } }) =>
        `| ${arrow} | \`${point}\` | ${stored} | ${told} | ${effects} |`,
    ),
    '',
    '| write of no call | a call after `/lost` | a call after `/landed` |',
    '|---|---|---|',
    ...others.map(({ type, lost, landed }) => `| \`${type}\` | ${lost} | ${landed} |`),
  ].join('\n');
}

/** The table as it must come out. */
export function expectedFaults(): string {
  const found = ARROWS.flatMap((arrow) =>
    pointsOf(arrow).map(([point, outcome]) => ({ arrow: arrow.name, point, outcome })),
  );
  return renderFaults(found, OTHER_WRITES);
}

/** The text of the page with `table` between its markers. */
export function withFaults(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no markers for the fault table`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** The points that the page's tables name. */
export function pointsOnPage(page: string): readonly string[] {
  const text = page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END));
  return text.split('\n').flatMap((line): string[] => {
    const [, first = '', second = ''] = line.split('|').map((cell) => cell.trim());
    if (second.startsWith('`')) return [second.slice(1, -1)];
    return first.startsWith('`') ? [`${first.slice(1, -1)}/lost`, `${first.slice(1, -1)}/landed`] : [];
  });
}

/** The names of states in the page's diagram. */
export function statesOnPage(page: string): ReadonlySet<string> {
  const from = page.indexOf('```', page.indexOf('## States'));
  return new Set(page.slice(from, page.indexOf('```', from + 3)).match(/[a-z]+(?:-[a-z]+)*/gu));
}
