/** Optionals: values that may be absent without being an error. */

import { listSize, mapSize } from './collection.ts';
import type { Frame } from './fault.ts';
import { fail } from './fault.ts';
import type { Family } from './function.ts';
import { noOverload } from './function.ts';
import type { CelValue } from './value.ts';
import { Duration, isList, isMap, Optional, Uint } from './value.ts';

export const NONE: Optional = new Optional(undefined);

/** Null, false, zero, and whatever is empty. */
function isZero(frame: Frame, value: CelValue): boolean {
  switch (typeof value) {
    case 'boolean':
      return !value;
    case 'bigint':
      return value === 0n;
    case 'number':
      return value === 0;
    case 'string':
      return value === '';
    default:
      break;
  }
  if (value === null) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (isList(value)) return listSize(value) === 0;
  return isMap(value) && mapSize(frame, value) === 0;
}

export function optionalOf(frame: Frame, name: string, value: CelValue): Optional {
  return value instanceof Optional ? value : noOverload(frame, name, value);
}

function valueOf(frame: Frame, value: CelValue): CelValue {
  const held = optionalOf(frame, 'value', value).value;
  return held === undefined ? fail(frame, 'no-such-key', '`value()` of an absent optional') : held;
}

export const OPTIONAL_FUNCTIONS: Family = {
  declared: ['OptionalNamespace.ofNonZeroValue(A): optional<A>', 'type(optional): type'],
  functions: [
    ['optional.of/1', (_frame, value) => new Optional(value)],
    ['optional.none/0', () => NONE],
    ['optional.ofNonZeroValue/1', (frame, value) => (isZero(frame, value) ? NONE : new Optional(value))],
    ['.hasValue/1', (frame, value) => optionalOf(frame, 'hasValue', value).value !== undefined],
    ['.value/1', valueOf],
  ],
};
