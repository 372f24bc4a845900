import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { arrivalOf } from './rate.ts';

const RATE = fc.record({ burst: fc.integer({ min: 1, max: 6 }), intervalUs: fc.integer({ min: 1, max: 50 }) });

/** The times at which calls were allowed. */
function allowed(rate: { readonly burst: number; readonly intervalUs: number }, times: readonly number[]): number[] {
  let tat = 0;
  return times.filter((now) => {
    const next = arrivalOf(rate, tat, now);
    if (next !== undefined) tat = next;
    return next !== undefined;
  });
}

test('a burst passes at once, then one call every interval', () => {
  const rate = { burst: 3, intervalUs: 10 };
  assert.deepEqual(
    allowed(rate, [100, 100, 100, 100, 109, 110, 110, 119, 120, 200, 200, 200, 200]),
    [100, 100, 100, 110, 120, 200, 200, 200],
  );
});

test('between any two moments `t` apart at most `burst + floor(t / interval)` calls pass', () => {
  const times = fc
    .array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 })
    .map((gaps) => gaps.map((_, at) => 1_000 + gaps.slice(0, at + 1).reduce((sum, gap) => sum + gap, 0)));
  fc.assert(
    fc.property(RATE, times, (rate, at) => {
      const passed = allowed(rate, at);
      for (const [first, from] of passed.entries()) {
        for (const [last, to] of passed.entries()) {
          if (last < first) continue;
          const most = rate.burst + Math.floor((to - from) / rate.intervalUs);
          assert.ok(last - first + 1 <= most, `${last - first + 1} of at most ${most} from ${from} to ${to}`);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test('the law is tight: whoever calls all the time gets all of it', () => {
  fc.assert(
    fc.property(RATE, fc.integer({ min: 0, max: 400 }), (rate, span) => {
      const times = Array.from({ length: span + 1 }, (_, at) => 1_000 + at).flatMap((now) =>
        Array.from({ length: rate.burst }, () => now),
      );
      assert.equal(allowed(rate, times).length, rate.burst + Math.floor(span / rate.intervalUs));
    }),
    { numRuns: 100 },
  );
});

test('a clock that went back never lets a call pass that would not have passed before', () => {
  fc.assert(
    fc.property(RATE, fc.integer({ min: 0, max: 2_000 }), fc.nat(2_000), fc.nat(2_000), (rate, tat, now, back) => {
      const earlier = arrivalOf(rate, tat, now - back);
      const later = arrivalOf(rate, tat, now);
      if (earlier === undefined) return;
      assert.ok(later !== undefined);
      assert.ok(later >= earlier, 'and the time-stamp never goes back');
      assert.ok(earlier > tat);
    }),
    { numRuns: 1_000 },
  );
});

test('any times in any order let no more pass than the whole span allows', () => {
  fc.assert(
    fc.property(RATE, fc.array(fc.integer({ min: 1_000, max: 1_300 }), { maxLength: 80 }), (rate, times) => {
      const span = times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
      assert.ok(allowed(rate, times).length <= rate.burst + Math.floor(span / rate.intervalUs));
    }),
    { numRuns: 1_000 },
  );
});

test('times that are not exact, not there or not yet are never a way around', () => {
  const rate = { burst: 1, intervalUs: 10 };
  assert.equal(arrivalOf(rate, Number.POSITIVE_INFINITY, 5), undefined);
  assert.equal(arrivalOf(rate, 0, Number.MAX_SAFE_INTEGER), undefined);
  assert.equal(arrivalOf(rate, 0, Number.NaN), undefined);
  assert.equal(arrivalOf(rate, 0, -1_000), 10, 'before 1970 all times are one');
  assert.equal(arrivalOf(rate, 10, -500), undefined);
});
