/** What every ledger must do, as one suite that is run over each. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LedgerError, Writes } from '../src/ledger/ledger.ts';
import { callTests, foldTest } from './ledger-call-conformance.ts';
import { factTests } from './ledger-fact-conformance.ts';
import { liveTests } from './ledger-live-conformance.ts';
import { savedTests } from './ledger-saved-conformance.ts';
import { answered, denied, draft, intent, newId, one } from './ledger-drafts.ts';
import { entriesOf, isCode, look } from './ledger-place.ts';
import type { MakePlace, Open } from './ledger-place.ts';
import { START_MS, createManualWorld } from './manual-world.ts';

export function ledgerConformance(name: string, makePlace: MakePlace): void {
  const opened: Open = async (t) => {
    const world = createManualWorld();
    const place = makePlace(world);
    const ledger = await place.open(world);
    t.after(() => ledger[Symbol.asyncDispose]());
    return { place, world, ledger };
  };
  describe(name, () => {
    logTests(opened);
    timeTests(opened);
    orderTests(opened);
    conflictTests(opened);
    callTests(opened);
    factTests(opened);
    liveTests(opened);
    savedTests(opened);
    foldTest(opened);
  });
}

function logTests(opened: Open): void {
  test('a log begins with its creation and its opening, and says when it was closed and opened again', async (t) => {
    const { place, world, ledger } = await opened(t);
    await ledger.append(one('policy.loaded', { digest: 'd' }));
    await ledger[Symbol.asyncDispose]();
    const again = await place.open(world);
    t.after(() => again[Symbol.asyncDispose]());
    assert.equal(again.log, ledger.log);
    assert.notEqual(again.instance, ledger.instance);
    const entries = entriesOf(place);
    assert.deepEqual(
      entries.map(({ type }) => type),
      ['ledger.created', 'ledger.opened', 'policy.loaded', 'ledger.closed', 'ledger.opened'],
    );
    assert(entries.every((entry) => entry.log === ledger.log));
    assert.equal(entries[1]?.['instance'], ledger.instance);
    assert.equal(entries[4]?.['instance'], again.instance);
  });

  test('what a closed ledger is asked to write is refused', async (t) => {
    const { place, ledger } = await opened(t);
    await ledger[Symbol.asyncDispose]();
    const before = place.leaves().length;
    await assert.rejects(ledger.append(one('policy.loaded', { digest: 'd' })), isCode('stopped'));
    assert.equal(place.leaves().length, before);
  });
}

function timeTests(opened: Open): void {
  test('entries get the time of the clock, and never an earlier one than the entry before', async (t) => {
    const { place, world, ledger } = await opened(t);
    world.advance(5_000);
    await ledger.append(one('policy.loaded', { digest: 'late' }));
    world.setWall(START_MS - 3_600_000);
    await ledger.append(one('policy.loaded', { digest: 'early' }));
    const seen = await look(ledger, {});
    assert.equal(seen.at, START_MS + 5_000);
    assert.deepEqual(
      entriesOf(place).map(({ at }) => at),
      ['2026-11-20T18:00:00.000Z', '2026-11-20T18:00:00.000Z', '2026-11-20T18:00:05.000Z', '2026-11-20T18:00:05.000Z'],
    );
  });

  test('what a transaction sees as its time is the time of what it writes', async (t) => {
    const { place, world, ledger } = await opened(t);
    world.advance(1_234);
    const at = await ledger.transact({}, (facts) => ({
      writes: one('policy.loaded', { digest: 'd' }),
      result: facts.at,
    }));
    assert.equal(Date.parse(entriesOf(place).at(-1)?.at ?? ''), at);
  });

  test('entries that are malformed fail an assertion, and nothing of their transaction is written', async (t) => {
    const { place, ledger } = await opened(t);
    const before = place.leaves().length;
    const bad: Writes[] = [
      { entries: [] },
      { entries: [{ id: 'no uuid', type: 'policy.loaded', fields: {} }] },
      one('policy.loaded', { digest: 'x'.repeat(65_536) }),
      one('policy.loaded', { at: 'now' }),
      one('call.succeeded', { call: newId() }),
      {
        entries: [
          draft('policy.loaded', { digest: 'd' }),
          draft('call.settled', { call: 'c', attempt: 'a', as: 'maybe' }),
        ],
      },
    ];
    for (const writes of bad) {
      await assert.rejects(ledger.append(writes), { name: 'AssertionError' });
      await assert.rejects(
        ledger.transact({}, () => ({ writes, result: 0 })),
        { name: 'AssertionError' },
      );
    }
    assert.equal(place.leaves().length, before);
  });
}

function orderTests(opened: Open): void {
  test('positions are dense and follow the order of submission, whatever was in the batch', async (t) => {
    const { place, ledger } = await opened(t);
    const digests = Array.from({ length: 300 }, (_, i) => `${i}`);
    await Promise.all(
      digests.map((digest, i) =>
        i % 3 === 0
          ? ledger.transact({}, () => ({ writes: one('policy.loaded', { digest }), result: i }))
          : ledger.append(one('policy.loaded', { digest })),
      ),
    );
    const written = entriesOf(place).flatMap(({ digest }) => (typeof digest === 'string' ? [digest] : []));
    assert.deepEqual(written, digests);
  });

  test('a transaction sees what earlier ones of its batch write', async (t) => {
    const { ledger } = await opened(t);
    const take = (call: string): Promise<string> =>
      ledger.transact({ keys: ['h_k'] }, ({ keys }) => {
        const holder = keys.get('h_k');
        if (holder !== undefined) return { result: holder.id };
        return { writes: intent({ call, attempt: newId(), keys: ['h_k'] }), result: call };
      });
    const calls = Array.from({ length: 40 }, newId);
    const [first] = calls;
    assert.deepEqual(
      await Promise.all(calls.map(take)),
      calls.map(() => first),
    );
  });

  test('a transaction sees an outcome that was appended just before it, in the same turn', async (t) => {
    const { ledger } = await opened(t);
    const call = newId();
    const attempt = newId();
    await ledger.append(intent({ call, attempt, keys: ['h_k'] }));
    const [before, , after] = await Promise.all([
      look(ledger, { keys: ['h_k'], open: { principal: 'local', tool: 'files.write' } }),
      ledger.append(answered('succeeded', call, attempt)),
      look(ledger, { keys: ['h_k'], open: { principal: 'local', tool: 'files.write' }, call }),
    ]);
    assert.equal(before.keys.get('h_k')?.state, 'intent');
    assert.equal(before.open.length, 1);
    assert.equal(after.keys.get('h_k')?.state, 'succeeded');
    assert.equal(after.call?.state, 'succeeded');
    assert.equal(after.open.length, 0);
  });
}

function conflictTests(opened: Open): void {
  test('a conflict writes nothing and fails no neighbour', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, stranger, attempt] = [newId(), newId(), newId()];
    await ledger.append(intent({ call, attempt }));
    const before = place.leaves().length;
    const results = await Promise.allSettled([
      ledger.append(one('policy.loaded', { digest: 'first' })),
      ledger.append(answered('succeeded', stranger, attempt)),
      // The first entry of this one fits; the second does not.
      ledger.append({ entries: [...denied(stranger).entries, ...answered('succeeded', call, newId()).entries] }),
      ledger.transact({}, () => ({ writes: answered('succeeded', stranger, attempt), result: 0 })),
      ledger.append(answered('succeeded', call, attempt)),
      ledger.append(answered('failed', call, attempt)),
      ledger.transact({}, () => ({ writes: one('policy.loaded', { digest: 'last' }), result: 1 })),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? 'ok' : (result.reason as LedgerError).code)),
      ['ok', 'conflict', 'conflict', 'conflict', 'ok', 'conflict', 'ok'],
    );
    assert.deepEqual(
      entriesOf(place)
        .slice(before)
        .map(({ type }) => type),
      ['policy.loaded', 'call.succeeded', 'policy.loaded'],
    );
    assert.equal(await ledger.call(stranger), undefined);
  });

  test('a conflict that only the store can see is not seen as done by later transactions of the batch', async (t) => {
    const { ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(intent({ call, attempt }));
    await ledger.append(answered('succeeded', call, attempt));
    const results = await Promise.allSettled([
      // It never asked for the call, and takes it for a new one.
      ledger.transact({}, () => ({ writes: intent({ call, attempt: newId(), keys: ['h_k'] }), result: 0 })),
      look(ledger, { keys: ['h_k'] }),
    ]);
    assert.equal(results[0].status, 'rejected');
    assert(results[1].status === 'fulfilled');
    assert.equal(results[1].value.keys.size, 0);
  });

  test('what compose throws rejects its own transaction only', async (t) => {
    const { place, ledger } = await opened(t);
    const before = place.leaves().length;
    const failure = new Error('no');
    const results = await Promise.allSettled([
      ledger.transact({}, () => {
        throw failure;
      }),
      ledger.transact({}, () => ({ writes: one('policy.loaded', { digest: 'd' }), result: 7 })),
      ledger.transact({}, () => ({ result: 8 })),
    ]);
    assert.deepEqual(results, [
      { status: 'rejected', reason: failure },
      { status: 'fulfilled', value: 7 },
      { status: 'fulfilled', value: 8 },
    ]);
    assert.equal(place.leaves().length, before + 1);
  });
}
