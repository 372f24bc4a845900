import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Grammar } from './parse.ts';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));
const DOOR = join('expression', 'parse.ts');
const LIBRARY = '@marcbachmann/cel-js';

function sources(): readonly string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

test('the CEL library is imported in one file, and only to parse and to check', () => {
  const importing = sources().filter((file) => !file.endsWith('.test.ts') && read(file).includes(`'${LIBRARY}`));
  assert.deepEqual(importing, [DOOR]);
  const text = read(DOOR);
  const imports = [...text.matchAll(/import (type )?\{([^}]*)\} from '@marcbachmann\/cel-js([^']*)'/g)];
  assert.equal(
    imports.length,
    [...text.matchAll(/@marcbachmann\/cel-js/g)].length - 1,
    'one more names types for others',
  );
  for (const [, onlyTypes, names = '', path] of imports) {
    assert.equal(path, '', 'no inner path of the library');
    if (onlyTypes !== undefined) continue;
    assert.deepEqual(imported(names), ['Environment', 'ParseError', 'TypeError']);
  }
});

test('of the library nothing is called but what declares, parses and checks', () => {
  const text = read(DOOR);
  const onEnvironment = [...text.matchAll(/nvironment\s*\)?\.(\w+)/g)].map((match) => match[1] ?? '');
  const onParsed = [...text.matchAll(/\bparsed(?:\.(\w+)|\s*\()/g)].map((match) => match[1] ?? 'call');
  const declares = ['clone', 'registerFunction', 'registerOperator', 'registerType', 'registerVariable'];
  assert.deepEqual([...new Set(onEnvironment)].toSorted(), [...declares, 'parse'].toSorted());
  assert.deepEqual([...new Set(onParsed)].toSorted(), ['ast', 'check']);
});

test('what the library complains of is told by its code, and where', () => {
  const grammar = new Grammar({
    functions: [],
    operators: [],
    namespaces: [],
    objects: new Map(),
    variables: new Map([['x', 'int']]),
  });
  const bad = grammar.parse('x +');
  assert.ok(!('ast' in bad));
  assert.deepEqual([bad.phase, bad.code, bad.offset], ['parse', 'unexpected_token', 3]);
  const typed = grammar.parse('x + "a"');
  assert.ok('ast' in typed);
  assert.equal(typed.check()?.code, 'no_such_overload');
});

function read(file: string): string {
  return readFileSync(join(SOURCES, file), 'utf8');
}

function imported(names: string): readonly string[] {
  return names
    .split(',')
    .map((name) => name.trim().split(' as ')[0] ?? '')
    .filter((name) => name !== '')
    .toSorted();
}
