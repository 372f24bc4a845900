import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { emptySlots } from './slots.ts';

test('slots are what a list is, and what was before a change stays', () => {
  const writes = fc.array(fc.tuple(fc.nat({ max: 2_000 }), fc.integer()), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_001 }), writes, (length, all) => {
      const list: (number | undefined)[] = Array.from({ length });
      let slots = emptySlots<number>(length);
      for (const [at, value] of all) {
        const index = at % length;
        const before = slots;
        slots = slots.with(index, value);
        assert.equal(before.get(index), list[index]);
        list[index] = value;
      }
      assert.deepEqual(
        Array.from({ length }, (_, index) => slots.get(index)),
        list,
      );
      let again = emptySlots<number>(length);
      for (const [index, value] of list.entries()) if (value !== undefined) again = again.with(index, value);
      assert.ok(slots.equals(again, Object.is));
      const other = again.with(0, (list[0] ?? 0) + 1);
      assert.ok(!slots.equals(other, Object.is));
    }),
  );
});
