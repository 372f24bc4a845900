/** The official CEL conformance data, run case by case; what fails is listed in `cel-skips.ts` with its reason. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { SerializedIncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';

import type { Bindings, Evaluation } from '../src/expression/compile.ts';
import { assemble, compile, parseSource } from '../src/expression/compile.ts';
import { emitter } from '../src/expression/emit.ts';
import { openEnvironment } from '../src/expression/environment.ts';
import { Rejection } from '../src/expression/issue.ts';
import { readTree } from '../src/expression/read.ts';
import { parseDuration, parseTimestamp } from '../src/expression/time-text.ts';
import type { CelType, Vocabulary } from '../src/expression/type.ts';
import { DYN, typeText } from '../src/expression/type.ts';
import type { CelValue } from '../src/expression/value.ts';
import { Duration, MapValue, Timestamp, TypeValue, Uint } from '../src/expression/value.ts';
import { fromBase64, toBase64 } from '../src/value/encoding.ts';
import { SKIPPED, SKIPPED_SUITES } from './cel-skips.ts';

/** Protobuf JSON of `cel.expr.conformance.test.SimpleTest`, as far as it is read here. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonRecord = { readonly [key: string]: Json };

interface Case {
  readonly id: string;
  readonly suite: string;
  readonly test: JsonRecord;
}

/** Outside our value domain, so that the case cannot even be posed. */
class Inexpressible extends Error {}

function record(value: Json | undefined): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}

function array(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The text of a JSON scalar. */
function text(value: Json | undefined): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function collect(suites: readonly SerializedIncrementalTestSuite[]): readonly Case[] {
  const cases: Case[] = [];
  const seen = new Map<string, number>();
  const walk = (suite: SerializedIncrementalTestSuite, top: string, path: string): void => {
    for (const { original } of suite.tests ?? []) {
      const name = `${path}/${original.name ?? original.expr}`;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      cases.push({ id: count === 1 ? name : `${name}#${count}`, suite: top, test: original });
    }
    for (const inner of suite.suites ?? []) walk(inner, top, `${path}/${inner.name}`);
  };
  for (const suite of suites) walk(suite, suite.name, suite.name);
  return cases;
}

const PRIMITIVES: Readonly<Record<string, CelType>> = {
  BOOL: { kind: 'bool' },
  INT64: { kind: 'int' },
  UINT64: { kind: 'uint' },
  DOUBLE: { kind: 'double' },
  STRING: { kind: 'string' },
  BYTES: { kind: 'bytes' },
};
const WELL_KNOWN: Readonly<Record<string, CelType>> = {
  'google.protobuf.Timestamp': { kind: 'timestamp' },
  'google.protobuf.Duration': { kind: 'duration' },
  TIMESTAMP: { kind: 'timestamp' },
  DURATION: { kind: 'duration' },
};

function typeOf(type: JsonRecord): CelType {
  const [[kind, value] = ['', null]] = Object.entries(type);
  switch (kind) {
    case 'primitive':
      return PRIMITIVES[text(value)] ?? DYN;
    case 'null':
      return { kind: 'null' };
    case 'dyn':
      return DYN;
    case 'type':
      return { kind: 'type' };
    case 'listType':
      return { kind: 'list', item: typeOf(record(record(value)['elemType'])) };
    case 'mapType':
      return {
        kind: 'map',
        key: typeOf(record(record(value)['keyType'])),
        value: typeOf(record(record(value)['valueType'])),
      };
    case 'messageType':
    case 'wellKnown': {
      const known = WELL_KNOWN[text(value)];
      if (known !== undefined) return known;
      throw new Inexpressible(`type ${text(value)}`);
    }
    default:
      throw new Inexpressible(`type ${kind}`);
  }
}

function valueOf(value: JsonRecord): CelValue {
  const [[kind, content] = ['', null]] = Object.entries(value);
  switch (kind) {
    case 'nullValue':
      return null;
    case 'boolValue':
      return content === true;
    case 'int64Value':
      return BigInt(text(content));
    case 'uint64Value':
      return new Uint(BigInt(text(content)));
    case 'doubleValue':
      return Number(content);
    case 'stringValue':
      return text(content);
    case 'bytesValue':
      return fromBase64(text(content)) ?? new Uint8Array();
    case 'typeValue':
      return new TypeValue(text(content));
    case 'listValue':
      return array(record(content)['values']).map((item) => valueOf(record(item)));
    case 'mapValue':
      return new MapValue(
        new Map(
          array(record(content)['entries']).map((entry, i) => [
            String(i),
            [valueOf(record(record(entry)['key'])), valueOf(record(record(entry)['value']))],
          ]),
        ),
      );
    case 'objectValue':
      return wellKnownValue(record(content));
    default:
      throw new Inexpressible(`value ${kind}`);
  }
}

function wellKnownValue(message: JsonRecord): CelValue {
  const time = text(message['value']);
  if (message['@type'] === 'type.googleapis.com/google.protobuf.Duration')
    return new Duration(parseDuration(time) ?? 0n);
  if (message['@type'] === 'type.googleapis.com/google.protobuf.Timestamp')
    return new Timestamp(parseTimestamp(time) ?? 0n);
  throw new Inexpressible(`value ${text(message['@type'])}`);
}

/** A value as text in which equal values of one type are equal, and nothing else is. */
function shown(value: CelValue): string {
  if (typeof value === 'number') return `double ${Object.is(value, -0) ? 0 : value}`;
  if (typeof value !== 'object' || value === null) return `${typeof value} ${String(value)}`;
  if (value instanceof Uint) return `uint ${value.value}`;
  if (value instanceof Uint8Array) return `bytes ${toBase64(value)}`;
  if (value instanceof Timestamp || value instanceof Duration) return `${value.constructor.name} ${value.nanos}`;
  if (value instanceof TypeValue) return `type ${value.name}`;
  if (value instanceof MapValue) {
    const entries = [...value.entries.values()].map(([key, member]) => `${shown(key)}: ${shown(member)}`);
    return `{${entries.toSorted().join(', ')}}`;
  }
  return Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : `other ${value.constructor.name}`;
}

/** Bound names that the maps of the data hold, keyed as our maps are. */
function bindingOf(value: CelValue): CelValue {
  if (!(value instanceof MapValue)) return Array.isArray(value) ? value.map(bindingOf) : value;
  const entries = [...value.entries.values()].map(([key, member]) => {
    const mapKey = key instanceof Uint ? key.value : key;
    return [mapKey as string | bigint | boolean, [key, bindingOf(member)]] as const;
  });
  return new MapValue(new Map(entries));
}

type Outcome = Evaluation | { readonly ok: 'refused'; readonly code: string; readonly message: string };

/** Issues that are errors of the expression itself; others say that we do not offer what it uses. */
const REAL_ERRORS: ReadonlySet<string> = new Set(['type-mismatch', 'unknown-member', 'invalid-pattern']);

function vocabularyOf(given: JsonRecord): Vocabulary {
  const vocabulary = new Map<string, CelType>();
  for (const declaration of array(given['typeEnv'])) {
    const { name, ident } = record(declaration);
    if (ident === undefined) throw new Inexpressible('function declaration');
    vocabulary.set(text(name), typeOf(record(record(ident)['type'])));
  }
  for (const name of Object.keys(record(given['bindings']))) if (!vocabulary.has(name)) vocabulary.set(name, DYN);
  return vocabulary;
}

function run(given: JsonRecord): { readonly outcome: Outcome; readonly type: CelType } {
  // The three names that are literals cannot be declared.
  const vocabulary = new Map([...vocabularyOf(given)].filter(([name]) => !['true', 'false', 'null'].includes(name)));
  const bindings: Record<string, CelValue> = {};
  for (const [name, bound] of Object.entries(record(given['bindings']))) {
    bindings[name] = bindingOf(valueOf(record(record(bound)['value'])));
  }
  const source = text(given['expr']);
  if (given['disableCheck'] === true) return { outcome: runUnchecked(source, vocabulary, bindings), type: DYN };
  const compiled = compile(source, vocabulary, { expect: 'any' });
  if (compiled.ok) return { outcome: compiled.expression.evaluate(bindings), type: compiled.expression.type };
  const [issue] = compiled.issues;
  return { outcome: { ok: 'refused', code: issue?.code ?? '', message: issue?.message ?? '' }, type: DYN };
}

function runUnchecked(source: string, vocabulary: Vocabulary, bindings: Bindings): Outcome {
  try {
    const environment = openEnvironment(vocabulary);
    const tree = readTree(parseSource(source, environment).ast, environment);
    const parts = { source, tree, type: DYN, emission: emitter(() => DYN), expect: 'any' } as const;
    return assemble(parts).evaluate(bindings);
  } catch (error) {
    if (error instanceof Rejection) return { ok: 'refused', code: error.issue.code, message: error.issue.message };
    throw error;
  }
}

/** Why the case fails; nothing when it passes. */
function failureOf({ test: given }: Case): string | undefined {
  try {
    const typed = record(given['typedResult']);
    const { outcome, type } = run(given);
    if (given['evalError'] !== undefined) {
      if (outcome.ok === 'refused') return REAL_ERRORS.has(outcome.code) ? undefined : `refused: ${outcome.message}`;
      return outcome.ok ? `expected an error, got ${shown(outcome.value)}` : undefined;
    }
    if (outcome.ok === 'refused') return `refused: ${outcome.message}`;
    if (typed['deducedType'] !== undefined) {
      const expected = typeText(typeOf(record(typed['deducedType'])));
      if (typeText(type) !== expected) return `expected type ${expected}, got ${typeText(type)}`;
      if (given['checkOnly'] === true) return undefined;
    }
    if (!outcome.ok) return `error: ${outcome.error.message}`;
    const expected = shown(valueOf(record(typed['result'] ?? given['value'] ?? { boolValue: true })));
    return shown(outcome.value) === expected ? undefined : `expected ${expected}, got ${shown(outcome.value)}`;
  } catch (error) {
    if (error instanceof Inexpressible) return `inexpressible: ${error.message}`;
    throw error;
  }
}

const cases = collect(tests.suites ?? []);
const excused = new Map(SKIPPED.flatMap(({ reason, ids }) => ids.map((id) => [id, reason] as const)));

test('every conformance case passes or is listed with its reason, and nothing listed passes', (t) => {
  const unlisted: string[] = [];
  const passing: string[] = [];
  const tally = new Map<string, { passed: number; total: number }>();
  for (const one of cases) {
    const counts = tally.get(one.suite) ?? { passed: 0, total: 0 };
    tally.set(one.suite, counts);
    counts.total += 1;
    const failure = failureOf(one);
    const listed = excused.has(one.id) || SKIPPED_SUITES.has(one.suite);
    if (failure === undefined) counts.passed += 1;
    if (failure !== undefined && !listed) unlisted.push(`${one.id}: ${failure}`);
    if (failure === undefined && listed) passing.push(one.id);
  }
  let passed = 0;
  for (const [suite, counts] of tally) {
    t.diagnostic(`${suite} ${counts.passed}/${counts.total}`);
    passed += counts.passed;
  }
  t.diagnostic(`total ${passed}/${cases.length}`);
  assert.deepEqual(unlisted, [], 'failing cases that are not listed');
  assert.deepEqual(passing, [], 'listed cases that pass');
});

test('every listed case and suite exists', () => {
  const ids = new Set(cases.map((one) => one.id));
  const suites = new Set(cases.map((one) => one.suite));
  assert.deepEqual(
    [...excused.keys()].filter((id) => !ids.has(id)),
    [],
  );
  assert.deepEqual(
    [...SKIPPED_SUITES.keys()].filter((suite) => !suites.has(suite)),
    [],
  );
});
