import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from '@cfworker/json-schema';
import { parse } from 'yaml';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { LATER } from '../src/policy/document/later.ts';
import { configurationSchema, SCHEMA_FILE, SECTIONS, TOP } from './configuration-schema.ts';
import { ROOT } from './source.ts';

const validator = new Validator(configurationSchema(), '7', false);

/** The keys that the parser names when it meets one it does not know, without those that are not built. */
function keysRead(data: unknown, later: readonly string[]): readonly string[] {
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  assert.ok(!parsed.ok);
  const hint = parsed.issues.find(({ code }) => code === 'unknown-key')?.hint ?? '';
  const known = hint.replace(/^known keys: /u, '').split(', ');
  return known.filter((key) => !later.includes(key)).toSorted();
}

const WRITE = 'run `node test/configuration-schema.ts --write`, which `npm run format` then lays out';
const UNKNOWN = { zzzzzz: 1 };

test('the schema in the repository is the one that is generated', () => {
  assert.ok(existsSync(SCHEMA_FILE), WRITE);
  assert.deepEqual(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')), configurationSchema(), WRITE);
});

test('the schema has exactly the keys that are read', () => {
  const cases = [
    [TOP, UNKNOWN, LATER.top],
    [SECTIONS['SERVER'], { servers: { a: UNKNOWN } }, LATER.server],
    [SECTIONS['MODEL'], { models: { a: UNKNOWN } }, []],
    [SECTIONS['TOOL'], { tools: { 'a.b': UNKNOWN } }, LATER.tool],
    [SECTIONS['PRINCIPAL'], { principals: { a: UNKNOWN } }, LATER.principal],
    [SECTIONS['RULE'], { rules: [UNKNOWN] }, LATER.rule],
    [SECTIONS['BUDGET'], { budgets: { a: UNKNOWN } }, []],
    [SECTIONS['LIMIT'], { limits: [UNKNOWN] }, []],
  ] as const;
  for (const [keys, data, later] of cases) {
    assert.deepEqual(Object.keys(keys ?? {}).toSorted(), keysRead({ interlock: 1, ...data }, later));
  }
});

const PROBE = { tool: 'a.b', args: { id: 'args.id' }, executed: 'true' };
const FINE = {
  interlock: 1,
  preset: 'strict',
  servers: { a: { command: 'x', env: { A: 'b' }, sandbox: 'off', timeoutMs: 5 } },
  models: {
    m: { provider: 'openai', model: 'x', apiKeyEnv: 'KEY', price: { input: 2.5, output: 10 } },
    s: { provider: 'scripted', file: 'answers.yaml' },
  },
  tools: {
    'a.*': {
      effect: 'read',
      cost: { b: 1 },
      guard: { path: { within: '.' } },
      effectTimeout: '5m',
      probe: PROBE,
      downstreamKey: { meta: 'k' },
    },
  },
  principals: { local: { roles: ['r'] } },
  rules: [
    { allow: 'a.*', when: 'true' },
    { id: 'q', ask: 'a.*', approvers: ['r'], quorum: 1, expires: '30m' },
  ],
  budgets: { b: { limit: 5, unit: 'calls', window: '24h', per: ['principal'] } },
  limits: [
    { tools: '*', rate: '120/1m', per: ['tool'] },
    { tools: '*', depth: 0 },
  ],
  approvals: { signed: false },
  retention: { bodies: '30d' },
  clock: { gap: '7d' },
};

test('what the schema refuses does not load, and what loads it accepts', () => {
  const load = (data: unknown): boolean => parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} }).ok;
  assert.deepEqual([load(FINE), validator.validate(FINE).valid], [true, true]);
  const wrong: readonly object[] = [
    { interlock: 2 },
    { zzzzzz: 1 },
    { preset: 'open' },
    { servers: { A: { command: 'x' } } },
    { servers: { a: { args: [] } } },
    { models: { a: { model: 'x' } } },
    { models: { A: { provider: 'openai', model: 'x' } } },
    { models: { a: { provider: 'openai-compatible', model: 'x' } } },
    { models: { a: { provider: 'openai', model: 'x', url: 'ftp://h' } } },
    { models: { a: { provider: 'openai', model: 'x', price: { input: 1 } } } },
    { models: { a: { provider: 'scripted', model: 'x', file: 'f' } } },
    { rules: [{ allow: 'a.*', deny: 'a.*' }] },
    { rules: [{ when: 'true' }] },
    { rules: [{ id: 'rules/1', allow: '*' }] },
    { budgets: { b: { limit: -1, unit: 'calls', window: '24h' } } },
    { limits: [{ tools: '*', rate: 'often' }] },
    { limits: [{ tools: '*' }] },
    { tools: { 'a.*': { effect: 'writes' } } },
    { principals: { a: { key: 'x' } } },
    { approvals: { signed: 'yes' } },
    { retention: { bodies: 'long' } },
    { tools: { 'a.*': { probe: { tool: 'a.b' } } } },
    { tools: { 'a.*': { downstreamKey: {} } } },
  ];
  for (const part of wrong) {
    const data = { ...FINE, ...part };
    assert.deepEqual([load(data), validator.validate(data).valid], [false, false], JSON.stringify(part));
  }
});

test('the configurations of the examples and of the documentation fit', () => {
  const cases = ['**/*.test.yaml', 'docs/policy-cases.md'];
  const files = globSync(['examples/**/*.yaml', 'docs/*.md', 'README.md'], { cwd: ROOT, exclude: cases });
  let seen = 0;
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const blocks = file.endsWith('.md')
      ? [...text.matchAll(/```yaml\n(.*?)```/gsu)].map(([, block]) => block ?? '')
      : [text];
    for (const block of blocks.filter((each) => /^interlock: 1$/mu.test(each))) {
      seen += 1;
      // A page shows that there is a key, not one.
      const { valid, errors } = validator.validate(parse(block.replaceAll('ed25519:…', `ed25519:${'A'.repeat(43)}=`)));
      assert.ok(valid, `${file}: ${JSON.stringify(errors)}`);
    }
  }
  assert.ok(seen >= 2, `${seen} configurations were found`);
});
