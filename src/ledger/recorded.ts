/**
 * Arguments as entries hold them: literal; `{"$sealed": commitment}` in the place of a personal value; `{"$secret": kind}`
 * in that of a secret, which is not kept; `{"$body": commitment}` in the place of all; and `{"$lit": object}` for an object
 * with a key that begins with `$`. A commitment with `redacted` is to a value that was made without its secrets. Pure.
 */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';

/** One step of a JSON pointer (RFC 6901). */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function namesOf(pointer: string): readonly string[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands in `value` under a JSON pointer. */
export function valueUnder(value: JsonValue, pointer: string): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const name of namesOf(pointer)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as JsonObject)[name];
  }
  return found;
}

/** The object that `{"$lit": object}` stands for, or the one that it is. */
function literalObject(value: JsonObject): JsonObject {
  const inner = Object.keys(value).length === 1 && Object.hasOwn(value, '$lit') ? value['$lit'] : undefined;
  return isJsonObject(inner) ? inner : value;
}

/**
 * What stands in the place of a value that is sealed whole; `kept` is false of one that nothing was kept of, `redacted`
 * true of one that was sealed without its secrets.
 */
export function bodyField(commitment: string, isKept: boolean, redacted = false): JsonObject {
  return { $body: commitment, ...(isKept ? {} : { kept: false }), ...(redacted ? { redacted } : {}) };
}

/** What stands in the place of a secret. */
export function secretField(kind: string): JsonObject {
  return { $secret: kind };
}

/** Whether what `field` commits to was sealed without its secrets. */
export function wasRedacted(field: JsonValue | undefined): boolean {
  return isJsonObject(field) && field['redacted'] === true;
}

/** Whether something was kept of what `field` commits to. */
export function wasKept(field: JsonValue | undefined): boolean {
  return !isJsonObject(field) || field['kept'] !== false;
}

/** What `value` commits to as `{"$body": commitment}` or `{"$sealed": commitment}`; nothing when it is none of them. */
function commitmentIn(value: JsonValue | undefined): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const marks = 1 + Number(!wasKept(value)) + Number(wasRedacted(value));
  if (Object.keys(value).length !== marks) return undefined;
  const commitment = value['$body'] ?? value['$sealed'];
  return typeof commitment === 'string' ? commitment : undefined;
}

/** The commitments in recorded arguments, by where their values stand in the real ones: a JSON pointer. */
export function commitmentsIn(recorded: JsonValue, at = ''): ReadonlyMap<string, string> {
  const own = commitmentIn(recorded);
  if (own !== undefined) return new Map([[at, own]]);
  return new Map(membersOf(recorded).flatMap(([name, member]) => [...commitmentsIn(member, at + pointerStep(name))]));
}

/** Whether something of the arguments is not recorded, because it was secret: then nothing tells all of them. */
export function hasSecrets(recorded: JsonValue): boolean {
  return secretPlacesIn(recorded).next().done !== true;
}

/** Where secrets stood in the real arguments, or in what was sealed without them: JSON pointers. */
export function* secretPlacesIn(recorded: JsonValue, at = ''): Generator<string, void> {
  const isSecret =
    isJsonObject(recorded) && Object.keys(recorded).length === 1 && typeof recorded['$secret'] === 'string';
  if (isSecret || (commitmentIn(recorded) !== undefined && wasRedacted(recorded))) yield at;
  else if (commitmentIn(recorded) !== undefined) return;
  else for (const [name, member] of membersOf(recorded)) yield* secretPlacesIn(member, at + pointerStep(name));
}

/** Where something stands that is not recorded in clear, by the names of members; a whole that is sealed is at none. */
export function hiddenPlacesIn(recorded: JsonValue): readonly (readonly string[])[] {
  const pointers = new Set([...commitmentsIn(recorded).keys(), ...secretPlacesIn(recorded)]);
  return [...pointers].map(namesOf);
}

/** Whether not all of the arguments stand in clear: then what binds them must not be guessed at. */
export function isHidden(recorded: JsonValue): boolean {
  return commitmentsIn(recorded).size > 0 || hasSecrets(recorded);
}

function membersOf(recorded: JsonValue): readonly (readonly [string | number, JsonValue])[] {
  if (Array.isArray(recorded)) return [...(recorded as readonly JsonValue[]).entries()];
  return isJsonObject(recorded) ? Object.entries(literalObject(recorded)) : [];
}

/** Recorded arguments as they were proposed, with the `opened` values in the place of their commitments. */
export function literalOf(recorded: JsonValue, opened: ReadonlyMap<string, JsonValue>): JsonValue {
  return filled(recorded, opened, '', (object) => object);
}

/** The same for people: an object that looks like what stands in the place of a secret stays in its `$lit`. */
export function shownOf(recorded: JsonValue, opened: ReadonlyMap<string, JsonValue>): JsonValue {
  return filled(recorded, opened, '', (object) => (Object.hasOwn(object, '$secret') ? { $lit: object } : object));
}

function filled(
  recorded: JsonValue,
  opened: ReadonlyMap<string, JsonValue>,
  at: string,
  unwrapped: (object: JsonObject) => JsonObject,
): JsonValue {
  const value = opened.get(at);
  if (value !== undefined) return value;
  const member = (inner: JsonValue, name: string | number): JsonValue =>
    filled(inner, opened, at + pointerStep(name), unwrapped);
  if (Array.isArray(recorded)) return (recorded as readonly JsonValue[]).map(member);
  if (!isJsonObject(recorded)) return recorded;
  const literal = literalObject(recorded);
  const object = Object.fromEntries(Object.entries(literal).map(([name, inner]) => [name, member(inner, name)]));
  return literal === recorded ? object : unwrapped(object);
}
