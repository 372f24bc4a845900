/** How budgets were spent over time, as the decisions counted them and the outcomes settled them. Pure. */

import { numbersIn } from './fields.ts';
import type { PolicyText } from './rules.ts';
import { type Recorded, type Story, decisionIn, isDecision } from './story.ts';
import { textIn } from './fields.ts';

export interface SpendingPoint {
  readonly at: number;
  readonly position: number;
  /** Counted in the window of that moment, in whole units. */
  readonly spent: number;
  readonly what: string;
}

/** One budget for one combination of what it is kept for. */
export interface Spending {
  readonly name: string;
  /** `all`, or `principal=local` and the like. */
  readonly scope: string;
  readonly unit: string;
  /** Whether its window moves, so that what is counted also becomes less with time. */
  readonly isRolling: boolean;
  /** The highest limit that a policy of the page set; absent where none of them is on the page. */
  readonly limit?: number;
  readonly points: readonly SpendingPoint[];
}

interface Counter {
  readonly name: string;
  readonly scope: string;
  readonly points: SpendingPoint[];
  unit: string;
  isRolling: boolean;
  limit: number | undefined;
  spent: number;
}

const KEY = /^budget\/([^/]*)\/(.*)@([^@]*)$/su;

/** In the order in which they were first charged. */
export function spendingsOf(
  { entries }: Story,
  policyOf: (digest: string | undefined) => PolicyText | undefined,
): readonly Spending[] {
  const counters = new Map<string, Counter>();
  const reserved = new Map<string, ReadonlyMap<string, number>>();
  for (const entry of entries) {
    if (isDecision(entry)) decided(counters, entry, policyOf);
    const attempt = textIn(entry.fields, 'attempt');
    if (attempt === undefined) continue;
    if (entry.type === 'call.intent') reserved.set(attempt, numbersIn(decisionIn(entry).policy, 'reserved'));
    else settled(counters, entry, reserved.get(attempt) ?? new Map());
  }
  return [...counters.values()].map(({ name, scope, unit, isRolling, points, limit }) => ({
    name,
    scope,
    unit,
    isRolling,
    points,
    ...(limit === undefined ? {} : { limit }),
  }));
}

function decided(
  counters: Map<string, Counter>,
  entry: Recorded,
  policyOf: (digest: string | undefined) => PolicyText | undefined,
): void {
  const { policy, effect, code } = decisionIn(entry);
  const text = policyOf(textIn(policy, 'digest'));
  const taken = entry.type === 'call.intent' ? numbersIn(policy, 'reserved') : new Map<string, number>();
  const before = sums(numbersIn(policy, 'facts'));
  const charged = sums(taken);
  for (const id of new Set([...before.keys(), ...charged.keys()])) {
    const counter = counterOf(counters, id);
    const budget = text?.budget(counter.name);
    if (budget !== undefined) {
      counter.unit = budget.unit;
      counter.isRolling = budget.rolling;
      counter.limit = Math.max(counter.limit ?? 0, budget.limit);
    }
    counter.spent = (before.get(id) ?? 0) + (charged.get(id) ?? 0);
    push(counter, entry, effect === 'deny' ? `denied: ${code}` : effect === 'ask' ? 'asked' : 'reserved');
  }
}

/** What an outcome gives back, or charges instead. An unknown one changes nothing. */
function settled(counters: Map<string, Counter>, entry: Recorded, held: ReadonlyMap<string, number>): void {
  const isRefund = entry.type === 'call.not-started' || textIn(entry.fields, 'as') === 'not-executed';
  const charged = numbersIn(entry.fields, 'charged');
  const changes = new Map<string, number>();
  for (const [key, n] of held) {
    const now = isRefund ? 0 : (charged.get(key) ?? n);
    if (now !== n) changes.set(key, now - n);
  }
  for (const [id, change] of sums(changes)) {
    const counter = counterOf(counters, id);
    counter.spent += change;
    push(counter, entry, isRefund ? 'given back' : 'charged');
  }
}

/** Windows of one budget and scope added up: those that a decision read all count. */
function sums(values: ReadonlyMap<string, number>): Map<string, number> {
  const found = new Map<string, number>();
  for (const [key, n] of values) {
    const [, name, scope] = KEY.exec(key) ?? [];
    if (name === undefined || scope === undefined) continue;
    const id = `${name}/${scope}`;
    found.set(id, (found.get(id) ?? 0) + n);
  }
  return found;
}

function counterOf(counters: Map<string, Counter>, id: string): Counter {
  const slash = id.indexOf('/');
  const known = counters.get(id) ?? {
    name: id.slice(0, slash),
    scope: id.slice(slash + 1),
    points: [],
    unit: '',
    isRolling: false,
    limit: undefined,
    spent: 0,
  };
  counters.set(id, known);
  return known;
}

function push(counter: Counter, { at, position }: Recorded, what: string): void {
  counter.points.push({ at, position, spent: counter.spent, what });
}
