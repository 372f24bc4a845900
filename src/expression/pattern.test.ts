import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compilePattern } from './pattern.ts';

function pattern(source: string): (text: string) => boolean {
  const compiled = compilePattern(source);
  assert.ok(typeof compiled !== 'string');
  return compiled.test;
}

test('a pattern is found anywhere in the text', () => {
  assert.equal(pattern('b+')('abbc'), true);
  assert.equal(pattern('^b+$')('abbc'), false);
});

test('look-around, back-references and giant repetitions are refused with a reason of one line', () => {
  for (const source of [
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '(a)\\1',
    '(',
    'a{2000}',
    '(?:x{1000}){100}',
    'x{900}'.repeat(100),
  ]) {
    const compiled = compilePattern(source);
    assert.ok(typeof compiled === 'string', source);
    assert.doesNotMatch(compiled, /\n/);
  }
});

test('patterns that make backtracking explode are matched in linear time', () => {
  const started = process.hrtime.bigint();
  assert.equal(pattern('^(a+)+$')(`${'a'.repeat(100_000)}b`), false);
  assert.equal(pattern('^(a|a)*$')(`${'a'.repeat(100_000)}b`), false);
  assert.ok(process.hrtime.bigint() - started < 5_000_000_000n);
});
