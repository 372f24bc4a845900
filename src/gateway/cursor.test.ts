import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readCursor, writeCursor } from './cursor.ts';

test('a cursor that was written is read as it was', () => {
  const entries = fc.array(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/), fc.string({ unit: 'grapheme' })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(entries, (given) => {
      const cursors = new Map(given);
      assert.deepEqual(readCursor(writeCursor(cursors) ?? ''), cursors);
    }),
  );
});

test('there is no cursor when nobody has more', () => {
  assert.equal(writeCursor(new Map()), undefined);
});

test('what we did not write is refused', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const texts = ['', '!', encode('[]'), encode('{}'), encode('{"a":1}'), encode('{"a":"b","a":"c"}'), encode('x')];
  for (const text of texts) assert.equal(readCursor(text), undefined, text);
});
