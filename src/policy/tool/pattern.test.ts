import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { indexPatterns } from './pattern-index.ts';
import { compareSpecificity, couldMatchServer, matches, parsePattern, serverOf } from './pattern.ts';
import type { Pattern } from './pattern.ts';

function pattern(text: string): Pattern {
  const parsed = parsePattern(text);
  assert.ok(parsed.ok, text);
  return parsed.pattern;
}

test('a star is any run of characters, the empty one too', () => {
  assert.equal(matches(pattern('files.read_*'), 'files.read_'), true);
  assert.equal(matches(pattern('files.read_*'), 'files.read_file'), true);
  assert.equal(matches(pattern('files.read_*'), 'files.write_file'), false);
  assert.equal(matches(pattern('*.delete_*'), 'crm.delete_user'), true);
  assert.equal(matches(pattern('files.*'), 'files2.read'), false);
  assert.equal(matches(pattern('a.b'), 'a.bc'), false);
});

test('a star alone is every tool and no method', () => {
  assert.equal(matches(pattern('*'), 'files.read'), true);
  assert.equal(matches(pattern('*'), 'files.resources/read'), false);
  assert.equal(matches(pattern('files.*'), 'files.resources/read'), false);
});

test('a pattern with a slash matches methods', () => {
  assert.equal(matches(pattern('files.resources/read'), 'files.resources/read'), true);
  assert.equal(matches(pattern('*.resources/*'), 'files.resources/read'), true);
  assert.equal(matches(pattern('*/*'), 'files.prompts/get'), true);
});

test('runs of a pattern do not overlap in a match', () => {
  assert.equal(matches(pattern('a.b*b'), 'a.b'), false);
  assert.equal(matches(pattern('a.b*b'), 'a.bb'), true);
  assert.equal(matches(pattern('a.x*xx*x'), 'a.xxx'), false);
});

test('matching agrees with a regular expression made of the pattern', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '.', '*', '/'), { maxLength: 8 }).map((letters) => letters.join(''));
  const name = fc.array(fc.constantFrom('a', 'b', '.', '/'), { maxLength: 10 }).map((letters) => letters.join(''));
  fc.assert(
    fc.property(text, name, (written, candidate) => {
      const parsed = parsePattern(written);
      fc.pre(parsed.ok);
      const regExp = new RegExp(
        `^${written
          .split('*')
          .map((run) => run.replaceAll('.', String.raw`\.`))
          .join('.*')}$`,
        'u',
      );
      const expected = regExp.test(candidate) && (!candidate.includes('/') || written.includes('/'));
      assert.equal(matches(parsed.pattern, candidate), expected);
    }),
    { numRuns: 5_000 },
  );
});

test('a full name is the most specific, then the longest literal text, then the fewest stars', () => {
  const sorted = ['files.read_file', 'files.read_*', 'files.*_f*', 'files.*', '*.*', '*'];
  const shuffled = [...sorted]
    .reverse()
    .map(pattern)
    .toSorted((a, b) => compareSpecificity(b, a));
  assert.deepEqual(
    shuffled.map((each) => each.text),
    sorted,
  );
  assert.equal(compareSpecificity(pattern('files.a*'), pattern('files.*a')), 0);
});

test('a pattern names a server only where no star can reach into the name', () => {
  assert.equal(serverOf(pattern('files.*')), 'files');
  assert.equal(serverOf(pattern('fil*.read')), undefined);
  assert.equal(couldMatchServer(pattern('fil*'), 'files'), true);
  assert.equal(couldMatchServer(pattern('fil*'), 'crm'), false);
});

test('text that could match no tool is refused', () => {
  for (const text of ['read', '.read', 'files.', 'a b.c', 'a.\n', `a.${'x'.repeat(300)}`]) {
    assert.equal(parsePattern(text).ok, false, text);
  }
});

test('an index finds what trying every pattern finds, in order', () => {
  const texts = ['a.b', '*', 'a.*', 'a.b', '*.b', 'c.d', 'a.c'];
  const index = indexPatterns(texts.map(pattern), (each) => each);
  for (const name of ['a.b', 'a.c', 'c.d', 'x.y', '__proto__.b']) {
    assert.deepEqual(
      index.find(name).map((each) => each.text),
      texts.filter((text) => matches(pattern(text), name)),
    );
  }
});
