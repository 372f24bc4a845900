/** How text from elsewhere is shown, whether colours help, and how far a long reading is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { withProgress } from '../../src/cli/progress.ts';
import { inert, inertJson, wantsColour } from '../../src/cli/terminal.ts';
import { Kept, drivesTerminal } from './command.ts';

/** Text that is mostly of what a terminal obeys. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\u001b', '\u009b', '\u007f', '\n', '\r', '\u202e', '\u2028', '\u{e0001}', '\ud800', '\u00ad', 'é'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
});

test('inert text is one harmless line, and harmless text stays as it is', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = inert(text);
      assert.equal(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(shown), false);
      assert.equal(inert(shown), shown);
    }),
  );
  assert.equal(inert('\u001b[31mré\n\u{e0001}'), '\\u{1b}[31mré\\u{a}\\u{e0001}');
});

test('inert JSON is the same value, and nothing in it drives a terminal', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, fc.oneof(hostile, fc.jsonValue())), (value) => {
      const line = inertJson(value);
      assert.equal(drivesTerminal(line) || line.includes('\n'), false);
      assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.equal(inertJson('\u009b\u{e0001}'), '"\\u009b\\udb40\\udc01"');
});

test('colours are for terminals that can show them and were not told not to', () => {
  assert.equal(wantsColour(true, {}), true);
  assert.equal(wantsColour(true, { NO_COLOR: '', TERM: 'xterm' }), true);
  assert.equal(wantsColour(true, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour(true, { TERM: 'dumb' }), false);
  for (const one of [false, undefined]) assert.equal(wantsColour(one, { FORCE_COLOR: '1' }), false);
});

/** Passes `count` items, each taking `ms` on a clock that only they move; answers with what was drawn. */
function drawn(count: number, ms: number, total: number | undefined, attended = true): string {
  const errors = new Kept();
  let now = 0;
  const items = function* (): Generator<number> {
    for (let item = 0; item < count; item += 1) {
      now += ms;
      yield item;
    }
  };
  const terminal = { errors, attended: { input: attended, errors: attended } };
  const passed = [...withProgress(items(), total, terminal, { monotonic: () => now })];
  assert.deepEqual(passed.length, count);
  return errors.text;
}

test('a reading of over a second is told on one line that is gone at the end', () => {
  const text = drawn(4_096, 1, 8_192);
  assert.match(text, /^\r {2}1,024 of 8,192 entries \(12 %\)\r {2}1,536 of 8,192 entries \(18 %\)/u);
  assert.match(text, /\r +\r$/u);
  assert.equal(text.includes('\u001b'), false);
  assert.match(drawn(4_096, 1, undefined), /^\r {2}1,024 entries\r/u);
  assert.match(drawn(4_096, 1, 600), /^\r {2}1,024 entries\r/u);
});

test('nothing is told of a short reading, or where nobody sits', () => {
  assert.equal(drawn(4_096, 0.1, 4_096), '');
  assert.equal(drawn(4_096, 1, 4_096, false), '');
  assert.equal(drawn(0, 1, 0), '');
});

test('a reading that is left early takes its line with it', () => {
  const errors = new Kept();
  let now = 0;
  const items = function* (): Generator<number> {
    for (;;) yield (now += 1);
  };
  const terminal = { errors, attended: { input: true, errors: true } };
  for (const item of withProgress(items(), undefined, terminal, { monotonic: () => now })) if (item > 1_100) break;
  assert.match(errors.text, /entries\r +\r$/u);
});
