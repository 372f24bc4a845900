/** What the entries of a report tell, call by call: who asked for what, how it was decided, and what came of it. Pure. */

import type { JsonValue } from '../../value/json.ts';
import { type Fields, instantIn, isFields, memberOf, numberIn, textIn, textsIn } from './fields.ts';

/** An entry and where it stands in the log. */
export interface Recorded {
  readonly position: number;
  readonly fields: Fields;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** How a call stands at the end of the report. */
export type CallState =
  | 'denied'
  | 'expired'
  | 'failed'
  | 'not-started'
  | 'parked'
  | 'refused'
  | 'running'
  | 'settled-executed'
  | 'settled-not-executed'
  | 'succeeded'
  | 'unknown';

export interface CallStory {
  readonly id: string;
  /** From 1, in the order in which the calls of the page were proposed. */
  readonly nth: number;
  readonly tool: string;
  readonly principal: string;
  /** The session, or the run of a program. */
  readonly session: string;
  /** The command of the program's step that it carries out, as `pay/1`; empty outside of programs. */
  readonly step: string;
  /** By position; the first proposes the call. */
  readonly entries: readonly Recorded[];
  readonly state: CallState;
}

export interface Story {
  /** The name of the log, as its first entry says it. */
  readonly log: string;
  readonly entries: readonly Recorded[];
  readonly calls: readonly CallStory[];
  /** Everything that is about no single call. */
  readonly events: readonly Recorded[];
  /** What stands under a digest in the log: configurations, as their canonical JSON. */
  readonly contents: ReadonlyMap<string, string>;
}

const STATES: Readonly<Record<string, CallState>> = {
  'call.denied': 'denied',
  'call.parked': 'parked',
  'call.intent': 'running',
  'call.refused': 'refused',
  'call.expired': 'expired',
  'call.not-started': 'not-started',
  'call.succeeded': 'succeeded',
  'call.failed': 'failed',
  'call.unknown': 'unknown',
};

/** Leaves that are no entries are passed over: the verification tells them. */
export function storyOf(leaves: readonly { readonly position: number; readonly leaf: string }[]): Story {
  const entries: Recorded[] = [];
  const events: Recorded[] = [];
  const byCall = new Map<string, Recorded[]>();
  for (const { position, leaf } of leaves) {
    const fields = parsed(leaf);
    if (!isFields(fields)) continue;
    const entry = { position, fields, type: textIn(fields, 'type') ?? '', at: instantIn(fields, 'at') };
    entries.push(entry);
    const call = entry.type.startsWith('call.') ? textIn(fields, 'call') : undefined;
    if (call === undefined) events.push(entry);
    else byCall.set(call, [...(byCall.get(call) ?? []), entry]);
  }
  const calls = [...byCall].map(([id, of], index) => callStory(id, index + 1, of));
  const log = textIn(entries[0]?.fields, 'log') ?? '';
  return { log, entries, calls, events, contents: contentsOf(events) };
}

function parsed(leaf: string): JsonValue | undefined {
  try {
    return JSON.parse(leaf) as JsonValue;
  } catch {
    return undefined;
  }
}

function callStory(id: string, nth: number, entries: readonly Recorded[]): CallStory {
  const first = entries.find(isDecision)?.fields;
  return {
    id,
    nth,
    tool: textIn(memberOf(first, 'tool'), 'name') ?? '',
    principal: textIn(first, 'principal') ?? '',
    session: textIn(memberOf(first, 'run'), 'id') ?? '',
    step: textIn(memberOf(first, 'run'), 'command') ?? '',
    entries,
    state: stateOf(entries),
  };
}

function stateOf(entries: readonly Recorded[]): CallState {
  let state: CallState = 'running';
  for (const { type, fields } of entries) {
    const settled = textIn(fields, 'as') === 'executed' ? 'settled-executed' : 'settled-not-executed';
    state = type === 'call.settled' ? settled : (STATES[type] ?? state);
  }
  return state;
}

/** Whether an entry says how a call was decided. */
export function isDecision({ type }: Recorded): boolean {
  return type === 'call.denied' || type === 'call.parked' || type === 'call.intent';
}

/** What an entry of a decision says of it. */
export function decisionIn({ fields }: Recorded): {
  readonly effect: string;
  readonly code: string;
  readonly rules: readonly string[];
  readonly policy: JsonValue | undefined;
} {
  const policy = memberOf(fields, 'policy');
  return {
    effect: textIn(policy, 'effect') ?? '',
    code: textIn(policy, 'code') ?? '',
    rules: textsIn(policy, 'rules'),
    policy,
  };
}

function contentsOf(events: readonly Recorded[]): ReadonlyMap<string, string> {
  const parts = new Map<string, string[]>();
  const whole = new Map<string, string>();
  for (const { type, fields } of events) {
    const [digest, text] = [textIn(fields, 'content'), textIn(fields, 'text')];
    if (type !== 'policy.content' || digest === undefined || text === undefined) continue;
    const known = [...(parts.get(digest) ?? []), text];
    parts.set(digest, known);
    if (known.length === numberIn(fields, 'parts')) whole.set(digest, known.join(''));
  }
  return whole;
}
