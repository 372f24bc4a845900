/** Lists and maps whatever they are made of: size, elements, keys and members. */

import type { JsonValue } from '../value/json.ts';
import type { Frame } from './fault.ts';
import { burn, fail } from './fault.ts';
import type { CelType } from './type.ts';
import { typeText } from './type.ts';
import type { CelList, CelMap, CelValue, MapKey } from './value.ts';
import { convert, JsonList, JsonMap, MapValue, memberType, ownMember, Uint } from './value.ts';

export function listSize(list: CelList): number {
  return list instanceof JsonList ? list.raw.length : list.length;
}

/** The element at `index`; nothing outside the list. */
export function listAt(frame: Frame, list: CelList, index: number): CelValue | undefined {
  if (!(list instanceof JsonList)) return list[index];
  const raw = list.raw[index];
  return raw === undefined ? undefined : viewed(frame, raw, list.item);
}

/** The elements as an array; pays for each. */
export function elements(frame: Frame, list: CelList): readonly CelValue[] {
  burn(frame, listSize(list));
  return list instanceof JsonList ? list.raw.map((raw) => viewed(frame, raw, list.item)) : list;
}

export function mapSize(frame: Frame, map: CelMap): number {
  if (map instanceof MapValue) return map.entries.size;
  const size = Object.keys(map.raw).length;
  burn(frame, size);
  return size;
}

/** The keys in order; pays for each. */
export function mapKeys(frame: Frame, map: CelMap): readonly CelValue[] {
  burn(frame, mapSize(frame, map));
  return map instanceof MapValue ? Array.from(map.entries.values(), ([key]) => key) : Object.keys(map.raw);
}

/** The member under `key`; nothing when there is none. Numbers are one key when they are equal. */
export function mapFind(frame: Frame, map: CelMap, key: CelValue): CelValue | undefined {
  if (map instanceof JsonMap) return typeof key === 'string' ? memberOf(frame, map, key) : undefined;
  const mapKey = mapKeyOf(key);
  return mapKey === undefined ? undefined : map.entries.get(mapKey)?.[1];
}

export function mapHas(map: CelMap, key: CelValue): boolean {
  if (map instanceof JsonMap) return typeof key === 'string' && Object.hasOwn(map.raw, key);
  const mapKey = mapKeyOf(key);
  return mapKey !== undefined && map.entries.has(mapKey);
}

function memberOf(frame: Frame, map: JsonMap, name: string): CelValue | undefined {
  const raw = ownMember(map.raw, name);
  return raw === undefined ? undefined : viewed(frame, raw, memberType(map.type, name));
}

function viewed(frame: Frame, raw: JsonValue, type: CelType): CelValue {
  const value = convert(raw, type);
  return value === undefined ? fail(frame, 'type-mismatch', `expected ${typeText(type)}, got ${jsonKind(raw)}`) : value;
}

/** What a JSON value is, for messages. */
export function jsonKind(raw: JsonValue): string {
  if (raw === null) return 'null';
  if (Array.isArray(raw)) return 'an array';
  return typeof raw === 'object' ? 'an object' : `a ${typeof raw}`;
}

/** What makes keys equal; nothing for a value that is never a key. */
export function mapKeyOf(value: CelValue): MapKey | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isInteger(value) ? BigInt(value) : undefined;
    default:
      return value instanceof Uint ? value.value : undefined;
  }
}
