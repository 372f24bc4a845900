/** Whether a rule's condition holds for a request. */

import type { Bindings, Bound } from '../../expression/compile.ts';
import type { TypedRule } from '../policy.ts';

/** `error`: the condition could not be evaluated, so an `allow` does not match, and a `deny` or `ask` does. */
export type Holds = 'yes' | 'no' | 'error';

export function holds({ condition, lifted }: TypedRule, bindings: Bindings | Bound): Holds {
  if (condition === undefined) return 'yes';
  const evaluated = condition.evaluate(bindings);
  if (!evaluated.ok || typeof evaluated.value !== 'boolean') return 'error';
  return evaluated.value && lifted !== true ? 'yes' : 'no';
}
