import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Line, INVALID_REQUEST, PARSE_ERROR, lineSplitter, parseLine } from './framing.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The lines of `input` when it comes in pieces that end at `cuts`. */
function split(input: Uint8Array, cuts: readonly number[], bytesMax?: number): readonly string[] {
  const lines: string[] = [];
  const emit = (line: Line): void => void lines.push(line === 'too-long' ? '!' : new TextDecoder().decode(line));
  const splitter = lineSplitter(emit, bytesMax);
  let from = 0;
  for (const cut of [...cuts, input.length].toSorted((a, b) => a - b)) {
    splitter.push(input.subarray(from, cut));
    from = cut;
  }
  splitter.end();
  return lines;
}

test('lines do not depend on how the bytes arrive', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '"') });
  fc.assert(
    fc.property(text, fc.array(fc.nat(40)), (input, cuts) => {
      const all = bytes(input);
      const expected = input.split('\n');
      if (expected.at(-1) === '') expected.pop();
      assert.deepEqual(
        split(
          all,
          cuts.map((cut) => Math.min(cut, all.length)),
        ),
        expected,
      );
    }),
  );
});

test('a line that is too long is told of once and skipped to its end, however it arrives', () => {
  const lengths = fc.array(fc.nat(12), { minLength: 1 });
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(80)), (lines, cuts) => {
      const all = bytes(lines.map((length) => `${'x'.repeat(length)}\n`).join(''));
      const expected = lines.map((length) => (length > 8 ? '!' : 'x'.repeat(length)));
      assert.deepEqual(
        split(
          all,
          cuts.map((cut) => Math.min(cut, all.length)),
          8,
        ),
        expected,
      );
    }),
  );
});

const id = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger());
const values = fc.constantFrom(null, true, 1, -0.5, 'x', [], {});
const params = fc.dictionary(fc.string({ unit: 'grapheme' }), values, { noNullPrototype: true });

test('what is sent as a message is read as that message', () => {
  fc.assert(
    fc.property(id, fc.string({ unit: 'grapheme' }), params, (given, method, object) => {
      const read = (message: object): unknown => parseLine(bytes(JSON.stringify({ jsonrpc: '2.0', ...message })))[0];
      assert.deepEqual(read({ id: given, method, params: object }), {
        kind: 'request',
        id: given,
        method,
        params: object,
      });
      assert.deepEqual(read({ method, params: object }), { kind: 'notification', method, params: object });
      assert.deepEqual(read({ id: given, result: object }), { kind: 'result', id: given, result: object });
      const error = { code: -1, message: method };
      assert.deepEqual(read({ id: given, error }), { kind: 'error', id: given, error });
      assert.deepEqual(read({ id: null, error }), { kind: 'error', id: undefined, error });
    }),
  );
});

test('no bytes whatever make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (line) => {
      assert.equal(parseLine(line).length, 1);
    }),
  );
});

test('an array is one malformed line, unless arrays are allowed', () => {
  const line = bytes('[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","method":"m"},7]');
  const [refused, ...rest] = parseLine(line);
  assert.equal(rest.length, 0);
  assert.ok(refused?.kind === 'malformed' && refused.code === INVALID_REQUEST && refused.request === undefined);
  assert.deepEqual(
    parseLine(line, true).map(({ kind }) => kind),
    ['result', 'notification', 'malformed'],
  );
  assert.equal(parseLine(bytes('[]'), true)[0]?.kind, 'malformed');
});

test('a refused answer names the request it was for, so that nobody waits for it', () => {
  const [line] = parseLine(bytes('{"jsonrpc":"2.0","id":4,"result":{"n":9007199254740993,"id":1}}'));
  assert.ok(line?.kind === 'malformed' && line.response === 4 && line.request === undefined);
  const [junk] = parseLine(bytes('listening on 3000'));
  assert.ok(junk?.kind === 'malformed' && junk.code === PARSE_ERROR && junk.response === undefined);
});
