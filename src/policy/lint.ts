/** What is valid but probably not meant: rules that do nothing, questions nobody can be asked, effects without a key. */

import type { Issue, Place } from '../value/issue.ts';
import { someOf } from './fault-log.ts';
import { knownOf } from './known.ts';
import type { Policy, PolicyTool } from './policy.ts';
import type { Rule } from './rule.ts';
import { TOOL_ONLY } from './vocabulary.ts';

/** The warnings of a policy that compiled. */
export function lint(policy: Policy): readonly Issue[] {
  const { rules, file } = policy.configuration;
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
  issues.push(...duplicates(rules, warn), ...approvers(policy, warn));
  const reach = reachOf(tools);
  for (const rule of rules) {
    const matched = reach.get(rule.id) ?? [];
    if (matched.length === 0) continue;
    issues.push(...unreachable(rule, matched, warn));
    if (rule.effect === 'ask') issues.push(...withoutAllow(rule, matched, warn));
  }
  issues.push(...withoutKey(rules, reach, warn));
  return issues;
}

type Warn = (place: Place, code: string, message: string, hint: string) => Issue;

/** The tools that each rule speaks of. */
function reachOf(tools: readonly PolicyTool[]): ReadonlyMap<string, readonly PolicyTool[]> {
  const reach = new Map<string, PolicyTool[]>();
  for (const tool of tools) {
    for (const { rule } of [...tool.rules.allow, ...tool.rules.ask, ...tool.rules.deny]) {
      const list = reach.get(rule.id) ?? [];
      list.push(tool);
      reach.set(rule.id, list);
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

/** An `allow` or `ask` whose tools are all denied unconditionally, or allowed unconditionally by another rule. */
function unreachable(rule: Rule, matched: readonly PolicyTool[], warn: Warn): readonly Issue[] {
  if (rule.effect === 'deny') return [];
  const denied = matched.every((tool) => tool.rules.deny.some((deny) => deny.condition === undefined));
  if (denied) {
    const hint = 'a `deny` wins over every `allow` and `ask`';
    return [
      warn(rule.place, 'rule-unreachable', `${rule.id} never matters: its tools are denied without condition`, hint),
    ];
  }
  if (rule.effect !== 'allow' || rule.when === undefined) return [];
  const covering = matched.map((tool) => tool.rules.allow.find(({ condition }) => condition === undefined)?.rule.id);
  const [first] = covering;
  if (first === undefined || covering.some((id) => id === undefined)) return [];
  const message = `${rule.id} never matters: ${first} allows the same without condition`;
  return [
    warn(rule.place, 'rule-shadowed', message, 'to restrict what is allowed, write a `deny`, or narrow the other rule'),
  ];
}

function withoutAllow(rule: Rule, matched: readonly PolicyTool[], warn: Warn): readonly Issue[] {
  if (matched.some((tool) => tool.rules.allow.length > 0)) return [];
  const message = `${rule.id} asks about ${someOf(matched.map((tool) => tool.name))}, which no rule allows`;
  return [warn(rule.place, 'ask-without-allow', message, 'an `ask` only restricts: write an `allow` beside it')];
}

/** Tools with effects that some rule may allow and that have no `key:`, told once at the first such rule. */
function withoutKey(
  rules: readonly Rule[],
  reach: ReadonlyMap<string, readonly PolicyTool[]>,
  warn: Warn,
): readonly Issue[] {
  const told = new Set<string>();
  const issues: Issue[] = [];
  for (const rule of rules.filter(({ effect }) => effect === 'allow')) {
    const bare = (reach.get(rule.id) ?? []).filter((tool) => {
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
