/** Members of known objects, read straight from the JSON: `args.customer.age` costs its property reads. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { jsonKind } from './collection.ts';
import type { Emission, Eval, Num, Test } from './emission.ts';
import { burn, Fault } from './fault.ts';
import type { Frame } from './fault.ts';
import { sizeOf } from './math-functions.ts';
import type { HasNode, MemberNode, Node } from './tree.ts';
import type { CelType } from './type.ts';
import { typeText } from './type.ts';
import { convert, JsonMap, Uint } from './value.ts';

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
  const { offset } = node;
  const mismatch = `\`${pathText(node)}\`: expected an object`;
  if (node.kind === 'variable') {
    const { slot } = node;
    return (frame) => frame.objects[slot] ?? unbound(frame, slot, node.name, offset);
  }
  if (node.kind === 'local') {
    const { slot } = node;
    return (frame) => {
      const value = frame.locals[slot];
      if (value instanceof JsonMap) return value.raw;
      throw new Fault('type-mismatch', mismatch, offset);
    };
  }
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  return (frame) => {
    const value = raw(frame);
    if (isJsonObject(value)) return value;
    throw new Fault('type-mismatch', `${mismatch}, got ${jsonKind(value)}`, offset);
  };
}

function unbound(frame: Frame, slot: number, name: string, offset: number): never {
  if (frame.variables[slot] === undefined) throw new Fault('unbound-name', `\`${name}\` has no value here`, offset);
  throw new Fault('type-mismatch', `\`${name}\`: expected an object`, offset);
}

/** The JSON value of a member of a known object. */
function rawMember(node: Node, emission: Emission): Raw | undefined {
  if (node.kind !== 'member' || node.optional) return undefined;
  const object = rawObject(node.target, emission);
  if (object === undefined) return undefined;
  const { name, offset } = node;
  const missing = `\`${pathText(node)}\` is missing`;
  return (frame) => {
    burn(frame, 2);
    const members = object(frame);
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    if (value !== undefined) return value;
    throw new Fault('no-such-member', missing, offset);
  };
}

function mismatch(node: Node, type: CelType, raw: JsonValue): never {
  throw new Fault('type-mismatch', `\`${pathText(node)}\`: expected ${typeText(type)}, got ${jsonKind(raw)}`, node.offset);
}

/** Reads a member of a known object. */
export function emitKnownMember(node: MemberNode, emission: Emission): Eval | undefined {
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  const type = emission.typeOf(node);
  if (type.kind === 'string' || type.kind === 'bool') {
    const expected = type.kind === 'string' ? 'string' : 'boolean';
    return (frame) => {
      const value = raw(frame);
      return typeof value === expected ? (value as string | boolean) : mismatch(node, type, value);
    };
  }
  return (frame) => {
    const value = raw(frame);
    return convert(value, type) ?? mismatch(node, type, value);
  };
}

/** Whether a known object has a member. */
export function emitKnownHas(node: HasNode, emission: Emission): Test | undefined {
  const object = rawObject(node.target, emission);
  if (object === undefined) return undefined;
  const { name } = node;
  return (frame) => {
    burn(frame, 2);
    return Object.hasOwn(object(frame), name);
  };
}

/**
 * A node that is statically a number as a JavaScript number: literals within ±2^53, members of known objects, sizes.
 * Such numbers, int and double alike, compare exactly.
 */
export function emitNumber(node: Node, emission: Emission): Num | undefined {
  if (node.kind === 'literal') return literalNumber(node.value instanceof Uint ? node.value.value : node.value);
  if (node.kind === 'call' && (node.key === 'size/1' || node.key === '.size/1')) {
    const [sized] = node.values;
    const value = sized === undefined ? undefined : emission.value(sized);
    if (value === undefined) return undefined;
    return (frame) => {
      burn(frame, 1);
      const measured = value(frame);
      frame.at = node.offset;
      return sizeOf(frame, measured);
    };
  }
  const type = emission.typeOf(node);
  const whole = type.kind === 'int' || type.kind === 'uint';
  if (!whole && type.kind !== 'double') return undefined;
  const raw = rawMember(node, emission);
  if (raw === undefined) return undefined;
  const least = type.kind === 'uint' ? 0 : -Infinity;
  return (frame) => {
    const value = raw(frame);
    if (typeof value !== 'number' || (whole && !(Number.isInteger(value) && value >= least))) mismatch(node, type, value);
    return value;
  };
}

function literalNumber(value: unknown): Num | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || (typeof value === 'bigint' && !Number.isSafeInteger(number))) return undefined;
  return () => number;
}
