import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Entry } from '../ledger/entry.ts';
import { uuidV7 } from '../value/id.ts';
import { formatInstant } from '../value/time.ts';
import { earlierCalls } from './earlier.ts';

const START = 1_795_000_000_000;
const SESSIONS = [0, 5, 9].map((later) => uuidV7(START + later, new Uint8Array(10).fill(later)));

function entryOf(at: number, fields: Readonly<Record<string, unknown>>): Entry {
  return { v: 1, id: uuidV7(at, new Uint8Array(10)), at: formatInstant(at), type: 'call.intent', ...fields } as Entry;
}

test('of any log the calls of a session are found, each once and in order', async () => {
  const entry = fc.record({
    later: fc.integer({ min: 0, max: 3 }),
    session: fc.constantFrom(...SESSIONS),
    principal: fc.constantFrom('local', 'other'),
    type: fc.constantFrom('call.intent', 'call.succeeded', 'call.denied'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 40 }), fc.integer({ min: 0, max: 40 }), async (drawn, asked) => {
      let at = START;
      const log = drawn.flatMap(({ later, session, principal, type }) => {
        at += later;
        // No call of a session is older than it.
        const isYoung = at < START + (SESSIONS.indexOf(session) === 0 ? 0 : SESSIONS.indexOf(session) === 1 ? 5 : 9);
        return isYoung ? [] : [entryOf(at, { type, principal, run: { id: session } })];
      });
      let length = Math.min(asked, log.length);
      const find = earlierCalls({ entry: async (position) => (position < length ? log[position] : undefined) });
      for (const end of [length, log.length]) {
        length = end;
        for (const session of SESSIONS) {
          const expected = log.slice(0, end).flatMap((each, position) => {
            const isOwn = (each['run'] as { id: string }).id === session && each['principal'] === 'local';
            return isOwn && each.type === 'call.intent' ? [position] : [];
          });
          const found = await find({ principal: 'local', session });
          assert.deepEqual(
            found.map(({ position }) => position),
            expected,
          );
        }
      }
    }),
  );
});

test('what is older than a session is not looked at, and a session without a time has nothing earlier', async () => {
  const log = Array.from({ length: 10_000 }, (_, index) =>
    entryOf(START + index, { principal: 'local', run: { id: 'x' } }),
  );
  let looked = 0;
  const find = earlierCalls({
    entry: async (position) => {
      looked += 1;
      return log[position];
    },
  });
  const session = uuidV7(START + 9_995, new Uint8Array(10));
  assert.deepEqual(await find({ principal: 'local', session }), []);
  assert.ok(looked < 60, `${looked} entries`);
  looked = 0;
  assert.deepEqual(await find({ principal: 'local', session: 'x' }), []);
  assert.deepEqual(await find({ principal: 'local', session: session.replace('-7', '-4') }), []);
  assert.equal(looked, 0);
});
