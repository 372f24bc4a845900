/** What conditions say that was probably not meant: constants, rules that never match, omissions that slip through. */

import type { Node } from '../../expression/tree.ts';
import { childrenOf } from '../../expression/tree.ts';
import type { Issue } from '../../value/issue.ts';
import { comparisonOf, conjunctsOf } from './comparison.ts';
import type { Comparison } from './comparison.ts';
import { faultLog } from './fault-log.ts';
import type { FaultLog } from './fault-log.ts';
import type { PolicyTool, TypedRule } from '../policy.ts';
import { presenceTests } from './presence.ts';
import type { Rule } from '../document/rule.ts';
import { domainOf, someValue } from './sample.ts';

/** A rule as it is typed for a tool. */
export type Applied = readonly [tool: PolicyTool, typed: TypedRule];

/** The warnings about the condition of `rule`, which applies to `applied`. */
export function lintCondition(rule: Rule, applied: readonly Applied[], file: string): readonly Issue[] {
  const faults = faultLog(file);
  const [first] = applied;
  const root = first?.[1].condition?.root;
  if (rule.when === undefined || root === undefined) return [];
  if (!reads(root)) noteConstant(rule, first?.[1], faults);
  else {
    notePresence(rule, applied, faults);
    noteNever(rule, applied, faults);
  }
  return faults.issues();
}

/** Whether anything of the call is read at all. */
function reads(node: Node): boolean {
  return node.kind === 'variable' || childrenOf(node).some(reads);
}

function noteConstant(rule: Rule, typed: TypedRule | undefined, faults: FaultLog): void {
  const evaluated = typed?.condition?.evaluate({});
  if (rule.when === undefined || evaluated === undefined) return;
  const always = evaluated.ok ? `is always ${evaluated.value === true ? 'true' : 'false'}` : 'can never be evaluated';
  const hint = evaluated.ok && evaluated.value === true ? 'leave `when` out to say always' : 'say what it depends on';
  const problem = {
    code: 'condition-constant',
    severity: 'warning',
    message: `it ${always}`,
    hint,
    offset: 0,
  } as const;
  faults.add(`\`when\` of ${rule.id}`, rule.when, problem);
}

/** An omission must not be what makes a `deny` or `ask` false, or an `allow` true. */
function notePresence(rule: Rule, applied: readonly Applied[], faults: FaultLog): void {
  if (rule.when === undefined) return;
  const dangerous = rule.effect === 'allow' ? 'true' : 'false';
  const wildcard = rule.pattern.runs.length > 1;
  for (const [tool, { condition }] of applied) {
    if (condition === undefined) continue;
    for (const { offset, about, omitted } of presenceTests(condition.root, tool.argsType)) {
      if (omitted !== dangerous && omitted !== 'either') continue;
      const what = about === 'args' ? 'an argument' : `\`${about}\``;
      const may = omitted === 'either' ? 'may be' : 'is';
      const message =
        rule.effect === 'allow'
          ? `leaving out ${what} ${may} what makes this allow match`
          : `a call that leaves out ${what} ${may === 'is' ? 'is' : 'may be'} let through by this ${rule.effect}`;
      const hint =
        rule.effect === 'allow'
          ? `without the test, an allow does not match where ${what} is missing`
          : `without the test, ${rule.effect === 'deny' ? 'a deny' : 'an ask'} matches where ${what} is missing`;
      const code = `presence-in-${rule.effect}`;
      faults.add(
        `\`when\` of ${rule.id}`,
        rule.when,
        { code, severity: 'warning', message, hint, offset },
        wildcard ? tool.name : undefined,
      );
    }
  }
}

/** A condition that no call of any tool it applies to can make true, the values that the schemas have considered. */
function noteNever(rule: Rule, applied: readonly Applied[], faults: FaultLog): void {
  if (rule.when === undefined) return;
  let reason: readonly [string, number] | undefined;
  for (const [tool, typed] of applied) {
    reason = impossible(tool, typed);
    if (reason === undefined) return;
  }
  if (reason === undefined) return;
  const [about, offset] = reason;
  const message = `it can never be true: no value of \`${about}\` that the schema has makes it so`;
  const hint = 'compare it with values that the schema has';
  const problem = { code: 'condition-never', severity: 'warning', message, hint, offset } as const;
  faults.add(`\`when\` of ${rule.id}`, rule.when, problem);
}

/** The argument whose comparisons exclude each other or the schema, and where the last of them stands. */
function impossible(tool: PolicyTool, { condition }: TypedRule): readonly [string, number] | undefined {
  if (condition === undefined) return undefined;
  const groups = new Map<string, { readonly all: Comparison[]; readonly offset: number }>();
  for (const term of conjunctsOf(condition.root)) {
    const comparison = comparisonOf(term, tool.argsType);
    if (comparison === undefined || comparison.type === 'other') continue;
    const name = ['args', ...comparison.path].join('.');
    const group = groups.get(name) ?? { all: [], offset: term.offset };
    groups.set(name, group);
    group.all.push(comparison);
  }
  for (const [name, { all, offset }] of groups) {
    const [first] = all;
    if (first === undefined) continue;
    if (someValue(domainOf(tool.definition.inputSchema, first.path), all) === false) return [name, offset];
  }
  return undefined;
}

/**
 * Whether `wide` matches every call of `tool` that `narrow` matches: each of its clauses stands in `narrow` too, or
 * follows from what `narrow` and the schema say of the same argument.
 */
export function covers(tool: PolicyTool, wide: TypedRule, narrow: TypedRule): boolean {
  if (wide.condition === undefined) return true;
  if (narrow.condition === undefined) return false;
  const said = new Set(narrow.condition.clauses.map(({ text }) => plain(text)));
  const open = wide.condition.clauses.filter(({ text }) => !said.has(plain(text)));
  if (open.length === 0) return true;
  const wideTerms = conjunctsOf(wide.condition.root);
  if (wideTerms.length !== wide.condition.clauses.length) return false;
  const given = conjunctsOf(narrow.condition.root).flatMap((term) => comparisonOf(term, tool.argsType) ?? []);
  return open.every((clause) => {
    const term = wideTerms[wide.condition?.clauses.indexOf(clause) ?? -1];
    const wanted = term === undefined ? undefined : comparisonOf(term, tool.argsType);
    if (wanted === undefined || wanted.type === 'other') return false;
    const about = given.filter(({ path, type }) => type !== 'other' && path.join('\n') === wanted.path.join('\n'));
    // Where `narrow` says nothing of it, it may be missing.
    if (about.length === 0) return false;
    return someValue(domainOf(tool.definition.inputSchema, wanted.path), about, wanted) === false;
  });
}

function plain(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}
