import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cosignatureLine, witnessKeyLine } from '../../test/witness.ts';
import { LOG, signed, signer, verifyEd25519 } from '../../test/sample-log.ts';
import { utf8 } from '../value/encoding.ts';
import { formatWitnessKey, parseWitnessKey, verifyCosignature } from './cosignature.ts';
import { formatNote, formatVerifierKey, parseNote, verifyNote, withSignatures } from './note.ts';
import type { SignedNote } from './note.ts';
import { parseCosignatures, parseSizeSeen } from './witness.ts';

const owner = signer(1);
const leaf = utf8('entry');
const [NAME, SEED] = ['witness.example/a', 9];

function note(): SignedNote {
  const read = parseNote(signed([leaf], 1, owner).note);
  assert.ok(read.ok);
  return read.value;
}

function withLine(line: string): SignedNote {
  const read = parseCosignatures(line);
  assert.ok(read !== undefined);
  return withSignatures(note(), read);
}

const key = parseWitnessKey(witnessKeyLine(SEED, NAME)) ?? assert.fail();

test('a cosignature verifies under the key of its witness, and the log’s signature goes on verifying', () => {
  const cosigned = withLine(cosignatureLine(note().text, SEED, NAME));
  assert.deepEqual(verifyCosignature(cosigned, key, verifyEd25519), { state: 'valid', time: 1_795_197_600 });
  assert.equal(verifyNote(cosigned, owner.key, verifyEd25519), 'valid');
  const again = parseNote(formatNote(cosigned));
  assert.ok(again.ok);
  assert.deepEqual(again.value, cosigned);
  assert.deepEqual(withSignatures(cosigned, cosigned.signatures), cosigned, 'no line stands there twice');
});

test('what is no cosignature of the witness is invalid where it names it, and absent where it does not', () => {
  const line = cosignatureLine(note().text, SEED, NAME);
  const invalid = [
    // On another text; cut; with another time; one good and one bad.
    withLine(cosignatureLine(`${LOG}\n2\n`, SEED, NAME)),
    withSignatures(note(), [{ name: key.name, keyId: key.keyId, signature: new Uint8Array(71) }]),
    withSignatures(note(), [{ name: key.name, keyId: key.keyId, signature: new Uint8Array(72).fill(255) }]),
    withSignatures(withLine(line), parseCosignatures(cosignatureLine('x\n1\n', SEED, NAME)) ?? []),
  ];
  for (const one of invalid) assert.deepEqual(verifyCosignature(one, key, verifyEd25519), { state: 'invalid' });
  for (const one of [
    note(),
    withLine(cosignatureLine(note().text, 8, NAME)),
    withLine(cosignatureLine(note().text, SEED)),
  ]) {
    assert.deepEqual(verifyCosignature(one, key, verifyEd25519), { state: 'absent' });
  }
});

test('the key of a witness is not taken for one of a log, nor the other way round', () => {
  assert.equal(formatWitnessKey(key), witnessKeyLine(SEED, NAME));
  assert.equal(parseWitnessKey(formatVerifierKey(owner.key)), undefined);
  assert.equal(parseWitnessKey(witnessKeyLine(SEED, NAME).replace('witness', 'winsets')), undefined);
  for (const text of ['', 'x', 'a+00000000+', 'a+00000000+BA==']) assert.equal(parseWitnessKey(text), undefined);
});

test('answers of witnesses are read strictly', () => {
  const line = cosignatureLine('x\n', SEED, NAME);
  assert.equal(parseCosignatures(line + line)?.length, 2);
  for (const text of ['', '\n', line.slice(0, -1), `${line}\n`, `x\n${line}`, line.replace('\u2014', '-')]) {
    assert.equal(parseCosignatures(text), undefined, JSON.stringify(text));
  }
  assert.equal(parseSizeSeen('20852163\n'), 20_852_163);
  assert.equal(parseSizeSeen('0\n'), 0);
  for (const text of ['', '1', '01\n', '-1\n', '1\n\n', '1e3\n', `${'9'.repeat(17)}\n`, '9007199254740993\n']) {
    assert.equal(parseSizeSeen(text), undefined, JSON.stringify(text));
  }
});
