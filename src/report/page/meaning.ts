/** What codes, states and types of entries mean, in a few words each. */

import type { Code } from '../../policy/decide/code.ts';
import type { CallState } from './story.ts';

const CODES: Readonly<Record<Code, string>> = {
  allowed: 'the rules allow it',
  asked: 'a person is asked',
  'no-rule': 'no rule allows it',
  'denied-by-rule': 'a rule denies it',
  'condition-error': 'a condition could not be evaluated',
  'policy-invalid': 'no valid policy was in force',
  'kill-switch': 'a kill switch was on',
  'unknown-tool': 'the tool is unknown, or not for this principal',
  'pin-changed': 'the definition of the tool is not the one that was reviewed',
  'schema-mismatch': 'the arguments do not fit the schema of the tool',
  malformed: 'it was no well-formed call',
  'unknown-principal': 'the policy does not know the principal',
  'key-conflict': 'its key belongs to another call',
  'key-taken': 'its key belongs to a call of another principal',
  'twin-unsettled': 'an equal call has not ended yet',
  'outcome-unknown': 'what became of the call under its key is not known',
  erased: 'what its key would be answered with was erased',
  'result-redacted': 'what its key would be answered with held a secret',
  'budget-exhausted': 'a budget is spent',
  'rate-exceeded': 'it came too soon after others',
  'concurrency-exceeded': 'too many calls were running',
  'depth-exceeded': 'it was delegated too deeply',
  'approval-unavailable': 'nobody could be asked',
  'approval-refused': 'a person refused it',
  'approval-expired': 'nobody approved it in time',
  'obligation-failed': 'something that must be done for it could not be done',
  'guard-refused': 'where it leads is not permitted',
  'secret-found': 'it holds a secret',
  'secret-cannot-wait': 'it holds a secret, which cannot wait for an approval',
  'contract-violation': 'the tool broke its contract',
  'upstream-unavailable': 'the server of the tool could not be reached',
  busy: 'the ledger was busy',
  'clock-jump': 'the clock had jumped',
  'ledger-stopped': 'the ledger had stopped',
  'ledger-tampered': 'the ledger was found changed',
};

/** What a code means; nothing of one that this version does not know. */
export function meaningOf(code: string): string | undefined {
  return Object.hasOwn(CODES, code) ? CODES[code as Code] : undefined;
}

/** A kind of end, as colours and filters know it; each has a sign of its own, for those who see no colours. */
export type Kind = 'done' | 'denied' | 'failed' | 'open' | 'unknown';

export const KINDS: Readonly<Record<Kind, { readonly name: string; readonly sign: string }>> = {
  done: { name: 'done', sign: '✓' },
  failed: { name: 'failed or not sent', sign: '!' },
  denied: { name: 'denied', sign: '✕' },
  open: { name: 'waiting or running', sign: '…' },
  unknown: { name: 'unknown', sign: '?' },
};

const STATES: Readonly<Record<CallState, { readonly name: string; readonly kind: Kind }>> = {
  succeeded: { name: 'succeeded', kind: 'done' },
  'settled-executed': { name: 'settled: executed', kind: 'done' },
  failed: { name: 'failed', kind: 'failed' },
  'not-started': { name: 'not started', kind: 'failed' },
  'settled-not-executed': { name: 'settled: not executed', kind: 'failed' },
  denied: { name: 'denied', kind: 'denied' },
  refused: { name: 'refused by a person', kind: 'denied' },
  expired: { name: 'not approved in time', kind: 'denied' },
  parked: { name: 'waits for approval', kind: 'open' },
  running: { name: 'no outcome recorded', kind: 'open' },
  unknown: { name: 'unknown', kind: 'unknown' },
};

export function stateName(state: CallState): string {
  return STATES[state].name;
}

export function kindOf(state: CallState): Kind {
  return STATES[state].kind;
}

/** In the order in which figures are told. */
export const STATE_ORDER: readonly CallState[] = Object.keys(STATES) as CallState[];

const TYPES: Readonly<Record<string, string>> = {
  'ledger.created': 'The log begins.',
  'ledger.opened': 'A process opened the log.',
  'ledger.closed': 'A process closed the log.',
  'ledger.outside-failed': 'The checkpoint outside could not be written.',
  'ledger.witness-failed': 'A witness did not cosign the checkpoint.',
  'ledger.rollback-accepted': 'An older copy of the log was accepted.',
  'ledger.rollback-lifted': 'Calls after the accepted copy are decided by the rules again.',
  'policy.loaded': 'A policy came into force.',
  'policy.refused': 'A configuration did not load.',
  'policy.waiting': 'A change that may allow more waits for a signature.',
  'policy.approved': 'A change that may allow more was signed.',
  'policy.withdrawn': 'A change that waited was withdrawn.',
  'policy.exception': 'An approver set rules aside for a while.',
  'policy.exception-ended': 'Rules that were set aside hold again.',
  'denial.repeated': 'Further denials of a kind came and were only counted.',
  'kill.set': 'A kill switch was set.',
  'kill.lifted': 'A kill switch was lifted.',
  'erasure.expired': 'Results were destroyed after their time.',
  'erasure.requested': 'What is kept of a person was destroyed.',
  'erasure.executed': 'An erasure is complete: no file holds the values any more.',
  'hold.added': 'Something may not be erased for now.',
  'hold.lifted': 'Something may be erased again.',
  'disclosure.made': 'Sealed values were handed out.',
  'key.rotated': 'A new key wraps all others.',
  'key.added': 'A new key signs the log from now on.',
  'key.revoked': 'A key that signed the log was revoked.',
  'key.destroyed': 'An old key was destroyed.',
  'pin.trusted': 'A tool was used for the first time, under this definition.',
  'clock.jumped': 'The wall clock jumped.',
  'clock.accepted': 'A person accepted the clock.',
  'program.started': 'A run of a program started.',
  'program.moved': 'A run of a program went on.',
  'program.ended': 'A run of a program ended.',
  'program.ignored': 'An event came that no run waited for.',
  'program.saved': 'A caller saved a program.',
  'program.deleted': 'A caller deleted a saved program; its text stays.',
};

/** What an entry about no single call says happened. */
export function eventName(type: string): string {
  return (Object.hasOwn(TYPES, type) ? TYPES[type] : undefined) ?? type;
}
