import assert from 'node:assert/strict';
import { test } from 'node:test';

import { placeAt, renderIssue } from './issue.ts';

test('a place counts lines and code points from 1', () => {
  const source = 'ab\n😀é\r\n\nz';
  assert.deepEqual(placeAt(source, 0), { line: 1, column: 1 });
  assert.deepEqual(placeAt(source, 2), { line: 1, column: 3 });
  assert.deepEqual(placeAt(source, 3), { line: 2, column: 1 });
  assert.deepEqual(placeAt(source, 5), { line: 2, column: 2 });
  assert.deepEqual(placeAt(source, 6), { line: 2, column: 3 });
  assert.deepEqual(placeAt(source, 8), { line: 3, column: 1 });
  assert.deepEqual(placeAt(source, 9), { line: 4, column: 1 });
});

test('an offset past the end is the end', () => {
  assert.deepEqual(placeAt('a\nbc', 99), { line: 2, column: 3 });
  assert.deepEqual(placeAt('', 5), { line: 1, column: 1 });
});

test('a newline belongs to the line it ends', () => {
  assert.deepEqual(placeAt('\n\n', 0), { line: 1, column: 1 });
  assert.deepEqual(placeAt('\n\n', 1), { line: 2, column: 1 });
});

test('an issue is shown with its line, a caret under its place, and its hint', () => {
  const issue = {
    code: 'json-syntax',
    severity: 'error',
    line: 2,
    column: 3,
    message: 'expected `,`',
    hint: 'add it',
  } as const;
  assert.equal(
    renderIssue({ ...issue, file: 'a.json' }, '[\n1 2\n]'),
    'a.json:2:3: error: expected `,` [json-syntax]\n  | 1 2\n  |   ^\n  hint: add it',
  );
});

test('control characters of the source do not reach the terminal', () => {
  const issue = { code: 'c', severity: 'warning', line: 1, column: 2, message: 'm' } as const;
  assert.equal(renderIssue(issue, 'a\u001b[2J\u202eb'), '<input>:1:2: warning: m [c]\n  | a·[2J·b\n  |  ^');
});
