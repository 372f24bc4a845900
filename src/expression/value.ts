/** The values of conditions: what CEL sees of JSON, and how its answers become JSON again. */

import { toBase64 } from '../value/encoding.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './time-text.ts';
import type { CelType, ObjectType } from './type.ts';
import { DYN } from './type.ts';

/**
 * int is `bigint`, double is `number`. Lists and maps that come from JSON are not copied: `JsonList` and `JsonMap`
 * are views that convert a member when it is read.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | CelList
  | CelMap;

export type CelList = readonly CelValue[] | JsonList;
export type CelMap = MapValue | JsonMap;

/** An unsigned 64-bit integer; whoever makes one has checked the range. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** An instant in nanoseconds since 1970-01-01T00:00:00Z, in the years 1 to 9999. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A span of time in nanoseconds, within 64 bits. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A type as a value: what `type(x)` answers. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value or its absence: what `args.?note` answers. */
export class Optional {
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** A map made by an expression, in order of insertion, by what its keys equal. */
export class MapValue {
  readonly entries: ReadonlyMap<MapKey, readonly [key: CelValue, value: CelValue]>;
  constructor(entries: ReadonlyMap<MapKey, readonly [key: CelValue, value: CelValue]>) {
    this.entries = entries;
  }
}

/** What decides whether two keys are one: 1, 1u and 1.0 are the same `1n`. */
export type MapKey = string | boolean | bigint;

/** A JSON array whose elements are read as `item`. */
export class JsonList {
  readonly raw: readonly JsonValue[];
  readonly item: CelType;
  constructor(raw: readonly JsonValue[], item: CelType) {
    this.raw = raw;
    this.item = item;
  }
}

/** A JSON object whose members are read as `type` says; one it does not know is `dyn`. */
export class JsonMap {
  readonly raw: JsonObject;
  readonly type: CelType;
  /** Members of a known object that were read before, by their place in its type. */
  #members: (JsonValue | undefined | typeof UNREAD)[] | undefined;

  constructor(raw: JsonObject, type: CelType) {
    this.raw = raw;
    this.type = type;
  }

  /**
   * The member `name`, which is at `place` of `type`. A hundred conditions read the same few members of one call, and
   * a place costs a tenth of a name.
   */
  known(type: ObjectType, place: number, name: string): JsonValue | undefined {
    if (this.type !== type) return ownMember(this.raw, name);
    this.#members ??= Array.from({ length: type.fields.size }, () => UNREAD);
    const value = this.#members[place];
    if (value !== UNREAD) return value;
    const read = ownMember(this.raw, name);
    this.#members[place] = read;
    return read;
  }
}

const UNREAD: unique symbol = Symbol('unread');

/** The instant `ms` milliseconds after 1970-01-01T00:00:00Z: what `now` is bound to. */
export function timestampOf(ms: number): Timestamp {
  return new Timestamp(BigInt(Math.trunc(ms)) * 1_000_000n);
}

export function isList(value: CelValue): value is CelList {
  return Array.isArray(value) || value instanceof JsonList;
}

export function isMap(value: CelValue): value is CelMap {
  return value instanceof JsonMap || value instanceof MapValue;
}

/** CEL's name of the value's type: `int`, `null_type`, `map`, `google.protobuf.Timestamp`, … */
export function typeName(value: CelValue): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      return value === null ? 'null_type' : typeNameOfObject(value);
  }
}

function typeNameOfObject(value: Exclude<CelValue, null | boolean | bigint | number | string>): string {
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Optional) return 'optional_type';
  return isList(value) ? 'list' : 'map';
}

/**
 * The CEL value of `value` read as `type`, in constant time: nothing is copied, and `value` must not change afterwards.
 * Numbers become int where the type says so and double elsewhere. Where the value is not of the type, it is read by
 * its own nature, and using it as the type is an evaluation error.
 */
export function toCel(value: JsonValue, type: CelType): CelValue {
  const typed = convert(value, type);
  return typed === undefined ? (convert(value, DYN) ?? null) : typed;
}

/** `value` read as `type`; nothing when it is not of that type. */
export function convert(value: JsonValue, type: CelType): CelValue | undefined {
  switch (typeof value) {
    case 'string':
      return convertString(value, type);
    case 'number':
      return convertNumber(value, type);
    case 'boolean':
      return type.kind === 'bool' || type.kind === 'dyn' ? value : undefined;
    default:
      if (value === null) return type.kind === 'null' || type.kind === 'dyn' ? null : undefined;
      return isJsonObject(value) ? convertObject(value, type) : convertArray(value, type);
  }
}

function convertString(value: string, type: CelType): CelValue | undefined {
  switch (type.kind) {
    case 'string':
    case 'dyn':
      return value;
    case 'timestamp':
      return timeOf(parseTimestamp(value), Timestamp);
    case 'duration':
      return timeOf(parseDuration(value), Duration);
    default:
      return undefined;
  }
}

function timeOf(nanos: bigint | undefined, Time: typeof Timestamp | typeof Duration): CelValue | undefined {
  return nanos === undefined ? undefined : new Time(nanos);
}

function convertNumber(value: number, type: CelType): CelValue | undefined {
  switch (type.kind) {
    case 'int':
      return Number.isInteger(value) ? BigInt(value) : undefined;
    case 'uint':
      return Number.isInteger(value) && value >= 0 ? new Uint(BigInt(value)) : undefined;
    case 'double':
    case 'dyn':
      return value;
    default:
      return undefined;
  }
}

function convertArray(value: readonly JsonValue[], type: CelType): CelValue | undefined {
  if (type.kind === 'list') return new JsonList(value, type.item);
  return type.kind === 'dyn' ? new JsonList(value, DYN) : undefined;
}

function convertObject(value: JsonObject, type: CelType): CelValue | undefined {
  return type.kind === 'object' || type.kind === 'map' || type.kind === 'dyn' ? new JsonMap(value, type) : undefined;
}

const PROTOTYPE = Object.prototype as unknown as Readonly<Record<string, unknown>>;

/**
 * The own member `name` of a plain object: `Object.hasOwn` and a read, without the first where the value alone tells
 * that it is not inherited, because asking takes three times as long as reading.
 */
export function ownMember<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  const value = record[name];
  if (value !== PROTOTYPE[name] && name !== '__proto__') return value;
  return Object.hasOwn(record, name) ? value : undefined;
}

/** The type that the member `name` of an object of `type` is read as. */
export function memberType(type: CelType, name: string): CelType {
  if (type.kind === 'object') return type.fields.get(name)?.type ?? DYN;
  return type.kind === 'map' ? type.value : DYN;
}

/**
 * `value` as JSON. An int or uint beyond ±(2^53−1) is its decimal text, a double that is not finite is its name,
 * bytes are base64, timestamps and durations their CEL text, types their names, an absent optional null, and the keys
 * of a map their text. `value` comes from an evaluation, whose fuel has bounded its size.
 */
export function toJson(value: CelValue): JsonValue {
  switch (typeof value) {
    case 'bigint':
      return integerToJson(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      return value === null ? null : objectToJson(value);
    default:
      return value;
  }
}

function integerToJson(value: bigint): JsonValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function objectToJson(value: CelValue & object): JsonValue {
  if (value instanceof JsonList || value instanceof JsonMap) return value.raw;
  if (value instanceof Uint8Array) return toBase64(value);
  if (value instanceof Uint) return integerToJson(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value.nanos);
  if (value instanceof Duration) return formatDuration(value.nanos);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value);
  if (!(value instanceof MapValue)) return value.map(toJson);
  const object: Record<string, JsonValue> = {};
  for (const [key, [, member]] of value.entries) {
    // Defined, not assigned: `__proto__` is a key like any other.
    Object.defineProperty(object, String(key), {
      value: toJson(member),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}
