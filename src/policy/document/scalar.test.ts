import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseConfiguration } from './configuration.ts';
import { locate, placeIn, sourceOf } from '../../document/source.ts';
import { placeAt } from '../../value/issue.ts';

/** The place in the file of `piece` within the condition of the first rule. */
function placed(text: string, piece: string): string {
  const result = parseConfiguration(text, { file: 'f', environment: {} });
  assert.ok(result.ok, JSON.stringify(result.issues));
  const when = result.value.rules[0]?.when;
  assert.ok(when !== undefined && when.text.includes(piece), when?.text);
  const { line, column } = locate(when, when.text.indexOf(piece));
  return `${line}:${column}`;
}

const HEAD = 'interlock: 1\nrules:\n  - allow: a.b\n';

test('a place inside a plain condition is exact', () => {
  assert.equal(placed(`${HEAD}    when: args.a == 1 && args.b == 2\n`, 'args.b'), '4:26');
});

test('a place inside a quoted condition counts the quote and each escape', () => {
  assert.equal(placed(`${HEAD}    when: "args.a == \\"x\\" && args.b == \\u0041"\n`, 'args.b'), '4:31');
  assert.equal(placed(`${HEAD}    when: "args.a == \\"x\\" && args.b == \\u0041"\n`, 'A'), '4:41');
  assert.equal(placed(`${HEAD}    when: "\\U0001F600 args.b"\n`, 'args.b'), '4:23');
  assert.equal(placed(`${HEAD}    when: 'args.a == ''x'' && args.b'\n`, 'args.b'), '4:31');
});

test('a place inside a condition over several lines is on its own line', () => {
  const folded = `${HEAD}    when: >-\n      args.a == 1 &&\n      args.b == 2 &&\n\n      args.c == 3\n`;
  assert.equal(placed(folded, 'args.b'), '6:7');
  assert.equal(placed(folded, 'c == 3'), '8:12');
  assert.equal(placed(`${HEAD}    when: | # why\n        args.a &&\n          args.b\n`, 'args.b'), '6:11');
  assert.equal(placed(`${HEAD}    when: args.a == 1 &&\n      args.b == 2\n`, 'args.b'), '5:7');
  assert.equal(placed(`${HEAD}    when: "args.a && \\\n        args.b"\n`, 'args.b'), '5:9');
});

test('columns after characters beyond the basic plane count one each', () => {
  assert.equal(placed(`${HEAD}    when: args.a == "😀😀" && args.b\n`, 'args.b'), '4:29');
});

test('carriage returns do not move a place', () => {
  const text = `${HEAD}    when: >-\n      args.a &&\n      args.b\n`.replaceAll('\n', '\r\n');
  assert.equal(placed(text, 'args.b'), '6:7');
});

test('an indexed source places every offset as the plain count does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '\n', '😀', '\r', 'é'), { maxLength: 40 }),
      fc.nat(60),
      (pieces, offset) => {
        const text = pieces.join('');
        const inside = text.codePointAt(offset - 1) ?? 0;
        fc.pre(offset > text.length || inside <= 0xffff);
        assert.deepEqual(placeIn(sourceOf(text, 'f'), offset), placeAt(text, offset));
      },
    ),
  );
});

test('whatever the style, a character of the condition is found at its place in the file', () => {
  const word = fc.constantFrom('args.a', '==', '"x y"', '&&', '1', "'q'", '😀', '(b)', '#c', ':d', 'é');
  const style = fc.constantFrom('single', 'double', 'literal', 'folded');
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), style, fc.nat(3), (words, as, breakAfter) => {
      const text = words.join(' ');
      const lines = [words.slice(0, breakAfter + 1).join(' '), words.slice(breakAfter + 1).join(' ')].filter(
        (line) => line !== '',
      );
      const written = {
        single: `'${text.replaceAll("'", "''")}'`,
        double: JSON.stringify(text),
        literal: `|-\n${lines.map((line) => `      ${line}`).join('\n')}`,
        folded: `>-\n${lines.map((line) => `      ${line}`).join('\n')}`,
      }[as];
      const file = `${HEAD}    when: ${written}\n`;
      const result = parseConfiguration(file, { file: 'f', environment: {} });
      assert.ok(result.ok, JSON.stringify(result.issues));
      const when = result.value.rules[0]?.when;
      assert.ok(when !== undefined);
      const rows = file.split('\n').map((row) => [...row]);
      for (let offset = 0; offset < when.text.length; offset += 1) {
        const character = String.fromCodePoint(when.text.codePointAt(offset) ?? 0);
        if (/\s/u.test(character)) continue;
        const { line, column } = locate(when, offset);
        const found = rows[line - 1]?.[column - 1];
        assert.ok(
          found === character || (as === 'double' && found === '\\'),
          `${character} at ${line}:${column} is ${found}`,
        );
        if (character.length === 2) offset += 1;
      }
    }),
  );
});
