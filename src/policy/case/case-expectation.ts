/** What a case expects of a decision, and in what a decision differs from it. Only what is written is compared. */

import { canonicalText } from '../../value/canonical.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import type { Decision, Effect } from '../decide/decision.ts';
import { readBoolean, readFields, readJson, readText, readTexts, readWord, refuse } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';

/** Members that are absent are not compared; `null` expects that the decision has none. */
export interface Expectation {
  readonly effect: Effect;
  readonly code?: string;
  /** Ids of the rules of the winning effect, in file order. */
  readonly rules?: readonly string[];
  readonly retryable?: boolean;
  /** `path`, `op`, `value` and `until` of the nearest change. */
  readonly nearest?: JsonObject | null;
  readonly reservation?: JsonObject | null;
  /** What the rules say of a call that the preset `shadow` lets through. */
  readonly shadowed?: JsonObject | null;
  /** The keys of the facts that the policy needs, in any order. */
  readonly needs?: readonly string[];
  /** The codes of the policy's errors, in file order. */
  readonly issues?: readonly string[];
}

/** What came of a case, to be compared. */
export interface Came {
  readonly decision: Decision;
  readonly needs: readonly string[];
  readonly issues: readonly string[];
}

export interface Difference {
  readonly member: keyof Expectation;
  readonly expected: JsonValue;
  readonly came: JsonValue;
}

const EFFECTS: readonly Effect[] = ['allow', 'ask', 'deny'];

/** The expectation of a case, or `undefined` with an error. */
export function readExpectation(reader: Reader, entry: Entry, what: string): Expectation | undefined {
  const before = reader.issues.length;
  const draft: { -readonly [K in keyof Expectation]?: Expectation[K] | undefined } = {};
  const reading =
    <K extends keyof Expectation>(key: K, read: (inner: Entry, name: string) => Expectation[K] | undefined) =>
    (inner: Entry): void =>
      void (draft[key] = read(inner, `\`${key}\` of ${what}`));
  const texts = (inner: Entry, name: string): readonly string[] | undefined =>
    readTexts(reader, inner.value, inner.place, name)?.map(({ text }) => text);
  const parsers = {
    effect: reading('effect', (inner, name) => readWord(reader, inner.value, inner.place, name, EFFECTS)),
    code: reading('code', (inner, name) => readText(reader, inner.value, inner.place, name)?.text),
    rules: reading('rules', texts),
    retryable: reading('retryable', (inner, name) => readBoolean(reader, inner.value, inner.place, name)),
    nearest: reading('nearest', (inner, name) => readPart(reader, inner, name, ['path', 'op', 'value', 'until'])),
    reservation: reading('reservation', (inner, name) =>
      readPart(reader, inner, name, ['reserved', 'rates', 'slots', 'effectTimeoutMs']),
    ),
    shadowed: reading('shadowed', (inner, name) => readPart(reader, inner, name, ['effect', 'code', 'rules'])),
    needs: reading('needs', texts),
    issues: reading('issues', texts),
  };
  if (!readFields(reader, entry.value, entry.place, what, parsers) || reader.issues.length > before) return undefined;
  const { effect, ...rest } = draft;
  if (effect === undefined) return refuse(reader, entry.place, 'missing-key', `${what} has no \`effect\``);
  const written = Object.entries(rest).filter(([, value]) => value !== undefined);
  return Object.freeze({ effect, ...Object.fromEntries(written) });
}

/** The value has been read as a whole. */
function readAlready(): void {}

/** A part of a decision as JSON, its members among `known`; or `null`, where the decision is to have none. */
function readPart(reader: Reader, entry: Entry, what: string, known: readonly string[]): JsonObject | null | undefined {
  const read = readJson(reader, entry.value, entry.place, what);
  if (read === undefined || read === null) return read;
  if (!isJsonObject(read)) return refuse(reader, entry.place, 'wrong-type', `expected ${what} to be a map or \`null\``);
  const before = reader.issues.length;
  readFields(reader, entry.value, entry.place, what, Object.fromEntries(known.map((key) => [key, readAlready])));
  return reader.issues.length > before ? undefined : read;
}

/** In what the decision is not what was expected; nothing when it is. */
export function differencesOf(expected: Expectation, came: Came): readonly Difference[] {
  const actual = comparable(came);
  return Object.entries(comparableExpectation(expected)).flatMap(([key, value]): readonly Difference[] => {
    const member = key as keyof Expectation;
    return canonicalText(value) === canonicalText(actual[member])
      ? []
      : [{ member, expected: value, came: actual[member] }];
  });
}

function comparableExpectation({ needs, reservation, ...rest }: Expectation): JsonObject {
  return {
    ...(rest as JsonObject),
    ...(needs === undefined ? {} : { needs: needs.toSorted() }),
    ...(reservation === undefined ? {} : { reservation: reservation === null ? null : { ...NOTHING, ...reservation } }),
  };
}

const NOTHING: JsonObject = { reserved: {}, rates: {}, slots: [] };

function comparable({ decision, needs, issues }: Came): Readonly<Record<keyof Expectation, JsonValue>> {
  const { effect, code, rules, retryable, nearest, reservation, shadowed } = decision;
  const { text: _, ...change } = nearest ?? {};
  return {
    effect,
    code,
    rules,
    retryable,
    nearest: nearest === undefined ? null : change,
    reservation: reservation === undefined ? null : { ...reservation },
    shadowed: shadowed === undefined ? null : { ...shadowed },
    needs: needs.toSorted(),
    issues,
  };
}
