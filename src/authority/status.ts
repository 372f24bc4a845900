/** Where a call stands, as its own caller may know it. */

import type { CallRow, Ledger } from '../ledger/ledger.ts';
import { wasRedacted } from '../ledger/recorded.ts';
import type { JsonValue } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import type { AnswerState } from './answer.ts';
import { STATE_OF_ROW } from './answering.ts';
import { notStartedSentence, unknownSentence } from './sentence.ts';

export interface CallStatus {
  readonly call: string;
  readonly tool: string;
  readonly state: AnswerState;
  /** For people and models. */
  readonly sentence: string;
  /** What the tool answered, or what a settlement said; absent while there is none, and once it is erased. */
  readonly output?: JsonValue;
  /** Of a parked call: until when it can be approved and run, RFC 3339. */
  readonly expires?: string;
}

/** Throws `LedgerError`. `at` is in milliseconds since the epoch. */
export async function statusOf(ledger: Ledger, row: CallRow, at: number): Promise<CallStatus> {
  const { id: call, tool } = row;
  const status = { call, tool, state: STATE_OF_ROW[row.state], sentence: sentenceOf(row, at) };
  if (row.state === 'parked') {
    return at < row.deadline
      ? { ...status, expires: formatInstant(row.deadline) }
      : { ...status, state: STATE_OF_ROW.expired };
  }
  const output = await ledger.body(call, 'output');
  if (output === undefined) return status;
  // This answer is recorded itself: what was kept of the result without its secrets is all that it may say.
  const entry = await ledger.entry(row.position);
  const sentence = wasRedacted(entry?.['output']) ? `${status.sentence}; its secrets are left out` : status.sentence;
  return { ...status, sentence, output };
}

function sentenceOf({ id, tool, state, deadline, approvals }: CallRow, at: number): string {
  switch (state) {
    case 'parked':
      if (at >= deadline) return `${tool} was not approved in time: nothing has happened`;
      return approvals.length === 0
        ? `${tool} waits for an approval: nothing has happened yet`
        : `${tool} has ${approvals.length === 1 ? 'an approval' : `${approvals.length} approvals`} and did not run yet`;
    case 'denied':
      return `${tool} was denied: nothing has happened`;
    case 'refused':
      return `${tool} was not approved, a person refused it: nothing has happened`;
    case 'expired':
      return `${tool} was not approved in time: nothing has happened`;
    case 'intent':
      return `${tool} is running`;
    case 'not-started':
      return notStartedSentence(tool, 'its last attempt was refused before it was sent');
    case 'settled-not-executed':
      return notStartedSentence(tool, 'its last attempt was not executed, as was settled since');
    case 'unknown':
      return unknownSentence(tool, id, 'no answer came');
    case 'succeeded':
      return `${tool} succeeded`;
    case 'failed':
      return `${tool} failed`;
    case 'settled-executed':
      return `${tool} was executed, as was settled since`;
  }
}
