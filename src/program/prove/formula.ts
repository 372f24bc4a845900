/** Conditions over cells: which outcomes they can have where values are only known to be in some of their cells. */

import type { Comparison, Condition } from './condition.ts';
import { type Cell, type Cells, type Variable, anywhere, cellsWhere } from './variable.ts';

/** Where each value may be. One that is not told of may be anywhere. */
export type Facts = ReadonlyMap<Variable, Cells>;

/** By outcome of one value's cells; together they are all of them. */
interface Leaf {
  readonly kind: 'leaf';
  readonly variable: Variable;
  readonly yes: Cells;
  readonly no: Cells;
  readonly error: Cells;
}

export type Formula =
  | Leaf
  | { readonly kind: 'not'; readonly term: Formula }
  | { readonly kind: 'and'; readonly terms: readonly Formula[] };

/** A set of outcomes. */
export const YES = 1;
export const NO = 2;
export const ERROR = 4;
const ANY: number = YES | NO | ERROR;

/** Beyond these a condition leaves what is known as it is: more possibilities, never fewer. */
const TERMS_MAX = 16;
const FACTS_MAX = 64;

/** What the variables of `condition` make of it; terms over one value are one. */
export function formulaOf(condition: Condition, variableOf: (leaf: Condition) => Variable): Formula {
  switch (condition.kind) {
    case 'among':
    case 'order':
    case 'left':
    case 'opaque': {
      const variable = variableOf(condition);
      return leafOf(variable, (cell) => isTrue(condition, variable, cell));
    }
    case 'not':
      return negated(formulaOf(condition.term, variableOf));
    case 'and':
      return joined(condition.terms.map((term) => formulaOf(term, variableOf)));
  }
}

function isTrue(condition: Condition, { isTruth }: Variable, cell: Cell): boolean {
  if (condition.kind === 'order' && !isTruth) return isOrdered(cell, condition.operator, condition.literal);
  if (cell.kind !== 'value') return false;
  return condition.kind === 'among' && !isTruth ? condition.literals.includes(cell.value) : cell.value === true;
}

function leafOf(variable: Variable, holds: (cell: Cell) => boolean): Leaf {
  return {
    kind: 'leaf',
    variable,
    yes: cellsWhere(variable, (cell) => cell.kind !== 'none' && holds(cell)),
    no: cellsWhere(variable, (cell) => cell.kind !== 'none' && !holds(cell)),
    error: cellsWhere(variable, ({ kind }) => kind === 'none'),
  };
}

/** A literal is a boundary of cells, so that all values of one stand to it alike. */
function isOrdered(cell: Cell, operator: Comparison, literal: number): boolean {
  if (cell.kind !== 'value' && cell.kind !== 'between') return false;
  const low = cell.kind === 'value' ? Number(cell.value) : cell.low;
  const high = cell.kind === 'value' ? Number(cell.value) : cell.high;
  const isBelow = cell.kind === 'value' ? low < literal : high <= literal;
  const isAbove = cell.kind === 'value' ? high > literal : low >= literal;
  switch (operator) {
    case '<':
      return isBelow;
    case '<=':
      return !isAbove;
    case '>':
      return isAbove;
    case '>=':
      return !isBelow;
  }
}

function negated(formula: Formula): Formula {
  if (formula.kind === 'leaf') return { ...formula, yes: formula.no, no: formula.yes };
  return formula.kind === 'not' ? formula.term : { kind: 'not', term: formula };
}

function joined(terms: readonly Formula[]): Formula {
  const leaves = new Map<Variable, Leaf>();
  const others: Formula[] = [];
  for (const term of terms) {
    if (term.kind !== 'leaf') {
      others.push(term);
      continue;
    }
    const before = leaves.get(term.variable);
    leaves.set(term.variable, before === undefined ? term : bothOf(before, term));
  }
  const all = [...leaves.values(), ...others];
  const [only, more] = all;
  return only !== undefined && more === undefined ? only : { kind: 'and', terms: all };
}

/** What is false decides, also beside an error. */
function bothOf(one: Leaf, another: Leaf): Leaf {
  const no = one.no | another.no;
  const yes = one.yes & another.yes;
  return { ...one, yes, no, error: (one.error | another.error) & ~no };
}

/** Every way in which `formula` has one of `outcomes` where `facts` hold, each with what is known then; none: it cannot. */
export function assume(formula: Formula, outcomes: number, facts: Facts): readonly Facts[] {
  if (outcomes === ANY) return [facts];
  if (formula.kind === 'leaf') return assumeLeaf(formula, outcomes, facts);
  if (formula.kind === 'not') return assume(formula.term, flipped(outcomes), facts);
  const { terms } = formula;
  if (terms.length > TERMS_MAX) return [facts];
  if (outcomes === (YES | ERROR))
    return inTurn(
      terms.map((term) => [term, YES | ERROR]),
      facts,
    );
  const found: Facts[] = [];
  if ((outcomes & YES) !== 0)
    found.push(
      ...inTurn(
        terms.map((term) => [term, YES]),
        facts,
      ),
    );
  for (const [index] of terms.entries()) {
    if ((outcomes & NO) !== 0) found.push(...firstOf(terms, index, YES | ERROR, NO, ANY, facts));
    if ((outcomes & ERROR) !== 0) found.push(...firstOf(terms, index, YES, ERROR, YES | ERROR, facts));
    if (found.length > FACTS_MAX) return [facts];
  }
  return found;
}

/** Every term in its turn with its outcomes. */
function inTurn(wanted: readonly (readonly [Formula, number])[], facts: Facts): readonly Facts[] {
  let all: readonly Facts[] = [facts];
  for (const [term, outcomes] of wanted) {
    all = all.flatMap((each) => assume(term, outcomes, each));
    if (all.length > FACTS_MAX) return [facts];
  }
  return all;
}

/** The terms before `index` with one set of outcomes, that one with another, and those after it with a third. */
function firstOf(
  terms: readonly Formula[],
  index: number,
  before: number,
  at: number,
  after: number,
  facts: Facts,
): readonly Facts[] {
  return inTurn(
    terms.map((term, each) => [term, each < index ? before : each === index ? at : after]),
    facts,
  );
}

function flipped(outcomes: number): number {
  return (outcomes & ERROR) | ((outcomes & YES) === 0 ? 0 : NO) | ((outcomes & NO) === 0 ? 0 : YES);
}

function assumeLeaf({ variable, yes, no, error }: Leaf, outcomes: number, facts: Facts): readonly Facts[] {
  const wanted = (outcomes & YES ? yes : 0n) | (outcomes & NO ? no : 0n) | (outcomes & ERROR ? error : 0n);
  const known = facts.get(variable) ?? anywhere(variable);
  const cells = known & wanted;
  if (cells === 0n) return [];
  return cells === known ? [facts] : [new Map([...facts, [variable, cells]])];
}

/** The comparisons of a formula. */
function leavesOf(formula: Formula): readonly Leaf[] {
  if (formula.kind === 'leaf') return [formula];
  return (formula.kind === 'not' ? [formula.term] : formula.terms).flatMap(leavesOf);
}

/** The variables that a formula is about. */
export function variablesOf(formula: Formula): ReadonlySet<Variable> {
  return new Set(leavesOf(formula).map(({ variable }) => variable));
}

/** `facts` no more exactly than `formula` tells values apart, which are few possibilities. */
export function blurred(facts: Facts, formula: Formula): Facts {
  const leaves = leavesOf(formula);
  return new Map(
    [...facts].map(([variable, cells]) => {
      const own = leaves.filter((leaf) => leaf.variable === variable);
      const wide = own.reduce((all, leaf) => all & widened(cells, leaf), anywhere(variable));
      return [variable, wide];
    }),
  );
}

function widened(cells: Cells, { yes, no, error }: Leaf): Cells {
  return [yes, no, error].reduce((all, each) => ((each & cells) === 0n ? all : all | each), 0n);
}
