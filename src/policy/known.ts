/** What of a condition is settled before there are arguments: by the tool and the principal alone. */

import type { Bindings, Expression } from '../expression/compile.ts';
import type { Vocabulary } from '../expression/type.ts';
import { clausesOver } from './condition.ts';
import type { TypedRule } from './policy.ts';

/** `no`: the condition is not true, whatever the arguments are. `yes`: it is true. `open`: it depends. */
export type Known = 'yes' | 'no' | 'open';

const memory = new WeakMap<Vocabulary, WeakMap<Expression, readonly (Expression | undefined)[]>>();

/**
 * Evaluates the clauses that read names of `vocabulary` only. One that is false settles the whole as `no`. One that
 * errs is neither true nor false, whatever the others are: an `allow` then cannot match (`whenErrs: 'no'`), and a
 * `deny` matches unless another clause is false.
 */
export function knownOf(typed: TypedRule, vocabulary: Vocabulary, bindings: Bindings, whenErrs: 'no' | 'yes'): Known {
  if (typed.condition === undefined) return 'yes';
  let open = false;
  for (const clause of settledClauses(typed.condition, vocabulary)) {
    const evaluated = clause?.evaluate(bindings);
    if (evaluated === undefined) open = true;
    else if (!evaluated.ok || typeof evaluated.value !== 'boolean') {
      if (whenErrs === 'no') return 'no';
    } else if (!evaluated.value) return 'no';
  }
  return open ? 'open' : 'yes';
}

function settledClauses(condition: Expression, vocabulary: Vocabulary): readonly (Expression | undefined)[] {
  const known = memory.get(vocabulary) ?? new WeakMap<Expression, readonly (Expression | undefined)[]>();
  memory.set(vocabulary, known);
  const clauses = known.get(condition) ?? clausesOver(condition, vocabulary);
  known.set(condition, clauses);
  return clauses;
}
