/**
 * What a decision says for itself, in one sentence fit for a model: rules, reasons and the clauses of the policy,
 * never a value of the call.
 */

import type { Bindings, Bound, Clause } from '../../expression/compile.ts';
import type { Holds } from '../condition/holds.ts';
import { knownOf } from '../condition/known.ts';
import type { PolicyTool, TypedRule } from '../policy.ts';
import type { SchemaProblem } from '../../schema/schema.ts';
import { STANDING } from '../condition/vocabulary.ts';

const CLAUSE_MAX = 160;
const PROBLEMS_SHOWN = 3;
const CLAUSES_SHOWN = 5;

type Matched = readonly (readonly [TypedRule, Holds])[];

export function unknownTool(name: string): string {
  return `${oneLine(name)} is denied: there is no such tool`;
}

export function invalidTool(tool: PolicyTool): string {
  return `${tool.name} is denied: the policy is not valid for it, ${oneLine(tool.invalid ?? '')}`;
}

export function unknownPrincipal(tool: string, principal: string): string {
  return `${oneLine(tool)} is denied: the policy does not know the principal ${oneLine(principal)}`;
}

/** Does not tell which switch is on, nor why: that is the operator's affair. */
export function killed(tool: string): string {
  return `${oneLine(tool)} is denied: the operator has switched such calls off`;
}

/** `why` is a clause: "its description changed". */
export function pinChanged(tool: PolicyTool, why: string): string {
  const review = `a person reviews it with \`interlock pin ${oneLine(tool.name)}\``;
  return `${oneLine(tool.name)} is denied: ${oneLine(why)}; ${review}`;
}

/** Windows, rates and expiries mean nothing by a clock that leapt. */
export function clockOff(tool: string): string {
  return `${oneLine(tool)} is denied: the clock jumped, and only reads are let through until a person accepts it`;
}

export function schemaMismatch(tool: PolicyTool, problems: readonly SchemaProblem[]): string {
  const shown = problems
    .slice(0, PROBLEMS_SHOWN)
    .map(({ pointer, message }) => `${pointer === '' ? 'the call' : pointer} ${message}`);
  return `${tool.name} is denied: its arguments do not fit its schema: ${oneLine(shown.join('; '), 400)}`;
}

export function keyArgumentGiven(tool: string, name: string): string {
  return `${tool} is denied: its argument \`${name}\` is a key that is given for it; propose the call without it`;
}

/** `why` is a clause: "`args.customer` names nobody". */
export function obligation(tool: PolicyTool, why: string): string {
  return `${tool.name} is denied: whose data it is about cannot be told, ${oneLine(why)}`;
}

export function allowed(tool: PolicyTool, rules: Matched): string {
  return `${tool.name} is allowed by ${ids(rules)}`;
}

/** `told` is what the rules would have said. */
export function watched(tool: PolicyTool, told: string): string {
  return `${tool.name} is let through, because the policy only watches; otherwise ${told}`;
}

export function denied(tool: PolicyTool, rules: Matched, bound: () => Bound): string {
  return `${tool.name} is denied by ${ids(rules)}${reasonOf(rules, bound, 'deny')}`;
}

export function asked(tool: PolicyTool, rules: Matched, bound: () => Bound): string {
  return `${tool.name} needs an approval, says ${ids(rules)}${reasonOf(rules, bound, 'ask')}`;
}

export function rolledBack(tool: PolicyTool): string {
  return `${tool.name} needs an approval: the record of earlier calls was restored from a backup and may lack this one`;
}

/** Names what the allowing rule that is nearest to match still needs. */
export function notAllowed(tool: PolicyTool, bindings: Bindings | Bound): string {
  const nearest = nearestRule(tool.rules.allow, bindings);
  if (nearest === undefined) return `${tool.name} is denied: no rule allows it`;
  const { rule } = nearest.typed;
  const needs = nearest.missing.slice(0, CLAUSES_SHOWN).map(({ clause, error }) => {
    const text = `\`${oneLine(clause.text)}\``;
    return error === undefined ? text : `${text} (which cannot be evaluated: ${error})`;
  });
  const rest = nearest.missing.length - needs.length;
  if (rest > 0) needs.push(`${rest} more`);
  const lacking = needs.length === 0 ? 'takes too long to evaluate' : `needs ${needs.join(' and ')}`;
  return `${tool.name} is denied: no rule allows it; the closest, ${rule.id}, ${lacking}`;
}

interface Near {
  readonly typed: TypedRule;
  readonly missing: readonly Missing[];
}

/** The first rule that lacks least. One that the arguments cannot change is no help to whoever wrote them. */
function nearestRule(rules: readonly TypedRule[], bindings: Bindings | Bound): Near | undefined {
  let near: Near | undefined;
  let nearIsOpen = false;
  for (const typed of rules) {
    const open = knownOf(typed, STANDING, bindings, 'no') !== 'no';
    if (nearIsOpen && !open) continue;
    const missing = missingOf(typed, bindings);
    if (near !== undefined && open === nearIsOpen && missing.length >= near.missing.length) continue;
    near = { typed, missing };
    nearIsOpen = open;
    // Less than one is only what takes too long to evaluate.
    if (open && missing.length <= 1) break;
  }
  return near;
}

interface Missing {
  readonly clause: Clause;
  readonly error?: string;
}

function missingOf(typed: TypedRule, bindings: Bindings | Bound): readonly Missing[] {
  const missing: Missing[] = [];
  for (const clause of typed.condition?.clauses ?? []) {
    const evaluated = clause.evaluate(bindings);
    if (!evaluated.ok) missing.push({ clause, error: oneLine(evaluated.error.message) });
    else if (evaluated.value !== true) missing.push({ clause });
  }
  return missing;
}

/** Why the first matching rule restricts: its own words, else its condition. */
function reasonOf(rules: Matched, bound: () => Bound, effect: 'deny' | 'ask'): string {
  const chosen = rules.find(([, how]) => how === 'yes') ?? rules[0];
  if (chosen === undefined) return '';
  const [typed, how] = chosen;
  if (how === 'yes' || typed.rule.because !== undefined) return writtenReason(typed);
  const evaluated = typed.condition?.evaluate(bound());
  const error = evaluated === undefined || evaluated.ok ? 'it is not a boolean' : oneLine(evaluated.error.message);
  const rule = effect === 'deny' ? 'a deny' : 'an ask';
  return `: its condition cannot be evaluated (${error}), and ${rule} that errs matches`;
}

const reasons = new WeakMap<TypedRule, string>();

/** What the file says of why, which is the same each time. */
function writtenReason(typed: TypedRule): string {
  let reason = reasons.get(typed);
  if (reason === undefined) {
    const { rule, condition } = typed;
    const held = condition === undefined ? '' : `: \`${oneLine(condition.source)}\` holds`;
    reason = rule.because === undefined ? held : `: ${oneLine(rule.because)}`;
    reasons.set(typed, reason);
  }
  return reason;
}

function ids(rules: Matched): string {
  const first = rules.slice(0, 3).map(([typed]) => typed.rule.id);
  return rules.length <= 3 ? first.join(' and ') : `${first.join(', ')} and ${rules.length - 3} more rules`;
}

/** Text of others in one line, and never too much of it. */
export function oneLine(text: string, max: number = CLAUSE_MAX): string {
  const line = text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/\p{Cc}|\p{Cf}/gu, '·')
    .trim();
  return line.length > max ? `${line.slice(0, max)}…` : line;
}
