/**
 * What a proof knows of values on its way: which of them it follows, what each condition says of them, and how long it
 * has to remember. Input never changes; an output changes when its step is done again.
 */

import type { Expression } from '../../expression/compile.ts';
import { declaredAt } from '../declared.ts';
import { type EdgeKind, edgesOf } from '../graph.ts';
import type { Program, Step } from '../program.ts';
import { type Condition, conditionOf, mayExhaust, typeAt } from './condition.ts';
import { type Facts, type Formula, blurred, formulaOf, variablesOf } from './formula.ts';
import {
  type Scalar,
  type Variable,
  anywhere,
  cellsWhere,
  leftVariable,
  truthVariable,
  valueVariable,
} from './variable.ts';

/** Values of one program that a proof follows from step to step; of the others it knows what is declared. */
const FOLLOWED_MAX = 8;

/** None; those of the property, no more exactly than its condition asks; or all that there is room for. */
export type Following = 'none' | 'property' | 'all';
/** Values that one is compared with; a comparison with more is not looked into. */
const LITERALS_MAX = 64;

export interface Judged {
  readonly formula: Formula;
  /** Whether it may error whatever its values are. */
  readonly mayExhaust: boolean;
}

export interface Knowledge {
  /** What is known when a run begins. */
  readonly initial: Facts;
  judge(condition: Expression): Judged;
  /** What is known after `step` has left its output, at an `ask` with this answer. */
  afterDone(facts: Facts, step: Step, answer?: string): Facts;
  /** `facts` without what makes no difference any more once a run comes to `step`. */
  relevantAt(facts: Facts, step: string): Facts;
  /** Tells apart what is known, as a key of a map. */
  keyOf(facts: Facts): string;
}

/** Of `program` with its choices and `condition`, the one of a property. */
export function knowledgeOf(program: Program, condition: Expression | undefined, following: Following): Knowledge {
  const judged = judgeAll(program, condition);
  const asked = condition === undefined ? undefined : judgedOf(judged, condition).formula;
  const always = asked === undefined ? new Set<Variable>() : variablesOf(asked);
  const followed = followedIn(program, judged, condition)
    .filter((variable) => following === 'all' || (following === 'property' && always.has(variable)))
    .slice(0, FOLLOWED_MAX);
  const live = liveIn(program, judged, followed);
  const known = new Set(followed);
  const outputs = Map.groupBy(
    followed.flatMap((variable) => [...variable.owners].map((owner) => ({ owner, variable }))),
    ({ owner }) => owner,
  );
  return {
    initial: new Map(followed.map((variable) => [variable, variable.initial])),
    judge: (expression) => judgedOf(judged, expression),
    afterDone: (facts, step, answer) => {
      const owned = outputs.get(step.id);
      if (owned === undefined) return facts;
      const after = new Map(facts);
      for (const { variable } of owned) {
        const isAnswer = answer !== undefined && variable.name === `steps.${step.id}.output.answer`;
        const cells = isAnswer ? cellsWhere(variable, (cell) => isWord(cell, variable, answer)) : variable.fresh;
        after.set(variable, cells);
      }
      return after;
    },
    relevantAt: (facts, step) => {
      const alive = live.get(step);
      const kept = [...facts].filter(([each]) => known.has(each) && (always.has(each) || alive?.has(each) === true));
      return following === 'property' && asked !== undefined ? blurred(new Map(kept), asked) : new Map(kept);
    },
    keyOf: (facts) => followed.map((each) => `${facts.get(each) ?? anywhere(each)}`).join(','),
  };
}

/** Whether the cell is that of `word`: its own, or the one of all that nothing is compared with. */
function isWord(cell: Variable['cells'][number], { cells }: Variable, word: string): boolean {
  if (cell.kind === 'value') return cell.value === word;
  return cell.kind === 'other' && !cells.some((other) => other.kind === 'value' && other.value === word);
}

function judgedOf(judged: ReadonlyMap<Expression, Judged>, expression: Expression): Judged {
  const found = judged.get(expression);
  if (found === undefined) throw new Error(`the condition \`${expression.source}\` is not of this program`);
  return found;
}

/** The conditions of a choice; none of any other step. */
function conditionsAt(step: Step): readonly Expression[] {
  return step.kind === 'choose' ? step.branches.flatMap(({ when }) => when ?? []) : [];
}

function judgeAll(program: Program, condition: Expression | undefined): ReadonlyMap<Expression, Judged> {
  const expressions = [...program.steps.values()].flatMap(conditionsAt);
  if (condition !== undefined) expressions.push(condition);
  const read = expressions.map((expression) => [expression, conditionOf(expression, program.types)] as const);
  const literals = new Map<string, Set<Scalar>>();
  for (const [, each] of read) collect(each, literals);
  const variables = new Map<string, Variable>();
  const variableOf = (leaf: Condition): Variable => {
    const key = keyOf(leaf, literals);
    const known = variables.get(key);
    if (known !== undefined) return known;
    const made = makeVariable(program, leaf, key, literals);
    variables.set(key, made);
    return made;
  };
  return new Map(
    read.map(([expression, each]) => {
      const formula = formulaOf(each, variableOf);
      return [expression, { formula, mayExhaust: mayExhaust(expression.root, program.types) }];
    }),
  );
}

function collect(condition: Condition, literals: Map<string, Set<Scalar>>): void {
  if (condition.kind === 'not') return collect(condition.term, literals);
  if (condition.kind === 'and') {
    for (const term of condition.terms) collect(term, literals);
  }
  if (condition.kind !== 'among' && condition.kind !== 'order') return;
  const path = condition.path.join('.');
  const known = literals.get(path) ?? new Set();
  literals.set(path, known);
  const more = condition.kind === 'among' ? condition.literals : [condition.literal];
  if (known.size + more.length <= LITERALS_MAX) for (const literal of more) known.add(literal);
}

/** What a comparison is about: the value, or with too many literals the truth of this very comparison. */
function keyOf(leaf: Condition, literals: ReadonlyMap<string, ReadonlySet<Scalar>>): string {
  switch (leaf.kind) {
    case 'among':
    case 'order': {
      const path = leaf.path.join('.');
      const compared = leaf.kind === 'among' ? leaf.literals : [leaf.literal];
      return compared.every((literal) => literals.get(path)?.has(literal)) ? path : JSON.stringify(leaf);
    }
    case 'left':
      return `has(steps.${leaf.step})`;
    case 'opaque':
      return leaf.text;
    default:
      throw new Error('a comparison was expected');
  }
}

function makeVariable(
  program: Program,
  leaf: Condition,
  key: string,
  literals: ReadonlyMap<string, ReadonlySet<Scalar>>,
): Variable {
  if (leaf.kind === 'left') return leftVariable(key, leaf.step);
  if (leaf.kind === 'opaque') return truthVariable(key, leaf.reads);
  if (leaf.kind !== 'among' && leaf.kind !== 'order') throw new Error('a comparison was expected');
  const { path } = leaf;
  if (key !== path.join('.')) return truthVariable(key, new Set(path[0] === 'steps' ? [path[1] ?? ''] : []));
  return valueVariable(path, typeAt(program.types, path), declaredAt(program, path), literals.get(key) ?? new Set());
}

/** The values to follow, those that help most first: of the property, then of many choices. */
function followedIn(
  program: Program,
  judged: ReadonlyMap<Expression, Judged>,
  condition: Expression | undefined,
): readonly Variable[] {
  const count = new Map<Variable, number>();
  const add = (expression: Expression, weight: number): void => {
    for (const each of variablesOf(judgedOf(judged, expression).formula))
      count.set(each, (count.get(each) ?? 0) + weight);
  };
  for (const step of program.steps.values()) for (const expression of conditionsAt(step)) add(expression, 1);
  if (condition !== undefined) add(condition, program.steps.size);
  return [...count].toSorted(([, a], [, b]) => b - a).map(([variable]) => variable);
}

/** By step, the followed values that a choice after it may look at before they change. */
function liveIn(
  program: Program,
  judged: ReadonlyMap<Expression, Judged>,
  followed: readonly Variable[],
): ReadonlyMap<string, ReadonlySet<Variable>> {
  const live = new Map<string, Set<Variable>>();
  const before = new Map<string, { readonly step: Step; readonly kind: EdgeKind }[]>();
  for (const step of program.steps.values()) {
    live.set(step.id, new Set());
    for (const { to, kind } of edgesOf(step)) {
      const known = before.get(to ?? '');
      if (known === undefined) before.set(to ?? '', [{ step, kind }]);
      else known.push({ step, kind });
    }
  }
  for (const variable of followed) {
    const reached = [...program.steps.values()].filter((step) =>
      conditionsAt(step).some((each) => variablesOf(judgedOf(judged, each).formula).has(variable)),
    );
    const work = reached.map(({ id }) => id);
    for (const id of work) live.get(id)?.add(variable);
    for (const id of work) {
      for (const { step, kind } of before.get(id) ?? []) {
        // What the step leaves replaces it.
        if (kind === 'done' && variable.owners.size === 1 && variable.owners.has(step.id)) continue;
        const known = live.get(step.id);
        if (known?.has(variable) !== false) continue;
        known.add(variable);
        work.push(step.id);
      }
    }
  }
  return live;
}
