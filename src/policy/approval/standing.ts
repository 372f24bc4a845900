/** Standing rules: from a call that was approved to calls that are not asked about any more, until some day. */

import type { Parsed } from '../../value/issue.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { formatInstant } from '../../value/time.ts';
import { applyEdits, editConditions } from '../document/amend.ts';
import type { Edit } from '../document/amend.ts';
import { compilePolicy } from '../compile.ts';
import type { Configuration } from '../document/configuration.ts';
import type { Request } from '../decide/decision.ts';
import type { FactValues } from '../meter/fact.ts';
import { judge } from '../decide/judge.ts';
import { literal } from '../../expression/literal-text.ts';
import type { Policy, TypedRule } from '../policy.ts';
import { isPreset } from '../document/preset.ts';
import { configurationDigest } from '../recorded.ts';

/**
 * Which calls a standing rule speaks of, all of them of the same principal and tool: `call` — those with exactly the same
 * arguments; `recipient` — those with the same values of the arguments `by`; `tool` — all.
 */
export type Scope =
  | { readonly kind: 'call' }
  | { readonly kind: 'recipient'; readonly by: readonly string[] }
  | { readonly kind: 'tool' };

/** What a standing rule is derived from, and how far it goes. */
export interface Order {
  /** The call that was approved, as it was decided; `now` is the time of the derivation. */
  readonly request: Request;
  readonly facts: FactValues;
  readonly scope: Scope;
  /** When everything is as before, milliseconds since the epoch. */
  readonly until: number;
}

/** The text of the policy before, and how a text becomes a configuration. */
export interface Written {
  readonly text: string;
  parse(text: string): Parsed<Configuration>;
}

export type Standing =
  | {
      readonly ok: true;
      /** The new text. */
      readonly text: string;
      readonly edits: readonly Edit[];
      /** The rules that do not ask about such calls any more, and their conditions now. */
      readonly rules: readonly { readonly id: string; readonly when: string }[];
    }
  | { readonly ok: false; readonly message: string };

/** UTF-16 units of all values that a rule is made to name. */
const VALUES_LENGTH_MAX = 8_192;

/**
 * Lifts every rule that asks about the call, for the calls of the scope and until `until`: the rule's condition gets
 * `&& !(…)`. Rules that allow or deny stay what they are, so a call that they do not allow is not allowed by this. The
 * new policy is decided before it is offered: now it allows the call, and at `until` it decides as the old one.
 */
export function deriveStanding(policy: Policy, written: Written, order: Order): Standing {
  const { request, facts, scope, until } = order;
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || tool.invalid !== undefined) return refused(`the policy does not speak of ${request.tool}`);
  const before = judge(policy, request, facts);
  if (before.effect === 'deny') return refused(`under the policy in force the call is denied (${before.code})`);
  if (before.effect === 'allow') return refused('under the policy in force no rule asks about the call');
  const terms = termsOf(request, scope);
  if (typeof terms === 'string') return refused(terms);
  if (until <= request.now) return refused('a standing rule must last longer than nothing');
  const asking = tool.rules.ask.filter(({ rule }) => before.rules.includes(rule.id));
  const preset = asking.find(({ rule }) => isPreset(rule));
  if (preset !== undefined) return refused(`\`${preset.rule.id}\` asks too, and stands in no file to be changed`);
  const conditions = new Map(asking.map((typed) => [typed.order, excepting(typed, terms, until)]));
  const edits = editConditions(written.text, conditions);
  const text = edits === undefined ? '' : applyEdits(written.text, edits);
  const parsed = written.parse(text);
  if (edits === undefined || !parsed.ok || parsed.value.digest !== configurationDigest(dataWith(policy, conditions))) {
    return refused('the file is written in a way that cannot be changed by a program: change it by hand');
  }
  const problem = problemOf(policy, parsed.value, order, before.rules);
  if (problem !== undefined) return refused(problem);
  return { ok: true, text, edits, rules: asking.map(({ rule, order: at }) => ruleOf(rule.id, conditions.get(at))) };
}

function ruleOf(id: string, when = ''): { readonly id: string; readonly when: string } {
  return { id, when };
}

function refused(message: string): Standing & { readonly ok: false } {
  return { ok: false, message };
}

/** What a call must be for a rule to be lifted. */
interface Terms {
  readonly principal: string;
  readonly tool: string;
  /** What must equal which value: `` the arguments as a whole, `["to"]` one of them. */
  readonly equal: readonly (readonly [member: string, value: string])[];
}

/** The terms, or why there are none. */
function termsOf({ principal, tool, args }: Request, scope: Scope): Terms | string {
  const equal: [string, string][] = [];
  if (scope.kind === 'call') equal.push(['', literal(args)]);
  if (scope.kind === 'recipient') {
    if (scope.by.length === 0) return 'which arguments name the recipient must be said';
    for (const name of new Set(scope.by)) {
      const value = Object.hasOwn(args, name) ? args[name] : undefined;
      if (value === undefined) return `the call has no argument \`${name}\``;
      equal.push([`[${literal(name)}]`, literal(value)]);
    }
  }
  const length = equal.reduce((sum, [member, value]) => sum + member.length + value.length, 0);
  if (length <= VALUES_LENGTH_MAX) return { principal: literal(principal), tool: literal(tool), equal };
  return `the values take ${length} characters, more than ${VALUES_LENGTH_MAX} that somebody would read: name fewer`;
}

/**
 * The rule's condition but for the calls of `terms` until then. Where an argument is missing, what is excepted cannot
 * be evaluated, and an `ask` that errs asks.
 */
function excepting({ rule, condition }: TypedRule, { principal, tool, equal }: Terms, until: number): string {
  // A rule that speaks of many tools is typed for each of them, and the argument may be of another type there.
  const args = rule.pattern.runs.length > 1 ? 'dyn(args)' : 'args';
  const exception = [
    `principal.id == ${principal}`,
    `tool.name == ${tool}`,
    ...equal.map(([member, value]) => `${args}${member} == ${value}`),
    `now < timestamp(${literal(formatInstant(until))})`,
  ].join(' && ');
  const before = rule.when?.text.trim();
  if (before === undefined) return `!(${exception})`;
  // A comment goes on to the end of its line.
  const space = before.includes('\n') || before.replaceAll(TEXTS, '').includes('//') ? '\n' : '';
  const root = condition?.root;
  const binds = root?.kind === 'choose' || (root?.kind === 'logic' && root.operator === '||');
  if (binds) return `(${space}${before}${space}) && !(${exception})`;
  return `${before}${space === '' ? ' ' : space}&& !(${exception})`;
}

const TEXTS = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/gu;

/** The document as it must be after the edits. */
function dataWith({ configuration }: Policy, conditions: ReadonlyMap<number, string>): JsonObject {
  const { data } = configuration;
  const rules: readonly JsonValue[] = Array.isArray(data['rules']) ? data['rules'] : [];
  const changed = rules.map((rule, index): JsonValue => {
    const condition = conditions.get(index);
    if (condition === undefined || !isJsonObject(rule)) return rule;
    // Where the text ends with a line break, that stays.
    const trail = typeof rule['when'] === 'string' ? /\n*$/u.exec(rule['when'])?.[0] : undefined;
    return { ...rule, when: `${condition}${trail ?? ''}` };
  });
  return { ...data, rules: changed };
}

/** Why the new configuration is not what was meant; nothing when the decisions on the call itself are as they must be. */
function problemOf(policy: Policy, next: Configuration, order: Order, asked: readonly string[]): string | undefined {
  const { request, facts, until } = order;
  const tools = new Map([...policy.tools].map(([name, { definition }]) => [name, definition]));
  const made = compilePolicy(next, tools);
  const wrong = made.issues.find(({ severity, line }) => severity === 'error' && line > 0);
  const changed = made.policy;
  if (changed === undefined) return `the changed rule would not load: ${wrong?.message ?? 'it is malformed'}`;
  const broken = [...changed.tools.values()].find(({ name, invalid }) => invalid !== policy.tools.get(name)?.invalid);
  if (broken !== undefined) return `the changed rule would not load for ${broken.name}: ${broken.invalid ?? ''}`;
  const now = judge(changed, request, facts);
  if (now.effect !== 'allow') return `the changed rule would still not allow the call: ${now.explanation}`;
  const [then, thenBefore] = [changed, policy].map((each) => judge(each, { ...request, now: until }, facts));
  if (then?.effect === thenBefore?.effect && then?.code === thenBefore?.code) return undefined;
  return `the changed rule would not end in time: it is one of ${asked.join(', ')}`;
}
