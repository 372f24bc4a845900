/** `budgets:` — how much of something may be spent for whom in which window, in whole units. */

import { formatInstant } from '../../value/time.ts';
import type { Place } from '../../value/issue.ts';
import type { Request } from '../decide/decision.ts';
import { readDuration } from '../../document/duration.ts';
import { countedOf } from './fact.ts';
import type { FactValues } from './fact.ts';
import { readBoolean, readEntries, readFields, readText, readWhole, refuse, shown } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import { readScopes, scopeText } from './scope.ts';
import type { Scope } from './scope.ts';
import { isUnit, unitHint } from '../document/unit.ts';

export interface Budget {
  readonly name: string;
  readonly place: Place;
  /** Whole units that may be spent in one window; 0 is a budget that is shut. */
  readonly limit: number;
  readonly unit: string;
  /** One counter for each combination of these; empty is one for all. */
  readonly per: readonly Scope[];
  /** Milliseconds. */
  readonly windowMs: number;
  /** Whether the window moves with the clock. Else windows begin at whole multiples of their length since the epoch. */
  readonly rolling: boolean;
}

/** Of a rolling window: the bucket of now and the sixty whole ones before it. */
const BUCKETS = 61;

const BUDGETS_MAX = 1_000;
/** A window, or a bucket of one, lasts long enough that a decision is made in the one it was prepared for. */
const WINDOW_MS_MIN = 1_000;
/** What stands in a condition as `budget.NAME.left`. */
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/u;
/** Words of the condition language that name no member. */
const RESERVED: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in']);
/** 0000-01-01T00:00:00Z: before it a window has no text. */
const INSTANT_MIN = -62_167_219_200_000;

export function readBudgets(reader: Reader, entry: Entry): ReadonlyMap<string, Budget> {
  const budgets = new Map<string, Budget>();
  const entries = readEntries(reader, entry.value, entry.place, '`budgets`') ?? [];
  if (entries.length > BUDGETS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${BUDGETS_MAX} budgets, got ${entries.length}`);
    return budgets;
  }
  for (const budget of entries) {
    if (!NAME.test(budget.key) || RESERVED.has(budget.key)) {
      const hint = 'a letter, then at most 63 letters, digits and `_`: conditions read it as `budget.NAME.left`';
      refuse(reader, budget.keyPlace, 'wrong-value', `\`${shown(budget.key)}\` cannot name a budget`, hint);
      continue;
    }
    const read = readBudget(reader, budget);
    if (read !== undefined) budgets.set(budget.key, read);
  }
  return budgets;
}

function readBudget(reader: Reader, budget: Entry): Budget | undefined {
  const what = `budget \`${budget.key}\``;
  const draft: { -readonly [K in keyof Budget]?: Budget[K] | undefined } = {};
  const written = new Set<string>();
  const reading = (read: (entry: Entry, name: string) => void) => (entry: Entry) => {
    written.add(entry.key);
    read(entry, `\`${entry.key}\` of ${what}`);
  };
  const max = Number.MAX_SAFE_INTEGER;
  const parsers = {
    limit: reading((entry, name) => (draft.limit = readWhole(reader, entry.value, entry.place, name, 0, max))),
    unit: reading((entry, name) => (draft.unit = readUnit(reader, entry, name))),
    per: reading((entry, name) => (draft.per = readScopes(reader, entry, name))),
    window: reading((entry, name) => (draft.windowMs = readDuration(reader, entry, name))),
    rolling: reading((entry, name) => (draft.rolling = readBoolean(reader, entry.value, entry.place, name))),
  };
  if (!readFields(reader, budget.value, budget.place, what, parsers)) return undefined;
  for (const [key, hint] of Object.entries(REQUIRED)) {
    if (!written.has(key)) refuse(reader, budget.keyPlace, 'missing-key', `${what} has no \`${key}\``, hint);
  }
  const { limit, unit, windowMs, per = [], rolling = false } = draft;
  if (windowMs !== undefined) checkLength(reader, budget, what, windowMs, rolling);
  if (limit === undefined || unit === undefined || windowMs === undefined) return undefined;
  return Object.freeze({ name: budget.key, place: budget.keyPlace, limit, unit, per, windowMs, rolling });
}

const REQUIRED = {
  limit: 'write how many whole units may be spent in one window',
  unit: 'write what is counted, like `usd-cents` or `calls`',
  window: 'write when it begins anew, like `24h`',
} as const;

function checkLength(reader: Reader, budget: Entry, what: string, windowMs: number, rolling: boolean): void {
  const min = rolling ? WINDOW_MS_MIN * (BUCKETS - 1) : WINDOW_MS_MIN;
  if (windowMs >= min) return;
  const kind = rolling ? 'rolling window' : 'window';
  const message = `expected the ${kind} of ${what} to last at least ${min / 1_000}s, got ${windowMs}ms`;
  refuse(reader, budget.keyPlace, 'wrong-value', message, 'for what fills up faster write a `rate` under `limits`');
}

function readUnit(reader: Reader, entry: Entry, what: string): string | undefined {
  const text = readText(reader, entry.value, entry.place, what)?.text;
  if (text === undefined || isUnit(text)) return text;
  return refuse(reader, entry.place, 'wrong-value', `${what} is no unit: \`${shown(text)}\``, unitHint(text));
}

/**
 * The keys that hold what counts against `budget` at the time of `request`. The first is the one that is charged; a
 * rolling window has 61 of a sixtieth of its length each, rounded up to a millisecond, so that together they hold at
 * least the whole window whatever the time.
 */
export function budgetKeys(budget: Budget, request: Request): readonly string[] {
  const scope = scopeText(budget.per, request);
  return windowsAt(budget, request.now).map((start) => `budget/${budget.name}/${scope}@${start}`);
}

/** The windows last asked for: printing sixty-one dates takes longer than all the rest of a decision. */
const memory = new WeakMap<Budget, { readonly current: number; readonly starts: readonly string[] }>();

function windowsAt(budget: Budget, now: number): readonly string[] {
  const { windowMs, rolling } = budget;
  const length = rolling ? Math.ceil(windowMs / (BUCKETS - 1)) : windowMs;
  const current = Math.floor(now / length) * length;
  const known = memory.get(budget);
  if (known?.current === current) return known.starts;
  const starts: string[] = [];
  for (let back = 0; back < (rolling ? BUCKETS : 1); back += 1) {
    const start = Math.max(INSTANT_MIN, current - back * length);
    starts.push(formatInstant(start));
    if (start === INSTANT_MIN) break;
  }
  memory.set(budget, { current, starts });
  return starts;
}

/** What has been spent of the window by all of `keys`. */
export function spentOf(facts: FactValues, keys: readonly string[]): number {
  let spent = 0;
  for (const key of keys) spent += countedOf(facts, key);
  return spent;
}
