/** The namespaces `math` and `base64`, and sizes. */

import { fromBase64, toBase64 } from '../value/encoding.ts';
import { intOf, negate, UINT_MAX } from './arithmetic.ts';
import { elements, listSize, mapSize } from './collection.ts';
import { order } from './equality.ts';
import type { Frame } from './fault.ts';
import { burn, fail, priceOf } from './fault.ts';
import type { Family, Run } from './function.ts';
import { countOf, namespaceType, noOverload, textOf } from './function.ts';
import { sizeOfText } from './string-functions.ts';
import type { CelValue } from './value.ts';
import { isList, isMap, Uint } from './value.ts';

/** Code points, bytes, elements or entries, as a number. */
export function sizeOf(frame: Frame, value: CelValue): number {
  if (typeof value === 'string') return sizeOfText(frame, value);
  if (value instanceof Uint8Array) return value.length;
  if (value !== null && isList(value)) return listSize(value);
  if (value !== null && isMap(value)) return mapSize(frame, value);
  return noOverload(frame, 'size', value);
}

const size: Run = (frame, value) => BigInt(sizeOf(frame, value));

/** The least or greatest of the values, or of the one list; the first of equals. */
export function extreme(frame: Frame, name: string, direction: 1 | -1, values: readonly CelValue[]): CelValue {
  const [only] = values;
  const candidates =
    values.length === 1 && only !== undefined && only !== null && isList(only) ? elements(frame, only) : values;
  let best: CelValue | undefined;
  for (const candidate of candidates) {
    burn(frame, 1);
    const numeric = typeof candidate === 'bigint' || typeof candidate === 'number' || candidate instanceof Uint;
    if (!numeric) return noOverload(frame, name, candidate);
    if (best === undefined || order(frame, candidate, best) * direction > 0) best = candidate;
  }
  return best ?? fail(frame, 'invalid-argument', `\`${name}\` of nothing`);
}

function onDouble(name: string, run: (value: number) => CelValue): readonly [string, Run] {
  const full = `math.${name}`;
  return [`${full}/1`, (frame, value) => (typeof value === 'number' ? run(value) : noOverload(frame, full, value))];
}

/** Half away from zero. */
function round(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function abs(frame: Frame, value: CelValue): CelValue {
  if (typeof value === 'number') return Math.abs(value);
  if (typeof value === 'bigint') return value < 0n ? negate(frame, value) : value;
  return value instanceof Uint ? value : noOverload(frame, 'math.abs', value);
}

function sign(frame: Frame, value: CelValue): CelValue {
  if (typeof value === 'number') return Math.sign(value);
  if (typeof value === 'bigint') return value < 0n ? -1n : value > 0n ? 1n : 0n;
  return value instanceof Uint ? new Uint(value.value > 0n ? 1n : 0n) : noOverload(frame, 'math.sign', value);
}

function onBits(name: string, run: (a: bigint, b: bigint) => bigint): readonly [string, Run] {
  const full = `math.${name}`;
  return [
    `${full}/2`,
    (frame, a, b) => {
      if (typeof a === 'bigint' && typeof b === 'bigint') return BigInt.asIntN(64, run(a, b));
      if (a instanceof Uint && b instanceof Uint) return new Uint(BigInt.asUintN(64, run(a.value, b.value)));
      return noOverload(frame, full, a, b);
    },
  ];
}

function bitNot(frame: Frame, value: CelValue): CelValue {
  if (typeof value === 'bigint') return ~value;
  return value instanceof Uint ? new Uint(value.value ^ UINT_MAX) : noOverload(frame, 'math.bitNot', value);
}

/** Shifts of the 64 bits; those of an int too come in as zeros. */
function shift(name: 'bitShiftLeft' | 'bitShiftRight'): readonly [string, Run] {
  return [
    `math.${name}/2`,
    (frame, value, by) => {
      if (typeof value !== 'bigint' && !(value instanceof Uint)) return noOverload(frame, `math.${name}`, value);
      const count = countOf(frame, `math.${name}`, by);
      if (count < 0) return fail(frame, 'invalid-argument', `\`math.${name}\`: negative count`);
      const bits = BigInt.asUintN(64, typeof value === 'bigint' ? value : value.value);
      const distance = BigInt(Math.min(count, 64));
      const shifted = BigInt.asUintN(64, name === 'bitShiftLeft' ? bits << distance : bits >> distance);
      return typeof value === 'bigint' ? intOf(frame, BigInt.asIntN(64, shifted)) : new Uint(shifted);
    },
  ];
}

function encodeBase64(frame: Frame, value: CelValue): CelValue {
  if (!(value instanceof Uint8Array)) return noOverload(frame, 'base64.encode', value);
  burn(frame, value.length);
  return toBase64(value);
}

/** Padding may be missing. */
function decodeBase64(frame: Frame, value: CelValue): CelValue {
  const text = textOf(frame, 'base64.decode', value);
  burn(frame, text.length + priceOf(text.length));
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  return fromBase64(padded) ?? fail(frame, 'invalid-argument', '`base64.decode`: the text is not base64');
}

const MATH = namespaceType('math');
const BASE64 = namespaceType('base64');
const EXTREMES_MAX = 8;

function extremeSignatures(name: string): readonly string[] {
  return Array.from(
    { length: EXTREMES_MAX },
    (_, i) => `${MATH}.${name}(${Array.from({ length: i + 1 }, () => 'dyn').join(', ')}): dyn`,
  );
}

export const MATH_FUNCTIONS: Family = {
  declared: [
    ...extremeSignatures('greatest'),
    ...extremeSignatures('least'),
    ...['ceil', 'floor', 'round', 'trunc', 'sqrt'].map((name) => `${MATH}.${name}(double): double`),
    ...['isNaN', 'isInf', 'isFinite'].map((name) => `${MATH}.${name}(double): bool`),
    ...['int', 'uint', 'double'].flatMap((type) => [`${MATH}.abs(${type}): ${type}`, `${MATH}.sign(${type}): ${type}`]),
    ...['int', 'uint'].flatMap((type) => [
      ...['bitAnd', 'bitOr', 'bitXor'].map((name) => `${MATH}.${name}(${type}, ${type}): ${type}`),
      ...['bitShiftLeft', 'bitShiftRight'].map((name) => `${MATH}.${name}(${type}, int): ${type}`),
      `${MATH}.bitNot(${type}): ${type}`,
    ]),
    `${BASE64}.encode(bytes): string`,
    `${BASE64}.decode(string): bytes`,
  ],
  functions: [
    ['size/1', size],
    ['.size/1', size],
    onDouble('ceil', Math.ceil),
    onDouble('floor', Math.floor),
    onDouble('round', round),
    onDouble('trunc', Math.trunc),
    onDouble('sqrt', Math.sqrt),
    onDouble('isNaN', Number.isNaN),
    onDouble('isInf', (value) => Math.abs(value) === Infinity),
    onDouble('isFinite', Number.isFinite),
    ['math.abs/1', abs],
    ['math.sign/1', sign],
    onBits('bitAnd', (a, b) => a & b),
    onBits('bitOr', (a, b) => a | b),
    onBits('bitXor', (a, b) => a ^ b),
    ['math.bitNot/1', bitNot],
    shift('bitShiftLeft'),
    shift('bitShiftRight'),
    ['base64.encode/1', encodeBase64],
    ['base64.decode/1', decodeBase64],
  ],
};
