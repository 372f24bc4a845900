/**
 * What the clauses of a tool's conditions said that read arguments which are not recorded in clear: with it a decision
 * can be made again by whoever does not know them.
 */

import type { Clause, Evaluation, Expression } from '../../expression/compile.ts';
import { childrenOf } from '../../expression/tree.ts';
import type { Node } from '../../expression/tree.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonValue } from '../../value/json.ts';
import { conjunctsOf, pathOf } from '../condition/comparison.ts';
import { bindingsOf } from '../condition/vocabulary.ts';
import type { FactValues } from '../meter/fact.ts';
import type { Policy, PolicyTool, TypedRule } from '../policy.ts';
import type { Request } from './decision.ts';

type Path = readonly string[];
type Said = boolean | 'error';

/** By the id of a rule and the number of the clause, from 0. */
export type ClauseResults = Readonly<Record<string, Readonly<Record<string, Said>>>>;

/** What the clauses that read something at or under `places` say of `request`; nothing where none does. */
export function clausesReading(
  policy: Policy,
  request: Request,
  facts: FactValues,
  places: readonly Path[],
): ClauseResults | undefined {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || tool.invalid !== undefined || places.length === 0) return undefined;
  const bindings = bindingsOf(policy, tool, request, facts);
  const rules = rulesOf(tool).flatMap(({ rule, condition }) => {
    const read = (condition?.clauses ?? []).flatMap((clause, index) => {
      if (condition === undefined || !reads(nodeOf(condition, index), places)) return [];
      const { ok, ...result } = clause.evaluate(bindings);
      return [
        [String(index), ok && 'value' in result && typeof result.value === 'boolean' ? result.value : 'error'],
      ] as const;
    });
    return read.length === 0 ? [] : [[rule.id, Object.fromEntries(read)] as const];
  });
  return rules.length === 0 ? undefined : Object.fromEntries(rules);
}

/**
 * `policy`, with the recorded results in the place of the clauses of `tool` that read something at or under `places`.
 * `misfit` where a result is missing, or one is recorded that no clause gave; `cost` where what the call costs is read
 * there too.
 */
export function withClauses(
  policy: Policy,
  tool: string,
  recorded: JsonValue | undefined,
  places: readonly Path[],
): Policy | 'misfit' | 'cost' {
  const own = policy.tools.get(tool);
  if (own === undefined) return recorded === undefined ? policy : 'misfit';
  if (own.cost.some(({ amount }) => reads(amount.root, places))) return 'cost';
  const results = isJsonObject(recorded) ? recorded : {};
  let isWhole = Object.keys(results).every((id) => rulesOf(own).some(({ rule }) => rule.id === id));
  const taken = (typed: TypedRule): TypedRule => {
    const { rule, condition } = typed;
    const said = results[rule.id];
    const given = isJsonObject(said) ? said : {};
    if (condition === undefined) return typed;
    const read = condition.clauses.map((_, index) => reads(nodeOf(condition, index), places));
    isWhole &&= read.every((isRead, index) => isRead === isSaid(given[index])) && isDense(given, read.length);
    return read.includes(true) ? { ...typed, condition: withResults(condition, given) } : typed;
  };
  const { allow, ask, deny } = own.rules;
  const rules = { allow: allow.map(taken), ask: ask.map(taken), deny: deny.map(taken) };
  if (!isWhole) return 'misfit';
  // What is declared personal or secret was known when the call was let through, and says nothing of rules.
  const { subject: _subject, ...rest } = own;
  const changed: PolicyTool = { ...rest, rules, personal: [], secrets: [] };
  return { ...policy, tools: new Map([...policy.tools, [tool, changed]]) };
}

function isSaid(said: JsonValue | undefined): boolean {
  return said === true || said === false || said === 'error';
}

function isDense(given: Readonly<Record<string, JsonValue>>, count: number): boolean {
  return Object.keys(given).every((index) => /^\d+$/u.test(index) && Number(index) < count);
}

function rulesOf({ rules }: PolicyTool): readonly TypedRule[] {
  return [...rules.allow, ...rules.ask, ...rules.deny];
}

/** A clause in front may be a chain of its own; then each reads what the whole of it does. */
function nodeOf(condition: Expression, index: number): Node {
  const terms = conjunctsOf(condition.root);
  const first = terms.length - condition.clauses.length;
  return (index === 0 && first > 0 ? condition.root : terms[first + index]) ?? condition.root;
}

/** Whether `node` reads a value at, under or around one of `places`. That a member is there is told by its place. */
function reads(node: Node, places: readonly Path[]): boolean {
  if (node.kind === 'variable') return node.name === 'args' && places.length > 0;
  if (node.kind === 'has') {
    const around = node.target.kind === 'variable' && node.target.name === 'args' ? [] : pathOf(node.target);
    return around === undefined ? reads(node.target, places) : places.some((place) => isPrefix(place, around));
  }
  const path = pathOf(node);
  if (path !== undefined) return places.some((place) => isPrefix(place, path) || isPrefix(path, place));
  return childrenOf(node).some((child) => reads(child, places));
}

function isPrefix(one: Path, other: Path): boolean {
  return one.length <= other.length && one.every((name, index) => other[index] === name);
}

/** A chain of `&&` whose clauses are `condition`'s, those with a result but for it. */
function withResults(condition: Expression, given: Readonly<Record<string, JsonValue>>): Expression {
  const clauses = condition.clauses.map((clause, index): Clause => {
    const said = given[index];
    return isSaid(said) ? { ...clause, evaluate: () => evaluated(said === true, said === 'error') } : clause;
  });
  const { ast } = condition.root;
  return {
    ...condition,
    clauses,
    // Nothing is known of it but by evaluating it.
    root: { kind: 'unknown', name: '', offset: 0, ast },
    evaluate: (bindings, fuel) => {
      const all = clauses.map((clause) => clause.evaluate(bindings, fuel));
      const isFalse = all.some((one) => one.ok && one.value === false);
      return evaluated(
        all.every((one) => one.ok && one.value === true),
        !isFalse && all.some((one) => !one.ok),
      );
    },
  };
}

function evaluated(value: boolean, isError: boolean): Evaluation {
  if (!isError) return { ok: true, value };
  return { ok: false, error: { code: 'no-such-overload', message: 'it could not be evaluated', offset: 0 } };
}
