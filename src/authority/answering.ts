/** Turns verdicts and recorded calls into answers. */

import type { CallRow, LedgerError } from '../ledger/ledger.ts';
import type { Code } from '../policy/decide/code.ts';
import type { Decision } from '../policy/decide/decision.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import type { Answer, AnswerState, ShownDecision } from './answer.ts';
import type { RecordedResult } from './result.ts';
import { denial, notStartedSentence, unknownSentence } from './sentence.ts';

/** Codes told as they are to callers who may not know the tool: they say nothing about it. */
const SAYS_NOTHING: ReadonlySet<Code> = new Set<Code>([
  'malformed',
  'policy-invalid',
  'unknown-principal',
  'kill-switch',
  'clock-jump',
  'upstream-unavailable',
  'busy',
  'ledger-stopped',
  'ledger-tampered',
]);

function shown(decision: Decision): ShownDecision {
  const { effect, code, rules, retryable, nearest } = decision;
  return { effect, code, rules, retryable, ...(nearest === undefined ? {} : { nearest: { ...nearest } }) };
}

export const STATE_OF_ROW: Readonly<Record<CallRow['state'], AnswerState>> = {
  denied: 'denied',
  parked: 'parked',
  refused: 'denied',
  expired: 'denied',
  intent: 'running',
  'not-started': 'not-started',
  succeeded: 'succeeded',
  failed: 'failed',
  unknown: 'unknown',
  'settled-executed': 'settled-executed',
  'settled-not-executed': 'not-started',
};

/** A denial; to a caller who may not know the tool, one that denies the tool exists. */
export function deniedAnswer(
  call: string,
  tool: string,
  decision: Decision,
  visible: boolean,
  about?: CallRow,
): Answer {
  const told =
    visible || SAYS_NOTHING.has(decision.code) ? decision : denial('unknown-tool', `there is no tool ${tool}`);
  const identity =
    about === undefined ? ({ call, state: 'denied' } as const) : { call: about.id, state: STATE_OF_ROW[about.state] };
  return { ...identity, replayed: false, decision: shown(told), sentence: told.explanation };
}

/** A conflict means that another process was faster: the same proposal finds what that one wrote. */
const CODE_OF_LEDGER = {
  busy: 'busy',
  'disk-full': 'busy',
  conflict: 'busy',
  'outcome-unknown': 'ledger-stopped',
  stopped: 'ledger-stopped',
  'cannot-open': 'ledger-stopped',
  tampered: 'ledger-tampered',
  'rolled-back': 'ledger-tampered',
} as const satisfies Record<LedgerError['code'], Code>;

/** The ledger could not take the intent: nothing was dispatched. */
export function ledgerAnswer(call: string, error: LedgerError): Answer {
  const code = CODE_OF_LEDGER[error.code];
  const decision = denial(code, `the call was not run: ${error.message}`);
  return { call, state: 'denied', replayed: false, decision: shown(decision), sentence: decision.explanation };
}

export function unknownAnswer(call: string, tool: string, reason: string, replayed = false): Answer {
  const decision = denial('outcome-unknown', unknownSentence(tool, call, reason));
  return { call, state: 'unknown', replayed, decision: shown(decision), sentence: decision.explanation };
}

export function notStartedAnswer(call: string, tool: string, reason: string): Answer {
  const decision = denial('upstream-unavailable', notStartedSentence(tool, reason));
  return { call, state: 'not-started', replayed: false, decision: shown(decision), sentence: decision.explanation };
}

/** It waits for an approval; asking again is how to learn what became of it. */
export function parkedAnswer(call: string, tool: string, decision: Decision, expires: number): Answer {
  const until = formatInstant(expires);
  const sentence =
    `${tool} waits for an approval as call ${call}, until ${until}: nothing has happened yet. ` +
    'Propose the same call again, under the same key if it had one, to learn the answer';
  return { call, state: 'parked', replayed: false, decision: shown(decision), sentence };
}

export function runningAnswer(call: string, tool: string): Answer {
  const sentence = `${tool} is still running as call ${call}: propose the same call under the same key again to get its result`;
  return { call, state: 'running', replayed: true, sentence };
}

/** What came back cannot be told from secrets, so it is told to nobody. */
export function withheldAnswer(call: string, tool: string, state: AnswerState, problem: string): Answer {
  const sentence = `${tool} ${state}, and its result is withheld: it cannot be searched for secrets, ${problem}`;
  const decision = denial('result-redacted', sentence);
  return { call, state, replayed: false, decision: shown(decision), sentence };
}

/** The recorded result of `row`, as a replay: nothing ran. */
export function recordedAnswer(row: CallRow, result: RecordedResult): Answer {
  if (result?.redacted === true) {
    const decision = denial(
      'result-redacted',
      `${row.tool} was called under this key before (call ${row.id}), and its result held a secret, which is not kept: ` +
        'it is not run again',
    );
    const state = STATE_OF_ROW[row.state];
    return { call: row.id, state, replayed: true, decision: shown(decision), sentence: decision.explanation };
  }
  const output = result?.value;
  if (row.state === 'unknown') {
    return unknownAnswer(row.id, row.tool, 'an earlier attempt ended without an answer', true);
  }
  if (row.state === 'refused' || row.state === 'expired') {
    const code = row.state === 'refused' ? 'approval-refused' : 'approval-expired';
    const decision = denial(code, `${row.tool} was not approved (call ${row.id} ${row.state}): nothing has happened`);
    return { call: row.id, state: 'denied', replayed: true, decision: shown(decision), sentence: decision.explanation };
  }
  if (output === undefined && row.state === 'settled-executed' && row.salt !== undefined) {
    const text = `${row.tool} was executed: a person settled call ${row.id} and recorded no output`;
    return { call: row.id, state: row.state, replayed: true, output: asResult(text) };
  }
  if (output === undefined) {
    const decision = denial(
      'erased',
      `${row.tool} was called under this key before (call ${row.id}), and the result is no longer kept: it is not run again`,
    );
    return {
      call: row.id,
      state: STATE_OF_ROW[row.state],
      replayed: true,
      decision: shown(decision),
      sentence: decision.explanation,
    };
  }
  return { call: row.id, state: STATE_OF_ROW[row.state], replayed: true, output: asResult(output) };
}

/** A settlement may say any value; a caller expects an object. */
function asResult(output: JsonValue): JsonObject {
  if (typeof output === 'object' && output !== null && !Array.isArray(output)) return output as JsonObject;
  return { content: [{ type: 'text', text: typeof output === 'string' ? output : JSON.stringify(output) }] };
}
