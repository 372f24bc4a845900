/** Equality and order of values: by meaning across the numeric types, elementwise in lists and maps. */

import { elements, listAt, listSize, mapFind, mapKeys, mapSize } from './collection.ts';
import type { Frame } from './fault.ts';
import { burn, fail, priceOf } from './fault.ts';
import type { CelList, CelMap, CelValue } from './value.ts';
import { Duration, isList, isMap, Optional, Timestamp, typeName, TypeValue, Uint } from './value.ts';

/** Whether both are the same value. Values of different types are unequal, but 1, 1u and 1.0 are equal. */
export function equal(frame: Frame, a: CelValue, b: CelValue): boolean {
  burn(frame, 1);
  switch (typeof a) {
    case 'string':
      return typeof b === 'string' && equalText(frame, a, b);
    case 'boolean':
      return a === b;
    case 'bigint':
    case 'number':
      return equalNumber(a, b);
    default:
      return equalObject(frame, a, b);
  }
}

function equalText(frame: Frame, a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  burn(frame, priceOf(a.length));
  return a === b;
}

function equalNumber(a: bigint | number, b: CelValue): boolean {
  if (typeof b === 'bigint' || typeof b === 'number') return sameNumber(a, b);
  return b instanceof Uint && sameNumber(a, b.value);
}

function sameNumber(a: bigint | number, b: bigint | number): boolean {
  return orderNumbers(a, b) === 0;
}

function equalObject(frame: Frame, a: Exclude<CelValue, string | boolean | bigint | number>, b: CelValue): boolean {
  if (a === null) return b === null;
  if (a instanceof Uint) return equalNumber(a.value, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && orderBytes(frame, a, b) === 0;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) return b instanceof Optional && equalOptional(frame, a, b);
  if (isList(a)) return isList(b) && equalLists(frame, a, b);
  return isMap(b) && equalMaps(frame, a, b);
}

function equalOptional(frame: Frame, a: Optional, b: Optional): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equal(frame, a.value, b.value);
}

function equalLists(frame: Frame, a: CelList, b: CelList): boolean {
  const size = listSize(a);
  if (size !== listSize(b)) return false;
  for (let i = 0; i < size; i += 1) {
    const left = listAt(frame, a, i);
    const right = listAt(frame, b, i);
    if (left === undefined || right === undefined || !equal(frame, left, right)) return false;
  }
  return true;
}

function equalMaps(frame: Frame, a: CelMap, b: CelMap): boolean {
  if (mapSize(frame, a) !== mapSize(frame, b)) return false;
  for (const key of mapKeys(frame, a)) {
    const left = mapFind(frame, a, key);
    const right = mapFind(frame, b, key);
    if (left === undefined || right === undefined || !equal(frame, left, right)) return false;
  }
  return true;
}

/** Whether `value` equals an element or a key. */
export function contains(frame: Frame, value: CelValue, within: CelList): boolean {
  for (const element of elements(frame, within)) if (equal(frame, value, element)) return true;
  return false;
}

/**
 * Negative, zero or positive as `a` comes before, with or after `b`; NaN when one of them is. Fails with
 * `no-such-overload` when the two have no order.
 */
export function order(frame: Frame, a: CelValue, b: CelValue): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (isNumber(left) && isNumber(right)) return orderNumbers(left, right);
  if (typeof a === 'string' && typeof b === 'string') return orderText(frame, a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return orderNumbers(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return orderNumbers(a.nanos, b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return orderBytes(frame, a, b);
  return fail(frame, 'no-such-overload', `${typeName(a)} and ${typeName(b)} have no order`);
}

function isNumber(value: CelValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** An integer beside a double is rounded to one, as the reference implementation does; nothing orders NaN. */
function orderNumbers(a: bigint | number, b: bigint | number): number {
  const left = typeof b === 'number' ? Number(a) : a;
  const right = typeof a === 'number' ? Number(b) : b;
  if (left < right) return -1;
  if (left > right) return 1;
  return left >= right ? 0 : Number.NaN;
}

/** By code points, as UTF-8 sorts; UTF-16 would put U+FFFD after an emoji. */
export function orderText(frame: Frame, a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  burn(frame, priceOf(length));
  if (a === b) return 0;
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === length) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function orderBytes(frame: Frame, a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  burn(frame, priceOf(length));
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
