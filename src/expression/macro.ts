/** The macros: comprehensions, `has`, `cel.bind` and the lazy operations on optionals. */

import { reject } from './issue.ts';
import type { Ast } from './parse.ts';
import type { Place, Reading } from './reading.ts';
import type { LoopKind, LoopNode, Node } from './tree.ts';
import { typeHas, typeLoop, typeOptMap, typeThroughUndetermined } from './type-rule.ts';

type CallAst = Extract<Ast, { op: 'call' | 'rcall' }>;
type MethodAst = Extract<Ast, { op: 'rcall' }>;

/** The macro that `ast` is, expanded; nothing when it is an ordinary call. */
export function readMacro(ast: CallAst, reading: Reading, place: Place): Node | undefined {
  if (ast.op === 'call') {
    const [name, args] = ast.args;
    const [arg] = args;
    return name === 'has' && args.length === 1 && arg !== undefined ? readHas(ast, arg, reading, place) : undefined;
  }
  const [name, receiver, args] = ast.args;
  if (receiver.op === 'id' && receiver.args === 'cel' && !place.locals.has('cel')) {
    return name === 'bind' && args.length === 3 ? readBind(ast, reading, place) : undefined;
  }
  const shape = LOOPS.get(`${name}/${args.length}`);
  if (shape !== undefined) return readLoop(ast, shape, reading, place);
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return readOptMap(ast, name, reading, place);
  const [other] = args;
  if ((name === 'or' || name === 'orValue') && args.length === 1 && other !== undefined) {
    const nodes = { target: reading.read(receiver, place), other: reading.read(other, place) };
    return { kind: name, offset: ast.pos, ast, ...nodes };
  }
  return undefined;
}

function readHas(ast: CallAst, arg: Ast, reading: Reading, place: Place): Node {
  if (arg.op !== '.') {
    reject(
      'expression-syntax',
      arg.pos,
      '`has` takes a member, as in `has(args.name)`',
      'write `"name" in args` for a name that is computed',
    );
  }
  const [target, name] = arg.args;
  typeThroughUndetermined(arg, target, false);
  typeHas(ast, arg);
  return { kind: 'has', offset: arg.pos, ast, target: reading.read(target, place), name };
}

/** The locals of `place` and `names`, the slots of `names`, and room for them. */
function withLocals(
  names: readonly string[],
  reading: Reading,
  place: Place,
): { place: Place; slots: readonly number[] } {
  const locals = new Map(place.locals);
  const first = place.slots;
  const slots = names.map((name, i) => {
    locals.set(name, first + i);
    return first + i;
  });
  reading.localsMax = Math.max(reading.localsMax, first + names.length);
  return { place: { locals, depth: place.depth, slots: first + names.length }, slots };
}

function nameOf(ast: Ast | undefined, macro: string): string {
  if (ast?.op === 'id') return ast.args;
  return reject(
    'expression-syntax',
    ast?.pos ?? 0,
    `\`${macro}\` takes a plain name first, as in \`list.${macro}(x, …)\``,
  );
}

function readBind(ast: MethodAst, reading: Reading, place: Place): Node {
  const [variable, value, body] = ast.args[2];
  if (value === undefined || body === undefined)
    return reject('expression-syntax', ast.pos, '`cel.bind` takes a name, a value and an expression');
  const inside = withLocals([nameOf(variable, 'bind')], reading, place);
  return {
    kind: 'bind',
    offset: ast.pos,
    ast,
    slot: inside.slots[0] ?? 0,
    value: reading.read(value, place),
    body: reading.read(body, inside.place),
  };
}

function readOptMap(ast: MethodAst, kind: 'optMap' | 'optFlatMap', reading: Reading, place: Place): Node {
  const [, receiver, [variable, body]] = ast.args;
  if (body === undefined) return reject('expression-syntax', ast.pos, `\`${kind}\` takes a name and an expression`);
  const name = nameOf(variable, kind);
  typeOptMap(ast, receiver, name, body, kind === 'optFlatMap');
  const inside = withLocals([name], reading, place);
  const nodes = { value: reading.read(receiver, place), body: reading.read(body, inside.place) };
  return { kind, offset: ast.pos, ast, slot: inside.slots[0] ?? 0, ...nodes };
}

interface Shape {
  readonly loop: LoopKind;
  readonly names: 1 | 2;
  readonly filtered: boolean;
}

/** By name and number of arguments. */
const LOOPS: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['all/2', { loop: 'all', names: 1, filtered: false }],
  ['all/3', { loop: 'all', names: 2, filtered: false }],
  ['exists/2', { loop: 'exists', names: 1, filtered: false }],
  ['exists/3', { loop: 'exists', names: 2, filtered: false }],
  ['exists_one/2', { loop: 'existsOne', names: 1, filtered: false }],
  ['exists_one/3', { loop: 'existsOne', names: 2, filtered: false }],
  ['existsOne/2', { loop: 'existsOne', names: 1, filtered: false }],
  ['existsOne/3', { loop: 'existsOne', names: 2, filtered: false }],
  ['filter/2', { loop: 'filter', names: 1, filtered: false }],
  ['map/2', { loop: 'map', names: 1, filtered: false }],
  ['map/3', { loop: 'map', names: 1, filtered: true }],
  ['transformList/3', { loop: 'map', names: 2, filtered: false }],
  ['transformList/4', { loop: 'map', names: 2, filtered: true }],
  ['transformMap/3', { loop: 'transformMap', names: 2, filtered: false }],
  ['transformMap/4', { loop: 'transformMap', names: 2, filtered: true }],
]);

function readLoop(ast: MethodAst, shape: Shape, reading: Reading, place: Place): LoopNode {
  const [macro, range, args] = ast.args;
  const names = args.slice(0, shape.names).map((arg) => nameOf(arg, macro));
  const body = args[args.length - 1];
  const filter = shape.filtered ? args[shape.names] : undefined;
  if (body === undefined) return reject('expression-syntax', ast.pos, `\`${macro}\` takes a name and an expression`);
  if (new Set(names).size < names.length)
    reject('expression-syntax', ast.pos, `\`${macro}\` takes two different names`);
  typeLoop(ast, { loop: shape.loop, names, range, filter, body });
  const inside = withLocals(names, reading, place);
  const [first = 0, second] = inside.slots;
  return {
    kind: 'loop',
    offset: ast.pos,
    ast,
    loop: shape.loop,
    range: reading.read(range, place),
    slots: second === undefined ? [first] : [first, second],
    filter: filter === undefined ? undefined : reading.read(filter, inside.place),
    body: reading.read(body, inside.place),
  };
}
