/**
 * What a decision says for itself, in one sentence fit for a model: rules, reasons and the clauses of the policy,
 * never a value of the call.
 */

import type { Bindings, Clause } from '../expression/compile.ts';
import type { Holds } from './holds.ts';
import { knownOf } from './known.ts';
import type { PolicyTool, TypedRule } from './policy.ts';
import type { SchemaProblem } from './schema.ts';
import { STANDING } from './vocabulary.ts';

const CLAUSE_MAX = 160;
const PROBLEMS_SHOWN = 3;

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

export function schemaMismatch(tool: PolicyTool, problems: readonly SchemaProblem[]): string {
  const shown = problems
    .slice(0, PROBLEMS_SHOWN)
    .map(({ pointer, message }) => `${pointer === '' ? 'the call' : pointer} ${message}`);
  return `${tool.name} is denied: its arguments do not fit its schema: ${oneLine(shown.join('; '), 400)}`;
}

export function obligation(tool: PolicyTool): string {
  return `${tool.name} is denied: its arguments hold personal data, which cannot be sealed yet`;
}

export function allowed(tool: PolicyTool, rules: Matched): string {
  return `${tool.name} is allowed by ${ids(rules)}`;
}

export function denied(tool: PolicyTool, rules: Matched, bindings: Bindings): string {
  return `${tool.name} is denied by ${ids(rules)}${reasonOf(rules, bindings, 'deny')}`;
}

export function asked(tool: PolicyTool, rules: Matched, bindings: Bindings): string {
  return `${tool.name} needs an approval, says ${ids(rules)}${reasonOf(rules, bindings, 'ask')}`;
}

/** Names what the allowing rule that is nearest to match still needs. */
export function notAllowed(tool: PolicyTool, bindings: Bindings): string {
  // A rule that the arguments cannot change is no help to whoever wrote them.
  const open = tool.rules.allow.filter((typed) => knownOf(typed, STANDING, bindings, 'no') !== 'no');
  const rules = open.length > 0 ? open : tool.rules.allow;
  const candidates = rules.map((typed) => ({ typed, missing: missingOf(typed, bindings) }));
  const nearest = candidates.toSorted((a, b) => a.missing.length - b.missing.length)[0];
  if (nearest === undefined) return `${tool.name} is denied: no rule allows it`;
  const { rule } = nearest.typed;
  const needs = nearest.missing.map(({ clause, error }) => {
    const text = `\`${oneLine(clause.text)}\``;
    return error === undefined ? text : `${text} (which cannot be evaluated: ${error})`;
  });
  const lacking = needs.length === 0 ? 'takes too long to evaluate' : `needs ${needs.join(' and ')}`;
  return `${tool.name} is denied: no rule allows it; the closest, ${rule.id}, ${lacking}`;
}

interface Missing {
  readonly clause: Clause;
  readonly error?: string;
}

function missingOf(typed: TypedRule, bindings: Bindings): readonly Missing[] {
  return (typed.condition?.clauses ?? []).flatMap((clause): Missing[] => {
    const evaluated = clause.evaluate(bindings);
    if (!evaluated.ok) return [{ clause, error: oneLine(evaluated.error.message) }];
    return evaluated.value === true ? [] : [{ clause }];
  });
}

/** Why the first matching rule restricts: its own words, else its condition. */
function reasonOf(rules: Matched, bindings: Bindings, effect: 'deny' | 'ask'): string {
  const chosen = rules.find(([, how]) => how === 'yes') ?? rules[0];
  if (chosen === undefined) return '';
  const [typed, how] = chosen;
  if (typed.rule.because !== undefined) return `: ${oneLine(typed.rule.because)}`;
  if (how === 'yes') return typed.condition === undefined ? '' : `: \`${oneLine(typed.condition.source)}\` holds`;
  const evaluated = typed.condition?.evaluate(bindings);
  const error = evaluated === undefined || evaluated.ok ? 'it is not a boolean' : oneLine(evaluated.error.message);
  const rule = effect === 'deny' ? 'a deny' : 'an ask';
  return `: its condition cannot be evaluated (${error}), and ${rule} that errs matches`;
}

function ids(rules: Matched): string {
  const all = rules.map(([typed]) => typed.rule.id);
  return all.length <= 3 ? all.join(' and ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more rules`;
}

function oneLine(text: string, max: number = CLAUSE_MAX): string {
  const line = text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/\p{Cc}|\p{Cf}/gu, '·')
    .trim();
  return line.length > max ? `${line.slice(0, max)}…` : line;
}
