/** Makes the outcome of an attempt durable, fsync 2 of docs/ledger.md, and only then answers. */

import { type CallRow, type Composition, type Ledger, LedgerError, type Writes } from '../ledger/ledger.ts';
import type { Answer, Performed } from './answer.ts';
import { notStartedAnswer, recordedAnswer, unknownAnswer, withheldAnswer } from './answering.ts';
import { chargedFields } from './charged.ts';
import type { Dispatch } from './compose.ts';
import { draft, recordedReason } from './draft.ts';
import type { JsonObject } from '../value/json.ts';
import { impersonal } from './personal.ts';
import type { Surroundings } from './prepare.ts';
import { resultOf } from './result.ts';
import { type KeptOutput, keptOutput, textWithoutSecrets } from './secret.ts';
import { sealOutput, settledWrites } from './settle.ts';

/** Who settles when an outcome arrives for a call that somebody had declared unknown. */
const LATE = 'transport';

/** How often an outcome that found no room, or no turn, is tried again, milliseconds. */
const ROOM_EVERY_MS = 250;

/**
 * The answer to a call that ended as `performed`. An outcome that finds the disk full or the ledger held is tried again
 * until the call's deadline: it is known, and would be unknown to everybody else. A crash before its commit leaves an
 * intent without outcome.
 */
export async function recordOutcome(
  ledger: Ledger,
  around: Surroundings,
  dispatch: Dispatch,
  ended: Performed,
): Promise<Answer> {
  const { call, attempt, request } = dispatch;
  const { tool } = request;
  const outcome = outcomeOf(around, dispatch, ofCall(dispatch, ended));
  const { performed } = outcome;
  try {
    await patiently(around, dispatch, async () => {
      await ledger.append(outcomeWrites(around, dispatch, outcome));
    });
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    if (error.code === 'conflict') return recordLate(ledger, around, dispatch, outcome);
    const landed = error.code === 'outcome-unknown' ? await reread(ledger, call) : undefined;
    if (landed?.attempt !== attempt || landed.state !== performed.kind) {
      return unknownAnswer(call, tool, `its outcome could not be recorded (${error.message})`);
    }
  }
  return answerOf(call, tool, outcome);
}

/** How an attempt ended, and what may be kept of what came back. */
interface Outcome {
  readonly performed: Performed;
  readonly kept?: KeptOutput;
}

/** A reason is without secrets for whoever hears of it; a result only where it is kept. */
function outcomeOf(around: Surroundings, { policy, request, secrets }: Dispatch, performed: Performed): Outcome {
  if ('output' in performed) {
    return { performed, kept: keptOutput(around, policy, { tool: request.tool, secrets }, performed.output) };
  }
  return { performed: { ...performed, reason: textWithoutSecrets(around, policy, secrets, performed.reason) } };
}

/** Nothing of what found no room was written, so that it may be written again. */
async function patiently({ world }: Surroundings, dispatch: Dispatch, write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const mayPass = error instanceof LedgerError && (error.code === 'busy' || error.code === 'disk-full');
      if (!mayPass || world.monotonic() + ROOM_EVERY_MS >= dispatch.monotonicDeadline) throw error;
    }
    await world.sleep(ROOM_EVERY_MS);
  }
}

/** What the end of this attempt says of the call: an earlier one that may have had its effect is not undone by it. */
function ofCall({ mayHaveHappened }: Dispatch, ended: Performed): Performed {
  if (!mayHaveHappened || ended.kind !== 'not-started') return ended;
  return {
    kind: 'unknown',
    reason: `it was not sent again (${ended.reason}), and what the attempt before did is not known`,
  };
}

function answerOf(call: string, tool: string, { performed, kept }: Outcome): Answer {
  switch (performed.kind) {
    case 'succeeded':
    case 'failed':
      if (kept?.problem !== undefined) return withheldAnswer(call, tool, performed.kind, kept.problem);
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
async function recordLate(ledger: Ledger, around: Surroundings, dispatch: Dispatch, outcome: Outcome): Promise<Answer> {
  const { call, attempt, request } = dispatch;
  const { performed, kept } = outcome;
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
          ...(kept === undefined ? {} : { output: kept }),
        },
        dispatch.subjects,
        chargesOf(around, dispatch, performed),
      );
      return { writes, result: undefined };
    });
    if (row === undefined) return answerOf(call, request.tool, outcome);
    if (row !== 'gone' && row.state === 'settled-executed' && row.attempt === attempt) {
      return recordedAnswer(row, await resultOf(ledger, row, around.world.now(), dispatch.policy));
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

/** Why a charge cannot be told may quote what the call was given. */
function chargesOf(around: Surroundings, dispatch: Dispatch, performed: Performed): JsonObject {
  const charged = chargedFields(dispatch, performed);
  const { uncharged } = charged;
  if (typeof uncharged !== 'string') return charged;
  return { ...charged, uncharged: textWithoutSecrets(around, dispatch.policy, dispatch.secrets, uncharged) };
}

function outcomeWrites(around: Surroundings, dispatch: Dispatch, { performed, kept }: Outcome): Writes {
  const { world, vault } = around;
  const { call, attempt, policy, request } = dispatch;
  if (kept !== undefined) {
    const isAskable = dispatch.isAskable && policy.tools.get(request.tool)?.neverStores !== true;
    const { fields: result, bodies } = sealOutput(vault, call, kept, dispatch.subjects, isAskable);
    const fields = { call, attempt, ...result, ...chargesOf(around, dispatch, performed) };
    return { entries: [draft(world, `call.${performed.kind}`, fields)], bodies };
  }
  const said = 'reason' in performed ? performed.reason : '';
  const reason = recordedReason(impersonal(said, policy, request));
  return { entries: [draft(world, `call.${performed.kind}`, { call, attempt, reason })] };
}
