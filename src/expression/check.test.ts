import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compile } from './compile.ts';
import { typeOfSchema } from './schema.ts';
import type { Vocabulary } from './type.ts';

const VOCABULARY: Vocabulary = new Map([
  [
    'args',
    typeOfSchema({
      type: 'object',
      properties: {
        note: { type: 'string' },
        limit: { type: 'integer' },
        amount: { type: 'integer' },
        to: { type: 'object', properties: { city: { type: 'string' }, zip: { type: 'string' } }, required: ['zip'] },
        items: { type: 'array', items: { type: 'object', properties: { size: { type: 'integer' } } } },
      },
      required: ['amount', 'items'],
    }),
  ],
]);

/** The paths that are warned of, by what the message names. */
function unguarded(source: string): readonly string[] {
  const compiled = compile(source, VOCABULARY);
  assert.ok(compiled.ok, compiled.ok ? '' : (compiled.issues[0]?.message ?? ''));
  return compiled.warnings.map((warning) => {
    assert.equal(warning.code, 'optional-unguarded');
    assert.equal(warning.severity, 'warning');
    return /`([^`]+)`/.exec(warning.message)?.[1] ?? '';
  });
}

test('an optional member read bare is warned of once, where it is first read', () => {
  assert.deepEqual(unguarded('args.note == "a" || args.note == "b"'), ['args.note']);
  const compiled = compile('args.amount > 1 && args.limit > 2', VOCABULARY);
  assert.ok(compiled.ok);
  assert.equal(compiled.warnings[0]?.offset, 24);
  assert.match(compiled.warnings[0].hint ?? '', /has\(args\.limit\)/);
});

test('a required member needs no guard', () => {
  assert.deepEqual(unguarded('args.amount > 1'), []);
});

test('has() guards the other operands of its chain, on either side', () => {
  assert.deepEqual(unguarded('has(args.note) && args.note == "a"'), []);
  assert.deepEqual(unguarded('args.note == "a" && has(args.note)'), []);
  assert.deepEqual(unguarded('!has(args.note) || args.note == "a"'), []);
  assert.deepEqual(unguarded('has(args.note) ? args.note == "a" : true'), []);
  assert.deepEqual(unguarded('!has(args.note) ? true : args.note == "a"'), []);
  assert.deepEqual(unguarded('"note" in args && args.note == "a"'), []);
  assert.deepEqual(unguarded('!(has(args.note) && has(args.limit)) || args.note == string(args.limit)'), []);
  assert.deepEqual(unguarded('has(args.note) && (args.amount > 1 || args.note == "a")'), []);
});

test('has() of the wrong side, of something else or in an alternative guards nothing', () => {
  assert.deepEqual(unguarded('!has(args.note) && args.note == "a"'), ['args.note']);
  assert.deepEqual(unguarded('has(args.note) || args.note == "a"'), ['args.note']);
  assert.deepEqual(unguarded('has(args.limit) && args.note == "a"'), ['args.note']);
  assert.deepEqual(unguarded('(has(args.note) || args.amount > 1) && args.note == "a"'), ['args.note']);
  assert.deepEqual(unguarded('has(args.note) ? true : args.note == "a"'), ['args.note']);
});

test('every optional step of a path counts', () => {
  assert.deepEqual(unguarded('args.to.zip == "1"'), ['args.to']);
  assert.deepEqual(unguarded('args.to.city == "x"'), ['args.to', 'args.to.city']);
  assert.deepEqual(unguarded('has(args.to) && args.to.city == "x"'), ['args.to.city']);
  assert.deepEqual(unguarded('has(args.to) && has(args.to.city) && args.to.city == "x"'), []);
  assert.deepEqual(
    unguarded('has(args.to.city) && args.to.city == "x"'),
    ['args.to'],
    'asking for a member reads what holds it',
  );
});

test('elements are followed into macros', () => {
  assert.deepEqual(unguarded('args.items.all(i, i.size > 1)'), ['i.size']);
  assert.deepEqual(unguarded('args.items.all(i, has(i.size) && i.size > 1)'), []);
});

test('an optional read as an optional needs no guard', () => {
  assert.deepEqual(unguarded('args.?note.orValue("") == ""'), []);
});
