/** Members, indexes and presence where the type is not known before the value. */

import { listAt, mapFind, mapHas } from './collection.ts';
import type { Emission, Eval, Test } from './emission.ts';
import { emitKnownHas, emitKnownMember, pathText } from './emit-path.ts';
import type { Frame } from './fault.ts';
import { burn, fail } from './fault.ts';
import { NONE } from './optional-functions.ts';
import type { HasNode, IndexNode, MemberNode } from './tree.ts';
import type { CelValue } from './value.ts';
import { isList, isMap, Optional, typeName, Uint } from './value.ts';

export function emitMember(node: MemberNode, emission: Emission): Eval {
  const known = emitKnownMember(node, emission);
  if (known !== undefined) return known;
  const target = emission.value(node.target);
  const { name, offset, optional } = node;
  const missing = `\`${pathText(node)}\` is missing`;
  return (frame) => {
    burn(frame, 1);
    const from = target(frame);
    frame.at = offset;
    if (optional || from instanceof Optional) return throughOptional(from, (value) => member(frame, value, name));
    const found = member(frame, from, name);
    return found === undefined ? fail(frame, 'no-such-member', missing) : found;
  };
}

function member(frame: Frame, from: CelValue, name: string): CelValue | undefined {
  if (from !== null && isMap(from)) return mapFind(frame, from, name);
  return fail(frame, 'no-such-overload', `${typeName(from)} has no members`);
}

/** A member of an optional is an optional again; nothing of nothing is nothing. */
function throughOptional(from: CelValue, read: (value: CelValue) => CelValue | undefined): Optional {
  const value = from instanceof Optional ? from.value : from;
  if (value === undefined) return NONE;
  const found = read(value);
  return found === undefined ? NONE : new Optional(found);
}

export function emitIndex(node: IndexNode, emission: Emission): Eval {
  const target = emission.value(node.target);
  const index = emission.value(node.index);
  const { offset, optional } = node;
  return (frame) => {
    burn(frame, 1);
    const from = target(frame);
    const at = index(frame);
    frame.at = offset;
    if (optional || from instanceof Optional) return throughOptional(from, (value) => element(frame, value, at));
    const found = element(frame, from, at);
    if (found !== undefined) return found;
    if (from !== null && isMap(from)) return fail(frame, 'no-such-key', 'the map has no such key');
    return fail(frame, 'index-out-of-range', 'the list has no element at this position');
  };
}

function element(frame: Frame, from: CelValue, at: CelValue): CelValue | undefined {
  if (from !== null && isMap(from)) return mapFind(frame, from, at);
  if (from === null || !isList(from)) return fail(frame, 'no-such-overload', `${typeName(from)} has no elements`);
  const position = at instanceof Uint ? at.value : at;
  if (typeof position !== 'bigint' && !(typeof position === 'number' && Number.isInteger(position))) {
    return fail(frame, 'no-such-overload', `a list is indexed by int, not ${typeName(at)}`);
  }
  return listAt(frame, from, Number(position));
}

export function emitHas(node: HasNode, emission: Emission): Test {
  const known = emitKnownHas(node, emission);
  if (known !== undefined) return known;
  const target = emission.value(node.target);
  const { name, offset } = node;
  return (frame) => {
    burn(frame, 1);
    const from = target(frame);
    frame.at = offset;
    const value = from instanceof Optional ? from.value : from;
    if (value === undefined) return false;
    if (value !== null && isMap(value)) return mapHas(value, name);
    return fail(frame, 'no-such-overload', `${typeName(value)} has no members`);
  };
}
