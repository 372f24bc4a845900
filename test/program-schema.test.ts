import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from '@cfworker/json-schema';
import { parse } from 'yaml';
import { readProgram } from '../src/program/read.ts';
import { type JsonValue, isJsonObject } from '../src/value/json.ts';
import { programCases } from './program-corpus.ts';
import { KINDS, LIMITS, PROGRAM_SCHEMA_FILE, TOP, programSchema } from './program-schema.ts';
import { REFUND } from './refund-program.ts';
import { ROOT } from './source.ts';

const validator = new Validator(programSchema(), '7', false);
const WRITE = 'run `node test/program-schema.ts --write`';

test('the schema of programs in the repository is the one that is generated [R-program-schema]', () => {
  assert.deepEqual(JSON.parse(readFileSync(PROGRAM_SCHEMA_FILE, 'utf8')), programSchema(), WRITE);
});

/** The keys that the reader names when it meets one that it does not know. */
function keysRead(data: object): readonly string[] {
  const read = readProgram(JSON.stringify(data), 'p');
  const hint = read.issues.find(({ code }) => code === 'unknown-key')?.hint ?? '';
  return hint
    .replace(/^known keys: /u, '')
    .split(', ')
    .toSorted();
}

const UNKNOWN = { zzzzzz: 1 };
const BASE = { program: 'p', start: 'a', steps: { a: { end: 'success' } } };
const whole = (step: object): object => ({ ...BASE, steps: { a: step, b: { end: 'success' } } });

test('the schema of programs has exactly the keys that are read, and says of each what it is [R-program-schema]', () => {
  assert.deepEqual(Object.keys(TOP).toSorted(), keysRead({ ...BASE, ...UNKNOWN }));
  assert.deepEqual(Object.keys(LIMITS).toSorted(), keysRead({ ...BASE, limits: UNKNOWN }));
  for (const [kind, { properties }] of Object.entries(KINDS)) {
    assert.ok(isJsonObject(properties));
    assert.deepEqual(Object.keys(properties).toSorted(), keysRead(whole({ [kind]: 'x', ...UNKNOWN })), kind);
  }
  const said = (at: string, schema: JsonValue): void => {
    if (!isJsonObject(schema)) return;
    const { properties, items, additionalProperties, anyOf } = schema;
    for (const [name, member] of Object.entries(isJsonObject(properties) ? properties : {})) {
      assert.ok(isJsonObject(member) && typeof member['description'] === 'string', `${at}/${name} is not described`);
      said(`${at}/${name}`, member);
    }
    for (const inner of [items, additionalProperties, ...(Array.isArray(anyOf) ? (anyOf as JsonValue[]) : [])]) {
      if (inner !== undefined) said(at, inner);
    }
  };
  said('', programSchema());
});

const TOOL = { tool: 'a.b', next: 'b' };
const MODEL = { llm: 'm', prompt: '?', next: 'b' };
const ASK = { ask: 'x', yes: 'b', no: 'b', expired: 'b' };
const WAIT = { wait: 'e', next: 'b', expired: 'b' };

test('what the schema of programs refuses is not read, and what is read it accepts [R-program-schema]', () => {
  const read = (data: object): boolean => readProgram(JSON.stringify(data), 'p').ok;
  const right: readonly object[] = [
    { ...BASE, version: 2, input: { type: 'object' }, events: { 'a.b': {} }, limits: { usd: 0.5, time: '10m' } },
    whole({ ...TOOL, args: { x: [1, '${{ input.a }}'] }, retry: { attempts: 3 }, timeout: '5s', on_error: 'b' }),
    whole({ ...TOOL, args: '${{ input }}', undo: { tool: 'a.c', args: {} } }),
    // oxlint-disable-next-line unicorn/no-thenable -- a key of the language
    whole({ ...MODEL, outputs: ['x'], mismatch: { retry: 0, then: 'fail' }, fallback: ['n'] }),
    whole({ ...MODEL, prompt: '', schema: { type: 'object' } }),
    whole({ call: 'other', input: { a: 1 }, next: 'b' }),
    { ...BASE, properties: ['at most 1 a'] },
    whole({ choose: [{ when: 'true', next: 'b' }, { next: 'b' }], on_error: 'b' }),
    whole({ parallel: { one: { tool: 'a.b' }, two: { llm: 'm', prompt: '?' } }, max: 1, next: 'b' }),
    whole({ ...ASK, show: '', timeout: '1h' }),
    whole(WAIT),
    whole({ end: 'rejected', output: null, because: 'no' }),
  ];
  for (const data of right) {
    assert.deepEqual([read(data), validator.validate(data).valid], [true, true], JSON.stringify(data));
  }
  const wrong: readonly object[] = [
    { program: 'p', start: 'a' },
    { ...BASE, program: 'P' },
    { ...BASE, version: 0 },
    { ...BASE, events: { a: 1 } },
    { ...BASE, limits: { usd: 0 } },
    { ...BASE, limits: { stalled: 1_001 } },
    { ...BASE, limits: { time: 'long' } },
    { ...BASE, steps: {} },
    { ...BASE, steps: { '1a': { end: 'success' } } },
    whole({ next: 'b' }),
    whole({ ...TOOL, wait: 'e' }),
    whole({ tool: 'a.b' }),
    whole({ ...TOOL, args: [] }),
    whole({ ...TOOL, args: 'x ${{ input }}' }),
    whole({ ...TOOL, undo: {} }),
    whole({ ...TOOL, retry: { attempts: 11 } }),
    whole({ ...TOOL, max: 1 }),
    whole({ ...MODEL, outputs: [] }),
    whole({ ...MODEL, mismatch: { retry: -1 } }),
    whole({ llm: 'm', next: 'b' }),
    whole({ choose: [] }),
    whole({ choose: [{ when: 'true' }] }),
    whole({ parallel: {}, next: 'b' }),
    whole({ parallel: { one: ASK }, next: 'b' }),
    whole({ parallel: { one: TOOL }, next: 'b' }),
    // oxlint-disable-next-line unicorn/no-thenable -- a key of the language
    whole({ parallel: { one: { llm: 'm', prompt: '?', mismatch: { then: 'b' } } }, next: 'b' }),
    { ...BASE, properties: 'at most 1 a' },
    whole({ parallel: { '1': { tool: 'a.b' } }, next: 'b' }),
    whole({ ...ASK, next: 'b' }),
    whole({ wait: 'e', next: 'b' }),
    whole({ end: 'stalled' }),
    whole({ end: 'success', next: 'b' }),
  ];
  for (const data of wrong) {
    assert.deepEqual([read(data), validator.validate(data).valid], [false, false], JSON.stringify(data));
  }
});

test('the programs of the documentation, of the examples and of the tests fit [R-program-schema]', () => {
  const pages = globSync(['docs/*.md', 'README.md'], { cwd: ROOT });
  const blocks = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/```yaml\n(.*?)```/gsu)].map(([, block]) => block ?? ''),
  );
  const files = globSync('examples/**/*.yaml', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
  const texts = [REFUND, ...blocks, ...files].filter((text) => /^program: /mu.test(text));
  // What must not load may be of another form.
  const loaded = programCases().filter(({ expect }) => expect.issues === undefined);
  const corpus = loaded.flatMap(({ program, programs }) => [program, ...Object.values(programs)]);
  const documents = [...texts, ...corpus].map((each) => (typeof each === 'string' ? (parse(each) as unknown) : each));
  for (const document of documents) {
    const { valid, errors } = validator.validate(document);
    assert.ok(valid, `${JSON.stringify(document).slice(0, 80)}: ${JSON.stringify(errors)}`);
  }
  assert.ok(texts.length >= 2, `${texts.length} programs were found`);
});
