/** Records a person's answer to a parked call. Approving only records: a live gateway decides the call again, now. */

import { type CallRow, type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { JsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { approvalText } from './approval.ts';
import { type Asked, askedOf } from './asked.ts';
import { draft } from './draft.ts';

/** `changed`: what is stored of the call is not what it was parked with, or its arguments are gone. */
export interface Unanswerable {
  readonly ok: false;
  readonly code: 'no-such-call' | 'not-parked' | 'expired' | 'already-answered' | 'changed';
  readonly message: string;
}

/** `given`: how many different people have approved by now. */
export type Answered = { readonly ok: true; readonly row: CallRow; readonly given: number } | Unanswerable;

interface Approved {
  readonly call: string;
  readonly by: string;
}

/**
 * `sign` answers with the base64 Ed25519 signature of the text; `unsigned` is the word of the operating-system user, or,
 * where it is `interactive`, of whom the requester's own host asked.
 */
export type ApproveOrder = Approved &
  ({ readonly sign: (text: string) => string } | { readonly unsigned: true; readonly interactive?: true });

export interface RefuseOrder extends Approved {
  readonly reason: string;
  /** The requester's own host asked. */
  readonly interactive?: true;
}

/** What `call` asks `by`, or why it asks that person nothing. `at` is in milliseconds since the epoch. Throws `LedgerError`. */
export async function question(
  ledger: Ledger,
  { call, by, at }: Approved & { readonly at: number },
): Promise<({ readonly ok: true } & Asked) | Unanswerable> {
  const row = await ledger.call(call);
  const problem = problemOf(row, { call, by }, at);
  if (row === undefined || problem !== undefined) return problem ?? noSuchCall(call);
  const asked = await askedOf(ledger, row);
  return asked === undefined ? changed(call) : { ok: true, ...asked };
}

/**
 * Records that `by` approves exactly what the log says was parked. Whether `by` may, and whether it suffices, is
 * decided when the call is claimed. Throws `LedgerError`.
 */
export async function approve(ledger: Ledger, world: World, order: ApproveOrder): Promise<Answered> {
  const { call, by } = order;
  const asked = await question(ledger, { call, by, at: world.now() });
  if (!asked.ok) return asked;
  const { digest } = asked.approval;
  const how =
    'sign' in order ? { signature: order.sign(approvalText(digest, by)) } : { unsigned: true, ...interactiveOf(order) };
  return record(ledger, order, (row): Composition<Answered> => {
    if (row.approval?.digest !== digest) return { result: changed(call) };
    // A crash leaves the approval or none; it moves nothing by itself.
    const entry = draft(world, 'call.approved', { call, by, digest, ...how });
    return { writes: { entries: [entry] }, result: { ok: true, row, given: row.approvals.length + 1 } };
  });
}

/** Records that `by` refuses, which ends the call and frees its keys. Throws `LedgerError`. */
export function refuse(ledger: Ledger, world: World, order: RefuseOrder): Promise<Answered> {
  const { call, by, reason } = order;
  return record(ledger, order, (row): Composition<Answered> => {
    // A crash leaves the call refused, or parked as it was.
    const entry = draft(world, 'call.refused', { call, by, reason, ...interactiveOf(order) });
    return { writes: { entries: [entry] }, result: { ok: true, row, given: row.approvals.length } };
  });
}

function interactiveOf({ interactive }: { readonly interactive?: true }): JsonObject {
  return interactive === undefined ? {} : { interactive };
}

async function record(
  ledger: Ledger,
  { call, by }: Approved,
  compose: (row: CallRow) => Composition<Answered>,
): Promise<Answered> {
  try {
    return await ledger.transact({ call }, ({ call: row, at }) => {
      const problem = problemOf(row, { call, by }, at);
      return row === undefined || problem !== undefined ? { result: problem ?? noSuchCall(call) } : compose(row);
    });
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'conflict') throw error;
    // Another answer, or the claim, came first in the same batch; only then is there nothing left to answer.
    const problem = problemOf(await ledger.call(call), { call, by }, Number.NEGATIVE_INFINITY);
    if (problem === undefined) throw error;
    return problem;
  }
}

function problemOf(row: CallRow | undefined, { call, by }: Approved, at: number): Unanswerable | undefined {
  if (row === undefined) return noSuchCall(call);
  if (row.state !== 'parked') {
    const message = `only a call that waits for an approval can be answered; this one is \`${row.state}\``;
    return { ok: false, code: 'not-parked', message };
  }
  if (at >= row.deadline) return { ok: false, code: 'expired', message: 'the time to answer this call is over' };
  if (!row.approvals.some((approval) => approval.by === by)) return undefined;
  return { ok: false, code: 'already-answered', message: `\`${by}\` has answered this call already` };
}

function noSuchCall(call: string): Unanswerable {
  return { ok: false, code: 'no-such-call', message: `there is no call \`${call}\` in this ledger` };
}

function changed(call: string): Unanswerable {
  const message = `what is stored of call \`${call}\` is not what was parked: run interlock verify`;
  return { ok: false, code: 'changed', message };
}
