import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findDeepPrefix, splitClauses } from './scan.ts';

function clauses(source: string): readonly string[] {
  return splitClauses(source).map(({ start, end }) => source.slice(start, end));
}

test('a top-level && chain splits into its operands', () => {
  assert.deepEqual(clauses('a && b.c(d && e) && [f && g]'), ['a', 'b.c(d && e)', '[f && g]']);
  assert.deepEqual(clauses('  a&&b  '), ['a', 'b']);
});

test('what || or a conditional rules is one clause', () => {
  assert.deepEqual(clauses('a && b || c'), ['a && b || c']);
  assert.deepEqual(clauses('a && b ? c : d'), ['a && b ? c : d']);
  assert.deepEqual(clauses('(a || b) && c'), ['(a || b)', 'c']);
});

test('an optional member is no conditional', () => {
  assert.deepEqual(clauses('a.?b.hasValue() && c'), ['a.?b.hasValue()', 'c']);
  assert.deepEqual(clauses('a . ?b.hasValue() && c'), ['a . ?b.hasValue()', 'c']);
});

test('operators in strings and comments do not count', () => {
  assert.deepEqual(clauses('"a && b" == x && y'), ['"a && b" == x', 'y']);
  assert.deepEqual(clauses("'\\' && ' == x && y"), ["'\\' && ' == x", 'y']);
  assert.deepEqual(clauses('"""a " && b""" == x && y'), ['"""a " && b""" == x', 'y']);
  assert.deepEqual(clauses('x // a && b\n && y // c'), ['x', 'y']);
});

test('a run of prefix operators is found however it is spread', () => {
  assert.equal(findDeepPrefix('!'.repeat(5) + 'a', 5), undefined);
  assert.equal(findDeepPrefix('!'.repeat(6) + 'a', 5), 5);
  assert.equal(findDeepPrefix('! // c\n'.repeat(6) + 'a', 5), 35);
  assert.equal(findDeepPrefix('a-b'.repeat(9), 5), undefined);
});
