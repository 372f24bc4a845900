/** The corpus of policies, facts and calls in test/corpus/policy: each case gives what its file says. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCases } from '../src/policy/case/case.ts';
import type { CaseFile, PolicyCase } from '../src/policy/case/case.ts';
import { runCase } from '../src/policy/case/case-outcome.ts';
import type { Ready } from '../src/policy/case/case-outcome.ts';
import type { Code } from '../src/policy/decide/code.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { decide } from '../src/policy/decide/decide.ts';
import { isJsonObject, parseJson } from '../src/value/json.ts';
import type { JsonObject, JsonValue } from '../src/value/json.ts';
import { ROOT } from './source.ts';

/** Every code that `decide` can answer. */
const DECIDED: readonly Code[] = [
  'allowed',
  'asked',
  'no-rule',
  'denied-by-rule',
  'condition-error',
  'policy-invalid',
  'kill-switch',
  'clock-jump',
  'unknown-tool',
  'pin-changed',
  'schema-mismatch',
  'unknown-principal',
  'budget-exhausted',
  'rate-exceeded',
  'concurrency-exceeded',
  'depth-exceeded',
  'approval-unavailable',
  'approval-expired',
  'obligation-failed',
  'secret-cannot-wait',
];

interface Loaded {
  readonly cases: CaseFile;
  /** The same file as plain JSON. */
  readonly data: JsonObject;
}

function load(file: string): Loaded {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const json = parseJson(text);
  assert.ok(json.ok && isJsonObject(json.value), `${file} is strict JSON: ${JSON.stringify(json.issues)}`);
  const parsed = parseCases(text, { file, environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  return { cases: parsed.value, data: json.value };
}

const FILES = globSync('test/corpus/policy/*.json', { cwd: ROOT }).toSorted().map(load);
const CASES = FILES.flatMap(({ cases }) => cases.cases.map((each) => [each, cases] as const));

const compiled = new WeakMap<object, Ready>();

function ready({ policy }: PolicyCase, { tools = new Map(), complete, lock }: CaseFile): Ready {
  assert.ok(policy.kind === 'inline', 'a case of the corpus has its policy in its file');
  const { configuration } = policy;
  const known = compiled.get(configuration);
  if (known !== undefined) return known;
  const made = configuration.ok
    ? compilePolicy(configuration.value, tools, { complete, pins: lock === undefined ? {} : { lock } })
    : { policy: undefined, issues: configuration.issues };
  compiled.set(configuration, made);
  return made;
}

test('every case of the corpus gives what it says [R-policy-corpus]', () => {
  for (const [each, file] of CASES) {
    const { differences, decision } = runCase(ready(each, file), each);
    const where = `${file.file}:${each.place.line}: ${each.name}`;
    assert.deepEqual(differences, [], `${where}\n${decision.explanation}`);
  }
});

test('the corpus has at least 300 cases, and each code that `decide` can answer at least twice [R-policy-corpus]', () => {
  assert.ok(CASES.length >= 300, `${CASES.length} cases`);
  const counts = new Map<string, number>();
  for (const [{ expect }] of CASES) counts.set(expect.code ?? '', (counts.get(expect.code ?? '') ?? 0) + 1);
  for (const code of DECIDED) assert.ok((counts.get(code) ?? 0) >= 2, `${code}: ${counts.get(code) ?? 0} cases`);
  assert.deepEqual([...counts.keys()].toSorted(), DECIDED.toSorted());
});

test('every case of the corpus says why, expects effect, code and rules, and has a name of its own', () => {
  for (const [{ name, why, expect }, { file }] of CASES) {
    assert.ok(why !== undefined && why.length > 3, `${file}: ${name}`);
    assert.ok(expect.code !== undefined && expect.rules !== undefined, `${file}: ${name}`);
  }
});

test('a wrong expectation fails, whichever case and member it is in', () => {
  for (const [each, file] of CASES) {
    const { expect } = each;
    const wrong = [
      { ...expect, effect: expect.effect === 'deny' ? 'allow' : 'deny' },
      { ...expect, code: `${expect.code}x` },
      { ...expect, rules: [...(expect.rules ?? []), 'x'] },
      ...(expect.retryable === undefined ? [] : [{ ...expect, retryable: !expect.retryable }]),
      ...(expect.needs === undefined ? [] : [{ ...expect, needs: expect.needs.slice(1) }]),
      ...(expect.issues === undefined ? [] : [{ ...expect, issues: [...expect.issues, 'x'] }]),
      ...(expect.nearest === undefined ? [] : [{ ...expect, nearest: { ...expect.nearest, value: 'x' } }]),
      ...(expect.reservation === undefined ? [] : [{ ...expect, reservation: { reserved: { x: 1 } } }]),
      ...(expect.shadowed === undefined ? [] : [{ ...expect, shadowed: { ...expect.shadowed, code: 'x' } }]),
    ] as const;
    for (const changed of wrong) {
      const { differences } = runCase(ready(each, file), { ...each, expect: changed });
      assert.equal(differences.length, 1, `${file.file}: ${each.name}: ${JSON.stringify(changed)}`);
    }
  }
});

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

test('a policy laid over the one of its file, written out as JSON, decides the same', () => {
  for (const { cases: file, data } of FILES) {
    const items = member(data, 'cases');
    assert.ok(Array.isArray(items));
    for (const [index, item] of (items as readonly JsonValue[]).entries()) {
      const each = file.cases[index];
      assert.ok(each !== undefined);
      const [base, own] = [member(data, 'policy') ?? {}, member(item, 'policy') ?? {}];
      assert.ok(isJsonObject(base) && isJsonObject(own));
      const parsed = parseConfiguration(JSON.stringify({ ...base, ...own }), { file: file.file, environment: {} });
      const options = { complete: file.complete, pins: file.lock === undefined ? {} : { lock: file.lock } };
      const policy = parsed.ok ? compilePolicy(parsed.value, file.tools ?? new Map(), options).policy : undefined;
      const { approved, expect } = each;
      const came =
        policy === undefined
          ? { effect: 'deny', code: 'policy-invalid', rules: [] }
          : decide(policy, each.request, each.facts, approved === undefined ? {} : { approved });
      const { effect, code, rules } = came;
      const { effect: wanted, code: wantedCode, rules: wantedRules } = expect;
      assert.deepEqual([effect, code, rules], [wanted, wantedCode, wantedRules], `${file.file}: ${each.name}`);
      assert.deepEqual(each.request.args, member(member(item, 'request'), 'args') ?? {});
    }
  }
});
