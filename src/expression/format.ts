/** `text.format(list)`: the format verbs of CEL's string extension, exact to the last digit. */

import { elements, mapFind, mapKeys } from './collection.ts';
import { orderText } from './equality.ts';
import type { Frame } from './fault.ts';
import { burn, fail, priceOf } from './fault.ts';
import { noOverload, textOf } from './function.ts';
import { formatDuration, formatTimestamp } from './time-text.ts';
import type { CelValue } from './value.ts';
import { Duration, isList, isMap, Timestamp, typeName, TypeValue, Uint } from './value.ts';
import { fromUtf8, toHex, utf8 } from '../value/encoding.ts';

const DIRECTIVE = /%(?:\.(\d{1,3}))?(.)?/gsu;
const PRECISION_MAX = 100;
const PRECISION_DEFAULT = 6;

/** The receiver with each directive replaced by the next element of the list. */
export function format(frame: Frame, receiver: CelValue, list: CelValue): CelValue {
  const template = textOf(frame, 'format', receiver);
  if (list === null || !isList(list)) return noOverload(frame, 'format', receiver, list);
  const values = elements(frame, list);
  burn(frame, template.length);
  let next = 0;
  let result = '';
  let kept = 0;
  for (const match of template.matchAll(DIRECTIVE)) {
    const [whole, precision, verb = ''] = match;
    result += template.slice(kept, match.index);
    kept = match.index + whole.length;
    if (verb === '%' && precision === undefined) {
      result += '%';
      continue;
    }
    const value = values[next];
    if (value === undefined) return fail(frame, 'index-out-of-range', '`format`: more directives than values');
    next += 1;
    const text = formatOne(frame, verb, Number(precision ?? PRECISION_DEFAULT), value);
    burn(frame, 1 + priceOf(text.length));
    result += text;
  }
  return result + template.slice(kept);
}

function formatOne(frame: Frame, verb: string, precision: number, value: CelValue): string {
  if (precision > PRECISION_MAX) fail(frame, 'invalid-argument', `\`format\`: at most ${PRECISION_MAX} decimals`);
  const number = value instanceof Uint ? value.value : value;
  switch (verb) {
    case 's':
      return display(frame, value);
    case 'd':
      if (typeof number === 'bigint') return number.toString();
      if (typeof number === 'number' && !Number.isFinite(number)) return String(number);
      break;
    case 'f':
      if (typeof number === 'number' || typeof number === 'bigint') return fixed(Number(number), precision);
      break;
    case 'e':
      if (typeof number === 'number' || typeof number === 'bigint') return scientific(Number(number), precision);
      break;
    case 'b':
      if (typeof number === 'boolean') return number ? '1' : '0';
      if (typeof number === 'bigint') return number.toString(2);
      break;
    case 'o':
      if (typeof number === 'bigint') return number.toString(8);
      break;
    case 'x':
    case 'X':
      return hexadecimal(frame, verb, value);
    default:
      return fail(frame, 'invalid-argument', `\`format\`: there is no directive \`%${verb}\``);
  }
  return fail(frame, 'no-such-overload', `\`format\`: \`%${verb}\` does not take ${typeName(value)}`);
}

function hexadecimal(frame: Frame, verb: string, value: CelValue): string {
  const number = value instanceof Uint ? value.value : value;
  let text: string;
  if (typeof number === 'bigint') text = number.toString(16);
  else if (typeof number === 'string') text = toHex(utf8(number));
  else if (number instanceof Uint8Array) text = toHex(number);
  else return fail(frame, 'no-such-overload', `\`format\`: \`%${verb}\` does not take ${typeName(value)}`);
  burn(frame, priceOf(text.length));
  return verb === 'X' ? text.toUpperCase() : text;
}

/** A double with `precision` decimals, ties to even, computed on the exact value. */
function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return String(value);
  const { mantissa, exponent } = parts(Math.abs(value));
  const scaled = mantissa * 10n ** BigInt(precision);
  const whole = exponent >= 0 ? scaled << BigInt(exponent) : roundedShift(scaled, BigInt(-exponent));
  const digits = whole.toString().padStart(precision + 1, '0');
  const cut = digits.length - precision;
  const sign = value < 0 ? '-' : '';
  return `${sign}${digits.slice(0, cut)}${precision === 0 ? '' : `.${digits.slice(cut)}`}`;
}

function parts(value: number): { mantissa: bigint; exponent: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number(raw >> 52n);
  const fraction = raw & ((1n << 52n) - 1n);
  return exponent === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: exponent - 1075 };
}

function roundedShift(value: bigint, by: bigint): bigint {
  const low = value >> by;
  const twice = (value - (low << by)) << 1n;
  const one = 1n << by;
  return twice > one || (twice === one && low % 2n === 1n) ? low + 1n : low;
}

function scientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return String(value);
  const [digits = '', exponent = ''] = value.toExponential(precision).split('e');
  return `${digits}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}

/** What `%s` writes: text as it is, lists and maps with what they hold, maps by key. */
function display(frame: Frame, value: CelValue): string {
  burn(frame, 1);
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
      return displayObject(frame, value);
    default:
      return String(value);
  }
}

function displayObject(frame: Frame, value: CelValue & (object | null)): string {
  if (value === null) return 'null';
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Uint8Array)
    return fromUtf8(value) ?? fail(frame, 'invalid-argument', '`format`: the bytes are not UTF-8');
  if (value instanceof Timestamp) return formatTimestamp(value.nanos);
  if (value instanceof Duration) return formatDuration(value.nanos);
  if (value instanceof TypeValue) return value.name;
  if (isList(value))
    return `[${elements(frame, value)
      .map((element) => paid(frame, element))
      .join(', ')}]`;
  if (!isMap(value)) return fail(frame, 'no-such-overload', `\`format\`: \`%s\` does not take ${typeName(value)}`);
  const members = mapKeys(frame, value).map((key) => ({
    key: paid(frame, key),
    value: mapFind(frame, value, key) ?? null,
  }));
  members.sort((a, b) => orderText(frame, a.key, b.key));
  return `{${members.map((member) => `${member.key}: ${paid(frame, member.value)}`).join(', ')}}`;
}

function paid(frame: Frame, value: CelValue): string {
  const text = display(frame, value);
  burn(frame, priceOf(text.length));
  return text;
}
