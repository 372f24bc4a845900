/** What a model is told when there is no result: one sentence, and what would help. */

import type { Code } from '../policy/decide/code.ts';
import type { Decision } from '../policy/decide/decision.ts';
import { isRetryable } from '../policy/decide/code.ts';

/** A denial that no rule speaks of; `explanation` is the sentence shown. */
export function denial(code: Code, explanation: string): Decision {
  return { effect: 'deny', code, rules: [], explanation, retryable: isRetryable(code) };
}

function settleHint(call: string): string {
  return `a person settles it with: interlock settle ${call} executed|not-executed --reason TEXT`;
}

export function unknownSentence(tool: string, call: string, reason: string): string {
  return (
    `the outcome of ${tool} is unknown: ${reason}. It may or may not have happened and is not tried again; ` +
    settleHint(call)
  );
}

export function notStartedSentence(tool: string, reason: string): string {
  return `${tool} did not start: ${reason}. Nothing happened; the same call may be proposed again`;
}

export function twinSentence(tool: string, call: string, state: string): string {
  const now = state === 'intent' ? 'still running' : 'of unknown outcome';
  return (
    `an equal call of ${tool} is ${now} (call ${call}), so this one was not run; ` +
    (state === 'intent' ? 'wait for it, or use a key if both are meant' : settleHint(call))
  );
}
