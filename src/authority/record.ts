/** Makes the outcome of an attempt durable, fsync 2 of docs/ledger.md, and only then answers. */

import { type CallRow, type Ledger, LedgerError, type Writes } from '../ledger/ledger.ts';
import type { Answer, Performed } from './answer.ts';
import { notStartedAnswer, unknownAnswer } from './answering.ts';
import { chargedFields } from './charged.ts';
import type { Dispatch } from './compose.ts';
import { draft, recordedReason } from './draft.ts';
import type { Surroundings } from './prepare.ts';

/** The answer to a call that ended as `performed`. A crash before its commit leaves an intent without outcome. */
export async function recordOutcome(
  ledger: Ledger,
  around: Surroundings,
  dispatch: Dispatch,
  performed: Performed,
): Promise<Answer> {
  const { call, attempt, request } = dispatch;
  const { tool } = request;
  try {
    await ledger.append(outcomeWrites(around, dispatch, performed));
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const landed = error.code === 'outcome-unknown' ? await reread(ledger, call) : undefined;
    if (landed?.attempt !== attempt || landed.state !== performed.kind) {
      return unknownAnswer(call, tool, `its outcome could not be recorded (${error.message})`);
    }
  }
  switch (performed.kind) {
    case 'succeeded':
    case 'failed':
      return { call, state: performed.kind, replayed: false, output: performed.output };
    case 'not-started':
      return notStartedAnswer(call, tool, performed.reason);
    case 'unknown':
      return unknownAnswer(call, tool, performed.reason);
  }
}

async function reread(ledger: Ledger, call: string): Promise<CallRow | undefined> {
  try {
    return await ledger.call(call);
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

function outcomeWrites({ world, vault }: Surroundings, dispatch: Dispatch, performed: Performed): Writes {
  const { call, attempt } = dispatch;
  switch (performed.kind) {
    case 'succeeded':
    case 'failed': {
      const { commitment, body } = vault.seal(call, 'output', performed.output);
      const fields = { call, attempt, output: { $body: commitment }, ...chargedFields(dispatch, performed) };
      return { entries: [draft(world, `call.${performed.kind}`, fields)], bodies: [body] };
    }
    case 'not-started':
    case 'unknown':
      return {
        entries: [draft(world, `call.${performed.kind}`, { call, attempt, reason: recordedReason(performed.reason) })],
      };
  }
}
