/** The rules of one tool over one request: which match, and how their answers combine. */

import type { Bindings } from '../expression/compile.ts';
import type { Code } from './code.ts';
import { isRetryable } from './code.ts';
import type { Decision, Effect, Request } from './decision.ts';
import { holds } from './holds.ts';
import type { Holds } from './holds.ts';
import type { Policy, PolicyTool, TypedRule } from './policy.ts';
import * as sentence from './sentence.ts';
import { bindingsOf } from './vocabulary.ts';

/**
 * Decides by rules and obligations alone; the gates before them are `admit`'s. Total: every request has a decision.
 *
 * Nothing allows: `no-rule`, or `condition-error` where an `allow` could not be evaluated. Any matching `deny` wins:
 * `denied-by-rule`, or `condition-error` where each matched only because it could not be evaluated. Where an `allow`
 * matches, any matching `ask` makes it a question. The order of rules never matters.
 */
export function judge(policy: Policy, request: Request): Decision {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined) return deny('unknown-tool', sentence.unknownTool(request.tool));
  if (tool.invalid !== undefined) return deny('policy-invalid', sentence.invalidTool(tool));
  const bindings = bindingsOf(policy, tool, request);
  const decision = combine(tool, bindings);
  const owed = tool.personal.length > 0 || tool.subject !== undefined;
  if (decision.effect === 'deny' || !owed) return decision;
  return deny('obligation-failed', sentence.obligation(tool));
}

function combine(tool: PolicyTool, bindings: Bindings): Decision {
  const denying = matching(tool.rules.deny, bindings);
  if (denying.length > 0) {
    const code = denying.every(([, how]) => how === 'error') ? 'condition-error' : 'denied-by-rule';
    return answer('deny', code, denying, sentence.denied(tool, denying, bindings));
  }
  const allowing: [TypedRule, Holds][] = [];
  let failed = false;
  for (const rule of tool.rules.allow) {
    const how = holds(rule, bindings);
    if (how === 'yes') allowing.push([rule, how]);
    failed ||= how === 'error';
  }
  if (allowing.length === 0) {
    return deny(failed ? 'condition-error' : 'no-rule', sentence.notAllowed(tool, bindings));
  }
  const asking = matching(tool.rules.ask, bindings);
  if (asking.length > 0) return answer('ask', 'asked', asking, sentence.asked(tool, asking, bindings));
  return answer('allow', 'allowed', allowing, sentence.allowed(tool, allowing));
}

/** The rules of a restricting effect that match, those that err among them. */
function matching(rules: readonly TypedRule[], bindings: Bindings): readonly [TypedRule, Holds][] {
  const found: [TypedRule, Holds][] = [];
  for (const rule of rules) {
    const how = holds(rule, bindings);
    if (how !== 'no') found.push([rule, how]);
  }
  return found;
}

/** A denial that no rule speaks of. */
export function deny(code: Code, explanation: string): Decision {
  return answer('deny', code, [], explanation);
}

function answer(
  effect: Effect,
  code: Code,
  rules: readonly (readonly [TypedRule, Holds])[],
  explanation: string,
): Decision {
  return { effect, code, rules: rules.map(([typed]) => typed.rule.id), explanation, retryable: isRetryable(code) };
}
