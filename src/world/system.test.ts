import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemWorld } from './system.ts';

test('random bytes are as many as asked for, and never given out twice', () => {
  const seen = new Set<string>();
  for (let count = 0; count < 20_000; count += 1) {
    const length = 8 + (count % 57);
    const bytes = systemWorld.random(length);
    assert.equal(bytes.length, length);
    seen.add(Buffer.from(bytes.subarray(0, 8)).toString('hex'));
  }
  assert.equal(seen.size, 20_000);
  for (const length of [0, 4_095, 4_096, 4_097, 100_000]) assert.equal(systemWorld.random(length).length, length);
});

test('random bytes are their holder’s own: writing to them changes no others', () => {
  const [one, other] = [systemWorld.random(16), systemWorld.random(16)];
  const kept = Buffer.from(other).toString('hex');
  one.fill(7);
  assert.equal(Buffer.from(other).toString('hex'), kept);
  assert.equal(one.buffer.byteLength, 16, 'the rest of what was drawn is out of reach');
});

test('bits of random bytes are as often one as zero', () => {
  let ones = 0;
  for (let count = 0; count < 4_000; count += 1) {
    for (const byte of systemWorld.random(16)) ones += byte.toString(2).replaceAll('0', '').length;
  }
  const share = ones / (4_000 * 16 * 8);
  assert.ok(share > 0.49 && share < 0.51, `${share}`);
});
