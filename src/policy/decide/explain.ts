/** Every rule that speaks of a tool, clause by clause, over one request. */

import type { Bindings } from '../../expression/compile.ts';
import type { ClauseResult, Request, RuleResult } from './decision.ts';
import type { FactValues } from '../meter/fact.ts';
import { NO_FACTS } from '../meter/fact.ts';
import { holds } from '../condition/holds.ts';
import type { Policy, TypedRule } from '../policy.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/** The results in file order; empty for a tool that is unknown or that the policy is not valid for. */
export function resultsOf(policy: Policy, request: Request, facts: FactValues = NO_FACTS): readonly RuleResult[] {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || tool.invalid !== undefined) return [];
  const bindings = bindingsOf(policy, tool, request, facts);
  const { allow, ask, deny } = tool.rules;
  const inFileOrder = [...allow, ...ask, ...deny].toSorted((a, b) => a.order - b.order);
  return inFileOrder.map((typed) => resultOf(typed, bindings));
}

function resultOf(typed: TypedRule, bindings: Bindings): RuleResult {
  const { rule, condition } = typed;
  const how = holds(typed, bindings);
  const evaluated = how === 'error' ? condition?.evaluate(bindings) : undefined;
  const error = evaluated === undefined || evaluated.ok ? 'not a boolean' : evaluated.error.message;
  return {
    rule: rule.id,
    effect: rule.effect,
    matched: how === 'yes' || (how === 'error' && rule.effect !== 'allow'),
    ...(rule.because === undefined ? {} : { because: rule.because }),
    ...(how === 'error' ? { error } : {}),
    clauses: (condition?.clauses ?? []).map((clause): ClauseResult => {
      const result = clause.evaluate(bindings);
      if (!result.ok) return { text: clause.text, result: 'error', error: result.error.message };
      if (typeof result.value === 'boolean') return { text: clause.text, result: result.value };
      return { text: clause.text, result: 'error', error: 'not a boolean' };
    }),
  };
}
