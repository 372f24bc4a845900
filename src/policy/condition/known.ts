/** What of a condition is settled before there are arguments: by the tool and the principal alone. */

import type { Bindings, Bound, Expression } from '../../expression/compile.ts';
import type { Vocabulary } from '../../expression/type.ts';
import { clausesOver } from './condition.ts';
import type { TypedRule } from '../policy.ts';

/** `no`: the condition is not true, whatever the arguments are. `yes`: it is true. `open`: it depends. */
export type Known = 'yes' | 'no' | 'open';

const memory = new WeakMap<Vocabulary, WeakMap<Expression, readonly (Expression | undefined)[]>>();

/**
 * Evaluates the clauses that read names of `vocabulary` only. One that is false settles the whole as `no`. One that
 * errs is neither true nor false, whatever the others are: an `allow` then cannot match (`whenErrs: 'no'`), and a
 * `deny` matches unless another clause is false.
 */
export function knownOf(
  typed: TypedRule,
  vocabulary: Vocabulary,
  bindings: Bindings | Bound,
  whenErrs: 'no' | 'yes',
): Known {
  if (typed.condition === undefined) return 'yes';
  const clauses = settledClauses(typed.condition, vocabulary);
  if (clauses === NONE) return 'open';
  let open = false;
  for (const clause of clauses) {
    const evaluated = clause?.evaluate(bindings);
    if (evaluated === undefined) open = true;
    else if (!evaluated.ok || typeof evaluated.value !== 'boolean') {
      if (whenErrs === 'no') return 'no';
    } else if (!evaluated.value) return 'no';
  }
  return open || typed.lifted === true ? 'open' : 'yes';
}

/** Of most conditions nothing is settled: they are about the arguments. */
const NONE: readonly (Expression | undefined)[] = [];

function settledClauses(condition: Expression, vocabulary: Vocabulary): readonly (Expression | undefined)[] {
  let known = memory.get(vocabulary);
  if (known === undefined) memory.set(vocabulary, (known = new WeakMap()));
  let clauses = known.get(condition);
  if (clauses === undefined) {
    const made = clausesOver(condition, vocabulary);
    clauses = made.length > 0 && made.every((clause) => clause === undefined) ? NONE : made;
    known.set(condition, clauses);
  }
  return clauses;
}
