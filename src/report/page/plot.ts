/** Plots as SVG elements: when calls came and how they ended, and how a budget was spent. Pure. */

import { type Element, el } from './element.ts';
import { type Kind, KINDS, kindOf } from './meaning.ts';
import { count, instant } from './say.ts';
import type { CallStory } from './story.ts';

const WIDTH = 960;
const HEIGHT = 200;
const LEFT = 88;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 28;
const BINS = 60;
const DOTS_MAX = 60;
/** Half of a letter, so that a label stands beside its line. */
const BASELINE = 4;

/** Calls that were proposed within one stretch of time, by how they ended. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly counts: Readonly<Record<Kind, number>>;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function noCalls(): Record<Kind, number> {
  return { done: 0, failed: 0, denied: 0, open: 0, unknown: 0 };
}

/** The time of `calls` in equal stretches, as many as are worth looking at; none where all came at once. */
export function binsOf(calls: readonly CallStory[]): readonly Bin[] {
  const times = calls.map(({ entries }) => entries[0]?.at ?? 0);
  const from = times.reduce((least, at) => Math.min(least, at), times[0] ?? 0);
  const to = times.reduce((most, at) => Math.max(most, at), from);
  const bins = Math.min(BINS, to - from);
  const length = (to - from) / bins;
  const counts = Array.from({ length: bins }, noCalls);
  for (const [index, { state }] of calls.entries()) {
    const bin = counts[Math.min(bins - 1, Math.floor(((times[index] ?? 0) - from) / length))];
    if (bin !== undefined) bin[kindOf(state)] += 1;
  }
  return counts.map((bin, index) => ({ from: from + index * length, to: from + (index + 1) * length, counts: bin }));
}

/** Bars of calls over time. */
export function barsOver(bins: readonly Bin[], title: string): Element {
  const range = { from: bins[0]?.from ?? 0, to: bins.at(-1)?.to ?? 1 };
  const most = roundUp(bins.reduce((max, { counts }) => Math.max(max, total(counts)), 1));
  const kinds = Object.keys(KINDS) as Kind[];
  const bars = bins.flatMap(({ from, to, counts }) => {
    let below = 0;
    return kinds.map((kind) => {
      const n = counts[kind];
      if (n === 0) return undefined;
      const [x, end] = [xOf(from, range), xOf(to, range)];
      const [y, base] = [yOf(below + n, most), yOf(below, most)];
      below += n;
      const size = { width: number(Math.max(1, end - x - 1)), height: number(base - y) };
      return el('rect', { class: `bar ${kind}`, x: number(x), y: number(y), ...size });
    });
  });
  return frame(title, [...axes(range, most), ...bars]);
}

export function total(counts: Readonly<Record<Kind, number>>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

/** The next number with few digits, for the top of an axis. */
function roundUp(n: number): number {
  const unit = 10 ** Math.floor(Math.log10(n));
  return ([1, 2, 4, 5, 6, 8, 10].find((times) => times * unit >= n) ?? 10) * unit;
}

/** A line that steps from value to value, with its limit. */
export function stepsOver(
  points: readonly { readonly at: number; readonly spent: number }[],
  limit: number | undefined,
  title: string,
): Element {
  const from = points[0]?.at ?? 0;
  const range = { from, to: Math.max(points.at(-1)?.at ?? 1, from + 1) };
  const most = points.reduce((max, { spent }) => Math.max(max, spent), limit ?? 1);
  let path = '';
  for (const [index, { at, spent }] of points.entries()) {
    const [x, y] = [number(xOf(at, range)), number(yOf(Math.max(0, spent), most))];
    path += index === 0 ? `M${x} ${y}` : `H${x}V${y}`;
  }
  // Of many the line alone is clearer.
  const dots = (points.length > DOTS_MAX ? [] : points).map(({ at, spent }) =>
    el('circle', { class: 'dot', cx: number(xOf(at, range)), cy: number(yOf(Math.max(0, spent), most)), r: '3' }),
  );
  const bound = limit === undefined ? [] : limitLine(limit, most);
  return frame(title, [...axes(range, most), ...bound, el('path', { class: 'steps', d: path }), ...dots]);
}

function limitLine(limit: number, most: number): readonly Element[] {
  const y = number(yOf(limit, most));
  const text = {
    class: 'limit-name',
    x: number(WIDTH - RIGHT),
    y: number(yOf(limit, most) + 14),
    'text-anchor': 'end',
  };
  return [
    el('line', { class: 'limit', x1: number(LEFT), x2: number(WIDTH - RIGHT), y1: y, y2: y }),
    el('text', text, `limit ${count(limit)}`),
  ];
}

function frame(title: string, content: readonly (Element | undefined)[]): Element {
  return el(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title, preserveAspectRatio: 'xMidYMid meet' },
    content,
  );
}

function axes({ from, to }: Range, most: number): readonly Element[] {
  const bottom = number(HEIGHT - BOTTOM);
  const levels = [0, most / 2, most].filter((level) => Number.isInteger(level));
  return [
    ...levels.flatMap((level) => {
      const y = yOf(level, most);
      const label = { class: 'tick', x: number(LEFT - 8), y: number(y + BASELINE), 'text-anchor': 'end' };
      return [
        el('line', { class: 'grid', x1: number(LEFT), x2: number(WIDTH - RIGHT), y1: number(y), y2: number(y) }),
        el('text', label, count(level)),
      ];
    }),
    el('line', { class: 'axis', x1: number(LEFT), x2: number(WIDTH - RIGHT), y1: bottom, y2: bottom }),
    el('text', { class: 'tick', x: number(LEFT), y: number(HEIGHT - BASELINE * 2) }, tickTime(from)),
    el(
      'text',
      { class: 'tick', x: number(WIDTH - RIGHT), y: number(HEIGHT - BASELINE * 2), 'text-anchor': 'end' },
      tickTime(to),
    ),
  ];
}

function tickTime(at: number): string {
  return `${instant(Math.round(at))} UTC`;
}

function xOf(at: number, { from, to }: Range): number {
  return LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
}

function yOf(value: number, most: number): number {
  return HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
}

/** Two decimals at most, so that the same figure is written the same everywhere. */
function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}
