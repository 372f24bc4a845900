/** Members of known objects, read straight from the JSON: `args.customer.age` costs its property reads. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { jsonKind } from './collection.ts';
import type { Emission, Eval, Num, Test, Text } from './emission.ts';
import type { Frame } from './fault.ts';
import { burn, faultAt } from './fault.ts';
import { sizeOf } from './math-functions.ts';
import type { CallNode, HasNode, MemberNode, Node } from './tree.ts';
import type { CelType, ObjectType } from './type.ts';
import { typeText } from './type.ts';
import type { CelValue } from './value.ts';
import { convert, JsonMap, ownMember, Uint } from './value.ts';

type Raw = (frame: Frame) => JsonValue;
type RawObject = (frame: Frame) => JsonObject;

/** The source of a path, for messages: `args.customer.age`. */
export function pathText(node: Node): string {
  switch (node.kind) {
    case 'variable':
    case 'local':
      return node.name;
    case 'member':
    case 'has':
      return `${pathText(node.target)}.${node.name}`;
    default:
      return '…';
  }
}

/** The JSON object that `node` is, where its type is a known object. */
function rawObject(node: Node, emission: Emission): RawObject | undefined {
  if (emission.typeOf(node).kind !== 'object') return undefined;
  const view = viewOf(node);
  if (view !== undefined) return (frame) => view(frame).raw;
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  return (frame) => {
    const value = raw(frame);
    return isJsonObject(value) ? value : mismatch(node, { kind: 'object', fields: new Map() }, value);
  };
}

/** The view that a variable of a known object's type holds. */
function viewOf(node: Node): ((frame: Frame) => JsonMap) | undefined {
  if (node.kind !== 'variable' && node.kind !== 'local') return undefined;
  const { kind, slot } = node;
  return (frame) => {
    const value = kind === 'variable' ? frame.variables[slot] : frame.locals[slot];
    return value instanceof JsonMap ? value : notAnObject(value, node);
  };
}

function notAnObject(value: CelValue | undefined, node: Node): never {
  if (value === undefined) throw faultAt(node.offset, 'unbound-name', `\`${pathText(node)}\` has no value here`);
  throw faultAt(node.offset, 'type-mismatch', `\`${pathText(node)}\`: expected an object`);
}

/** A member of a variable that holds a known object, as the closures of conditions read it. */
export interface KnownMember {
  readonly slot: number;
  readonly object: ObjectType;
  readonly place: number;
  readonly name: string;
}

/** What `node` is when it is a member of a variable that holds a known object. */
export function knownMember(node: Node, emission: Emission): KnownMember | undefined {
  if (node.kind !== 'member' || node.optional || node.target.kind !== 'variable') return undefined;
  const object = emission.typeOf(node.target);
  if (object.kind !== 'object') return undefined;
  const place = [...object.fields.keys()].indexOf(node.name);
  return place === -1 ? undefined : { slot: node.target.slot, object, place, name: node.name };
}

/** The member, or nothing when it or its object is missing. */
export function readKnown(frame: Frame, { slot, object, place, name }: KnownMember): JsonValue | undefined {
  const view = frame.variables[slot];
  return view instanceof JsonMap ? view.known(object, place, name) : undefined;
}

/** The JSON value of a member of a known object. */
function rawMember(node: Node, emission: Emission): Raw | undefined {
  if (node.kind !== 'member' || node.optional) return undefined;
  const { name, offset, target } = node;
  const missing = `\`${pathText(node)}\` is missing`;
  const known = knownMember(node, emission);
  const object = rawObject(target, emission);
  if (object === undefined) return undefined;
  return (frame) => {
    burn(frame, 2);
    const value = (known === undefined ? undefined : readKnown(frame, known)) ?? ownMember(object(frame), name);
    if (value !== undefined) return value;
    throw faultAt(offset, 'no-such-member', missing);
  };
}

function mismatch(node: Node, type: CelType, raw: JsonValue): never {
  const message = `\`${pathText(node)}\`: expected ${typeText(type)}, got ${jsonKind(raw)}`;
  throw faultAt(node.offset, 'type-mismatch', message);
}

/** Reads a member of a known object. */
export function emitKnownMember(node: MemberNode, emission: Emission): Eval | undefined {
  const type = emission.typeOf(node);
  if (type.kind === 'string') return emitText(node, emission);
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  if (type.kind === 'bool') {
    return (frame) => {
      const value = raw(frame);
      return typeof value === 'boolean' ? value : mismatch(node, type, value);
    };
  }
  return (frame) => {
    const json = raw(frame);
    const value = convert(json, type);
    return value === undefined ? mismatch(node, type, json) : value;
  };
}

/** Whether a known object has a member. */
export function emitKnownHas(node: HasNode, emission: Emission): Test | undefined {
  const object = rawObject(node.target, emission);
  if (object === undefined) return undefined;
  const { name } = node;
  return (frame) => {
    burn(frame, 2);
    return ownMember(object(frame), name) !== undefined;
  };
}

/** A node that is statically text and is read as such: a member of a known object. */
function emitText(node: Node, emission: Emission): Text | undefined {
  const type = emission.typeOf(node);
  if (type.kind !== 'string') return undefined;
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  return (frame) => {
    const value = raw(frame);
    return typeof value === 'string' ? value : mismatch(node, type, value);
  };
}

/**
 * A node that is statically a number as a JavaScript number: literals within ±2^53, members of known objects, sizes.
 * Such numbers, int and double alike, compare exactly.
 */
export function emitNumber(node: Node, emission: Emission): Num | undefined {
  if (node.kind === 'literal') {
    const number = literalNumber(node.value);
    return number === undefined ? undefined : () => number;
  }
  if (node.kind === 'call') return emitSize(node, emission);
  const type = emission.typeOf(node);
  const whole = type.kind === 'int' || type.kind === 'uint';
  if (!whole && type.kind !== 'double') return undefined;
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  const least = type.kind === 'uint' ? 0 : -Infinity;
  return (frame) => {
    const value = raw(frame);
    if (typeof value !== 'number' || (whole && !(Number.isInteger(value) && value >= least)))
      mismatch(node, type, value);
    return value;
  };
}

function emitSize(node: CallNode, emission: Emission): Num | undefined {
  const [sized] = node.values;
  if (sized === undefined || (node.key !== 'size/1' && node.key !== '.size/1')) return undefined;
  const value = emission.value(sized);
  return (frame) => {
    burn(frame, 1);
    const measured = value(frame);
    frame.at = node.offset;
    return sizeOf(frame, measured);
  };
}

/** A literal as a JavaScript number, where that is exact. */
export function literalNumber(value: CelValue): number | undefined {
  const integer = value instanceof Uint ? value.value : value;
  if (typeof integer !== 'bigint') return typeof integer === 'number' ? integer : undefined;
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : undefined;
}
