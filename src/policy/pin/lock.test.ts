import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { renderIssue } from '../../value/issue.ts';
import { parseJson } from '../../value/json.ts';
import type { JsonObject } from '../../value/json.ts';
import { lockOf, parseLock, printLock } from './lock.ts';
import type { Lock, LockedServer } from './lock.ts';
import { defineTool } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

function toolOf(server: string, raw: JsonObject): ToolDefinition {
  const defined = defineTool(server, raw);
  assert.ok(defined.ok);
  return defined.tool;
}

function serverOf(id: string, raws: readonly JsonObject[], more: Partial<LockedServer> = {}): [string, LockedServer] {
  const tools = new Map(raws.map((raw) => toolOf(id, raw)).map((tool) => [tool.upstreamName, tool]));
  return [id, { complete: false, tools, ...more }];
}

function parsed(text: string): Lock {
  const lock = parseLock(text, 'interlock.lock');
  assert.ok(lock.ok, JSON.stringify(lock.issues));
  return lock.value;
}

const PAY: JsonObject = {
  name: 'pay',
  description: 'Pays\nsomebody',
  inputSchema: { type: 'object', properties: { amount: { type: 'integer', maximum: 1e300 } } },
  annotations: { readOnlyHint: false },
};
const INTEGRITY = `sha512-${'A'.repeat(86)}==`;
const LOCK = lockOf(
  new Map([
    serverOf('bank', [PAY], { complete: true }),
    serverOf('files', [], { package: { name: '@scope/files', version: '1.2.3-rc.1', integrity: INTEGRITY } }),
  ]),
);

test('a lock prints as YAML that a person can read, and parses to the same lock', () => {
  const text = printLock(LOCK);
  assert.deepEqual(text.split('\n').slice(2, 12), [
    'interlock: 1',
    'servers:',
    '  bank:',
    '    complete: true',
    '    tools:',
    '      pay:',
    `        digest: ${JSON.stringify(toolOf('bank', PAY).digest)}`,
    '        definition:',
    '          name: "pay"',
    '          description: "Pays\\nsomebody"',
  ]);
  const again = parsed(text);
  assert.equal(printLock(again), text);
  assert.equal(again.digest, LOCK.digest);
  assert.deepEqual(again.servers.get('bank')?.tools.get('pay')?.raw, PAY);
  assert.deepEqual(again.servers.get('files'), LOCK.servers.get('files'));
  assert.equal(parsed(printLock(lockOf(new Map()))).servers.size, 0);
});

const ID = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/u);
const NAME = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
    fc.constantFrom('__proto__', 'constructor', 'null', 'true', '~', '- a', '#', ': x', '*', '? b', '<<', '1e3'),
  )
  .filter((name) => name.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name));
const SCHEMA = fc
  .json({ maxDepth: 5, stringUnit: 'binary' })
  .map((text) => parseJson(text))
  .filter((value) => value.ok)
  .map(({ value }): JsonObject => ({ properties: { x: value } }));
const RAW = fc.record(
  {
    name: NAME,
    title: fc.string({ unit: 'binary' }),
    description: fc.string({ unit: 'binary' }),
    inputSchema: SCHEMA,
    annotations: fc.dictionary(fc.string({ unit: 'binary', maxLength: 1_500 }), fc.boolean()),
  },
  { requiredKeys: ['name', 'inputSchema'] },
);

test('whatever servers offer, the printed lock parses to it, prints the same again and drives no terminal', () => {
  const server = fc.tuple(ID, fc.uniqueArray(RAW, { maxLength: 4, selector: ({ name }) => name }), fc.boolean());
  const servers = fc.uniqueArray(server, { maxLength: 3, selector: ([id]) => id });
  fc.assert(
    fc.property(servers, (all) => {
      const usable = JSON.parse(JSON.stringify(all)) as [string, JsonObject[], boolean][];
      const lock = lockOf(new Map(usable.map(([id, raws, complete]) => serverOf(id, raws, { complete }))));
      const text = printLock(lock);
      assert.equal(/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text.replaceAll('\n', '')), false);
      const again = parsed(text);
      assert.equal(printLock(again), text);
      assert.equal(again.digest, lock.digest);
      const reversed = lockOf(new Map([...lock.servers].toReversed()));
      assert.deepEqual([printLock(reversed), reversed.digest], [text, lock.digest]);
    }),
  );
});

test('what is not exactly a lock is refused at its place', () => {
  const text = printLock(LOCK);
  const digest = toolOf('bank', PAY).digest;
  const cases: readonly (readonly [string, string, number, RegExp])[] = [
    ['', 'lock-empty', 1, /delete it, or write it anew/u],
    ['interlock: 1\nservers: [', 'yaml-malformed', 2, /not YAML/u],
    ['[]', 'wrong-type', 1, /expected the lock to be a map/u],
    ['servers: {}', 'missing-key', 1, /has no `interlock`/u],
    ['interlock: 1', 'missing-key', 1, /has no `servers`/u],
    [
      text.replace('interlock: 1', 'interlock: 2'),
      'version-unsupported',
      3,
      /expected `interlock` of the lock to be 1/u,
    ],
    [text.replace('    complete: true', '    complet: true'), 'unknown-key', 6, /did you mean `complete`\?/u],
    [text.replace('  bank:', '  Bank:'), 'server-id-malformed', 5, /`Bank` cannot name a server/u],
    [text.replace('          name: "pay"', '          name: "Pay"'), 'wrong-value', 11, /is that of `Pay`/u],
    [text.replace('nsomebody', 'nanybody'), 'digest-mismatch', 9, /is not that of its definition, which is sha256:/u],
    [text.replace(digest, `sha256:${'0'.repeat(64)}`), 'digest-mismatch', 9, /somebody changed the one or the other/u],
    [text.replace(/ {8}digest.*\n/u, ''), 'missing-key', 8, /`bank\.pay` of the lock has no `digest`/u],
    [text.replace('          annotations:', '          annotation:'), 'unknown-key', 11, /has no key `annotation`/u],
    [text.replace('1.2.3-rc.1', '^1.2.3'), 'wrong-value', 24, /to be an exact version, got `\^1\.2\.3`/u],
    [text.replace(/ {6}integrity.*\n/u, ''), 'missing-key', 22, /lacks a key/u],
  ];
  for (const [written, code, line, expected] of cases) {
    const lock = parseLock(written, 'interlock.lock');
    assert.equal(lock.ok, false, written);
    const [issue] = lock.issues;
    assert.ok(issue !== undefined);
    const told = renderIssue(issue, written);
    assert.deepEqual([issue.code, issue.line, issue.file], [code, line, 'interlock.lock'], told);
    assert.match(told, expected);
    assert.match(told, /\n {2}\| /u);
  }
});
