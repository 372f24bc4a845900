/** Whether the conditions of a choice leave nothing over: told only of the kinds that people write. */

import type { Node } from '../expression/tree.ts';
import { declaredAt } from './declared.ts';
import type { ChooseStep, Program } from './program.ts';

/** One value compared with words, or a truth: what of it a condition takes. */
interface Taking {
  /** The value, as its path. */
  readonly path: string;
  readonly values: readonly (string | boolean)[];
}

/** Whether every value that there can be has a branch: all words of a model's gate or an enumeration, or both truths. */
export function isCovering(program: Program, step: ChooseStep): boolean {
  const takings = step.branches.map(({ when }) => (when === undefined ? undefined : takingOf(when.root)));
  const [first] = takings;
  if (first === undefined) return false;
  const taken = new Set(takings.flatMap((taking) => (taking?.path === first.path ? taking.values : [])));
  const all = valuesOf(program, first.path);
  return all !== undefined && all.every((value) => taken.has(value));
}

function takingOf(node: Node): Taking | undefined {
  if (node.kind === 'not') {
    const path = pathOf(node.operand);
    return path === undefined ? undefined : { path, values: [false] };
  }
  const own = pathOf(node);
  if (own !== undefined) return { path: own, values: [true] };
  if (node.kind === 'logic' && node.operator === '||') {
    const terms = node.terms.map(takingOf);
    const [first] = terms;
    if (first === undefined || !terms.every((term) => term?.path === first.path)) return undefined;
    return { path: first.path, values: terms.flatMap((term) => term?.values ?? []) };
  }
  return comparisonOf(node);
}

function comparisonOf(node: Node): Taking | undefined {
  const [step, more] = node.kind === 'fold' ? node.steps : [];
  if (node.kind !== 'fold' || step === undefined || more !== undefined) return undefined;
  const path = pathOf(node.first);
  const { operator, right } = step;
  if (path === undefined) return undefined;
  if (operator === '==') {
    if (right.kind !== 'literal' || typeof right.value !== 'string') return undefined;
    return { path, values: [right.value] };
  }
  if (operator !== 'in' || right.kind !== 'list') return undefined;
  const words = right.items.map((item) => (item.kind === 'literal' ? item.value : undefined));
  return words.every((word) => typeof word === 'string') ? { path, values: words } : undefined;
}

/** `steps.classify.output`, `input.kind`; nothing for anything else. */
function pathOf(node: Node): string | undefined {
  if (node.kind === 'variable') return node.name;
  if (node.kind !== 'member' || node.optional) return undefined;
  const target = pathOf(node.target);
  return target === undefined ? undefined : `${target}.${node.name}`;
}

/** Every value that stands under the path; nothing where they are too many, or nobody says. */
function valuesOf(program: Program, path: string): readonly (string | boolean)[] | undefined {
  const { schema, words, isSure } = declaredAt(program, path.split('.'));
  if (!isSure || words !== undefined) return words;
  const { type, enum: known } = schema ?? {};
  if (type === 'boolean') return [true, false];
  const isWords = Array.isArray(known) && known.every((word) => typeof word === 'string');
  return isWords ? known.map(String) : undefined;
}
