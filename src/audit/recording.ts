/** The recorded calls of a log, one after the other, each with all that it was decided on. */

import { readRepeated } from '../ledger/denial.ts';
import type { Entry } from '../ledger/entry.ts';
import { parseEntry } from '../ledger/entry.ts';
import type { Vault } from '../ledger/vault.ts';
import type { LogEntry } from '../ledger/verify/verify.ts';
import type { JsonValue } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { type Past, isUnbound } from './decide-again.ts';
import { History } from './history.ts';
import { member } from './problem.ts';
import { type RecordedCall, isDecision, openedArguments, recordedCall } from './recorded-call.ts';

/** A log, with the sealed values that are kept beside it. */
export interface Recording {
  readonly entries: Iterable<LogEntry>;
  /** What the entry at `position` commits to; absent once it is gone, or where it never was. Throws `tampered`. */
  readonly open: (call: string, role: string, position: number, commitment: string) => JsonValue | undefined;
  /** What approvals of the call are bound under; absent once it is gone. */
  readonly salt: (call: string) => Uint8Array | undefined;
  /** What snapshots of runs are made under; absent once it is gone, and where it never was. */
  readonly vault?: () => Pick<Vault, 'keyHmac'> | undefined;
}

/** A decision of the log; `past` is what the entries before it come to, until the next one is asked for. */
export interface Decided {
  readonly kind: 'decided';
  readonly recorded: RecordedCall;
  readonly past: Past;
  /** False where its arguments are gone, or what an approval of them is bound to. */
  readonly hasArgs: boolean;
}

/** Denials that were only counted: what was decided of them the log does not say. */
export interface Counted {
  readonly kind: 'counted';
  readonly count: number;
}

/** How an attempt ended. */
export interface Ended {
  readonly kind: 'ended';
  readonly position: number;
  readonly call: string;
  readonly attempt: string;
  readonly state: 'succeeded' | 'failed' | 'not-started' | 'unknown' | 'settled-executed' | 'settled-not-executed';
  /** `gone` where it was let go of; absent where there was none. */
  readonly output?: { readonly value: JsonValue } | 'gone';
}

/**
 * What a log says of the calls whose entries are wanted, in its order; sealed values of others are not opened. Entries
 * that are none, or do not fit, are passed over: `verify` tells them.
 */
export function* recordedCalls(
  recording: Recording,
  isWanted: (entry: Entry) => boolean,
): Generator<Decided | Counted | Ended, void> {
  const history = new History(recording.salt);
  for (const { position, leaf } of recording.entries) {
    const parsed = parseEntry(leaf);
    if (!parsed.ok) continue;
    const entry = parsed.value;
    const wanted = isWanted(entry);
    if (wanted && isDecision(entry)) {
      const args = openedArguments(entry, opening(recording, entry, position));
      const recorded = recordedCall(entry, position, args);
      const past = history.past();
      if (recorded !== undefined) {
        yield { kind: 'decided', recorded, past, hasArgs: args !== undefined && !isUnbound(recorded, past) };
      }
    }
    const misfit = history.add(entry, position);
    const ended = wanted && misfit === undefined ? endedOf(recording, entry, position) : undefined;
    if (ended !== undefined) yield ended;
    const repeated = wanted && entry.type === 'denial.repeated' ? readRepeated(entry) : undefined;
    if (repeated?.ok === true) yield { kind: 'counted', count: repeated.repeated.count };
  }
}

const STATES: Readonly<Record<string, Ended['state']>> = {
  'call.succeeded': 'succeeded',
  'call.failed': 'failed',
  'call.not-started': 'not-started',
  'call.unknown': 'unknown',
};

/** The decisions alone, for those to whom outcomes do not matter. */
export function* decisions(recording: Recording, since?: number): Generator<Decided, void> {
  for (const item of decisionsAndCounts(recording, since)) if (item.kind === 'decided') yield item;
}

/** The decisions, and how many denials beside them were only counted. */
export function* decisionsAndCounts(
  recording: Recording,
  since: number = Number.NEGATIVE_INFINITY,
): Generator<Decided | Counted, void> {
  const isWanted = (entry: Entry): boolean =>
    (isDecision(entry) || entry.type === 'denial.repeated') && (parseInstant(entry.at) ?? 0) >= since;
  for (const item of recordedCalls(recording, isWanted)) if (item.kind !== 'ended') yield item;
}

function endedOf(recording: Recording, entry: Entry, position: number): Ended | undefined {
  const { type, call, attempt, as } = entry;
  const settled = as === 'executed' ? 'settled-executed' : 'settled-not-executed';
  const state = type === 'call.settled' ? settled : STATES[type];
  if (state === undefined || typeof call !== 'string' || typeof attempt !== 'string') return undefined;
  const ended = { kind: 'ended', position, call, attempt, state } as const;
  const commitment = member(entry['output'], '$body');
  if (typeof commitment !== 'string') return ended;
  const value = opening(recording, entry, position)('output', commitment);
  return { ...ended, output: value === undefined ? 'gone' : { value } };
}

function opening({ open }: Recording, { call }: Entry, position: number) {
  return (role: string, commitment: string): JsonValue | undefined =>
    typeof call === 'string' ? open(call, role, position, commitment) : undefined;
}
