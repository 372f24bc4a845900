/** Conditions as a proof sees them: comparisons of values with literals, and what is not looked into, joined by logic. */

import type { Expression } from '../../expression/compile.ts';
import { type FoldNode, type Node, childrenOf } from '../../expression/tree.ts';
import { type CelType, DYN } from '../../expression/type.ts';
import type { CelValue } from '../../expression/value.ts';
import type { ProgramTypes } from '../program.ts';
import { readsOf } from '../link-expression.ts';
import type { Scalar } from './variable.ts';

export type Comparison = '<' | '<=' | '>' | '>=';

export type Condition =
  /** `anyOf`: whether it is one of several, as `in` and `==` ask. */
  | { readonly kind: 'among'; readonly path: readonly string[]; readonly literals: readonly Scalar[] }
  | {
      readonly kind: 'order';
      readonly path: readonly string[];
      readonly operator: Comparison;
      readonly literal: number;
    }
  | { readonly kind: 'left'; readonly step: string }
  /** Not looked into: true, false or an error, and the same again where what it reads is the same. */
  | { readonly kind: 'opaque'; readonly text: string; readonly reads: ReadonlySet<string> }
  | { readonly kind: 'not'; readonly term: Condition }
  | { readonly kind: 'and'; readonly terms: readonly Condition[] };

/** Nested deeper, a condition is not looked into. */
const DEPTH_MAX = 100;
/** Each order, and the same one with its sides exchanged. */
const MIRRORED: ReadonlyMap<string, Comparison> = new Map([
  ['<', '>'],
  ['<=', '>='],
  ['>', '<'],
  ['>=', '<='],
]);

/** What `expression` says. */
export function conditionOf({ root }: Expression, types: ProgramTypes): Condition {
  return read(root, types, 0);
}

function read(node: Node, types: ProgramTypes, depth: number): Condition {
  if (depth > DEPTH_MAX) return opaque(node);
  if (node.kind === 'not') return { kind: 'not', term: read(node.operand, types, depth + 1) };
  if (node.kind === 'logic') {
    const terms = node.terms.map((term) => read(term, types, depth + 1));
    if (node.operator === '&&') return { kind: 'and', terms };
    // What errors stays an error under `not`, so that the law of De Morgan holds for it too.
    return { kind: 'not', term: { kind: 'and', terms: terms.map((term) => ({ kind: 'not', term })) } };
  }
  if (node.kind === 'has' && node.target.kind === 'variable' && node.target.name === 'steps') {
    return { kind: 'left', step: node.name };
  }
  if (node.kind === 'fold') return readComparison(node, types) ?? opaque(node);
  const path = pathOf(node);
  if (path !== undefined && typeAt(types, path).kind === 'bool') return { kind: 'among', path, literals: [true] };
  return opaque(node);
}

function readComparison(node: FoldNode, types: ProgramTypes): Condition | undefined {
  const [step, more] = node.steps;
  if (step === undefined || more !== undefined) return undefined;
  const { operator, right } = step;
  if (operator === 'in') return readAmong(node.first, right);
  const [left, literal] = [pathOf(node.first), literalOf(right)];
  if (left !== undefined && literal !== undefined) return compare(left, operator, literal, types);
  const [mirrored, first] = [pathOf(right), literalOf(node.first)];
  if (mirrored === undefined || first === undefined) return undefined;
  return compare(mirrored, MIRRORED.get(operator) ?? operator, first, types);
}

function readAmong(node: Node, list: Node): Condition | undefined {
  const path = pathOf(node);
  if (path === undefined || list.kind !== 'list') return undefined;
  const literals = list.items.map(literalOf);
  return literals.every((literal) => literal !== undefined) ? { kind: 'among', path, literals } : undefined;
}

function compare(
  path: readonly string[],
  operator: string,
  literal: Scalar,
  types: ProgramTypes,
): Condition | undefined {
  if (operator === '==') return { kind: 'among', path, literals: [literal] };
  if (operator === '!=') return { kind: 'not', term: { kind: 'among', path, literals: [literal] } };
  const isNumber = ['int', 'uint', 'double'].includes(typeAt(types, path).kind);
  const mirrored = MIRRORED.get(operator);
  const order = mirrored && MIRRORED.get(mirrored);
  if (order === undefined || !isNumber || typeof literal !== 'number') return undefined;
  return { kind: 'order', path, operator: order, literal };
}

/** Not looked into. Two of them are the same where they say the same, wherever they stand. */
function opaque(node: Node): Condition {
  const reads = new Map<string, number>();
  readsOf(node, reads);
  return { kind: 'opaque', text: JSON.stringify(node, spelled), reads: new Set(reads.keys()) };
}

/** A node without its place; what JSON would not tell apart is spelled out. */
function spelled(key: string, value: unknown): unknown {
  if (key === 'ast' || key === 'offset') return undefined;
  if (typeof value === 'bigint') return { int: `${value}` };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { double: Object.is(value, -0) ? '-0' : `${value}` };
  return value;
}

/** `['input', 'amount']`, with or without `dyn()` around it; nothing for anything else. */
function pathOf(node: Node): readonly string[] | undefined {
  if (node.kind === 'call' && node.key === 'dyn/1') return node.values[0] && pathOf(node.values[0]);
  if (node.kind !== 'member' || node.optional) return undefined;
  if (node.target.kind === 'variable') return [node.target.name, node.name];
  const target = pathOf(node.target);
  return target && [...target, node.name];
}

function literalOf(node: Node): Scalar | undefined {
  return node.kind === 'literal' ? scalarOf(node.value) : undefined;
}

/** Values that JavaScript compares as CEL does. */
function scalarOf(value: CelValue): Scalar | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The type of what stands at a path. */
export function typeAt(types: ProgramTypes, [root, ...path]: readonly string[]): CelType {
  let type: CelType = root === 'input' ? types.input : types.steps;
  for (const name of path) type = (type.kind === 'object' ? type.fields.get(name)?.type : undefined) ?? DYN;
  return type;
}

/** Whether evaluating may end for its length alone, whatever else it would say: it calls, or goes through lists. */
export function mayExhaust(node: Node, types: ProgramTypes): boolean {
  const path = pathOf(node);
  // Texts and what has parts may be long.
  if (path !== undefined) return !['int', 'uint', 'double', 'bool'].includes(typeAt(types, path).kind);
  switch (node.kind) {
    case 'literal':
    case 'has':
      return false;
    case 'fold':
      if (readComparison(node, types) !== undefined) return false;
      break;
    case 'not':
    case 'negate':
    case 'logic':
      break;
    default:
      return true;
  }
  return childrenOf(node).some((child) => mayExhaust(child, types));
}
