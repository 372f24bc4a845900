import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { wordsOf } from './words.ts';

test('words are told apart by white space, quotes and backslashes, and nothing is expanded', () => {
  const cases: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['', []],
    ['  ', []],
    ['node server.js  ./x', ['node', 'server.js', './x']],
    [`a "b c" 'd "e'`, ['a', 'b c', 'd "e']],
    [`a"b c"d e''`, ['ab cd', 'e']],
    [`"" ''`, ['', '']],
    ['a\\ b "\\"" \'\\\'', ['a b', '"', '\\']],
    ['$HOME *.js | x; `y`', ['$HOME', '*.js', '|', 'x;', '`y`']],
    ['"a', undefined],
    ["it's", undefined],
    ['a\\', undefined],
  ];
  for (const [text, words] of cases) assert.deepEqual(wordsOf(text), words, text);
});

test('words in single quotes come back as they are', () => {
  const word = fc.string().filter((text) => !text.includes("'"));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      assert.deepEqual(wordsOf(words.map((text) => `'${text}'`).join(' ')), words);
    }),
  );
});
