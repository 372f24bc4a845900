/** Makes the outcome of an attempt durable, fsync 2 of docs/ledger.md, and only then answers. */

import { type CallRow, type Composition, type Ledger, LedgerError, type Writes } from '../ledger/ledger.ts';
import type { Answer, Performed } from './answer.ts';
import { notStartedAnswer, recordedAnswer, unknownAnswer } from './answering.ts';
import { chargedFields } from './charged.ts';
import type { Dispatch } from './compose.ts';
import { draft, recordedReason } from './draft.ts';
import { impersonal, sealBody } from './personal.ts';
import type { Surroundings } from './prepare.ts';
import { settledWrites } from './settle.ts';

/** Who settles when an outcome arrives for a call that somebody had declared unknown. */
const LATE = 'transport';

/** The answer to a call that ended as `performed`. A crash before its commit leaves an intent without outcome. */
export async function recordOutcome(
  ledger: Ledger,
  around: Surroundings,
  dispatch: Dispatch,
  ended: Performed,
): Promise<Answer> {
  const { call, attempt, request } = dispatch;
  const { tool } = request;
  const performed = ofCall(dispatch, ended);
  try {
    await ledger.append(outcomeWrites(around, dispatch, performed));
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    if (error.code === 'conflict') return recordLate(ledger, around, dispatch, performed);
    const landed = error.code === 'outcome-unknown' ? await reread(ledger, call) : undefined;
    if (landed?.attempt !== attempt || landed.state !== performed.kind) {
      return unknownAnswer(call, tool, `its outcome could not be recorded (${error.message})`);
    }
  }
  return answerOf(call, tool, performed);
}

/** What the end of this attempt says of the call: an earlier one that may have had its effect is not undone by it. */
function ofCall({ mayHaveHappened }: Dispatch, ended: Performed): Performed {
  if (!mayHaveHappened || ended.kind !== 'not-started') return ended;
  return {
    kind: 'unknown',
    reason: `it was not sent again (${ended.reason}), and what the attempt before did is not known`,
  };
}

function answerOf(call: string, tool: string, performed: Performed): Answer {
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

/**
 * The process was paused past its deadline and the grace, so a sibling declared its call unknown. What it knows of its
 * own attempt settles that; where somebody has settled it before, that stands and is the answer.
 */
async function recordLate(
  ledger: Ledger,
  around: Surroundings,
  dispatch: Dispatch,
  performed: Performed,
): Promise<Answer> {
  const { call, attempt, request } = dispatch;
  try {
    const row = await ledger.transact({ call }, ({ call: now }): Composition<CallRow | 'gone' | undefined> => {
      if (now?.state !== 'unknown' || now.attempt !== attempt || performed.kind === 'unknown') {
        return { result: now ?? 'gone' };
      }
      const writes = settledWrites(
        around,
        now,
        {
          as: performed.kind === 'not-started' ? 'not-executed' : 'executed',
          by: LATE,
          reason: `the outcome came after the call was declared unknown: ${performed.kind}`,
          ...('output' in performed ? { output: performed.output } : {}),
          ...chargedFields(dispatch, performed),
        },
        dispatch.subjects,
      );
      return { writes, result: undefined };
    });
    if (row === undefined) return answerOf(call, request.tool, performed);
    if (row !== 'gone' && row.state === 'settled-executed' && row.attempt === attempt) {
      return recordedAnswer(row, await ledger.body(call, 'output'));
    }
    const found = row === 'gone' ? row : row.state;
    return unknownAnswer(call, request.tool, `it ended as ${performed.kind}, and the ledger says ${found}`);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return unknownAnswer(call, request.tool, `its outcome could not be recorded (${error.message})`);
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

function reasonOf({ policy, request }: Dispatch, reason: string): string {
  return recordedReason(impersonal(reason, policy, request));
}

function outcomeWrites({ world, vault }: Surroundings, dispatch: Dispatch, performed: Performed): Writes {
  const { call, attempt } = dispatch;
  switch (performed.kind) {
    case 'succeeded':
    case 'failed': {
      const { value: output, bodies } = sealBody(vault, call, 'output', performed.output, dispatch.subjects);
      const fields = { call, attempt, output, ...chargedFields(dispatch, performed) };
      return { entries: [draft(world, `call.${performed.kind}`, fields)], bodies };
    }
    case 'not-started':
    case 'unknown':
      return {
        entries: [
          draft(world, `call.${performed.kind}`, { call, attempt, reason: reasonOf(dispatch, performed.reason) }),
        ],
      };
  }
}
