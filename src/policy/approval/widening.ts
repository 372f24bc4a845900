/**
 * What a changed policy may allow or ask where the one before denied, or allow where it asked. Conservative: what is not
 * proved to narrow counts as widening. Pure.
 */

import { canonicalText } from '../../value/canonical.ts';
import type { Place } from '../../value/issue.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { isJsonObject } from '../../value/json.ts';
import { questionTerms } from './approval.ts';
import { budgetsIn } from '../meter/budget-reading.ts';
import type { Budget } from '../meter/budget.ts';
import type { Configuration } from '../document/configuration.ts';
import type { Limit } from '../meter/limit.ts';
import type { Policy } from '../policy.ts';
import type { PrincipalDeclaration } from '../document/principal.ts';
import { covering } from './rule-cover.ts';
import type { Covering } from './rule-cover.ts';
import type { Rule } from '../document/rule.ts';

/** One change that is not proved to narrow. */
export interface Widening {
  /** One line: what, of which rule, budget or key. */
  readonly message: string;
  /** Where it stands, in the file that is `now` there or as it was `before`. */
  readonly place: Place;
  readonly of: 'now' | 'before';
}

const START: Place = { line: 1, column: 1 };
/** Changed rules above which each counts as widening: comparing all pairs takes too long. */
const COMPARED_MAX = 500;

/**
 * The changes that may widen; none means that on every request and all facts `after` allows only what `before` allows,
 * and asks only about what `before` allows or asks. Both are compiled over the same tools: whether that holds for tools
 * that appear later depends on both typing them.
 */
export function wideningsOf(before: Policy, after: Policy): readonly Widening[] {
  const [old, next] = [before.configuration, after.configuration];
  if (old.digest === next.digest) return [];
  return [
    ...rules(old, next),
    ...budgets(old, next),
    ...limits(old, next),
    ...principals(old, next),
    ...settings(old, next),
    ...servers(old, next),
    ...others(old, next),
    ...mended(before, after),
  ];
}

function widened(message: string, place: Place = START, of: Widening['of'] = 'now'): Widening {
  const { line, column } = place;
  return { message, place: { line, column }, of };
}

function* rules(old: Configuration, next: Configuration): Generator<Widening> {
  if (next.preset === 'shadow' && old.preset !== 'shadow') {
    yield widened('the preset `shadow` enforces no rule');
    return;
  }
  // Where no rule was enforced, none can widen.
  if (old.preset === 'shadow') return;
  const [before, after] = [changed(old.rules, next.rules), changed(next.rules, old.rules)];
  const many = before.length > COMPARED_MAX || after.length > COMPARED_MAX;
  const cover = covering(new Map([...old.budgets, ...next.budgets]));
  const allows = old.rules.filter(({ effect }) => effect === 'allow');
  const restrictions = next.rules.filter(({ effect }) => effect !== 'allow');
  for (const rule of after) {
    if (rule.effect !== 'allow') continue;
    if (!many && allows.some((wide) => isLike(wide, rule) && cover.coversAllow(wide, rule))) continue;
    yield widened(`${rule.id} allows what no rule allowed before`, rule.place);
  }
  for (const rule of before) {
    if (rule.effect === 'allow') continue;
    if (!many && restrictions.some((wide) => restricts(cover, wide, rule))) continue;
    const does = rule.effect === 'deny' ? 'denied' : 'asked about';
    yield widened(`what ${rule.id} ${does} is so no more`, rule.place, 'before');
  }
}

/** The rules of `some` that `others` does not have, whatever they are called and wherever they stand. */
function changed(some: readonly Rule[], others: readonly Rule[]): readonly Rule[] {
  const there = new Set(others.map(meaning));
  return some.filter((rule) => !there.has(meaning(rule)));
}

/** All that a rule says of a decision. */
function meaning({ pattern, when, ...rule }: Rule): string {
  const { id: _id, place: _place, because: _because, ...said } = rule;
  return JSON.stringify([pattern.text, when?.text ?? null, said]);
}

/** Whether two rules of one effect differ in nothing but what is compared here: pattern, condition, and how to answer. */
function isLike(a: Rule, b: Rule): boolean {
  return rest(a) === rest(b);
}

function rest(rule: Rule): string {
  const { id: _id, place: _place, because: _because, pattern: _pattern, when: _when, ...said } = rule;
  const { approvers: _a, quorum: _q, notRequester: _n, expiresMs: _e, ...more } = said;
  return JSON.stringify(more);
}

/** Whether `wide` denies, or asks at least as strictly, wherever `rule` denied or asked. */
function restricts(cover: Covering, wide: Rule, rule: Rule): boolean {
  if (!cover.coversRestriction(wide, rule)) return false;
  if (wide.effect === 'deny')
    return rule.effect === 'ask' ? isLike(wide, { ...rule, effect: 'deny' }) : isLike(wide, rule);
  return rule.effect === 'ask' && isLike(wide, rule) && isStricter(wide, rule);
}

/** Whether whoever answers `after` would have answered `before`. */
function isStricter(after: Rule, before: Rule): boolean {
  const [now, then] = [questionTerms(after), questionTerms(before)];
  if (now.quorum < then.quorum || now.expiresMs > then.expiresMs || (then.notRequester && !now.notRequester))
    return false;
  if (then.approvers === undefined) return true;
  return now.approvers?.every((approver) => then.approvers?.includes(approver)) === true;
}

function* budgets(old: Configuration, next: Configuration): Generator<Widening> {
  const read = new Set([...old.rules, ...next.rules].flatMap(({ when }) => namesIn(when?.text ?? '', old.budgets)));
  for (const [name, budget] of old.budgets) {
    const now = next.budgets.get(name);
    if (now === undefined) yield widened(`the budget \`${name}\` is gone`, budget.place, 'before');
    else if (!countsAlike(budget, now)) yield widened(`the budget \`${name}\` counts anew`, now.place);
    else if (now.limit > budget.limit) yield widened(`the budget \`${name}\` grows`, now.place);
    else if (now.limit < budget.limit && read.has(name)) {
      yield widened(`conditions read the budget \`${name}\`, whose limit changes`, now.place);
    }
  }
}

function namesIn(text: string, declared: ReadonlyMap<string, Budget>): readonly string[] {
  return text === '' ? [] : budgetsIn(text, declared).map(({ name }) => name);
}

function countsAlike(a: Budget, b: Budget): boolean {
  return counted(a) === counted(b);
}

function counted({ unit, per, windowMs, rolling }: Budget): string {
  return JSON.stringify([unit, per, windowMs, rolling]);
}

/** A limit keeps its count as long as it counts the same; a rate that is changed starts anew. */
function* limits(old: Configuration, next: Configuration): Generator<Widening> {
  for (const limit of old.limits) {
    if (next.limits.some((each) => each.id === limit.id && isTighter(each, limit))) continue;
    const { kind } = limit.ceiling;
    const message = `the ${kind} on \`${limit.tools.text}\` is gone, grows or counts anew`;
    yield widened(message, limit.tools.place, 'before');
  }
}

function isTighter({ ceiling: now }: Limit, { ceiling: then }: Limit): boolean {
  if (now.kind === 'rate' || then.kind === 'rate') return canonicalText({ ...now }) === canonicalText({ ...then });
  return now.kind === then.kind && now.max <= then.max;
}

/** Who acts, and who may sign: taking a key away would take away whose word the next change needs. */
function* principals(old: Configuration, next: Configuration): Generator<Widening> {
  if (old.principal !== next.principal) yield widened(`the host is \`${next.principal}\` now`);
  const [before, after] = [old.principals, next.principals];
  if (before === undefined || after === undefined) {
    if (before !== after) yield widened('who may act is told by other principals');
    return;
  }
  for (const [id, now] of after) {
    const then = before.get(id);
    if (then === undefined) yield widened(`the principal \`${id}\` is added`, now.place);
    else if (declared(then) !== declared(now)) yield widened(`the principal \`${id}\` is another`, now.place);
  }
  for (const [id, then] of before) {
    if (after.has(id)) continue;
    // `local` is known without being named, then without roles, which a condition may want.
    const plain = then.key === undefined && id !== 'local';
    if (!plain) yield widened(`the principal \`${id}\` is gone`, then.place, 'before');
  }
}

function declared({ roles, labels, key }: PrincipalDeclaration): string {
  return JSON.stringify([roles, labels, key ?? null]);
}

function* settings({ approvals: then }: Configuration, { approvals: now }: Configuration): Generator<Widening> {
  if (then.signed && !now.signed) yield widened('approvals need no signature');
  if (!then.interactive && now.interactive) yield widened('the host may answer questions');
}

/** Of a server that is left out nothing can be called. */
function* servers(old: Configuration, next: Configuration): Generator<Widening> {
  const before = membersOf(old.data['servers']);
  for (const [id, server] of Object.entries(membersOf(next.data['servers']))) {
    const place = next.servers.get(id)?.place;
    if (!Object.hasOwn(before, id)) yield widened(`the server \`${id}\` is added`, place);
    else if (canonicalText(before[id] ?? null) !== canonicalText(server)) {
      yield widened(`the server \`${id}\` is another`, place);
    }
  }
}

/** The sections that are compared above, and those that no decision sees. */
const COMPARED: ReadonlySet<string> = new Set([
  'interlock',
  'rules',
  'preset',
  'budgets',
  'limits',
  'principal',
  'principals',
  'approvals',
  'servers',
  'shadow',
]);

/** Any other section must stay as it is. */
function* others(old: Configuration, next: Configuration): Generator<Widening> {
  for (const key of new Set([...Object.keys(old.data), ...Object.keys(next.data)])) {
    if (COMPARED.has(key) || written(old.data, key) === written(next.data, key)) continue;
    yield widened(`\`${key}\` says something else`);
  }
}

function written(data: JsonObject, key: string): string {
  return Object.hasOwn(data, key) ? canonicalText(data[key] ?? null) : '';
}

function membersOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** A rule that does not type denies its tools: without it they may be allowed. */
function* mended(before: Policy, after: Policy): Generator<Widening> {
  for (const [name, tool] of after.tools) {
    if (tool.invalid !== undefined) continue;
    const then = before.tools.get(name);
    if (then === undefined) yield widened(`the tool \`${name}\` is new`);
    else if (then.invalid !== undefined)
      yield widened(`calls of \`${name}\` were denied, as the policy did not fit it`);
  }
}
