/** Which entries of the log somebody wants to see. */

import type { Entry } from '../ledger/entry.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { CliError } from './exit.ts';

/** All that is given must fit. */
export interface EntryFilter {
  /** The id of a call, or at least the last 8 characters of it. */
  readonly call?: string;
  readonly principal?: string;
  /** `*` is any run of characters. */
  readonly tool?: string;
  readonly effect?: string;
  /** RFC 3339. */
  readonly since?: string;
}

const EFFECTS: ReadonlySet<string> = new Set(['allow', 'ask', 'deny']);
/** How much of the end of an id must be given. */
export const CALL_TAIL_MIN = 8;

/**
 * Tells of entries in order whether they are wanted. Outcomes name no principal, tool or effect: they follow the call
 * that an earlier entry selected. Throws `usage` for a filter that means nothing.
 */
export function selection(filter: EntryFilter): (entry: Entry) => boolean {
  const since = filter.since === undefined ? undefined : parseInstant(filter.since);
  if (filter.since !== undefined && since === undefined) {
    throw new CliError('usage', `expected --since to be an RFC 3339 time, got \`${filter.since}\``, {
      hint: 'for example 2026-01-31T18:00:00Z',
    });
  }
  if (filter.effect !== undefined && !EFFECTS.has(filter.effect)) {
    throw new CliError('usage', `expected --effect allow, ask or deny, got \`${filter.effect}\``);
  }
  const attributes = filter.principal !== undefined || filter.tool !== undefined || filter.effect !== undefined;
  const calls = new Set<string>();
  return (entry) => {
    const call = textOf(entry['call']);
    if (filter.call !== undefined && !isCall(filter.call, call)) return false;
    if (attributes && entry.type === 'denial.repeated') {
      if (!matchesRepeated(entry, filter)) return false;
    } else if (attributes) {
      if (isProposed(entry) && matches(entry, filter) && call !== undefined) calls.add(call);
      if (call === undefined || !calls.has(call)) return false;
    }
    return since === undefined || (parseInstant(entry.at) ?? 0) >= since;
  };
}

/** Whether the entry says what was proposed: by whom, which tool, and how it was decided. */
export function isProposed({ type }: Entry): boolean {
  return type === 'call.intent' || type === 'call.denied' || type === 'call.parked';
}

/** Whether `wanted` is the id `call`, or enough of its end. */
export function isCall(wanted: string, call: string | undefined): call is string {
  if (call === undefined) return false;
  return call === wanted || (wanted.length >= CALL_TAIL_MIN && call.endsWith(wanted));
}

function matches(entry: Entry, { principal, tool, effect }: EntryFilter): boolean {
  if (principal !== undefined && entry['principal'] !== principal) return false;
  if (effect !== undefined && memberOf(entry['policy'], 'effect') !== effect) return false;
  return tool === undefined || fits(tool, textOf(memberOf(entry['tool'], 'name')) ?? '');
}

/** Denials that were only counted fit by any tool that they name. */
function matchesRepeated(entry: Entry, { principal, tool, effect = 'deny' }: EntryFilter): boolean {
  if (principal !== undefined && entry['principal'] !== principal) return false;
  const { tools } = entry;
  const named: readonly JsonValue[] = Array.isArray(tools) ? tools : [];
  return effect === 'deny' && (tool === undefined || named.some((name) => fits(tool, textOf(name) ?? '')));
}

/** `*` is any run of characters; a name is looked through once. */
function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const [head = ''] = parts;
  if (parts.length === 1) return name === pattern;
  const tail = parts.at(-1) ?? '';
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let at = head.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > name.length - tail.length) return false;
    at = found + part.length;
  }
  return true;
}

/** An own member of an object; nothing of anything else. */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
