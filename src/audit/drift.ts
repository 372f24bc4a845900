/**
 * How a session departs from earlier ones. Sets: what none of them did. Ranges: a figure below the least or above the most
 * that one of them showed. Nothing is weighed or scored, so few sessions before make a narrow range. Pure.
 */

import type { ValueType } from './places.ts';
import type { Profile, ToolProfile } from './profile.ts';

/** A tool, an order, a name or a type that no earlier session showed, with the first entry that does. */
export type NewThing =
  | { readonly kind: 'tool'; readonly tool: string; readonly entry: number }
  /** `tool` came right after `after`, or first where there is no `after`. */
  | { readonly kind: 'order'; readonly tool: string; readonly after?: string; readonly entry: number }
  | {
      readonly kind: 'argument';
      readonly tool: string;
      readonly place: string;
      readonly type: ValueType;
      readonly entry: number;
    };

/** What every earlier call of the tool had, and some of this session's lack. */
export interface Lacking {
  readonly kind: 'lacking';
  readonly tool: string;
  readonly place: string;
  readonly calls: number;
  readonly of: number;
}

/** `calls`: of one tool, or of all; `cost`: under one budget; `denials`: denied calls of all calls. */
export type OutOfRange =
  | (Range<number> & { readonly kind: 'calls'; readonly tool?: string })
  | (Range<number> & { readonly kind: 'cost'; readonly budget: string })
  | (Range<Share> & { readonly kind: 'denials' });

export interface Range<T> {
  readonly value: T;
  readonly least: T;
  readonly most: T;
}

export interface Share {
  readonly denied: number;
  readonly calls: number;
}

export type Departure = NewThing | Lacking | OutOfRange;

type Baseline = readonly [Profile, ...Profile[]];

/** In the order: tools, orders, arguments, counts, denials, costs. */
export function departures(session: Profile, baseline: Baseline): readonly Departure[] {
  return [
    ...newTools(session, baseline),
    ...newOrders(session, baseline),
    ...[...session.tools].flatMap(([name, tool]) => shapes(name, tool, baseline)),
    ...counts(session, baseline),
    ...denials(session, baseline),
    ...costs(session, baseline),
  ];
}

function newTools({ tools }: Profile, baseline: Baseline): Departure[] {
  const fresh = [...tools].filter(([name]) => !isKnown(name, baseline));
  return fresh.map(([tool, { entry }]) => ({ kind: 'tool', tool, entry }));
}

function isKnown(tool: string, baseline: Baseline): boolean {
  return baseline.some(({ tools }) => tools.has(tool));
}

/** Beside a tool that is new every order is, which says nothing more. */
function newOrders({ orders }: Profile, baseline: Baseline): Departure[] {
  return [...orders].flatMap(([tool, before]) =>
    [...before].flatMap(([after, entry]): Departure[] => {
      const isNew = !isKnown(tool, baseline) || (after !== '' && !isKnown(after, baseline));
      if (isNew || baseline.some((one) => one.orders.get(tool)?.has(after) === true)) return [];
      return [after === '' ? { kind: 'order', tool, entry } : { kind: 'order', tool, after, entry }];
    }),
  );
}

/** Names and types of the arguments of one tool; one of which only calls with sealed arguments are known has none. */
function shapes(name: string, { open, given, types }: ToolProfile, baseline: Baseline): Departure[] {
  const before = baseline.flatMap(({ tools }) => tools.get(name) ?? []);
  const calls = sum(before.map((tool) => tool.open));
  if (calls === 0) return [];
  const found: Departure[] = [];
  for (const [place, seen] of types) {
    // Arguments that are sealed whole have no names.
    if (place === '') continue;
    for (const [type, entry] of seen) {
      if (before.some((tool) => tool.types.get(place)?.has(type) === true)) continue;
      found.push({ kind: 'argument', tool: name, place, type, entry });
    }
  }
  for (const place of new Set(before.flatMap((tool) => [...tool.given.keys()]))) {
    const always = place !== '' && sum(before.map((tool) => tool.given.get(place) ?? 0)) === calls;
    const lacking = open - (given.get(place) ?? 0);
    if (always && lacking > 0) found.push({ kind: 'lacking', tool: name, place, calls: lacking, of: open });
  }
  return found;
}

function counts(session: Profile, baseline: Baseline): Departure[] {
  const all = outside(
    session.calls,
    baseline.map(({ calls }) => calls),
  );
  const known = new Set(baseline.flatMap(({ tools }) => [...tools.keys()]));
  const each = [...known].flatMap((tool): Departure[] => {
    const countOf = ({ tools }: Profile): number => tools.get(tool)?.calls ?? 0;
    const range = outside(countOf(session), baseline.map(countOf));
    return range === undefined ? [] : [{ kind: 'calls', tool, ...range }];
  });
  return all === undefined ? each : [{ kind: 'calls', ...all }, ...each];
}

function denials(session: Profile, baseline: Baseline): Departure[] {
  const shares = baseline.map(shareIn).toSorted((one, other) => compare(one, other));
  const value = shareIn(session);
  const [least = value] = shares;
  const most = shares.at(-1) ?? value;
  const isOutside = compare(value, least) < 0 || compare(value, most) > 0;
  return isOutside ? [{ kind: 'denials', value, least, most }] : [];
}

function shareIn({ denied, calls }: Profile): Share {
  return { denied, calls };
}

/** Exactly: no division. */
function compare(one: Share, other: Share): number {
  return one.denied * other.calls - other.denied * one.calls;
}

function costs(session: Profile, baseline: Baseline): Departure[] {
  const names = new Set([session, ...baseline].flatMap((one) => [...one.costs.keys()]));
  return [...names].flatMap((budget): Departure[] => {
    const costOf = (one: Profile): number => one.costs.get(budget) ?? 0;
    const range = outside(costOf(session), baseline.map(costOf));
    return range === undefined ? [] : [{ kind: 'cost', budget, ...range }];
  });
}

function outside(value: number, values: readonly number[]): Range<number> | undefined {
  const least = values.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const most = values.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
  return value < least || value > most ? { value, least, most } : undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((one, other) => one + other, 0);
}

/** A departure in one line. */
export function sentenceOf(departure: Departure): string {
  switch (departure.kind) {
    case 'tool':
      return `${departure.tool} was not used before`;
    case 'order':
      return departure.after === undefined
        ? `${departure.tool} was never the first`
        : `${departure.tool} never came right after ${departure.after}`;
    case 'argument':
      return `${departure.tool} never had a ${departure.type} at ${departure.place}`;
    case 'lacking':
      return `${departure.tool} always had ${departure.place}: ${departure.calls} of ${departure.of} calls lack it`;
    case 'calls':
      return `${range(departure)} calls${departure.tool === undefined ? '' : ` of ${departure.tool}`}`;
    case 'cost':
      return `${range(departure)} charged to the budget ${departure.budget}`;
    case 'denials': {
      const { value, least, most } = departure;
      const before = compare(least, most) === 0 ? share(least) : `${share(least)} to ${share(most)}`;
      return `${share(value)} calls denied instead of ${before}`;
    }
  }
}

function range({ value, least, most }: Range<number>): string {
  return least === most ? `${value} instead of ${least}` : `${value} instead of ${least} to ${most}`;
}

function share({ denied, calls }: Share): string {
  return `${denied} of ${calls}`;
}
