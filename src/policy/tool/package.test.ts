import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../document/configuration.ts';
import { parsePackage } from './package.ts';

test('a package is a name and one exact version, and nothing that npm would take for more', () => {
  assert.deepEqual(parsePackage('@a/b-c@1.2.3-rc.1'), { name: '@a/b-c', version: '1.2.3-rc.1' });
  assert.deepEqual(parsePackage('files@2026.8.31'), { name: 'files', version: '2026.8.31' });
  const none = [
    '',
    'files',
    'files@',
    '@1.2.3',
    'files@latest',
    'files@^1.2.3',
    'files@1.2',
    'files@1.2.3+b',
    'files@01.2.3',
  ];
  const odd = [
    '../x@1.2.3',
    '/x@1.2.3',
    '@a/../b@1.2.3',
    '--flag@1.2.3',
    'a b@1.2.3',
    'Files@1.2.3',
    'x@file:y',
    'x@npm:y@1.2.3',
  ];
  for (const text of [...none, ...odd, `${'x'.repeat(215)}@1.2.3`]) assert.equal(parsePackage(text), undefined, text);
});

test('a server is a command or a package, and a package alone starts nothing', () => {
  const serverOf = (fields: string): ReturnType<typeof parseConfiguration> =>
    parseConfiguration(`interlock: 1\nservers:\n  files: { ${fields} }\n`, { file: 'interlock.yaml', environment: {} });
  const parsed = serverOf('package: "@a/b@1.2.3", args: [.]');
  assert.ok(parsed.ok);
  const server = parsed.value.servers.get('files');
  assert.deepEqual([server?.command, server?.package, server?.args], ['', { name: '@a/b', version: '1.2.3' }, ['.']]);
  const cases: readonly (readonly [string, string, number])[] = [
    ['package: "@a/b@1.2.3", command: node', 'wrong-value', 3],
    ['args: [.]', 'missing-key', 3],
    ['package: "@a/b"', 'wrong-value', 21],
    ['package: 5', 'wrong-type', 21],
  ];
  for (const [fields, code, column] of cases) {
    const refused = serverOf(fields);
    assert.deepEqual(
      [refused.ok, refused.issues.map((issue) => [issue.code, issue.column])],
      [false, [[code, column]]],
    );
  }
});
