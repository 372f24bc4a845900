/** Break-glass exceptions: for a while some `deny` and `ask` rules are set aside, as an approver has signed. Pure. */

import { type Digest, digestOf } from '../../value/digest.ts';
import type { Configuration } from '../document/configuration.ts';
import type { Request } from '../decide/decision.ts';
import type { FactValues } from '../meter/fact.ts';
import { holds } from '../condition/holds.ts';
import type { Policy, PolicyTool, RuleTable, TypedRule } from '../policy.ts';
import { isPreset } from '../document/preset.ts';
import type { Rule } from '../document/rule.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/** An exception whose signature has been checked. */
export interface Exception {
  /** `exception-` and 16 hexadecimal digits. */
  readonly id: string;
  /** Of all that was signed. */
  readonly digest: string;
  /** Who signed, an id of `principals`. */
  readonly by: string;
  readonly rules: readonly { readonly id: string; readonly digest: string }[];
  /** From then on it lifts nothing; milliseconds since the epoch. */
  readonly expires: number;
}

const RULE_PREFIX = 'exception/';

/** Of all that a rule says: an exception for a rule that says something else by now is for none. */
export function ruleDigest({ place: _place, pattern, when, ...said }: Rule): Digest {
  const { approvers, ...more } = said;
  return digestOf({
    ...more,
    pattern: pattern.text,
    when: when?.text ?? null,
    approvers: approvers === undefined ? null : [...approvers],
  });
}

/**
 * Why `by` alone cannot lift `rule`; nothing when they can. One signature lifts a `deny`, and an `ask` that one signature
 * of theirs could answer whoever asked: what takes others takes them here too.
 */
export function unliftable(configuration: Configuration, rule: Rule, by: string): string | undefined {
  const declared = configuration.principals?.get(by);
  if (declared?.key === undefined) return `\`${by}\` is no approver`;
  if (rule.effect === 'allow') return 'it is an `allow`, which stops nothing';
  if (isPreset(rule)) return 'it stands for a preset, which no exception lifts';
  if (rule.effect === 'deny') return undefined;
  if ((rule.quorum ?? 1) > 1) return `it asks ${rule.quorum} people, and an exception has one signature`;
  if (rule.notRequester === true) return 'it wants somebody else than who asks, and an exception is for whoever asks';
  const { approvers } = rule;
  if (approvers === undefined || approvers.some((each) => each === by || declared.roles.includes(each)))
    return undefined;
  return `\`${by}\` is none of its approvers`;
}

/**
 * The policy as it is while `exceptions` are in force. A rule that they name is set aside where it is true, and there the
 * exception is an `allow`; where its condition errs it matches as before. Every other rule and gate is as it was.
 */
export function withExceptions(policy: Policy, exceptions: readonly Exception[]): Policy {
  const lifting = liftingOf(policy.configuration, exceptions);
  if (lifting.size === 0) return policy;
  const tools = new Map([...policy.tools].map(([name, tool]) => [name, lifted(tool, lifting)] as const));
  return Object.freeze({ ...policy, tools });
}

/** Which exception lifts which rule; of several the first. */
function liftingOf(configuration: Configuration, exceptions: readonly Exception[]): ReadonlyMap<Rule, Exception> {
  const lifting = new Map<Rule, Exception>();
  if (exceptions.length === 0) return lifting;
  const byId = new Map(configuration.rules.map((rule) => [rule.id, rule]));
  for (const exception of exceptions) {
    for (const { id, digest } of exception.rules) {
      const rule = byId.get(id);
      if (rule === undefined || lifting.has(rule) || ruleDigest(rule) !== digest) continue;
      if (unliftable(configuration, rule, exception.by) === undefined) lifting.set(rule, exception);
    }
  }
  return lifting;
}

function lifted(tool: PolicyTool, lifting: ReadonlyMap<Rule, Exception>): PolicyTool {
  const { allow, ask, deny } = tool.rules;
  const allows = [...ask, ...deny].flatMap((typed) => {
    const exception = lifting.get(typed.rule);
    return exception === undefined ? [] : [allowing(typed, exception)];
  });
  if (allows.length === 0) return tool;
  const setAside = (rules: readonly TypedRule[]): readonly TypedRule[] =>
    rules.flatMap((typed) => {
      if (!lifting.has(typed.rule)) return [typed];
      // Without a condition there is nothing that could err.
      return typed.condition === undefined ? [] : [{ ...typed, lifted: true }];
    });
  const rules: RuleTable = { allow: [...allow, ...allows], ask: setAside(ask), deny: setAside(deny) };
  return Object.freeze({ ...tool, rules });
}

/** The exception as the rule it is where `typed` is true. */
function allowing({ rule, ...typed }: TypedRule, { id }: Exception): TypedRule {
  const { place, pattern, when } = rule;
  const said = { id: ruleIdOf(id), place, effect: 'allow', pattern } as const;
  return { ...typed, rule: when === undefined ? said : { ...said, when } };
}

function ruleIdOf(id: string): string {
  return RULE_PREFIX + id.slice(id.indexOf('-') + 1);
}

/** Those of `exceptions` that set a rule aside for this request, under a policy that `withExceptions` made. */
export function exceptionsFor(
  policy: Policy,
  request: Request,
  facts: FactValues,
  exceptions: readonly Exception[],
): readonly Exception[] {
  const tool = policy.tools.get(request.tool);
  const allows = tool?.rules.allow.filter(({ rule }) => rule.id.startsWith(RULE_PREFIX)) ?? [];
  if (tool === undefined || tool.invalid !== undefined || allows.length === 0) return [];
  const bindings = bindingsOf(policy, tool, request, facts);
  const ids = new Set(allows.filter((typed) => holds(typed, bindings) === 'yes').map(({ rule }) => rule.id));
  return exceptions.filter(({ id }) => ids.has(ruleIdOf(id)));
}
