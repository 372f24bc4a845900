/**
 * Arguments as entries hold them: literal; `{"$sealed": commitment}` in the place of a personal value; `{"$body":
 * commitment}` in the place of all; and `{"$lit": object}` for an object with a key that begins with `$`. Pure.
 */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';

/** One step of a JSON pointer (RFC 6901). */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The object that `{"$lit": object}` stands for, or the one that it is. */
function literalObject(value: JsonObject): JsonObject {
  const inner = Object.keys(value).length === 1 && Object.hasOwn(value, '$lit') ? value['$lit'] : undefined;
  return isJsonObject(inner) ? inner : value;
}

/** What stands in the place of a value that is sealed whole; `kept` is false of one that nothing was kept of. */
export function bodyField(commitment: string, isKept: boolean): JsonObject {
  return isKept ? { $body: commitment } : { $body: commitment, kept: false };
}

/** Whether something was kept of what `field` commits to. */
export function wasKept(field: JsonValue | undefined): boolean {
  return !isJsonObject(field) || field['kept'] !== false;
}

/** What `value` commits to as `{"$body": commitment}` or `{"$sealed": commitment}`; nothing when it is none of them. */
function commitmentIn(value: JsonValue | undefined): string | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== (wasKept(value) ? 1 : 2)) return undefined;
  const commitment = value['$body'] ?? value['$sealed'];
  return typeof commitment === 'string' ? commitment : undefined;
}

/** The commitments in recorded arguments, by where their values stand in the real ones: a JSON pointer. */
export function commitmentsIn(recorded: JsonValue, at = ''): ReadonlyMap<string, string> {
  const own = commitmentIn(recorded);
  if (own !== undefined) return new Map([[at, own]]);
  const members: readonly (readonly [string | number, JsonValue])[] = Array.isArray(recorded)
    ? [...(recorded as readonly JsonValue[]).entries()]
    : isJsonObject(recorded)
      ? Object.entries(literalObject(recorded))
      : [];
  return new Map(members.flatMap(([name, member]) => [...commitmentsIn(member, at + pointerStep(name))]));
}

/** Recorded arguments as they were proposed, with the `opened` values in the place of their commitments. */
export function literalOf(recorded: JsonValue, opened: ReadonlyMap<string, JsonValue>, at = ''): JsonValue {
  const value = opened.get(at);
  if (value !== undefined) return value;
  const member = (inner: JsonValue, name: string | number): JsonValue =>
    literalOf(inner, opened, at + pointerStep(name));
  if (Array.isArray(recorded)) return (recorded as readonly JsonValue[]).map(member);
  if (!isJsonObject(recorded)) return recorded;
  const members = Object.entries(literalObject(recorded));
  return Object.fromEntries(members.map(([name, inner]) => [name, member(inner, name)]));
}
