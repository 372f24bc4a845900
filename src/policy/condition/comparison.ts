/** Conditions read as data: the clauses that compare one argument with literals, or ask whether it is there. */

import type { LiteralNode, Node } from '../../expression/tree.ts';
import type { CelType } from '../../expression/type.ts';
import type { CelValue } from '../../expression/value.ts';

/** `in` and `not-in` have any number of literals, `has` and `has-not` none, the others one. */
export type Operator =
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | 'not-in'
  | 'has'
  | 'has-not'
  | 'startsWith'
  | 'endsWith'
  | 'contains';

export type Scalar = string | number | boolean;

/** `args.customer.age >= 18` is the path customer, age. An argument that is missing is an error but for `has`. */
export interface Comparison {
  readonly path: readonly [string, ...string[]];
  /** How the schema types the argument; of what `has` asks for it does not matter. */
  readonly type: 'int' | 'double' | 'string' | 'bool' | 'other';
  readonly operator: Operator;
  readonly literals: readonly Scalar[];
}

const FLIPPED = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;
const NEGATED: Readonly<Partial<Record<Operator, Operator>>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  in: 'not-in',
  'not-in': 'in',
  has: 'has-not',
  'has-not': 'has',
};

/** The operands of the top-level `&&` chain. */
export function conjunctsOf(root: Node): readonly Node[] {
  return root.kind === 'logic' && root.operator === '&&' ? root.terms : [root];
}

/** What `node` compares, arguments being of type `args`; nothing when it is not of this kind. */
export function comparisonOf(node: Node, args: CelType): Comparison | undefined {
  switch (node.kind) {
    case 'not': {
      const inner = comparisonOf(node.operand, args);
      const operator = inner === undefined ? undefined : NEGATED[inner.operator];
      return inner === undefined || operator === undefined ? undefined : { ...inner, operator };
    }
    case 'has': {
      const path = pathOf({ ...node, kind: 'member', optional: false });
      if (path === undefined || memberType(path, args) === undefined) return undefined;
      return { path, type: 'other', operator: 'has', literals: [] };
    }
    case 'member': {
      const member = memberOf(node, args);
      return member?.type === 'bool' ? { ...member, operator: '==', literals: [true] } : undefined;
    }
    case 'fold': {
      const [step] = node.steps;
      if (step === undefined || node.steps.length > 1) return undefined;
      return comparisonOfPair(node.first, step.operator, step.right, args);
    }
    case 'call': {
      const operator = AFFIXES.get(node.key);
      const [text, affix] = node.values;
      if (operator === undefined || text === undefined || affix?.kind !== 'literal') return undefined;
      const member = memberOf(text, args);
      const literal = scalarOf(affix, 'string');
      return member?.type !== 'string' || literal === undefined
        ? undefined
        : { ...member, operator, literals: [literal] };
    }
    default:
      return undefined;
  }
}

const AFFIXES: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['.startsWith/2', 'startsWith'],
  ['.endsWith/2', 'endsWith'],
  ['.contains/2', 'contains'],
]);

function comparisonOfPair(left: Node, operator: string, right: Node, args: CelType): Comparison | undefined {
  const member = memberOf(left, args);
  if (operator === 'in') {
    if (member === undefined || member.type === 'double' || right.kind !== 'list') return undefined;
    const literals = right.items.map((item) => (item.kind === 'literal' ? scalarOf(item, member.type) : undefined));
    const known = literals.filter((literal) => literal !== undefined);
    return known.length < literals.length ? undefined : { ...member, operator, literals: known };
  }
  if (!isPlain(operator)) return undefined;
  if (member !== undefined) return comparing(member, operator, right);
  const other = memberOf(right, args);
  return other === undefined ? undefined : comparing(other, FLIPPED[operator], left);
}

function isPlain(operator: string): operator is keyof typeof FLIPPED {
  return Object.hasOwn(FLIPPED, operator);
}

function comparing(
  member: Pick<Comparison, 'path' | 'type'>,
  operator: keyof typeof FLIPPED,
  node: Node,
): Comparison | undefined {
  const literal = node.kind === 'literal' ? scalarOf(node, member.type) : undefined;
  if (literal === undefined) return undefined;
  // Only numbers are told to be in order here: CEL orders texts by their bytes.
  if (typeof literal !== 'number' && operator !== '==' && operator !== '!=') return undefined;
  return { ...member, operator, literals: [literal] };
}

function memberOf(node: Node, args: CelType): Pick<Comparison, 'path' | 'type'> | undefined {
  const path = pathOf(node);
  const kind = path === undefined ? undefined : memberType(path, args)?.kind;
  if (path === undefined || kind === undefined) return undefined;
  return kind === 'int' || kind === 'double' || kind === 'string' || kind === 'bool' ? { path, type: kind } : undefined;
}

/** Nothing where the schema does not name every member on the way. */
function memberType(path: readonly string[], args: CelType): CelType | undefined {
  let type: CelType | undefined = args;
  for (const name of path) type = type?.kind === 'object' ? type.fields.get(name)?.type : undefined;
  return type;
}

/** The members of `args`, or of what `root` names, that `node` reads one after the other. */
export function pathOf(node: Node, root = 'args'): readonly [string, ...string[]] | undefined {
  if (node.kind !== 'member' || node.optional) return undefined;
  if (node.target.kind === 'variable') return node.target.name === root ? [node.name] : undefined;
  const before = pathOf(node.target, root);
  return before === undefined ? undefined : [...before, node.name];
}

function scalarOf({ value }: LiteralNode, type: Comparison['type']): Scalar | undefined {
  const scalar = plainScalar(value);
  if (scalar === undefined) return undefined;
  const expected = { int: 'number', double: 'number', string: 'string', bool: 'boolean', other: 'none' }[type];
  return typeof scalar === expected ? scalar : undefined;
}

function plainScalar(value: CelValue): Scalar | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  // Beyond 2^53 and for what is not a number at all, JavaScript compares otherwise than CEL.
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Whether `comparison` is true of a value of its type; `has` is true of every value. */
export function isTrueOf({ operator, literals }: Comparison, value: Scalar): boolean {
  const [literal = Number.NaN] = literals;
  switch (operator) {
    case '==':
      return value === literal;
    case '!=':
      return value !== literal;
    case '<':
      return value < literal;
    case '<=':
      return value <= literal;
    case '>':
      return value > literal;
    case '>=':
      return value >= literal;
    case 'in':
      return literals.includes(value);
    case 'not-in':
      return !literals.includes(value);
    case 'has':
      return true;
    case 'has-not':
      return false;
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(String(literal));
    case 'endsWith':
      return typeof value === 'string' && value.endsWith(String(literal));
    case 'contains':
      return typeof value === 'string' && value.includes(String(literal));
  }
}
