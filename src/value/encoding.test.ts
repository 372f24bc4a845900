import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { fromBase64, fromBase64Url, fromHex, fromUtf8, toBase64, toBase64Url, toHex, utf8 } from './encoding.ts';

test('bytes come back from every encoding, and the platform encodes alike', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
      assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
      const buffer = Buffer.from(bytes);
      assert.equal(toHex(bytes), buffer.toString('hex'));
      assert.equal(toBase64(bytes), buffer.toString('base64'));
      assert.equal(toBase64Url(bytes), buffer.toString('base64url'));
    }),
  );
});

test('a text that decodes is the only text of its bytes', () => {
  const character = fc.constantFrom(...'ABab09+/-_= \n'.split(''));
  fc.assert(
    fc.property(fc.array(character, { maxLength: 9 }), (characters) => {
      const text = characters.join('');
      const [hex, plain, url] = [fromHex(text), fromBase64(text), fromBase64Url(text)];
      if (hex !== undefined) assert.equal(toHex(hex), text);
      if (plain !== undefined) assert.equal(toBase64(plain), text);
      if (url !== undefined) assert.equal(toBase64Url(url), text);
    }),
    { numRuns: 20_000 },
  );
});

test('malformed texts decode to nothing', () => {
  for (const text of ['0', 'AB', 'zz', '0x']) assert.equal(fromHex(text), undefined, text);
  for (const text of ['A', 'AA', 'AAA', 'AB==', 'A===', '====', '=', 'AA=A', 'AA-_', 'AAAA\n', 'é===']) {
    assert.equal(fromBase64(text), undefined, text);
  }
  for (const text of ['A', 'AB', 'AA==', 'AA+/', 'AAé']) assert.equal(fromBase64Url(text), undefined, text);
});

test('UTF-8 comes back, and bytes that are not UTF-8 are nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(fromUtf8(utf8(text)), text);
    }),
  );
  assert.equal(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa');
  assert.equal(fromUtf8(Uint8Array.of(0xc0, 0xaf)), undefined);
  assert.equal(fromUtf8(Uint8Array.of(0xe2, 0x82)), undefined);
});
