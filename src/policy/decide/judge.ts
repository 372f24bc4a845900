/** The rules of one tool over one request: which match, and how their answers combine. */

import { Bound } from '../../expression/compile.ts';
import type { Bindings } from '../../expression/compile.ts';
import type { Code } from './code.ts';
import { isRetryable } from './code.ts';
import type { Decision, Effect, Request } from './decision.ts';
import type { FactValues } from '../meter/fact.ts';
import { NO_FACTS } from '../meter/fact.ts';
import { ASK } from '../tool/own.ts';
import { personalOf } from '../tool/personal.ts';
import { secretsOf } from '../tool/secret.ts';
import type { Policy, PolicyTool, RuleTable } from '../policy.ts';
import { indexRules } from './rule-index.ts';
import type { Found, RuleIndex } from './rule-index.ts';
import * as sentence from './sentence.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/**
 * Decides by rules and obligations alone; the gates before them are `admit`'s. Total: every request has a decision.
 *
 * Nothing allows: `no-rule`, or `condition-error` where an `allow` could not be evaluated. Any matching `deny` wins:
 * `denied-by-rule`, or `condition-error` where each matched only because it could not be evaluated. Where an `allow`
 * matches, any matching `ask` makes it a question. The order of rules never matters.
 */
export function judge(policy: Policy, request: Request, facts: FactValues = NO_FACTS): Decision {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined) return deny('unknown-tool', sentence.unknownTool(request.tool));
  if (tool.invalid !== undefined) return deny('policy-invalid', sentence.invalidTool(tool));
  const bound = lazily(() => bindingsOf(policy, tool, request, facts));
  const combined = combine(tool, request, bound);
  // A step that asks people is not a rule that is tried out.
  const isTried = policy.configuration.preset === 'shadow' && tool.name !== ASK.name;
  const decision = isTried ? letThrough(tool, combined) : combined;
  if (decision.effect === 'deny') return decision;
  const problem = personalOf(policy, request).problem ?? secretsOf(policy, request).problem;
  return problem === undefined ? decision : deny('obligation-failed', sentence.obligation(tool, problem));
}

/** The rules that deny a call with these arguments, and whether the rules alone would allow it. */
export function outlook(
  policy: Policy,
  tool: PolicyTool,
  request: Request,
  facts: FactValues,
): { readonly denying: readonly Found[]; readonly allowed: boolean } {
  const bound = lazily(() => bindingsOf(policy, tool, request, facts));
  const indexes = indexesOf(tool);
  const denying = indexes.deny.find(request.args, bound);
  const open = denying.length === 0 && indexes.allow.find(request.args, bound).some(isHolding);
  return { denying, allowed: open && indexes.ask.find(request.args, bound).length === 0 };
}

/** The bindings, made when they are first asked for: most decisions are made without. */
function lazily(make: () => Bindings): () => Bound {
  let made: Bound | undefined;
  return () => (made ??= new Bound(make()));
}

type Indexes = Readonly<Record<Effect, RuleIndex>>;

const memory = new WeakMap<RuleTable, Indexes>();

function indexesOf({ rules, argsType }: PolicyTool): Indexes {
  const known = memory.get(rules);
  if (known !== undefined) return known;
  const indexes = {
    allow: indexRules(rules.allow, argsType),
    ask: indexRules(rules.ask, argsType),
    deny: indexRules(rules.deny, argsType),
  };
  memory.set(rules, indexes);
  return indexes;
}

function combine(tool: PolicyTool, { args }: Request, bound: () => Bound): Decision {
  const indexes = indexesOf(tool);
  const denying = indexes.deny.find(args, bound);
  if (denying.length > 0) {
    const code = denying.every(([, how]) => how === 'error') ? 'condition-error' : 'denied-by-rule';
    return answer('deny', code, denying, sentence.denied(tool, denying, bound));
  }
  const open = indexes.allow.find(args, bound);
  const allowing = open.every(isHolding) ? open : open.filter(isHolding);
  if (allowing.length === 0) {
    return deny(open.length > 0 ? 'condition-error' : 'no-rule', sentence.notAllowed(tool, bound()));
  }
  const asking = indexes.ask.find(args, bound);
  if (asking.length > 0) return answer('ask', 'asked', asking, sentence.asked(tool, asking, bound));
  return answer('allow', 'allowed', allowing, sentence.allowed(tool, allowing));
}

function isHolding([, how]: Found): boolean {
  return how === 'yes';
}

/** Under the preset `shadow` what the rules say is told and not enforced. */
function letThrough(tool: PolicyTool, decision: Decision): Decision {
  if (decision.effect === 'allow') return decision;
  const { effect, code, rules } = decision;
  const allowed = answer('allow', 'allowed', [], sentence.watched(tool, decision.explanation));
  return { ...allowed, shadowed: { effect, code, rules } };
}

/** A denial that no rule speaks of. */
export function deny(code: Code, explanation: string): Decision {
  return answer('deny', code, [], explanation);
}

function answer(effect: Effect, code: Code, rules: readonly Found[], explanation: string): Decision {
  return { effect, code, rules: rules.map(([typed]) => typed.rule.id), explanation, retryable: isRetryable(code) };
}
