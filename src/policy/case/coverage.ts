/** What cases exercise of a policy: whether each rule and each clause ever went one way and ever the other. */

import type { Expression } from '../../expression/compile.ts';
import type { Place } from '../../value/issue.ts';
import type { Effect, RuleResult } from '../decide/decision.ts';
import type { Policy, TypedRule } from '../policy.ts';
import { isPreset } from '../document/preset.ts';
import type { Rule } from '../document/rule.ts';
import { locate } from '../../document/source.ts';

/** How often a clause went how, over all cases that reached it. */
export interface ClauseCoverage {
  readonly text: string;
  readonly place: Place;
  readonly true: number;
  readonly false: number;
  readonly error: number;
}

export interface RuleCoverage {
  readonly rule: string;
  readonly effect: Effect;
  readonly place: Place;
  /** A rule without a condition matches every call of its tools. */
  readonly conditional: boolean;
  readonly matched: number;
  readonly unmatched: number;
  readonly clauses: readonly ClauseCoverage[];
}

/** What no case has shown yet, with its place in the policy. */
export interface Gap {
  readonly place: Place;
  readonly text: string;
}

export interface Coverage {
  /** In file order, without the rules of a preset. */
  readonly rules: readonly RuleCoverage[];
  /** How many things cases can show, and how many of them some case has shown. */
  readonly goals: number;
  readonly met: number;
  readonly gaps: readonly Gap[];
}

type Counts = {
  matched: number;
  unmatched: number;
  readonly clauses: { true: number; false: number; error: number }[];
};

/** Coverage of `policy` by the results of cases, one list for each case. */
export function coverageOf(policy: Policy, cases: Iterable<readonly RuleResult[]>): Coverage {
  const written = policy.configuration.rules.filter((rule) => !isPreset(rule));
  const counts = new Map<string, Counts>(written.map(({ id }) => [id, { matched: 0, unmatched: 0, clauses: [] }]));
  for (const results of cases) for (const result of results) count(counts.get(result.rule), result);
  const conditions = conditionsOf(policy);
  const rules = written.map((rule) => coverageOfRule(rule, conditions.get(rule.id), counts.get(rule.id)));
  const goals = rules.flatMap(goalsOf);
  return {
    rules,
    goals: goals.length,
    met: goals.filter(({ met }) => met).length,
    gaps: rules.flatMap(gapsOf),
  };
}

/** Whole percent of the goals that are met; 100 where there are none. */
export function percentOf({ goals, met }: Pick<Coverage, 'goals' | 'met'>): number {
  return goals === 0 ? 100 : Math.floor((100 * met) / goals);
}

function count(counts: Counts | undefined, { matched, clauses }: RuleResult): void {
  if (counts === undefined) return;
  if (matched) counts.matched += 1;
  else counts.unmatched += 1;
  for (const [index, { result }] of clauses.entries()) {
    const clause = (counts.clauses[index] ??= { true: 0, false: 0, error: 0 });
    clause[`${result}`] += 1;
  }
}

/** Of each rule its condition as typed for some tool: the clauses are the same for all. */
function conditionsOf(policy: Policy): ReadonlyMap<string, Expression> {
  const found = new Map<string, Expression>();
  const add = ({ rule, condition }: TypedRule): void => {
    if (condition !== undefined && !found.has(rule.id)) found.set(rule.id, condition);
  };
  for (const { rules } of policy.tools.values())
    for (const list of [rules.allow, rules.ask, rules.deny]) list.forEach(add);
  return found;
}

function coverageOfRule(rule: Rule, condition: Expression | undefined, counts: Counts | undefined): RuleCoverage {
  const { id, effect, place, when } = rule;
  const { matched = 0, unmatched = 0, clauses = [] } = counts ?? {};
  const told = when === undefined ? [] : (condition?.clauses ?? []);
  return {
    rule: id,
    effect,
    place,
    conditional: when !== undefined,
    matched,
    unmatched,
    clauses: told.map(({ text, offset }, index) => {
      const counted = clauses[index] ?? { true: 0, false: 0, error: 0 };
      return { text, place: when === undefined ? place : locate(when, offset), ...counted };
    }),
  };
}

interface Goal extends Gap {
  readonly met: boolean;
}

/** A clause that is the whole condition goes as the rule goes. */
function goalsOf({ rule, place, conditional, matched, unmatched, clauses }: RuleCoverage): readonly Goal[] {
  const goals: Goal[] = [{ place, text: `${rule} never matches`, met: matched > 0 }];
  if (conditional) goals.push({ place, text: `${rule} always matches`, met: unmatched > 0 });
  if (clauses.length < 2) return goals;
  for (const clause of clauses) {
    const named = `\`${clause.text.replaceAll(/\s+/gu, ' ')}\` of ${rule}`;
    goals.push({ place: clause.place, text: `${named} is never true`, met: clause.true > 0 });
    goals.push({ place: clause.place, text: `${named} is never false`, met: clause.false > 0 });
  }
  return goals;
}

function gapsOf(coverage: RuleCoverage): readonly Gap[] {
  const { rule, place, matched, unmatched } = coverage;
  if (matched + unmatched === 0) return [{ place, text: `${rule} is never exercised` }];
  return goalsOf(coverage)
    .filter(({ met }) => !met)
    .map(({ place: at, text }) => ({ place: at, text }));
}
