import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { toBase64 } from '../value/encoding.ts';
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { TlogError } from './error.ts';
import { formatNote, parseNote } from './note.ts';
import { EMPTY_ROOT } from './tree.ts';

/** The example of the C2SP tlog-checkpoint specification. */
const EXAMPLE =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
  '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';

const ROOT = toBase64(EMPTY_ROOT);

test('the example of the specification is read and written byte for byte', () => {
  const note = parseNote(EXAMPLE);
  assert.ok(note.ok);
  const read = parseCheckpoint(note.value.text);
  assert.ok(read.ok);
  assert.equal(read.value.origin, 'example.com/behind-the-sofa');
  assert.equal(read.value.size, 20_852_163);
  assert.equal(toBase64(read.value.root), 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=');
  assert.deepEqual(read.value.extensions, []);
  assert.equal(formatNote({ ...note.value, text: formatCheckpoint(read.value) }), EXAMPLE);
});

test('a checkpoint comes back from its text, extension lines too', () => {
  const line = fc.stringMatching(/^[^\n]+$/);
  const root = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(line, fc.maxSafeNat(), root, fc.array(line, { maxLength: 2 }), (origin, size, hash, extensions) => {
      const checkpoint = { origin, size, root: hash, extensions };
      assert.deepEqual(parseCheckpoint(formatCheckpoint(checkpoint)), { ok: true, value: checkpoint });
    }),
  );
});

test('malformed checkpoints are refused', () => {
  const texts = [
    '',
    '\n',
    'log\n',
    'log\n1\n',
    `log\n1\n${ROOT}`,
    `\n1\n${ROOT}\n`,
    `log\n1\n${ROOT}\n\n`,
    `log\n1\n${ROOT}\n\nx\n`,
  ];
  const sizes = ['', '01', '-1', '+1', '1.0', '0x1', '1e3', ' 1', '１', '9007199254740992', '18446744073709551615'].map(
    (size) => `log\n${size}\n${ROOT}\n`,
  );
  const roots = ['AAAA', ROOT.slice(0, -1), `${ROOT} `, ROOT.replace('+', '-')].map((root) => `log\n1\n${root}\n`);
  for (const text of [...texts, ...sizes, ...roots])
    assert.equal(parseCheckpoint(text).ok, false, JSON.stringify(text));
  assert.equal(parseCheckpoint(`log\n0\n${ROOT}\n`).ok, true);
});

test('what would not be read back is not written', () => {
  const good = { origin: 'log', size: 1, root: EMPTY_ROOT, extensions: [] };
  const isMalformed = (error: unknown): boolean => error instanceof TlogError && error.code === 'malformed-text';
  for (const bad of [
    { origin: '' },
    { origin: 'a\nb' },
    { origin: 'a\n5' },
    { size: -1 },
    { size: 0.5 },
    { size: 2 ** 53 },
  ]) {
    assert.throws(() => formatCheckpoint({ ...good, ...bad }), isMalformed, JSON.stringify(bad));
  }
  assert.throws(() => formatCheckpoint({ ...good, root: new Uint8Array(31) }), isMalformed);
  assert.throws(() => formatCheckpoint({ ...good, extensions: [''] }), isMalformed);
  assert.throws(() => formatCheckpoint({ ...good, extensions: ['a\nb'] }), isMalformed);
});
