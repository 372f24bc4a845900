/**
 * After an older copy of the ledger was accepted: what happened since that copy is forgotten, so that a call with
 * effects may be one that already ran. Until a person lifts it, each of them is asked about.
 */

import type { Decision } from './decision.ts';
import { countedOf } from '../meter/fact.ts';
import type { FactValues } from '../meter/fact.ts';
import type { PolicyTool } from '../policy.ts';
import type { Rule } from '../document/rule.ts';
import * as sentence from './sentence.ts';

/** Not 0 from the acceptance until it is lifted. */
export const ROLLBACK_KEY = 'rollback/accepted';
/** What asks, among the rules of a decision. No rule of a file can be named so. */
export const ROLLBACK_RULE = 'ledger/rollback';
/** Who may answer: anybody who may sign, but not the one who asks. */
export const ROLLBACK_TERMS: Pick<Rule, 'notRequester'> = { notRequester: true };

/** Whether `tool` is one that the key is needed for. */
export function isHeldByRollback({ effect }: Pick<PolicyTool, 'effect'>): boolean {
  return effect !== 'read';
}

/** `judged`, and an `allow` of a call with effects as a question while the acceptance stands; a denial stays one. */
export function afterRollback(tool: PolicyTool, facts: FactValues, judged: Decision): Decision {
  if (judged.effect === 'deny' || !isHeldByRollback(tool) || countedOf(facts, ROLLBACK_KEY) === 0) return judged;
  const asking = judged.effect === 'ask' ? judged.rules : [];
  const explanation = sentence.rolledBack(tool);
  return { ...judged, effect: 'ask', code: 'asked', rules: [...asking, ROLLBACK_RULE], explanation };
}
