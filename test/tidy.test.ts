/** Sizes, names, comments and the mentions that do not belong in committed text. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { completeLock, lockGaps } from './lock.ts';
import type { Lock } from './lock.ts';
import { ROOT, parseSource, readFiles } from './source.ts';
import {
  badExportedNames,
  badFileNames,
  deepFolders,
  foreignMentions,
  headless,
  longFiles,
  looseEnds,
  registryInLock,
  wordsOf,
} from './tidy.ts';

const CODE = ['src', 'test', 'examples', 'bench', 'bin'];
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs', 'examples'];
const SETTINGS = ['.ci/run', 'package.json', 'tsconfig.json', 'tsconfig.build.json', '.npmrc', 'knip.json'];

/** Put together, so that this file does not hold what it looks for. */
const MACHINE = ['', 'work', 'main'].join('/');

const code = readFiles(CODE, ['.ts', '.js']);
const sources = [...code].map(([path, text]) => parseSource(path, text));
const written = sources.filter(({ path }) => !path.endsWith('.test.ts'));
const pages = readFiles(PAGES, ['.md']);
const settings = readFiles(SETTINGS, ['']);

test('no file of code is longer than 400 lines', () => {
  assert.ok(code.size > 0, 'no code was read');
  assert.deepEqual(longFiles(code), []);
  const long = 'x\n'.repeat(401);
  assert.deepEqual(longFiles(new Map([['src/a.ts', long]])), ['src/a.ts:401: 401 lines; a file has at most 400']);
  assert.deepEqual(longFiles(new Map([['src/a.ts', 'x\n'.repeat(400)]])), []);
});

test('folders under src nest at most three deep', () => {
  assert.deepEqual(deepFolders(code), []);
  assert.deepEqual(deepFolders(new Map([['src/a/b/c/d.ts', '']])), []);
  assert.match(deepFolders(new Map([['src/a/b/c/d/e.ts', '']]))[0] ?? '', /^src\/a\/b\/c\/d\/e\.ts:1: 4 folders deep/);
});

test('file names are kebab-case and say what the file is', () => {
  assert.deepEqual(badFileNames([...code.keys(), ...pages.keys()]), []);
  const bad = ['session-manager', 'util', 'stringUtils', 'policy-v2', 'notes-2026-11', 'phase-2', 'common', 'BigFile'];
  for (const stem of bad) assert.equal(badFileNames([`src/value/${stem}.ts`]).length, 1, stem);
  for (const stem of ['issue', 'database', 'base64', 'renewal', 'ed25519', 'rfc8785']) {
    assert.deepEqual(badFileNames([`src/value/${stem}.ts`, `src/value/${stem}.test.ts`]), []);
  }
});

test('exported names have no empty word', () => {
  assert.deepEqual(sources.flatMap(badExportedNames), []);
  const bad = [
    'export class CallManager {}',
    'export interface ToolHandler {}',
    'export type KeyService = 1;',
    'export const pathUtils = 1;',
    'export function baseOf() {}',
    'const a = 1; export { a as LedgerImpl };',
    'export const { a: b, c: entryHelper } = d;',
    'export function decideV2() {}',
    'export const policyNew = 1;',
    'export abstract class StoreBase {}',
  ];
  for (const text of bad) {
    const found = badExportedNames(parseSource('src/value/x.ts', `\n${text}`));
    assert.equal(found.length, 1, text);
    assert.match(found[0] ?? '', /^src\/value\/x\.ts:2: exported name/);
  }
  const good = 'export const a = 1, toBase64 = 2, uuidV7 = 3, newId = 4; export class Database {} const handler = 1;';
  assert.deepEqual(badExportedNames(parseSource('src/value/x.ts', good)), []);
  assert.deepEqual(wordsOf('parseHTTPHandler-v2_X'), ['parse', 'http', 'handler', 'v2', 'x']);
});

test('each file starts with a sentence that says what it is', () => {
  assert.deepEqual(written.flatMap(headless), []);
  for (const text of ['const a = 1;', '// A comment.\n', '/** no sentence */\n', '\n/** Late. */\n', '/* Plain. */']) {
    assert.equal(headless(parseSource('src/value/x.ts', text)).length, 1, text);
  }
  for (const text of [
    '/** One sentence. */\n',
    '/** One.\n *\n * And more.\n */\n',
    '#!/usr/bin/env node\n/** One. */\n',
  ]) {
    assert.deepEqual(headless(parseSource('src/value/x.ts', text)), []);
  }
});

test('nothing turns checking off and nothing is left unfinished', () => {
  assert.deepEqual(sources.flatMap(looseEnds), []);
  const bad = [
    'let a: any;',
    'const b = c as any;',
    '// @ts-ignore',
    '/* @ts-expect-error because */',
    '// oxlint-disable-next-line no-console',
    '// TODO: later',
    '/** FIXME */',
  ];
  for (const text of bad) {
    const found = looseEnds(parseSource('src/value/x.ts', `\n${text}`));
    assert.equal(found.length, 1, text);
    assert.match(found[0] ?? '', /^src\/value\/x\.ts:2: /);
  }
  const good = "// oxlint-disable-next-line no-console -- the one place\nconst any = 'any TODO';";
  assert.deepEqual(looseEnds(parseSource('src/value/x.ts', good)), []);
});

test('committed text names no machine, no registry and no issue', () => {
  assert.deepEqual(foreignMentions(new Map([...code, ...pages, ...settings])), []);
  const bad = [
    `see ${MACHINE}/src`,
    'run in /tmp/x',
    'at /home/me/x',
    'from registry.example.org',
    'https://deb.example.net/x',
    'fixes #12',
    'see issue 2',
  ];
  for (const line of bad) {
    const found = foreignMentions(new Map([['docs/x.md', `\n${line}\n`]]));
    assert.equal(found.length, 1, line);
    assert.match(found[0] ?? '', /^docs\/x\.md:2: /);
  }
  const good = 'Open an issue. `examples/payments-server.ts`, ./tmp/x, RFC 6962, &#39;, https://example.com/home/x';
  assert.deepEqual(foreignMentions(new Map([['docs/x.md', good]])), []);
  assert.equal(foreignMentions(new Map([['src/x.ts', `// ${MACHINE}`]])).length, 1);
  assert.deepEqual(foreignMentions(new Map([['src/x.ts', "path('/tmp/x')"]])), []);
});

test('package-lock.json has the optional packages of every platform', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  assert.deepEqual(lockGaps(lock), [], 'package-lock.json:1: run `node test/lock.ts`');
  const tool = {
    version: '1.0.0',
    dev: true,
    optionalDependencies: { '@a/linux-x64-musl': '1.0.0', '@a/win32-arm64': '2.0.0' },
  };
  const there = { packages: { 'node_modules/a': tool, 'node_modules/a/node_modules/@a/win32-arm64': {} } };
  assert.deepEqual(lockGaps(there), [{ name: '@a/linux-x64-musl', version: '1.0.0', dev: true }]);
  const complete = completeLock(there);
  assert.deepEqual(complete.packages['node_modules/@a/linux-x64-musl'], {
    version: '1.0.0',
    dev: true,
    optional: true,
    cpu: ['x64'],
    libc: ['musl'],
    os: ['linux'],
  });
  assert.deepEqual(lockGaps(complete), []);
});

test('package-lock.json names no registry', () => {
  const lock = 'package-lock.json';
  assert.deepEqual(registryInLock(lock, readFileSync(join(ROOT, lock), 'utf8')), []);
  assert.deepEqual(registryInLock(lock, '{\n  "resolved": "x"\n}'), [
    'package-lock.json:2: "resolved" names a registry',
  ]);
});
