/** What is valid but probably not meant: rules that do nothing, questions nobody can be asked, effects without a key. */

import type { Issue, Place } from '../value/issue.ts';
import { covers, lintCondition } from './condition/condition-lint.ts';
import type { Applied } from './condition/condition-lint.ts';
import { someOf } from './condition/fault-log.ts';
import { knownOf } from './condition/known.ts';
import type { Policy, PolicyTool, TypedRule } from './policy.ts';
import { isPreset } from './document/preset.ts';
import type { Rule } from './document/rule.ts';
import { TOOL_ONLY } from './condition/vocabulary.ts';
import { OWN_SERVER } from './tool/own-definition.ts';
import { isOwnTool } from './tool/own.ts';
import { serverOf } from './tool/pattern.ts';

/** The warnings of a policy that compiled. */
export function lint(policy: Policy): readonly Issue[] {
  const { file, preset } = policy.configuration;
  const rules = policy.configuration.rules.filter((rule) => !isPreset(rule));
  const warn = ({ line, column }: Place, code: string, message: string, hint: string): Issue => {
    return { code, severity: 'warning', message, hint, file, line, column };
  };
  const tools = [...policy.tools.values()];
  const issues: Issue[] = [];
  if (rules.length === 0) {
    issues.push(
      warn({ line: 1, column: 1 }, 'no-rules', 'there are no rules', 'everything is denied until an `allow` matches'),
    );
  }
  if (preset === 'shadow') {
    const hint = 'remove `preset: shadow` to enforce the rules';
    issues.push(
      warn({ line: 1, column: 1 }, 'preset-shadow', 'no rule denies anything: the preset only watches', hint),
    );
  }
  issues.push(...duplicates(rules, warn), ...approvers(policy, warn));
  const reach = reachOf(tools);
  for (const rule of rules) {
    const applied = reach.get(rule.id) ?? [];
    if (applied.length === 0) continue;
    const matched = applied.map(([tool]) => tool);
    issues.push(...unreachable(rule, applied, warn), ...lintCondition(rule, applied, file));
    if (rule.effect === 'ask') issues.push(...withoutAllow(rule, matched, warn));
  }
  issues.push(...withoutKey(rules, reach, warn));
  return issues;
}

type Warn = (place: Place, code: string, message: string, hint: string) => Issue;

/** The tools that each rule speaks of; of Interlock's own, those that it names. */
function reachOf(tools: readonly PolicyTool[]): ReadonlyMap<string, readonly Applied[]> {
  const reach = new Map<string, Applied[]>();
  for (const tool of tools) {
    for (const typed of [...tool.rules.allow, ...tool.rules.ask, ...tool.rules.deny]) {
      if (tool.server === OWN_SERVER && serverOf(typed.rule.pattern) === undefined) continue;
      const list = reach.get(typed.rule.id) ?? [];
      list.push([tool, typed]);
      reach.set(typed.rule.id, list);
    }
  }
  return reach;
}

function duplicates(rules: readonly Rule[], warn: Warn): readonly Issue[] {
  const seen = new Map<string, Rule>();
  const issues: Issue[] = [];
  for (const rule of rules) {
    const key = JSON.stringify([rule.effect, rule.pattern.text, rule.when?.text ?? null]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, rule);
    else issues.push(warn(rule.place, 'rule-duplicate', `${rule.id} says what ${first.id} says`, 'remove one of them'));
  }
  return issues;
}

/** Rules on one tool above which only those without condition are looked at: comparing all pairs takes too long. */
const COMPARED_MAX = 300;

/** The first of `wide` that matches whatever `narrow` matches on `tool`. */
function covering(tool: PolicyTool, wide: readonly TypedRule[], narrow: TypedRule): Rule | undefined {
  const compared = wide.length > COMPARED_MAX ? wide.filter(({ condition }) => condition === undefined) : wide;
  return compared.find((typed) => typed.rule !== narrow.rule && covers(tool, typed, narrow))?.rule;
}

/** An `allow` or `ask` that `deny` rules cover on all its tools, or an `allow` that another one covers. */
function unreachable(rule: Rule, applied: readonly Applied[], warn: Warn): readonly Issue[] {
  if (rule.effect === 'deny') return [];
  const denying = applied.map(([tool, typed]) => covering(tool, tool.rules.deny, typed));
  const [denies] = denying;
  if (denies !== undefined && denying.every((each) => each !== undefined)) {
    const hint = 'a `deny` wins over every `allow` and `ask`';
    const how =
      denies.when === undefined ? 'its tools are denied without condition' : `${denies.id} denies what it matches`;
    return [warn(rule.place, 'rule-unreachable', `${rule.id} never matters: ${how}`, hint)];
  }
  if (rule.effect !== 'allow' || rule.when === undefined) return [];
  const wider = applied.map(([tool, typed]) => covering(tool, tool.rules.allow, typed));
  const [allows] = wider;
  if (allows === undefined || wider.some((each) => each === undefined)) return [];
  // Of two that cover each other the later one is told.
  const mutual = applied.every(([tool, typed]) =>
    tool.rules.allow.some((other) => other.rule === allows && typed.order < other.order && covers(tool, typed, other)),
  );
  if (mutual) return [];
  const how = allows.when === undefined ? 'allows the same without condition' : 'allows all that it matches';
  const hint = 'to restrict what is allowed, write a `deny`, or narrow the other rule';
  return [warn(rule.place, 'rule-shadowed', `${rule.id} never matters: ${allows.id} ${how}`, hint)];
}

function withoutAllow(rule: Rule, matched: readonly PolicyTool[], warn: Warn): readonly Issue[] {
  if (matched.some((tool) => tool.rules.allow.length > 0)) return [];
  const message = `${rule.id} asks about ${someOf(matched.map((tool) => tool.name))}, which no rule allows`;
  return [warn(rule.place, 'ask-without-allow', message, 'an `ask` only restricts: write an `allow` beside it')];
}

/** Tools with effects that some rule may allow and that have no `key:`, told once at the first such rule. */
function withoutKey(
  rules: readonly Rule[],
  reach: ReadonlyMap<string, readonly Applied[]>,
  warn: Warn,
): readonly Issue[] {
  const told = new Set<string>();
  const issues: Issue[] = [];
  for (const rule of rules.filter(({ effect }) => effect === 'allow')) {
    const matched = (reach.get(rule.id) ?? []).map(([tool]) => tool);
    const bare = matched.filter((tool) => {
      if (isOwnTool(tool.name)) return false;
      if (told.has(tool.name) || tool.effect === 'read' || tool.key !== undefined || tool.name.includes('/'))
        return false;
      const typed = tool.rules.allow.find((candidate) => candidate.rule === rule);
      return typed !== undefined && knownOf(typed, TOOL_ONLY, { tool: tool.value }, 'no') !== 'no';
    });
    if (bare.length === 0) continue;
    for (const tool of bare) told.add(tool.name);
    const message = `${rule.id} allows ${someOf(bare.map((tool) => tool.name))}, with effects and without \`key\``;
    const hint = 'declare `effect: read`, or a `key` that tells when two calls are the same business';
    issues.push(warn(rule.place, 'effect-without-key', message, hint));
  }
  return issues;
}

/** Approvers that are neither a principal nor a role of one. `requester` is whoever asked. */
function approvers({ configuration }: Policy, warn: Warn): readonly Issue[] {
  const { principals, rules } = configuration;
  const known = new Set(['requester', ...(principals?.keys() ?? [])]);
  for (const { roles } of principals?.values() ?? []) for (const role of roles) known.add(role);
  return rules.flatMap((rule) =>
    (rule.approvers ?? [])
      .filter((approver) => !known.has(approver))
      .map((approver) => {
        const hint = 'add a principal with this id or role to `principals`';
        return warn(rule.place, 'approver-nobody', `nobody is \`${approver}\`, an approver of ${rule.id}`, hint);
      }),
  );
}
