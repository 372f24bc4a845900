import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { sha256 } from '../value/digest.ts';
import { fromHex, toHex, utf8 } from '../value/encoding.ts';
import { TlogError } from './error.ts';
import {
  formatNote,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  signNote,
  verifierKey,
  verifyNote,
} from './note.ts';
import type { SignatureCheck, SignedNote, VerifierKey } from './note.ts';

/** The example of the C2SP signed-note specification. */
const EXAMPLE =
  'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
  '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';

/** A signature of no worth, but one that depends on key and text: what is tested here is which text and key are checked. */
function seal(key: VerifierKey, message: Uint8Array): Uint8Array {
  return sha256(key.publicKey, message);
}
const check: SignatureCheck = (publicKey, message, signature) => toHex(sha256(publicKey, message)) === toHex(signature);

const key = verifierKey('example.com/log', new Uint8Array(32).fill(7));
const other = verifierKey('example.com/log', new Uint8Array(32).fill(8));

function sign(text: string, ...keys: VerifierKey[]): string {
  const signatures = keys.map((each) => ({ ...each, signature: seal(each, utf8(text)) }));
  return formatNote({ text, signatures });
}

function parsed(note: string | Uint8Array): SignedNote {
  const read = parseNote(note);
  if (!read.ok) assert.fail(read.message);
  return read.value;
}

test('the example of the specification parses and prints again byte for byte', () => {
  const note = parsed(EXAMPLE);
  assert.ok(note.text.endsWith('\n\ned è subito sera.\n'));
  assert.deepEqual(
    note.signatures.map(({ name, keyId, signature }) => [name, keyId, signature.length]),
    [['quasimodo.example/salvatore', '367ba04b', 64]],
  );
  assert.equal(formatNote(note), EXAMPLE);
  assert.deepEqual(parsed(utf8(EXAMPLE)), note);
});

test('a verifier key of Go sumdb reads and prints as there', () => {
  const text = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const read = parseVerifierKey(text) ?? assert.fail();
  assert.equal(read.name, 'PeterNeumann');
  assert.equal(read.keyId, 'c74f20a3');
  assert.equal(toHex(read.publicKey), '1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6');
  assert.equal(formatVerifierKey(read), text);
  assert.deepEqual(verifierKey(read.name, read.publicKey), read);
});

test('a verifier key comes back from its text', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.stringMatching(/^[a-z./é-]+$/),
      (publicKey, name) => {
        const made = verifierKey(name, publicKey);
        assert.deepEqual(parseVerifierKey(formatVerifierKey(made)), made);
      },
    ),
  );
});

test('a text that is no verifier key is nothing', () => {
  const text = formatVerifierKey(key);
  const [name = '', id = '', data = ''] = text.split('+');
  const texts = [
    '',
    name,
    `${name}+${id}`,
    `+${id}+${data}`,
    `a b+${id}+${data}`,
    `${name}+${id.toUpperCase()}+${data}`,
  ];
  const spoilt = [
    `${name}+00000000+${data}`,
    `x${text}`,
    `${text}\n`,
    text.slice(0, -4),
    text.replace(`+${data}`, `+Ag${data.slice(2)}`),
  ];
  for (const each of [...texts, ...spoilt]) assert.equal(parseVerifierKey(each), undefined, each);
});

test('a key name is one word without a plus', () => {
  const isMalformed = (error: unknown): boolean => error instanceof TlogError && error.code === 'malformed-key';
  for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u2003b', 'a\u0000', 'a\ud800']) {
    assert.throws(() => verifierKey(name, new Uint8Array(32)), isMalformed, name);
  }
  assert.throws(() => verifierKey('a', new Uint8Array(31)), isMalformed);
});

test('a note is valid under its key only', () => {
  const note = parsed(signNote('text\n', key, (message) => seal(key, message)));
  assert.equal(verifyNote(note, key, check), 'valid');
  assert.equal(verifyNote(note, other, check), 'unsigned');
  assert.equal(verifyNote(note, verifierKey('example.com/elsewhere', key.publicKey), check), 'unsigned');
  assert.equal(verifyNote(note, { ...key, name: 'example.com/elsewhere' }, check), 'unsigned');
  assert.equal(verifyNote({ ...note, text: 'Text\n' }, key, check), 'invalid');
});

test('lines of other keys are ignored, one bad line of the key spoils the note', () => {
  const note = parsed(sign('text\n', other, key));
  assert.equal(verifyNote(note, key, check), 'valid');
  assert.equal(verifyNote(note, other, check), 'valid');
  const twice = [...note.signatures, { ...key, signature: new Uint8Array(64) }];
  assert.equal(verifyNote({ ...note, signatures: twice }, key, check), 'invalid');
  // The id is short and can be met on purpose: then the signature is checked, and fails.
  assert.equal(verifyNote(note, { ...key, publicKey: new Uint8Array(32) }, check), 'invalid');
});

test('the signed text ends before the last blank line', () => {
  const text = 'a\n\n— example.com/log AAAAAAA=\n';
  assert.equal(parsed(sign(text, key)).text, text);
  assert.equal(parsed(sign('\n', key)).text, '\n');
});

test('a note of any text comes back', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), (lines) => {
      const text = `${lines.join('\n')}\n`;
      assert.equal(verifyNote(parsed(utf8(sign(text, key))), key, check), 'valid');
      assert.equal(parsed(sign(text, key)).text, text);
    }),
  );
});

test('malformed notes are refused', () => {
  const line = EXAMPLE.slice(EXAMPLE.lastIndexOf('—'));
  const cases = {
    'got no blank line': ['', 'text\n', `text\n${line}`, '— x AAAAAAA=\n'],
    'expected text that ends in a newline': [EXAMPLE.slice(0, -1), `a\n\n${line}x`],
    'expected no control characters': [`a\tb\n\n${line}`, `a\r\n\n${line}`, `a\u0000\n\n${line}`],
    'expected well-formed Unicode': [`a\ud800\n\n${line}`],
    'expected a signature line': [
      'a\n\n',
      `a\n\n${line}\nx\n`,
      `a\n\n- x AAAAAAA=\n`,
      'a\n\n— x AAAA\n',
      'a\n\n— x\n',
      'a\n\n— a+b AAAAAAA=\n',
      'a\n\n—  x AAAAAAA=\n',
      'a\n\n— x AAAAAAB=\n',
      'a\n\n— x AAAAAAA= \n',
    ],
    'at most 100 signatures': [`a\n\n${line.repeat(101)}`],
    'at most 1000000 characters': [`${'a'.repeat(1_000_000)}\n\n${line}`],
  };
  for (const [message, notes] of Object.entries(cases)) {
    for (const note of notes) {
      const read = parseNote(note);
      assert.ok(!read.ok && read.message.includes(message), `${note.slice(0, 60)}: ${JSON.stringify(read)}`);
    }
  }
  assert.equal(parseNote(Uint8Array.of(0xff, 0x0a, 0x0a)).ok, false);
  assert.equal(parsed(`a\n\n${line.repeat(100)}`).signatures.length, 100);
});

test('what would not be read back is not written', () => {
  const isMalformed = (error: unknown): boolean => error instanceof TlogError && error.code === 'malformed-text';
  const signatures = [{ ...key, signature: new Uint8Array(64) }];
  assert.throws(() => formatNote({ text: 'no newline', signatures }), isMalformed);
  assert.throws(() => formatNote({ text: 'tab\t\n', signatures }), isMalformed);
  assert.throws(() => formatNote({ text: 'a\n', signatures: [] }), isMalformed);
  assert.throws(
    () => formatNote({ text: 'a\n', signatures: [{ ...key, name: 'a b', signature: new Uint8Array(64) }] }),
    isMalformed,
  );
  assert.throws(
    () => formatNote({ text: 'a\n', signatures: [{ ...key, signature: fromHex('') ?? assert.fail() }] }),
    isMalformed,
  );
});
