import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { hasIdentifier, identifierOf, identifiersIn, withoutIdentifiers } from './identifier.ts';

const names = (text: string): string[] => [...identifiersIn(text)].map(({ kind, name }) => `${kind} ${name}`);

test('e-mail addresses are found wherever they stand, and in one form', () => {
  for (const [text, found] of [
    ['bob@example.com', 'bob@example.com'],
    ['write to Bob.Smith+x@Example.COM, soon', 'bob.smith+x@example.com'],
    ['<mailto:bob@example.com>', 'bob@example.com'],
    ['see bob@example.com.', 'bob@example.com'],
    ['BØB@bücher.example', 'bøb@xn--bcher-kva.example'],
    ['bob@xn--bcher-kva.example', 'bob@xn--bcher-kva.example'],
  ] as const) {
    assert.deepEqual(names(text), [`email ${found}`], text);
  }
  for (const text of ['@', 'a@', '@b.example', 'a@b', 'a@1.2', '@types/node', 'a @ b.example', '..@b.example']) {
    assert.deepEqual(names(text), [], text);
  }
});

test('phone numbers with a plus are found in any grouping, and in one form', () => {
  for (const text of ['+49 30 901820', '+4930901820', 'call +49 (30) 90-18-20 now', '+49.30.901820', '+49 30/901820']) {
    assert.deepEqual(names(text), ['phone +4930901820'], text);
  }
  for (const text of ['+1', '1 + 234567', '+12345', '49 30 901820', `+${'1'.repeat(16)}`]) {
    assert.deepEqual(names(text), [], text);
  }
});

test('IBANs are found by their checksum, and in one form', () => {
  for (const text of [
    'DE89370400440532013000',
    'pay DE89 3704 0044 0532 0130 00 today',
    'de89-3704-0044-0532-0130-00',
  ]) {
    assert.deepEqual(names(text), ['iban DE89370400440532013000'], text);
  }
  assert.deepEqual(names('GB82 WEST 1234 5698 7654 32'), ['iban GB82WEST12345698765432']);
  for (const text of ['DE88370400440532013000', 'XDE89370400440532013000', 'sha256:DE89', 'DE89 3704']) {
    assert.deepEqual(names(text), [], text);
  }
});

test('what a person types is one identifier and nothing else', () => {
  assert.equal(identifierOf(' Bob@Example.com ')?.name, 'bob@example.com');
  assert.equal(identifierOf('+49 (30) 901820')?.name, '+4930901820');
  assert.equal(identifierOf('bob@example.com and others'), undefined);
  assert.equal(identifierOf(''), undefined);
});

test('a text without identifiers has none, and keeps all the rest', () => {
  assert.equal(withoutIdentifiers('a@b.example or +49 30 901820!'), '[email] or [phone]!');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.deepEqual(
        names(withoutIdentifiers(text)),
        names(text).length === 0 ? [] : names(withoutIdentifiers(text)),
      );
      assert.equal(!hasIdentifier(text), withoutIdentifiers(text) === text);
    }),
  );
});

test('hostile texts take time in proportion to their length', () => {
  const shapes = ['@', 'a@', 'a@b.', '+1 ', '+1-1-1-1-1-1-1-1', 'DE89 ', 'DE893704', 'a.', '(', '+(1'];
  for (const shape of shapes) {
    const text = shape.repeat(1_000_000 / shape.length);
    const before = performance.now();
    names(text);
    assert(performance.now() - before < 10_000, shape);
  }
});
