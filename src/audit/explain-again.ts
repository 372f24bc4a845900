/** What every rule and clause said of a recorded call, evaluated again on what it was decided on. */

import type { RuleResult } from '../policy/decide/decision.ts';
import { resultsOf } from '../policy/decide/explain.ts';
import { type Past, underOf } from './decide-again.ts';
import { type RecordedCall, sealedArguments } from './recorded-call.ts';

/** Decided by rules; before other gates no rule was asked. */
const BY_RULES: ReadonlySet<string> = new Set(['allowed', 'asked', 'no-rule', 'denied-by-rule', 'condition-error']);

/**
 * The results in file order. None where no rule was asked, or what it was asked about is gone. Errors tell nothing of
 * arguments that are sealed.
 */
export function explainAgain(recorded: RecordedCall, past: Past, hasArgs: boolean): readonly RuleResult[] {
  if (!hasArgs || !BY_RULES.has(recorded.code) || typeof recorded.entry['probes'] === 'string') return [];
  const under = underOf(recorded, past);
  if ('kind' in under) return [];
  const results = resultsOf(under.policy, recorded.request, under.facts);
  if (sealedArguments(recorded.entry).size === 0) return results;
  return results.map(({ error, clauses, ...result }) => ({
    ...result,
    ...(error === undefined ? {} : { error: 'not told: its arguments are sealed' }),
    clauses: clauses.map(({ text, result: came }) => ({ text, result: came })),
  }));
}
