/** What a session proposed, as sets and counts: tools, their order, names and types of arguments, denials and costs. */

import { runOf } from '../authority/asked.ts';
import { type Entry, parseEntry } from '../ledger/entry.ts';
import type { LogEntry } from '../ledger/verify/verify.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import { type ValueType, placesIn } from './places.ts';
import { member, textOf } from './problem.ts';
import { isDecision } from './recorded-call.ts';

/** The calls of one tool. */
export interface ToolProfile {
  /** The entry of the first one. */
  readonly entry: number;
  calls: number;
  /** Those whose arguments are not sealed whole. */
  open: number;
  /** Of those, how many have something at this place: a JSON pointer, with `*` for the place in a list. */
  readonly given: Map<string, number>;
  /** What was seen there, with its first entry. */
  readonly types: Map<string, Map<ValueType, number>>;
}

export interface Profile {
  readonly tools: Map<string, ToolProfile>;
  /** By tool, the tools that came right before it (`''`: it was the first), with the first entry. */
  readonly orders: Map<string, Map<string, number>>;
  calls: number;
  denied: number;
  /** By budget, in whole units of its counters. */
  readonly costs: Map<string, number>;
}

/** Different places and types of arguments that are kept of one session: beyond, it has no shape worth comparing. */
export const SHAPES_MAX = 20_000;
/** The tool of what was no call. */
const MALFORMED = '(malformed)';

/** By session; or the session whose arguments have more different names and types than can be compared. */
export type Profiles =
  | { readonly ok: true; readonly bySession: ReadonlyMap<string, Profile> }
  | { readonly ok: false; readonly tooVaried: string };

/**
 * The profiles of `sessions`, those that have no call left out. One pass over the entries, and nothing but them: sealed
 * values are not opened, so that an erasure changes nothing. Memory grows with the sessions and what is different in
 * them, and with their calls that failed or have no outcome.
 */
export function profiles(entries: Iterable<LogEntry>, sessions: ReadonlySet<string>): Profiles {
  const found = new Map<string, Reading>();
  const sessionOf = new Map<string, string>();
  for (const { position, leaf } of entries) {
    const parsed = parseEntry(leaf);
    if (!parsed.ok) continue;
    const entry = parsed.value;
    const call = textOf(entry['call']);
    if (isDecision(entry)) {
      const session = runOf(entry);
      if (!sessions.has(session) || entry['probes'] !== undefined) continue;
      const reading = found.get(session) ?? new Reading();
      found.set(session, reading);
      const isAgain = sessionOf.has(call);
      reading.decided(entry, position, isAgain);
      if (reading.shapes > SHAPES_MAX) return { ok: false, tooVaried: session };
      if (entry.type === 'call.denied') sessionOf.delete(call);
      else sessionOf.set(call, session);
    } else if (call !== '') {
      found.get(sessionOf.get(call) ?? '')?.ended(entry);
      if (FINAL.has(entry.type)) sessionOf.delete(call);
    }
  }
  return { ok: true, bySession: new Map([...found].map(([session, { profile }]) => [session, profile])) };
}

/** After these a call has no further attempt. */
const FINAL: ReadonlySet<string> = new Set(['call.succeeded', 'call.settled', 'call.refused', 'call.expired']);

class Reading {
  readonly profile: Profile = { tools: new Map(), orders: new Map(), calls: 0, denied: 0, costs: new Map() };
  /** What attempts reserved that have no outcome yet. */
  readonly #reserved = new Map<string, ReadonlyMap<string, number>>();
  /** How many different places and types its arguments have. */
  shapes = 0;
  #before = '';

  /** `isAgain`: the same call was decided before, when it was parked or tried. */
  decided(entry: Entry, position: number, isAgain: boolean): void {
    const { profile } = this;
    const name = textOf(member(entry['tool'], 'name')) || MALFORMED;
    if (!isAgain) {
      profile.calls += 1;
      if (entry.type === 'call.denied') profile.denied += 1;
      const orders = profile.orders.get(name) ?? new Map<string, number>();
      if (!orders.has(this.#before)) orders.set(this.#before, position);
      profile.orders.set(name, orders);
      this.#before = name;
      this.#proposed(name, entry['args'] ?? {}, position);
    }
    if (entry.type !== 'call.intent') return;
    const reserved = budgets(member(entry['policy'], 'reserved'));
    this.#charge(reserved, 1);
    this.#reserved.set(textOf(entry['attempt']), reserved);
  }

  /** What was not started costs nothing; what was answered costs what its entry says instead of what was reserved. */
  ended({ type, attempt, charged, as }: Entry): void {
    const reserved = this.#reserved.get(textOf(attempt));
    if (reserved === undefined || type === 'call.unknown') return;
    this.#reserved.delete(textOf(attempt));
    const isUndone = type === 'call.not-started' || (type === 'call.settled' && as === 'not-executed');
    const actual = isUndone ? new Map([...reserved].map(([name]) => [name, 0])) : budgets(charged);
    for (const [name, amount] of actual) {
      this.#charge(new Map([[name, reserved.get(name) ?? 0]]), -1);
      this.#charge(new Map([[name, amount]]), 1);
    }
  }

  #charge(amounts: ReadonlyMap<string, number>, sign: 1 | -1): void {
    const { costs } = this.profile;
    for (const [name, amount] of amounts) costs.set(name, (costs.get(name) ?? 0) + sign * amount);
  }

  #proposed(name: string, recorded: JsonValue, position: number): void {
    const { tools } = this.profile;
    const tool: ToolProfile = tools.get(name) ?? {
      entry: position,
      calls: 0,
      open: 0,
      given: new Map(),
      types: new Map(),
    };
    tools.set(name, tool);
    tool.calls += 1;
    const places = shapeOf(recorded);
    if (!places.has('')) tool.open += 1;
    for (const [place, types] of places) {
      tool.given.set(place, (tool.given.get(place) ?? 0) + 1);
      const known = tool.types.get(place) ?? new Map<ValueType, number>();
      tool.types.set(place, known);
      for (const type of types) {
        if (known.has(type)) continue;
        known.set(type, position);
        this.shapes += 1;
      }
    }
  }
}

/** Of a budget all windows are charged alike. */
function budgets(charges: JsonValue | undefined): ReadonlyMap<string, number> {
  const amounts = new Map<string, number>();
  for (const [key, amount] of Object.entries(isJsonObject(charges) ? charges : {})) {
    const [folder, name = ''] = key.split('/', 2);
    if (folder !== 'budget' || typeof amount !== 'number') continue;
    amounts.set(name, Math.max(amount, amounts.get(name) ?? 0));
  }
  return amounts;
}

/** By pattern, what stands there; `''` where the arguments are sealed whole, and have no names. */
function shapeOf(recorded: JsonValue): ReadonlyMap<string, ReadonlySet<ValueType>> {
  const shape = new Map<string, Set<ValueType>>();
  for (const { pattern, type } of placesIn(recorded)) {
    if (pattern === '' && type !== 'sealed' && type !== 'secret') continue;
    shape.set(pattern, (shape.get(pattern) ?? new Set()).add(type));
  }
  return shape;
}

/** The principal of a session and the entry that it begins with. */
export interface Beginning {
  readonly position: number;
  readonly principal: string;
}

export function beginningOf(entries: Iterable<LogEntry>, session: string): Beginning | undefined {
  for (const [position, entry] of decisionsIn(entries)) {
    if (runOf(entry) === session) return { position, principal: textOf(entry['principal']) };
  }
  return undefined;
}

/** The `count` sessions of the same principal that were heard of last before `beginning`, the oldest first. */
export function sessionsBefore(
  entries: Iterable<LogEntry>,
  { position: until, principal }: Beginning,
  count: number,
): readonly string[] {
  const last = new Set<string>();
  for (const [position, entry] of decisionsIn(entries)) {
    if (position >= until) break;
    const session = runOf(entry);
    if (entry['principal'] !== principal || session === '') continue;
    last.delete(session);
    last.add(session);
    const [oldest] = last;
    if (last.size > count && oldest !== undefined) last.delete(oldest);
  }
  return [...last];
}

function* decisionsIn(entries: Iterable<LogEntry>): Generator<readonly [position: number, entry: Entry], void> {
  for (const { position, leaf } of entries) {
    const parsed = parseEntry(leaf);
    // What a probe asks is in no session of its own.
    if (parsed.ok && isDecision(parsed.value) && parsed.value['probes'] === undefined) yield [position, parsed.value];
  }
}
