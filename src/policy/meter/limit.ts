/** `limits:` — how often, how many at once, how many in a run and how deeply delegated calls may be made. */

import { isScalar } from 'yaml';
import { digestOf } from '../../value/digest.ts';
import type { JsonObject } from '../../value/json.ts';
import type { Place } from '../../value/issue.ts';
import { parseDuration } from '../../value/time.ts';
import { DURATION_MS_MAX } from '../../document/duration.ts';
import { readFields, readItems, readText, readWhole, refuse, shown, target } from '../../document/reader.ts';
import type { Entry, Item, Reader } from '../../document/reader.ts';
import { patternAt } from '../document/rule.ts';
import type { LocatedPattern } from '../document/rule.ts';
import { readScopes } from './scope.ts';
import type { Scope } from './scope.ts';

/** What a limit bounds. Times are in microseconds. */
export type Ceiling =
  /** `burst` calls at once, then one every `interval`. */
  | { readonly kind: 'rate'; readonly burst: number; readonly intervalUs: number }
  | { readonly kind: 'concurrency' | 'count' | 'depth'; readonly max: number };

export interface Limit {
  readonly tools: LocatedPattern;
  readonly ceiling: Ceiling;
  /** One counter for each combination of these; empty is one for all. */
  readonly per: readonly Scope[];
  /**
   * Names the counter in keys: it depends on what is counted, not on where the limit stands in the file, nor on how
   * much it allows. So a limit that is moved, or raised, goes on from what has been counted.
   */
  readonly id: string;
}

const LIMITS_MAX = 1_000;
const NUMBER_MAX = 1_000_000_000;
const ID_LENGTH = 16;
const RATE = /^(0|[1-9]\d{0,9})\/([0-9a-z]+)$/u;
const KINDS = ['rate', 'concurrency', 'count', 'depth'] as const;

export function readLimits(reader: Reader, entry: Entry): readonly Limit[] {
  const items = readItems(reader, entry.value, entry.place, '`limits`') ?? [];
  if (items.length > LIMITS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${LIMITS_MAX} limits, got ${items.length}`);
    return [];
  }
  const limits = items.map(({ item, place }, index) => readLimit(reader, item, place, `limit \`limits/${index}\``));
  return limits.filter((limit) => limit !== undefined);
}

interface Draft {
  tools?: LocatedPattern | undefined;
  ceiling?: Ceiling | undefined;
  kind?: Ceiling['kind'];
  per?: readonly Scope[] | undefined;
  perPlace?: Place;
}

function readLimit(reader: Reader, item: Item, place: Place, what: string): Limit | undefined {
  const before = reader.issues.length;
  const draft: Draft = {};
  const bounding =
    (kind: Ceiling['kind'], read: (entry: Entry, name: string) => Ceiling | undefined) =>
    (entry: Entry): void => {
      if (draft.kind !== undefined) {
        const hint = 'write one limit for each';
        refuse(reader, entry.keyPlace, 'two-limits', `${what} says both \`${draft.kind}\` and \`${kind}\``, hint);
        return;
      }
      draft.kind = kind;
      draft.ceiling = read(entry, `\`${kind}\` of ${what}`);
    };
  const counting = (kind: 'concurrency' | 'count' | 'depth', min: number): ((entry: Entry) => void) =>
    bounding(kind, (entry, name) => readMax(reader, entry, name, kind, min));
  const parsers = {
    tools: (entry: Entry) => {
      const text = readText(reader, entry.value, entry.place, `\`tools\` of ${what}`);
      draft.tools = text === undefined ? undefined : patternAt(reader, text, `\`tools\` of ${what}`);
    },
    rate: bounding('rate', (entry, name) => readRate(reader, entry, name)),
    concurrency: counting('concurrency', 1),
    count: counting('count', 1),
    depth: counting('depth', 0),
    per: (entry: Entry) => {
      draft.perPlace = entry.place;
      draft.per = readScopes(reader, entry, `\`per\` of ${what}`);
    },
  };
  if (!readFields(reader, item, place, what, parsers)) return undefined;
  const { tools, ceiling } = draft;
  if (tools !== undefined && ceiling !== undefined) return limitOf(reader, draft, { tools, ceiling, place, what });
  if (reader.issues.length > before) return undefined;
  const [lacks, hint] = tools === undefined ? ['`tools`', 'write `"*"` for all'] : [`\`${KINDS.join('`, `')}\``];
  const lacking = tools === undefined ? `${what} has no ${lacks}` : `${what} has none of ${lacks}`;
  return refuse(reader, place, 'missing-key', lacking, hint);
}

function limitOf(
  reader: Reader,
  { per, perPlace }: Draft,
  read: { readonly tools: LocatedPattern; readonly ceiling: Ceiling; readonly place: Place; readonly what: string },
): Limit | undefined {
  const { tools, ceiling, place, what } = read;
  if (perPlace !== undefined && per === undefined) return undefined;
  if (ceiling.kind === 'depth' && perPlace !== undefined) {
    return refuse(reader, perPlace, 'wrong-value', `\`per\` of ${what} has no meaning beside \`depth\``, 'remove it');
  }
  // A count never becomes smaller, so that over all runs it would end the work for good.
  const scopes = per ?? (ceiling.kind === 'count' ? ['run'] : []);
  if (ceiling.kind === 'count' && !scopes.includes('run')) {
    const hint = 'write `per: [run]`; what fills up and empties again is a `rate` or a budget';
    return refuse(reader, perPlace ?? place, 'wrong-value', `\`count\` of ${what} is counted for each run`, hint);
  }
  return Object.freeze({ tools, ceiling, per: scopes, id: idOf(tools.text, ceiling, scopes) });
}

function idOf(tools: string, ceiling: Ceiling, per: readonly Scope[]): string {
  const counted: JsonObject = { tools, per, kind: ceiling.kind };
  // A time-stamp of one rate means nothing to another: only equal rates share it.
  const text = ceiling.kind === 'rate' ? { ...counted, burst: ceiling.burst, interval: ceiling.intervalUs } : counted;
  return digestOf(text).slice('sha256:'.length, 'sha256:'.length + ID_LENGTH);
}

function readMax(
  reader: Reader,
  entry: Entry,
  what: string,
  kind: 'concurrency' | 'count' | 'depth',
  min: number,
): Ceiling | undefined {
  const max = readWhole(reader, entry.value, entry.place, what, min, NUMBER_MAX);
  return max === undefined ? undefined : { kind, max };
}

function readRate(reader: Reader, entry: Entry, what: string): Ceiling | undefined {
  const node = target(reader, entry.value);
  const text = isScalar(node) ? String(node.value) : '';
  const match = RATE.exec(text);
  const ms = match === null ? undefined : parseDuration(match[2] ?? '');
  const hint = 'write calls and time: `120/1m`';
  const wrong = (expected: string): undefined =>
    refuse(reader, entry.place, 'wrong-value', `expected ${what} to be ${expected}, got \`${shown(text)}\``, hint);
  if (match === null || ms === undefined) return wrong('a number of calls in a time');
  const burst = Number(match[1]);
  if (burst === 0 || ms === 0) return wrong('at least one call in a time longer than nothing');
  if (ms > DURATION_MS_MAX) return wrong('calls in at most ten years');
  if (burst > ms * 1_000) return wrong('at most one call a microsecond');
  return { kind: 'rate', burst, intervalUs: Math.ceil((ms * 1_000) / burst) };
}
