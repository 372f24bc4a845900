/** What an entry does to the tables: the one definition of which transitions of a call are legal. Pure. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import type { EntryType } from './entry.ts';
import type { CallRow, CallState } from './ledger.ts';

/** What folding reads of an entry about a call. `kind` is the entry's type after `call.`. */
export type Step =
  | { readonly kind: 'denied'; readonly call: string; readonly principal: string; readonly tool: string }
  | {
      readonly kind: 'intent';
      readonly call: string;
      readonly attempt: string;
      readonly instance: string;
      /** Milliseconds since the epoch. */
      readonly deadline: number;
      readonly principal: string;
      readonly tool: string;
      readonly keys: readonly string[];
    }
  | {
      readonly kind: 'not-started' | 'succeeded' | 'failed' | 'unknown';
      readonly call: string;
      readonly attempt: string;
    }
  | {
      readonly kind: 'settled';
      readonly call: string;
      readonly attempt: string;
      readonly as: 'executed' | 'not-executed';
    };

/** The step of an entry; none for types that change no table; or why the fields are not those of its type. */
export type ReadStep = { readonly ok: true; readonly step?: Step } | { readonly ok: false; readonly message: string };

/** The tables as folding sees them. */
export interface Lookups {
  call(id: string): CallRow | undefined;
  /** The call that took `key`. */
  holder(key: string): CallRow | undefined;
}

/**
 * The row after the entry and the keys it takes for the first time, or why the entry does not fit:
 * `illegal` — the call's state does not allow it, or it is another attempt's; `key-taken` — another call has a key.
 */
export type Folded =
  | { readonly ok: true; readonly row: CallRow; readonly keys: readonly string[] }
  | { readonly ok: false; readonly code: 'illegal' | 'key-taken'; readonly message: string };

/** Whether entries of this type change the tables. */
export function isStep(type: EntryType): boolean {
  return type.startsWith('call.');
}

/** Reads the fields that folding needs. `fields` may be a whole entry. */
export function readStep(type: EntryType, fields: JsonObject): ReadStep {
  switch (type) {
    case 'ledger.created':
    case 'ledger.opened':
    case 'ledger.closed':
    case 'policy.loaded':
    case 'policy.refused':
      return { ok: true };
    case 'call.denied':
      return readDenied(fields);
    case 'call.intent':
      return readIntent(fields);
    case 'call.not-started':
    case 'call.succeeded':
    case 'call.failed':
    case 'call.unknown':
      return readOutcome(type, fields);
    case 'call.settled':
      return readSettled(fields);
  }
}

function readDenied(fields: JsonObject): ReadStep {
  const { call, principal } = fields;
  const tool = toolName(fields);
  if (!isName(call)) return missing('call');
  if (typeof principal !== 'string') return missing('principal');
  return tool === undefined ? missing('tool.name') : { ok: true, step: { kind: 'denied', call, principal, tool } };
}

function readIntent(fields: JsonObject): ReadStep {
  const { call, attempt, instance, principal } = fields;
  const tool = toolName(fields);
  const deadline = typeof fields['deadline'] === 'string' ? parseInstant(fields['deadline']) : undefined;
  const keys = fields['keys'];
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  if (!isName(instance)) return missing('instance');
  if (deadline === undefined) return missing('deadline');
  if (typeof principal !== 'string') return missing('principal');
  if (tool === undefined) return missing('tool.name');
  if (!Array.isArray(keys) || !keys.every(isName) || new Set(keys).size !== keys.length) return missing('keys');
  return { ok: true, step: { kind: 'intent', call, attempt, instance, deadline, principal, tool, keys } };
}

function readOutcome(type: `call.${'not-started' | 'succeeded' | 'failed' | 'unknown'}`, fields: JsonObject): ReadStep {
  const { call, attempt } = fields;
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  return { ok: true, step: { kind: OUTCOMES[type], call, attempt } };
}

const OUTCOMES = {
  'call.not-started': 'not-started',
  'call.succeeded': 'succeeded',
  'call.failed': 'failed',
  'call.unknown': 'unknown',
} as const;

function readSettled(fields: JsonObject): ReadStep {
  const { call, attempt, as } = fields;
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  if (as !== 'executed' && as !== 'not-executed') return missing('as');
  return { ok: true, step: { kind: 'settled', call, attempt, as } };
}

function toolName(fields: JsonObject): string | undefined {
  const tool = fields['tool'];
  if (!isJsonObject(tool)) return undefined;
  const name = tool['name'];
  return typeof name === 'string' ? name : undefined;
}

function isName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function missing(field: string): ReadStep {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}

/** What `step`, as the entry at `position`, makes of the tables. Columns that no entry says are kept as they are. */
export function fold(step: Step, position: number, lookups: Lookups): Folded {
  const before = lookups.call(step.call);
  switch (step.kind) {
    case 'denied':
      return before === undefined ? done({ ...denied(step), position }) : illegal(step, before);
    case 'intent':
      return foldIntent(step, position, before, lookups);
    case 'not-started':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return advance(step, 'intent', step.kind, position, before);
    case 'settled':
      return advance(step, 'unknown', `settled-${step.as}`, position, before);
  }
}

function denied({ call, principal, tool }: Step & { readonly kind: 'denied' }): Omit<CallRow, 'position'> {
  return { id: call, principal, tool, state: 'denied', attempt: '', attempts: 0, instance: '', deadline: 0, keys: [] };
}

function foldIntent(
  step: Step & { readonly kind: 'intent' },
  position: number,
  before: CallRow | undefined,
  lookups: Lookups,
): Folded {
  const { call, attempt, instance, deadline, principal, tool } = step;
  if (before !== undefined) {
    const isFree = before.state === 'not-started' || before.state === 'settled-not-executed';
    if (!isFree || before.attempt === attempt) return illegal(step, before);
    if (before.principal !== principal || before.tool !== tool) return illegal(step, before);
    if (!before.keys.every((key) => step.keys.includes(key))) return illegal(step, before);
  }
  const fresh = step.keys.filter((key) => before?.keys.includes(key) !== true);
  for (const key of fresh) {
    const holder = lookups.holder(key);
    // A denied call consumes no key.
    if (holder !== undefined && holder.state !== 'denied') {
      return { ok: false, code: 'key-taken', message: `a key of call ${call} was taken by call ${holder.id}` };
    }
  }
  const row = { id: call, principal, tool, state: 'intent', attempt, instance, deadline, keys: step.keys } as const;
  return done({ ...before, ...row, attempts: (before?.attempts ?? 0) + 1, position }, fresh);
}

function advance(
  step: Step & { readonly attempt: string },
  from: CallState,
  to: CallState,
  position: number,
  before: CallRow | undefined,
): Folded {
  if (before === undefined || before.state !== from || before.attempt !== step.attempt) return illegal(step, before);
  return done({ ...before, state: to, position });
}

function done(row: CallRow, keys: readonly string[] = []): Folded {
  return { ok: true, row, keys };
}

function illegal(step: Step, before: CallRow | undefined): Folded {
  const now = before === undefined ? 'does not exist' : `is \`${before.state}\` (attempt ${before.attempt || 'none'})`;
  return { ok: false, code: 'illegal', message: `call ${step.call} ${now}, so \`call.${step.kind}\` does not fit` };
}
