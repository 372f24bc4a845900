import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from './configuration.ts';

function reserveOf(written: string): number | string {
  const parsed = parseConfiguration(`interlock: 1\ndisk: { reserve: ${written} }\n`, { file: 'x', environment: {} });
  return parsed.ok ? parsed.value.disk.reserve : parsed.issues.map(({ message }) => message).join();
}

test('a size is whole and has a unit, and nothing else is one', () => {
  assert.equal(reserveOf('64MiB'), 64 * 2 ** 20);
  assert.equal(reserveOf('1KiB'), 1024);
  assert.equal(reserveOf('0GiB'), 0);
  assert.equal(reserveOf('1024TiB'), 2 ** 50);
  for (const wrong of ['64MB', '64', '-1MiB', '1.5GiB', '064MiB', '64 MiB', 'MiB', '""']) {
    assert.match(String(reserveOf(wrong)), /expected `reserve` of `disk` to be (?:a size, got|text, got)/u, wrong);
  }
  assert.match(String(reserveOf('1025TiB')), /a size of at most a pebibyte, got `1025TiB`/u);
});

test('without one the reserve is 64 MiB', () => {
  const parsed = parseConfiguration('interlock: 1\n', { file: 'x', environment: {} });
  assert(parsed.ok);
  assert.equal(parsed.value.disk.reserve, 64 * 2 ** 20);
});
