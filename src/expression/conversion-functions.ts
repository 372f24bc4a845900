/** Conversions between types: `int()`, `string()`, `timestamp()` and the like, each exact or a fault. */

import { fromUtf8, utf8 } from '../value/encoding.ts';
import { INT_MAX, INT_MIN, UINT_MAX } from './arithmetic.ts';
import type { Frame } from './fault.ts';
import { burn, fail, priceOf } from './fault.ts';
import type { Family } from './function.ts';
import { noOverload } from './function.ts';
import {
  floorDivide,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  TIMESTAMP_MAX,
  TIMESTAMP_MIN,
} from './time-text.ts';
import type { CelValue } from './value.ts';
import { Duration, Timestamp, typeName, TypeValue, Uint } from './value.ts';

const SECOND = 1_000_000_000n;
const NUMBER_LENGTH_MAX = 400;

function outOfRange(frame: Frame, name: string): never {
  return fail(frame, 'overflow', `\`${name}()\`: the value does not fit`);
}

function unreadable(frame: Frame, name: string): never {
  return fail(frame, 'invalid-argument', `\`${name}()\`: the text is not one`);
}

function toInt(frame: Frame, value: CelValue): CelValue {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return value.value > INT_MAX ? outOfRange(frame, 'int') : value.value;
  if (typeof value === 'number') {
    // ±2^63 itself is refused as the reference implementation does: a double there may be a neighbour.
    return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : outOfRange(frame, 'int');
  }
  if (value instanceof Timestamp) return floorDivide(value.nanos, SECOND);
  if (typeof value !== 'string') return noOverload(frame, 'int', value);
  if (value.length > NUMBER_LENGTH_MAX || !/^[+-]?\d+$/.test(value)) return unreadable(frame, 'int');
  const integer = BigInt(value.replace(/^\+/, ''));
  return integer < INT_MIN || integer > INT_MAX ? outOfRange(frame, 'int') : integer;
}

function toUint(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Uint) return value;
  let integer: bigint;
  if (typeof value === 'bigint') integer = value;
  else if (typeof value === 'number') {
    if (!(value > -1 && value < 2 ** 64)) return outOfRange(frame, 'uint');
    integer = BigInt(Math.trunc(value));
  } else if (typeof value === 'string') {
    if (value.length > NUMBER_LENGTH_MAX || !/^\d+$/.test(value)) return unreadable(frame, 'uint');
    integer = BigInt(value);
  } else return noOverload(frame, 'uint', value);
  return integer < 0n || integer > UINT_MAX ? outOfRange(frame, 'uint') : new Uint(integer);
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NAMED: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-infinity', -Infinity],
]);

function toDouble(frame: Frame, value: CelValue): CelValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value !== 'string') return noOverload(frame, 'double', value);
  if (value.length > NUMBER_LENGTH_MAX) return unreadable(frame, 'double');
  const named = NAMED.get(value.toLowerCase());
  if (named !== undefined) return named;
  if (!DECIMAL.test(value)) return unreadable(frame, 'double');
  const number = Number(value);
  return Number.isFinite(number) ? number : outOfRange(frame, 'double');
}

function toText(frame: Frame, value: CelValue): CelValue {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
    default:
      break;
  }
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Timestamp) return formatTimestamp(value.nanos);
  if (value instanceof Duration) return formatDuration(value.nanos);
  if (!(value instanceof Uint8Array)) return noOverload(frame, 'string', value);
  burn(frame, priceOf(value.length));
  return fromUtf8(value) ?? fail(frame, 'invalid-argument', '`string()`: the bytes are not UTF-8');
}

function toBytes(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') return noOverload(frame, 'bytes', value);
  burn(frame, priceOf(value.length));
  return utf8(value);
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['t', true],
  ['true', true],
  ['TRUE', true],
  ['True', true],
  ['0', false],
  ['f', false],
  ['false', false],
  ['FALSE', false],
  ['False', false],
]);

function toBool(frame: Frame, value: CelValue): CelValue {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return noOverload(frame, 'bool', value);
  return BOOLEANS.get(value) ?? unreadable(frame, 'bool');
}

function toTimestamp(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'string') return new Timestamp(parseTimestamp(value) ?? unreadable(frame, 'timestamp'));
  if (typeof value !== 'bigint') return noOverload(frame, 'timestamp', value);
  const nanos = value * SECOND;
  return nanos < TIMESTAMP_MIN || nanos > TIMESTAMP_MAX ? outOfRange(frame, 'timestamp') : new Timestamp(nanos);
}

function toDuration(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Duration) return value;
  if (typeof value !== 'string') return noOverload(frame, 'duration', value);
  return new Duration(parseDuration(value) ?? unreadable(frame, 'duration'));
}

const TIMESTAMP = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';

export const CONVERSION_FUNCTIONS: Family = {
  declared: [
    'int(uint): int',
    `int(${TIMESTAMP}): int`,
    `string(${TIMESTAMP}): string`,
    `string(${DURATION}): string`,
    `timestamp(${TIMESTAMP}): ${TIMESTAMP}`,
    `duration(${DURATION}): ${DURATION}`,
  ],
  functions: [
    ['int/1', toInt],
    ['uint/1', toUint],
    ['double/1', toDouble],
    ['string/1', toText],
    ['bytes/1', toBytes],
    ['bool/1', toBool],
    ['timestamp/1', toTimestamp],
    ['duration/1', toDuration],
    ['dyn/1', (_frame, value) => value],
    ['type/1', (_frame, value) => new TypeValue(typeName(value))],
  ],
};
