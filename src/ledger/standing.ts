/**
 * What stands from one entry until another ends it: a reload that waits for a signature, a break-glass exception. The
 * tables keep only where those entries are; what they say is read from the log, and its signature checked. Pure.
 */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import type { EntryType } from './entry.ts';

/** Kinds of things that stand, as the first word of their ids and counters. */
export type StandingKind = 'reload' | 'exception';

interface Named {
  readonly of: StandingKind;
  readonly id: string;
  readonly type: EntryType;
  /** None: it is about no single call. */
  readonly call?: never;
}

export type StandingStep = (Named & { readonly kind: 'stands' }) | (Named & { readonly kind: 'ends' });

/** Grows with every entry that lets something of the kind stand or ends it. */
export function versionKey(of: StandingKind): string {
  return `${of}-version`;
}

/** Before an id of a thing that stands now; its value is the position of its entry, plus one. */
export function standingFolder(of: StandingKind): string {
  return `${of}/`;
}

/** Before an id of a thing that stood; its value is the position of the entry that ended it, plus one. */
export function endedFolder(of: StandingKind): string {
  return `${of}-ended/`;
}

/** The counters that `step` moves. */
export function standingKeys({ of, id }: StandingStep): readonly string[] {
  return [standingFolder(of) + id, endedFolder(of) + id, versionKey(of)];
}

/** An id never stands twice, so that an entry that is written again, with its signature, lets nothing stand. */
export function foldStanding(
  step: StandingStep,
  { position }: { readonly position: number },
  { counter }: { readonly counter: (key: string) => number },
): FoldedStanding {
  const [standing = '', ended = '', version = ''] = standingKeys(step);
  const stands = counter(standing) !== 0;
  const isFirst = !stands && counter(ended) === 0;
  if (step.kind === 'stands' ? !isFirst : !stands) {
    const now = stands ? 'stands' : isFirst ? 'never stood' : 'has ended';
    return { ok: false, code: 'illegal', message: `\`${step.id}\` ${now}, so \`${step.type}\` does not fit` };
  }
  const at = position + 1;
  const moved: readonly (readonly [string, number])[] =
    step.kind === 'stands'
      ? [[standing, at]]
      : [
          [standing, 0],
          [ended, at],
        ];
  return { ok: true, keys: [], counters: [...moved, [version, counter(version) + 1]] };
}

type FoldedStanding =
  | { readonly ok: true; readonly keys: readonly never[]; readonly counters: readonly (readonly [string, number])[] }
  | { readonly ok: false; readonly code: 'illegal'; readonly message: string };

const ID = /^(?:reload|exception)-[0-9a-f]{16}$/u;
/** The kind of thing that `id` names; nothing when it names a call, or nothing at all. */
export function standingKind(id: string): StandingKind | undefined {
  if (!ID.test(id)) return undefined;
  return id.startsWith('reload-') ? 'reload' : 'exception';
}

/** By type: what it says, and the fields that are text. */
const TYPES: Readonly<Partial<Record<EntryType, readonly [StandingKind, StandingStep['kind'], readonly string[]]>>> = {
  'policy.waiting': ['reload', 'stands', ['before', 'after']],
  'policy.approved': ['reload', 'ends', ['before', 'after', 'by', 'key', 'signature']],
  'policy.withdrawn': ['reload', 'ends', ['by', 'reason']],
  'policy.exception': ['exception', 'stands', ['by', 'key', 'signature', 'reason', 'expires']],
  'policy.exception-ended': ['exception', 'ends', ['by', 'reason']],
};

type ReadStanding =
  | { readonly ok: true; readonly step?: StandingStep }
  | { readonly ok: false; readonly message: string };

/** Whether entries of this type let something stand or end it. */
export function isStanding(type: EntryType): boolean {
  return TYPES[type] !== undefined;
}

/** The step of an entry of such a type. */
export function readStanding(type: EntryType, fields: JsonObject): ReadStanding {
  const said = TYPES[type];
  if (said === undefined) return { ok: true };
  const [of, kind, texts] = said;
  const id = fields[of];
  if (typeof id !== 'string' || standingKind(id) !== of) return missing(of);
  for (const name of texts) if (!isText(fields[name])) return missing(name);
  if (type === 'policy.exception') {
    if (exceptedRules(fields['rules']) === undefined) return missing('rules');
    if (!isInstant(fields['expires'])) return missing('expires');
  }
  return { ok: true, step: { kind, of, id, type } };
}

/** A rule that an exception names: by its id, and by the digest of all it says. */
export interface ExceptedRule {
  readonly id: string;
  readonly digest: string;
}

/** The rules of an exception's entry; nothing when they are none. */
export function exceptedRules(value: JsonValue | undefined): readonly ExceptedRule[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const listed: readonly JsonValue[] = value;
  const rules = listed.map((rule): ExceptedRule | undefined => {
    if (!isJsonObject(rule)) return undefined;
    const { id, digest, ...more } = rule;
    if (!isText(id) || !isText(digest) || Object.keys(more).length > 0) return undefined;
    return { id, digest };
  });
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}

function isInstant(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && parseInstant(value) !== undefined;
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function missing(field: string): ReadStanding {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}
