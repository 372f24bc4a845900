/** What a key, or an equal call that has not ended, says about a proposal: the table in docs/ledger.md. */

import { isErased } from '../ledger/ended.ts';
import type { CallRow, Facts } from '../ledger/ledger.ts';
import type { Decision } from '../policy/decide/decision.ts';
import { equalBytes } from '../value/digest.ts';
import type { Again, Prepared, Surroundings } from './prepare.ts';
import { denial, twinSentence } from './sentence.ts';

/** `retry`: a new attempt of `row`. `parked`: `row` may be claimed. `answer`: from what `row` says, nothing runs. */
export type Existing =
  | { readonly kind: 'none' }
  | { readonly kind: 'retry' | 'answer' | 'parked'; readonly row: CallRow }
  | { readonly kind: 'refused'; readonly decision: Decision; readonly row?: CallRow };

export function existing(around: Surroundings, prepared: Prepared, facts: Facts): Existing {
  if (prepared.again !== undefined) return repeated(around, prepared, prepared.again, facts);
  const { tool, principal } = prepared.proposal;
  const rows = [...new Map([...facts.keys.values()].map((row) => [row.id, row])).values()];
  // The keys of a call that was never allowed are free for another one.
  const held = rows.filter((row) => !isGivenUp(row) || isSameCall(around, prepared, row));
  const [row, other] = held;
  if (row === undefined) return twin(around, prepared, facts);
  if (held.some((one) => one.principal !== principal)) {
    return {
      kind: 'refused',
      decision: denial('key-taken', `${tool} is denied: another principal already used its key`),
    };
  }
  if (other !== undefined) {
    return conflict(`${tool} is denied: its keys belong to two different calls, ${row.id} and ${other.id}`);
  }
  // What would tell the calls apart is gone with the result: a call that had no effect may be made, nothing else may.
  if (row.salt === undefined)
    return isFree(row) && row.tool === tool ? { kind: 'retry', row } : { kind: 'answer', row };
  if (!isSameCall(around, prepared, row)) {
    return conflict(`${tool} is denied: its key belongs to call ${row.id}, which is not the same call`);
  }
  if (row.state === 'parked') return { kind: 'parked', row };
  return isFree(row) ? { kind: 'retry', row } : { kind: 'answer', row };
}

/** The call goes on, unless it has gone on by other hands meanwhile, or a twin was faster. */
function repeated(around: Surroundings, prepared: Prepared, again: Again, facts: Facts): Existing {
  const { attempt } = again;
  const { call: row, open } = facts;
  if (row === undefined) return { kind: 'none' };
  if (row.state === 'parked') return waiting(around, prepared, again, row, open);
  const isLast = row.attempt === attempt && (isFree(row) || row.state === 'unknown' || row.state === 'failed');
  const hasTwin = open.some((other) => other.id !== row.id && isSameCall(around, prepared, other));
  return { kind: isLast && !hasTwin ? 'retry' : 'answer', row };
}

/** A parked call may be claimed, but for one without a key beside an equal call that has not ended. */
function waiting(
  around: Surroundings,
  prepared: Prepared,
  { unattended }: Again,
  row: CallRow,
  open: readonly CallRow[],
): Existing {
  // What a guard made of the arguments is recorded, not what was proposed: then any call of the tool may be its twin.
  const isKnown = isSameCall(around, prepared, row);
  const twinOf = open.find(
    (other) => other.id !== row.id && other.state !== 'parked' && (!isKnown || isSameCall(around, prepared, other)),
  );
  if (twinOf === undefined) return { kind: 'parked', row };
  return unattended === true ? { kind: 'answer', row } : unsettled(row.tool, twinOf);
}

function twin(around: Surroundings, prepared: Prepared, facts: Facts): Existing {
  const { tool } = prepared.proposal;
  // What would tell an erased call apart is gone: until it is settled, any call of its tool may be the same.
  const equal = facts.open.filter((candidate) => isErased(candidate) || isSameCall(around, prepared, candidate));
  // One that waits does not hide another that runs, or may have: calls with keys can be open beside it.
  const open = equal.find(({ state }) => state !== 'parked') ?? equal[0];
  if (open === undefined) return { kind: 'none' };
  // An equal call without a key is how a caller that has none asks for its answer.
  if (open.state === 'parked') return { kind: 'parked', row: open };
  return unsettled(tool, open);
}

function unsettled(tool: string, row: CallRow): Existing {
  return { kind: 'refused', decision: denial('twin-unsettled', twinSentence(tool, row.id, row.state)), row };
}

function conflict(sentence: string): Existing {
  return { kind: 'refused', decision: denial('key-conflict', sentence) };
}

export function fingerprint(around: Surroundings, prepared: Prepared, salt: Uint8Array): Uint8Array {
  const { principal, tool } = prepared.proposal;
  return around.vault.fingerprint(salt, principal, tool, prepared.canonicalArgs);
}

/** Without a fingerprint (its body is gone) nothing can be told apart, and a doubt is a conflict. */
function isSameCall(around: Surroundings, prepared: Prepared, row: CallRow): boolean {
  if (row.salt === undefined || row.fingerprint === undefined) return false;
  return row.tool === prepared.proposal.tool && equalBytes(fingerprint(around, prepared, row.salt), row.fingerprint);
}

/** The call certainly had no effect, so its key may make a new attempt. */
function isFree(row: CallRow): boolean {
  return row.state === 'not-started' || row.state === 'settled-not-executed';
}

/** It waited for an approval and did not get it. */
function isGivenUp(row: CallRow): boolean {
  return row.state === 'refused' || row.state === 'expired';
}
