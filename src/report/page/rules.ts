/** The rules and budgets of the policies that a log holds, as their configurations have them. Pure. */

import type { JsonValue } from '../../value/json.ts';
import { isFields, memberOf, numberIn, textIn } from './fields.ts';
import type { Story } from './story.ts';

export interface RuleText {
  readonly effect: string;
  readonly tools: string;
  readonly when?: string;
  readonly because?: string;
}

export interface BudgetText {
  readonly limit: number;
  readonly unit: string;
  readonly rolling: boolean;
}

/** A configuration of the log. */
export interface PolicyText {
  readonly rule: (id: string) => RuleText | undefined;
  readonly budget: (name: string) => BudgetText | undefined;
}

const EFFECTS = ['allow', 'ask', 'deny'] as const;

/** Looks policies up by digest, reading each once. */
export function policyTexts({ contents }: Story): (digest: string | undefined) => PolicyText | undefined {
  const read = new Map<string, PolicyText | undefined>();
  return (digest) => {
    if (digest === undefined) return undefined;
    if (!read.has(digest)) read.set(digest, policyText(contents.get(digest)));
    return read.get(digest);
  };
}

function policyText(text: string | undefined): PolicyText | undefined {
  const configuration = text === undefined ? undefined : parsed(text);
  if (configuration === undefined) return undefined;
  const listed = memberOf(configuration, 'rules');
  const rules = new Map<string, RuleText>();
  for (const [index, rule] of (Array.isArray(listed) ? (listed as readonly JsonValue[]) : []).entries()) {
    const read = ruleText(rule);
    if (read !== undefined) rules.set(textIn(rule, 'id') ?? `rules/${index}`, read);
  }
  const budgets = memberOf(configuration, 'budgets');
  return { rule: (id) => rules.get(id), budget: (name) => budgetText(memberOf(budgets, name)) };
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function ruleText(rule: JsonValue): RuleText | undefined {
  const effect = EFFECTS.find((one) => textIn(rule, one) !== undefined);
  if (effect === undefined) return undefined;
  const [when, because] = [textIn(rule, 'when'), textIn(rule, 'because')];
  return {
    effect,
    tools: textIn(rule, effect) ?? '',
    ...(when === undefined ? {} : { when }),
    ...(because === undefined ? {} : { because }),
  };
}

function budgetText(budget: JsonValue | undefined): BudgetText | undefined {
  const limit = numberIn(budget, 'limit');
  if (!isFields(budget) || limit === undefined) return undefined;
  return { limit, unit: textIn(budget, 'unit') ?? '', rolling: memberOf(budget, 'rolling') === true };
}
