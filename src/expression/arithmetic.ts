/** `+ - * / %` and negation: exact 64-bit integers, IEEE 754 doubles, times, texts and lists. */

import { elements } from './collection.ts';
import type { Frame } from './fault.ts';
import { burn, fail, priceOf } from './fault.ts';
import { DURATION_MAX, TIMESTAMP_MAX, TIMESTAMP_MIN } from './time-text.ts';
import type { CelValue } from './value.ts';
import { Duration, isList, Timestamp, typeName, Uint } from './value.ts';

export const INT_MIN: bigint = -(2n ** 63n);
export const INT_MAX: bigint = 2n ** 63n - 1n;
export const UINT_MAX: bigint = 2n ** 64n - 1n;

/** `value` when it fits int, else the fault `overflow`. */
export function intOf(frame: Frame, value: bigint): bigint {
  return value < INT_MIN || value > INT_MAX ? fail(frame, 'overflow', 'the result does not fit int (64 bits)') : value;
}

/** `value` when it fits uint, else the fault `overflow`. */
function uintOf(frame: Frame, value: bigint): Uint {
  if (value < 0n || value > UINT_MAX) fail(frame, 'overflow', 'the result does not fit uint (64 bits)');
  return new Uint(value);
}

function timestampIn(frame: Frame, nanos: bigint): Timestamp {
  if (nanos < TIMESTAMP_MIN || nanos > TIMESTAMP_MAX)
    fail(frame, 'overflow', 'the timestamp is not in the years 1 to 9999');
  return new Timestamp(nanos);
}

/** A duration of `nanos`, or the fault `overflow` beyond 292 years. */
function durationIn(frame: Frame, nanos: bigint): Duration {
  if (nanos > DURATION_MAX || nanos < -DURATION_MAX - 1n) fail(frame, 'overflow', 'the duration is beyond 292 years');
  return new Duration(nanos);
}

function noOverload(frame: Frame, operator: string, a: CelValue, b: CelValue): never {
  return fail(frame, 'no-such-overload', `\`${operator}\` does not take ${typeName(a)} and ${typeName(b)}`);
}

export function add(frame: Frame, a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(frame, a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (typeof a === 'string' && typeof b === 'string') return concatenate(frame, a, b);
  if (a instanceof Uint && b instanceof Uint) return uintOf(frame, a.value + b.value);
  if (a instanceof Timestamp && b instanceof Duration) return timestampIn(frame, a.nanos + b.nanos);
  if (a instanceof Duration && b instanceof Timestamp) return timestampIn(frame, a.nanos + b.nanos);
  if (a instanceof Duration && b instanceof Duration) return durationIn(frame, a.nanos + b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return joinBytes(frame, a, b);
  if (isValue(a) && isValue(b) && isList(a) && isList(b)) return [...elements(frame, a), ...elements(frame, b)];
  return noOverload(frame, '+', a, b);
}

function isValue(value: CelValue): value is CelValue & object {
  return typeof value === 'object' && value !== null;
}

/** Joined text; pays for all of it although JavaScript may copy later, so that no text outgrows the fuel. */
export function concatenate(frame: Frame, a: string, b: string): string {
  burn(frame, priceOf(a.length + b.length));
  return a + b;
}

function joinBytes(frame: Frame, a: Uint8Array, b: Uint8Array): Uint8Array {
  burn(frame, priceOf(a.length + b.length));
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

export function subtract(frame: Frame, a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(frame, a - b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (a instanceof Uint && b instanceof Uint) return uintOf(frame, a.value - b.value);
  if (a instanceof Timestamp && b instanceof Timestamp) return durationIn(frame, a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return timestampIn(frame, a.nanos - b.nanos);
  if (a instanceof Duration && b instanceof Duration) return durationIn(frame, a.nanos - b.nanos);
  return noOverload(frame, '-', a, b);
}

export function multiply(frame: Frame, a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(frame, a * b);
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a instanceof Uint && b instanceof Uint) return uintOf(frame, a.value * b.value);
  return noOverload(frame, '*', a, b);
}

export function divide(frame: Frame, a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(frame, a / divisor(frame, b));
  if (typeof a === 'number' && typeof b === 'number') return a / b;
  if (a instanceof Uint && b instanceof Uint) return new Uint(a.value / divisor(frame, b.value));
  return noOverload(frame, '/', a, b);
}

export function remainder(frame: Frame, a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a % divisor(frame, b);
  if (a instanceof Uint && b instanceof Uint) return new Uint(a.value % divisor(frame, b.value));
  return noOverload(frame, '%', a, b);
}

function divisor(frame: Frame, value: bigint): bigint {
  return value === 0n ? fail(frame, 'division-by-zero', 'division by zero') : value;
}

export function negate(frame: Frame, a: CelValue): CelValue {
  if (typeof a === 'bigint') return intOf(frame, -a);
  if (typeof a === 'number') return -a;
  return fail(frame, 'no-such-overload', `\`-\` does not take ${typeName(a)}`);
}
