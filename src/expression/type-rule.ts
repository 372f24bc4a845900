/** Type rules of ours that the checker of the library follows at single nodes. */

import { declarationText, isObjectType } from './environment.ts';
import { reject } from './issue.ts';
import { CHAIN_PLAIN_MAX } from './limits.ts';
import type { Ast, Checker, Scope, TypeDeclaration } from './parse.ts';
import { typeBy } from './parse.ts';
import type { LoopKind } from './tree.ts';

/**
 * An operand or argument. Used as a whole, an object with known members is a map like any other; an element of the
 * empty list, whose type nothing says, is untyped, for the checker finds every operator ambiguous on it.
 */
export function typeAsWhole(ast: Ast): void {
  typeBy(ast, (checker, _scope, usual) => {
    const type = usual();
    if (isObjectType(type)) return checker.getType('map<string, dyn>');
    return type.kind === 'param' ? checker.getType('dyn') : type;
  });
}

/** What is read from a value of which nothing is known, such as a member of `{}`, is as unknown. */
export function typeThroughUndetermined(ast: Ast, target: Ast, optional: boolean): void {
  typeBy(ast, (checker, scope, usual) => {
    const type = checker.check(target, scope);
    if (type.kind === 'param') return checker.getType(optional ? 'optional<dyn>' : 'dyn');
    return type.kind === 'optional' && type.valueType?.kind === 'param' ? checker.getType('optional<dyn>') : usual();
  });
}

/** A known object read with brackets is read untyped: `args["name"]` is the way to a name its schema does not list. */
export function typeObjectIndex(ast: Ast, target: Ast, optional: boolean): void {
  typeBy(ast, (checker, scope, usual) => {
    if (!isObjectType(checker.check(target, scope))) return usual();
    return checker.getType(optional ? 'optional<dyn>' : 'dyn');
  });
}

/** A duration and a timestamp make a timestamp; the library says a duration. */
export function typeTimeSum(ast: Ast, right: Ast): void {
  typeBy(ast, (checker, scope, usual) => {
    const type = usual();
    if (type.name !== 'google.protobuf.Duration') return type;
    const second = checker.check(right, scope);
    return second.name === 'google.protobuf.Timestamp' ? second : type;
  });
}

/** Lets the checker meet a long chain, given from its top, from the bottom: it recurses otherwise. */
export function typeFromBottom(spine: readonly Ast[]): void {
  const [top, ...below] = spine;
  if (top === undefined || spine.length <= CHAIN_PLAIN_MAX) return;
  below.reverse();
  typeBy(top, (checker, scope, usual) => {
    for (const node of below) checker.check(node, scope);
    return usual();
  });
}

/** `has(target.name)` is bool where the member may be read. */
export function typeHas(ast: Ast, member: Ast): void {
  typeBy(ast, (checker, scope) => {
    checker.check(member, scope);
    return checker.getType('bool');
  });
}

/** `target.optMap(name, body)` and `target.optFlatMap(name, body)`. */
export function typeOptMap(ast: Ast, target: Ast, name: string, body: Ast, flat: boolean): void {
  typeBy(ast, (checker, scope) => {
    const type = checker.check(target, scope);
    const inner = type.kind === 'optional' ? known(type.valueType, checker) : checker.getType('dyn');
    const result = checker.check(body, scope.forkWithVariable(name, inner));
    if (!flat) return checker.getType(`optional<${result.name}>`);
    return result.kind === 'optional' ? result : checker.getType('optional<dyn>');
  });
}

/** A comprehension as it stands in the syntax. */
export interface LoopSyntax {
  readonly loop: LoopKind;
  readonly names: readonly string[];
  readonly range: Ast;
  readonly filter: Ast | undefined;
  readonly body: Ast;
}

export function typeLoop(ast: Ast, loop: LoopSyntax): void {
  typeBy(ast, (checker, scope) => typeOfLoop(loop, checker, scope));
}

function typeOfLoop({ loop, names, range, filter, body }: LoopSyntax, checker: Checker, outer: Scope): TypeDeclaration {
  const types = typesOfElements(checker.check(range, outer), names.length === 2, range, checker);
  let scope = outer;
  for (const [i, name] of names.entries()) scope = scope.forkWithVariable(name, known(types[i], checker));
  if (filter !== undefined) mustBeBoolean(filter, checker, scope);
  const first = known(types[0], checker).name;
  if (loop === 'map') return checker.getType(`list<${checker.check(body, scope).name}>`);
  if (loop === 'transformMap') return checker.getType(`map<${first}, ${checker.check(body, scope).name}>`);
  mustBeBoolean(body, checker, scope);
  return checker.getType(loop === 'filter' ? `list<${first}>` : 'bool');
}

function mustBeBoolean(ast: Ast, checker: Checker, scope: Scope): void {
  const type = checker.check(ast, scope);
  if (type.kind !== 'dyn' && type.kind !== 'param' && type.name !== 'bool') {
    reject('type-mismatch', ast.pos, `the expression of a macro must be bool, got ${declarationText(type)}`);
  }
}

/** The types of the iteration variables. */
function typesOfElements(range: TypeDeclaration, two: boolean, ast: Ast, checker: Checker): readonly TypeDeclaration[] {
  const dyn = checker.getType('dyn');
  if (range.kind === 'list') return [...(two ? [checker.getType('int')] : []), range.valueType ?? dyn];
  if (range.kind === 'map') return [range.keyType ?? dyn, range.valueType ?? dyn];
  if (isObjectType(range)) return [checker.getType('string'), dyn];
  if (range.kind !== 'dyn' && range.kind !== 'param') {
    reject('type-mismatch', ast.pos, `expected a list or a map to go over, got ${declarationText(range)}`);
  }
  return [dyn, dyn];
}

/** Nothing says what the empty list holds: then it is untyped. */
function known(type: TypeDeclaration | undefined, checker: Checker): TypeDeclaration {
  return type === undefined || type.kind === 'param' ? checker.getType('dyn') : type;
}
