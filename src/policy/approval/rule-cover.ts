/** Whether one rule certainly matches whatever another matches, told from their text for tools known and unknown. */

import { type Expression, compile } from '../../expression/compile.ts';
import type { Node } from '../../expression/tree.ts';
import { DYN } from '../../expression/type.ts';
import type { Vocabulary } from '../../expression/type.ts';
import type { Budget } from '../meter/budget.ts';
import { conjunctsOf } from '../condition/comparison.ts';
import { matches } from '../tool/pattern.ts';
import type { Pattern } from '../tool/pattern.ts';
import type { Rule } from '../document/rule.ts';
import { WITHOUT_ARGS, withBudgets, withNames } from '../condition/vocabulary.ts';

type Ruled = Pick<Rule, 'pattern' | 'when'>;

/** Reads conditions for `coversAllow` and `coversDeny`, each text once. Both sides must have the same budgets to read. */
export interface Covering {
  /** Whether `wide` is true wherever `narrow` is true. What errs allows nothing. */
  coversAllow(wide: Ruled, narrow: Ruled): boolean;
  /** Whether `wide` is true or errs wherever `narrow` is true or errs: so `ask` and `deny` match. */
  coversRestriction(wide: Ruled, narrow: Ruled): boolean;
}

export function covering(budgets: ReadonlyMap<string, Budget>): Covering {
  const clausesOf = readingClauses(withBudgets(withNames(WITHOUT_ARGS, { args: DYN }), budgets));
  return {
    coversAllow(wide, narrow) {
      if (!coversPattern(wide.pattern, narrow.pattern)) return false;
      if (wide.when === undefined || wide.when.text === narrow.when?.text) return true;
      if (narrow.when === undefined) return false;
      // Each clause of a chain that is true is true, and so is a chain of some of them; it takes less fuel, not more.
      const given = clausesOf(narrow.when.text);
      return clausesOf(wide.when.text).every((clause) => given.some((each) => follows(each, clause)));
    },
    coversRestriction(wide, narrow) {
      if (!coversPattern(wide.pattern, narrow.pattern)) return false;
      if (wide.when === undefined || wide.when.text === narrow.when?.text) return true;
      if (narrow.when === undefined) return false;
      // Only what a chain begins with: were a clause in front left out, one that spends the fuel would no longer err.
      const given = clausesOf(narrow.when.text);
      const wanted = clausesOf(wide.when.text);
      return wanted.length <= given.length && wanted.every((clause, index) => follows(given[index], clause));
    },
  };
}

/** Whether every name that `narrow` matches, `wide` matches. */
export function coversPattern(wide: Pattern, narrow: Pattern): boolean {
  if (wide.text === narrow.text) return true;
  // Methods are matched only by a pattern that itself contains a `/`.
  if (narrow.text.includes('/') && !wide.text.includes('/')) return false;
  if (narrow.runs.length === 1) return matches(wide, narrow.text);
  const [head = '', tail, ...more] = wide.runs;
  if (tail !== '' || more.length > 0) return false;
  return (narrow.runs[0] ?? '').startsWith(head);
}

/** One operand of the top-level `&&` chain; a comparison with a number also in parts. */
interface Clause {
  readonly text: string;
  readonly bound?: { readonly of: string; readonly operator: Ordering; readonly value: number };
}

type Ordering = '<' | '<=' | '>' | '>=';

const ORDERINGS: ReadonlySet<string> = new Set<Ordering>(['<', '<=', '>', '>=']);

/** Whether `wide` is true where `narrow` is, and errs exactly where it does. */
function follows(narrow: Clause | undefined, wide: Clause): boolean {
  if (narrow === undefined) return false;
  if (narrow.text === wide.text) return true;
  const [from, to] = [narrow.bound, wide.bound];
  if (from === undefined || to === undefined || from.of !== to.of || from.operator !== to.operator) return false;
  return from.operator.startsWith('<') ? from.value <= to.value : from.value >= to.value;
}

function readingClauses(vocabulary: Vocabulary): (text: string) => readonly Clause[] {
  const read = new Map<string, readonly Clause[]>();
  return (text) => {
    let clauses = read.get(text);
    if (clauses === undefined) {
      const compiled = compile(text, vocabulary);
      clauses = compiled.ok ? clausesIn(compiled.expression) : [{ text }];
      read.set(text, clauses);
    }
    return clauses;
  };
}

function clausesIn({ root, clauses }: Expression): readonly Clause[] {
  const nodes = conjunctsOf(root);
  // A bracketed chain in front is one clause and several nodes: then only its text is compared.
  const read = nodes.length === clauses.length;
  return clauses.map(({ text }, index) => clauseOf(text.trim(), read ? nodes[index] : undefined));
}

function clauseOf(text: string, node: Node | undefined): Clause {
  if (node?.kind !== 'fold') return { text };
  const [step, ...more] = node.steps;
  if (step === undefined || more.length > 0 || !isOrdering(step.operator)) return { text };
  const value = wholeOf(step.right);
  if (value === undefined) return { text };
  const digits = String(value);
  const of = text.slice(0, -digits.length);
  // Anything behind the number, or another way to write it, and the rest of the text would not be the rest.
  if (!text.endsWith(digits) || !of.trimEnd().endsWith(step.operator)) return { text };
  return { text, bound: { of: of.replaceAll(/\s+/gu, ' ').trim(), operator: step.operator, value } };
}

function isOrdering(operator: string): operator is Ordering {
  return ORDERINGS.has(operator);
}

function wholeOf(node: Node): number | undefined {
  if (node.kind !== 'literal' || typeof node.value !== 'bigint') return undefined;
  const value = Number(node.value);
  return Number.isSafeInteger(value) ? value : undefined;
}
