/** From the library's syntax to our tree, which is where every construct that we do not know is refused. */

import { placeOf } from './bound.ts';
import type { Environment } from './environment.ts';
import type { BinaryOperator } from './functions.ts';
import { NAMESPACES, VARIADIC } from './functions.ts';
import { reject } from './issue.ts';
import { NESTING_MAX } from './limits.ts';
import { literalValue } from './literal.ts';
import { readMacro } from './macro.ts';
import type { Ast } from './parse.ts';
import { typeBy } from './parse.ts';
import type { Place, Reading } from './reading.ts';
import type { FoldNode, IndexNode, LogicNode, Node, Step, Tree } from './tree.ts';
import { typeAsWhole, typeFromBottom, typeObjectIndex, typeThroughUndetermined, typeTimeSum } from './type-rule.ts';
import { TypeValue } from './value.ts';

type AstOf<Op extends Ast['op']> = Extract<Ast, { op: Op }>;

/** The tree of `ast`. Throws a `Rejection` for what is not offered, or nests too deeply. */
export function readTree(ast: Ast, environment: Environment): Tree {
  const reading: Reading = {
    environment,
    localsMax: 0,
    read: (inner, place) => read(inner, reading, place),
  };
  const root = read(ast, reading, { locals: new Map(), slots: 0, depth: 0 });
  return { root, localsMax: reading.localsMax };
}

/** The node of `ast`, one level below `place`. */
function read(ast: Ast, reading: Reading, place: Place): Node {
  if (place.depth >= NESTING_MAX) {
    reject(
      'expression-too-deep',
      ast.pos,
      `expected at most ${NESTING_MAX} nested levels`,
      'split it into several rules',
    );
  }
  const inner: Place = { ...place, depth: place.depth + 1 };
  const base = { offset: ast.pos, ast };
  switch (ast.op) {
    case 'value':
      return { ...base, kind: 'literal', value: literalValue(ast, false) };
    case 'id':
      return readName(ast, ast.args, reading, place);
    case '.':
    case '.?':
      return readMember(ast, reading, inner);
    case '[]':
    case '[?]':
      return readIndex(ast, reading, inner);
    case 'call':
    case 'rcall':
      return readMacro(ast, reading, inner) ?? readCall(ast, reading, inner);
    case 'list':
      return { ...base, kind: 'list', items: ast.args.map((item) => read(item, reading, inner)) };
    case 'map':
      return {
        ...base,
        kind: 'map',
        entries: ast.args.map(([key, value]) => [read(key, reading, inner), read(value, reading, inner)] as const),
      };
    case '?:':
      return {
        ...base,
        kind: 'choose',
        test: read(ast.args[0], reading, inner),
        yes: read(ast.args[1], reading, inner),
        no: read(ast.args[2], reading, inner),
      };
    case '||':
    case '&&':
      return readLogic(ast, reading, inner);
    case '!_':
      return { ...base, kind: 'not', operand: read(ast.args, reading, inner) };
    case '-_':
      if (ast.args.op === 'value' && ['bigint', 'number'].includes(typeof ast.args.args)) {
        return { ...base, kind: 'literal', value: literalValue(ast.args, true) };
      }
      return { ...base, kind: 'negate', operand: read(ast.args, reading, inner) };
    default:
      return readFold(ast, reading, inner);
  }
}

const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
  'optional_type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
]);

/** What `name` stands for: the nearest iteration variable, a variable of the vocabulary, a type, or nothing. */
function readName(ast: Ast, name: string, reading: Reading, place: Place): Node {
  const base = { offset: ast.pos, ast, name };
  const local = place.locals.get(name);
  if (local !== undefined) return { ...base, kind: 'local', slot: local };
  if (reading.environment.typeNames.has(name)) return { ...base, kind: 'variable', slot: placeOf(name) };
  if (TYPE_NAMES.has(name)) return { ...base, kind: 'literal', value: new TypeValue(name) };
  return { ...base, kind: 'unknown' };
}

function readMember(ast: AstOf<'.' | '.?'>, reading: Reading, place: Place): Node {
  const dotted = ast.op === '.' ? dottedName(ast) : undefined;
  if (dotted !== undefined && !place.locals.has(dotted.split('.', 1)[0] ?? '')) {
    const typeName = reading.environment.typeNames.get(dotted);
    if (typeName !== undefined) typeBy(ast, (checker) => checker.getType(typeName));
    if (typeName !== undefined || TYPE_NAMES.has(dotted)) return readName(ast, dotted, reading, place);
  }
  const [target, name] = ast.args;
  const optional = ast.op === '.?';
  typeThroughUndetermined(ast, target, optional);
  return { kind: 'member', offset: ast.pos, ast, target: read(target, reading, place), name, optional };
}

/** `a.b.c` when the chain is names all the way down. */
function dottedName(ast: Ast): string | undefined {
  const names: string[] = [];
  let node = ast;
  for (; node.op === '.'; node = node.args[0]) names.push(node.args[1]);
  return node.op === 'id' ? [node.args, ...names.reverse()].join('.') : undefined;
}

function readIndex(ast: AstOf<'[]' | '[?]'>, reading: Reading, place: Place): IndexNode {
  const [target, index] = ast.args;
  const optional = ast.op === '[?]';
  typeThroughUndetermined(ast, target, optional);
  if (index.op === 'value' && typeof index.args === 'string') typeObjectIndex(ast, target, optional);
  const nodes = { target: read(target, reading, place), index: read(index, reading, place) };
  return { kind: 'index', offset: ast.pos, ast, ...nodes, optional };
}

function readCall(ast: AstOf<'call' | 'rcall'>, reading: Reading, place: Place): Node {
  const base = { kind: 'call', offset: ast.pos, ast } as const;
  if (ast.op === 'call') {
    const [name, args] = ast.args;
    return { ...base, key: `${name}/${args.length}`, values: args.map((arg) => readWhole(arg, reading, place)) };
  }
  const [name, receiver, args] = ast.args;
  const values = args.map((arg) => readWhole(arg, reading, place));
  const space = receiver.op === 'id' && isNamespace(receiver.args, reading, place) ? receiver.args : undefined;
  if (space === undefined) {
    const target = readWhole(receiver, reading, place);
    return { ...base, key: `.${name}/${args.length + 1}`, values: [target, ...values] };
  }
  const full = `${space}.${name}`;
  return { ...base, key: VARIADIC.has(full) ? full : `${full}/${args.length}`, values };
}

function isNamespace(name: string, reading: Reading, place: Place): boolean {
  return NAMESPACES.has(name) && !place.locals.has(name) && !reading.environment.typeNames.has(name);
}

/** An operand or argument. */
function readWhole(ast: Ast, reading: Reading, place: Place): Node {
  const node = read(ast, reading, place);
  if (!isBinary(ast) && ast.op !== 'value') typeAsWhole(ast);
  return node;
}

function readLogic(ast: AstOf<'&&' | '||'>, reading: Reading, place: Place): LogicNode {
  const spine: Ast[] = [];
  const terms: Ast[] = [];
  let node: Ast = ast;
  while (node.op === ast.op) {
    spine.push(node);
    terms.push(node.args[1]);
    node = node.args[0];
  }
  terms.push(node);
  typeFromBottom(spine);
  const nodes = terms.reverse().map((term) => read(term, reading, place));
  return { kind: 'logic', offset: ast.pos, ast, operator: ast.op, terms: nodes };
}

type BinaryAst = AstOf<BinaryOperator>;

const BINARY: ReadonlySet<string> = new Set<BinaryOperator>([
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  '+',
  '-',
  '*',
  '/',
  '%',
]);

function isBinary(ast: Ast): ast is BinaryAst {
  return BINARY.has(ast.op);
}

function readFold(ast: Ast, reading: Reading, place: Place): FoldNode {
  const spine: BinaryAst[] = [];
  let node = ast;
  for (; isBinary(node); node = node.args[0]) spine.push(node);
  for (const step of spine) if (step.op === '+') typeTimeSum(step, step.args[1]);
  if (spine.length === 0) reject('expression-syntax', ast.pos, `\`${ast.op}\` is not offered in conditions`);
  typeFromBottom(spine);
  const steps = spine.reverse().map((step): Step => ({
    operator: step.op,
    right: readWhole(step.args[1], reading, place),
    offset: step.pos,
  }));
  return { kind: 'fold', offset: ast.pos, ast, first: readWhole(node, reading, place), steps };
}
