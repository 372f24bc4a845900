/** The rules that allow exactly the calls that were made: who, which tool, and its arguments, none more and none less. */

import { canonicalText } from '../value/canonical.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { literal } from '../expression/literal-text.ts';

/** A call that was made, once or more often. */
export interface MadeCall {
  readonly principal: string;
  readonly tool: string;
  readonly args: JsonObject;
}

/** One `allow` as a configuration writes it. */
export type LearnedRule = Readonly<Record<'id' | 'allow' | 'when' | 'because', string>>;

/** Values that one rule lists, and characters that they take: what somebody can still review. */
const VALUES_MAX = 200;
const LENGTH_MAX = 16_384;

/**
 * The rules, by tool. Calls that differ in one argument only share a rule that lists its values, so that no rule allows a
 * combination that was not made; of the arguments it is the one that takes the fewest rules.
 */
export function learnedRules(calls: readonly MadeCall[]): readonly LearnedRule[] {
  const counts = new Map<string, { call: MadeCall; count: number }>();
  for (const call of calls) {
    const { principal, tool, args } = call;
    const key = canonicalText([tool, principal, args]);
    const known = counts.get(key) ?? { call, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  const byCaller = grouped([...counts.values()], ({ call: { tool, principal } }) => canonicalText([tool, principal]));
  const sorted = byCaller.toSorted(([{ call: a }], [{ call: b }]) => (a.tool < b.tool ? -1 : Number(a.tool > b.tool)));
  const rules = sorted.flatMap((made) => rulesOf(made));
  return rules.map((rule, index) => ({ id: `learned/${index + 1}`, ...rule }));
}

type Unnamed = Pick<LearnedRule, 'allow' | 'when' | 'because'>;

interface Counted {
  readonly call: MadeCall;
  readonly count: number;
}

type Group = readonly [Counted, ...Counted[]];

function grouped(calls: readonly Counted[], keyOf: (counted: Counted) => string): readonly Group[] {
  const groups = new Map<string, [Counted, ...Counted[]]>();
  for (const counted of calls) {
    const key = keyOf(counted);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [counted]);
    else group.push(counted);
  }
  return [...groups.values()];
}

/** Calls of one tool by one principal. */
function rulesOf(made: Group): readonly Unnamed[] {
  const names = new Set(made.flatMap(({ call: { args } }) => Object.keys(args)));
  let best: readonly Group[] = made.map((one): Group => [one]);
  let varying: string | undefined;
  for (const name of names) {
    const groups = grouped(made, ({ call: { args } }) => canonicalText(restOf(args, name)));
    if (groups.length >= best.length) continue;
    best = groups;
    varying = name;
  }
  return best.flatMap((group) => chunks(group, varying)).map((group) => ruleOf(group, varying));
}

/** The arguments but for one; whether it was given at all stays. */
function restOf(args: JsonObject, name: string): JsonValue {
  const { [name]: value, ...rest } = args;
  return [value !== undefined, rest];
}

function chunks(group: Group, varying: string | undefined): readonly Group[] {
  if (varying === undefined) return [group];
  const parts: [Counted, ...Counted[]][] = [];
  let length = 0;
  for (const counted of group) {
    const part = parts.at(-1);
    const size = literal(counted.call.args[varying] ?? null).length;
    if (part === undefined || part.length === VALUES_MAX || length + size > LENGTH_MAX) {
      parts.push([counted]);
      length = 0;
    } else part.push(counted);
    length += size;
  }
  return parts;
}

function ruleOf(group: Group, varying: string | undefined): Unnamed {
  const [{ call }] = group;
  const { principal, tool, args } = call;
  const count = group.reduce((sum, each) => sum + each.count, 0);
  const because = `${count} recorded ${count === 1 ? 'call' : 'calls'}`;
  const caller = `principal.id == ${literal(principal)}`;
  const isList = varying !== undefined && group.length > 1 && Object.hasOwn(args, varying);
  if (!isList) return { allow: tool, when: `${caller} && args == ${literal(args)}`, because };
  const value = `args[${literal(varying)}]`;
  const values = group.map(({ call: { args: each } }) => literal(each[varying] ?? null)).toSorted();
  const members = Object.entries(args).map(([name, member]) => {
    return `${literal(name)}: ${name === varying ? value : literal(member)}`;
  });
  return {
    allow: tool,
    when: `${caller} && ${value} in [${values.join(', ')}] && args == {${members.join(', ')}}`,
    because,
  };
}
