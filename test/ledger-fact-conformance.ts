/** What every ledger must do with counters, leases, kill switches and parked calls; part of the one suite. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Charges, Ledger, Writes } from '../src/ledger/ledger.ts';
import { APPROVAL, answered, approved, charged, denied, expired, intent, killed, newId } from './ledger-drafts.ts';
import { one, outcome, parked, refused, revived, settled, trusted } from './ledger-drafts.ts';
import type { Open } from './ledger-place.ts';
import { isCode, look } from './ledger-place.ts';
import { spend } from './ledger-spend.ts';
import { START_MS } from './manual-world.ts';

const BUDGET = 'budget/refunds/principal=local@2026-11-20T00:00:00.000Z';
const COUNT = 'count/c1/run=session';
const SLOTS = 'slots/s1/tool=files.write';
const RATE = 'rate/r1/principal=local';
const PARKED = 'parked/principal=local';

export function factTests(opened: Open): void {
  counterTests(opened);
  numberTests(opened);
  batchTests(opened);
  leaseTests(opened);
  killTests(opened);
  pinTests(opened);
  clockTests(opened);
  parkedTests(opened);
  endOfParkingTests(opened);
}

function unknown(call: string, attempt: string): Writes {
  return outcome('unknown', call, attempt);
}

async function valuesOf(ledger: Ledger, ...facts: readonly string[]): Promise<Record<string, number>> {
  return Object.fromEntries((await look(ledger, { facts })).values);
}

function counterTests(opened: Open): void {
  test('an intent adds what it reserves and puts the rates it says, and what is 0 is left out', async (t) => {
    const { ledger } = await opened(t);
    // The largest there is: a store that keeps it as a double with a fraction, or rounds it, shows here.
    const tat = 2 ** 53 - 1;
    assert.deepEqual(await valuesOf(ledger, BUDGET, COUNT, RATE), {});
    const reserved = { [BUDGET]: 5, [COUNT]: 1 };
    await ledger.append(intent({ call: newId(), attempt: newId(), reserved, rates: { [RATE]: 7 } }));
    await ledger.append(intent({ call: newId(), attempt: newId(), reserved, rates: { [RATE]: tat } }));
    assert.deepEqual(await valuesOf(ledger, BUDGET, COUNT, RATE), { [BUDGET]: 10, [COUNT]: 2, [RATE]: tat });
    assert.deepEqual(await valuesOf(ledger, 'budget/other'), {});
  });

  test('what did not happen gives back what it reserved, and nothing else does', async (t) => {
    const { ledger } = await opened(t);
    const left = async (...ends: readonly ((call: string, attempt: string) => Writes)[]) => {
      const [call, attempt] = [newId(), newId()];
      const before = (await valuesOf(ledger, BUDGET))[BUDGET] ?? 0;
      await ledger.append(intent({ call, attempt, reserved: { [BUDGET]: 5 }, rates: { [RATE]: 9 } }));
      for (const end of ends) await ledger.append(end(call, attempt));
      const row = await ledger.call(call);
      const charge = ((await valuesOf(ledger, BUDGET))[BUDGET] ?? 0) - before;
      assert.equal(row?.reserved[BUDGET] ?? 0, charge);
      return charge;
    };
    assert.equal(await left((call, attempt) => outcome('not-started', call, attempt)), 0);
    assert.equal(await left(unknown, (call, attempt) => settled('not-executed', call, attempt)), 0);
    assert.equal(await left(unknown), 5);
    assert.equal(await left(unknown, (call, attempt) => settled('executed', call, attempt)), 5);
    assert.equal(await left((call, attempt) => answered('succeeded', call, attempt)), 5);
    assert.equal(await left((call, attempt) => answered('failed', call, attempt)), 5);
    assert.equal(await left((call, attempt) => charged('failed', call, attempt, { [BUDGET]: 0 })), 0);
    assert.equal(await left((call, attempt) => charged('succeeded', call, attempt, { [BUDGET]: 8 })), 8);
    assert.equal((await valuesOf(ledger, RATE))[RATE], 9);
  });

  test('a charge replaces what was reserved under exactly its keys, and under no other', async (t) => {
    const { ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(intent({ call, attempt, reserved: { [BUDGET]: 5, [COUNT]: 1 } }));
    await assert.rejects(ledger.append(charged('succeeded', call, attempt, { 'budget/x': 1 })), isCode('conflict'));
    await ledger.append(charged('succeeded', call, attempt, { [BUDGET]: 2 }));
    assert.deepEqual(await valuesOf(ledger, BUDGET, COUNT), { [BUDGET]: 2, [COUNT]: 1 });
  });
}

function numberTests(opened: Open): void {
  test('a number that is none fails an assertion, and a sum beyond 2^53 is a conflict', async (t) => {
    const { place, ledger } = await opened(t);
    const before = place.leaves().length;
    const bad: readonly [string, Charges][] = [
      ['reserved', { [BUDGET]: -1 }],
      ['reserved', { [BUDGET]: 0.5 }],
      ['reserved', { [SLOTS]: 1 }],
      ['reserved', { [PARKED]: 1 }],
      ['reserved', { ['kill/all']: 1 }],
      ['rates', { [RATE]: -1 }],
      ['rates', { [BUDGET]: 1 }],
    ];
    for (const [name, charges] of bad) {
      const writes = intent({ call: newId(), attempt: newId(), [name]: charges });
      await assert.rejects(ledger.append(writes), { name: 'AssertionError' }, JSON.stringify(charges));
    }
    for (const slots of [[BUDGET], [SLOTS, SLOTS]]) {
      const writes = intent({ call: newId(), attempt: newId(), slots });
      await assert.rejects(ledger.append(writes), { name: 'AssertionError' });
    }
    assert.equal(place.leaves().length, before);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(intent({ call, attempt, reserved: { [BUDGET]: 2 ** 53 - 1 } }));
    const more = intent({ call: newId(), attempt: newId(), reserved: { [BUDGET]: 1 } });
    await assert.rejects(ledger.append(more), isCode('conflict'));
    await ledger.append(outcome('not-started', call, attempt));
    assert.deepEqual(await valuesOf(ledger, BUDGET), {});
  });
}

function batchTests(opened: Open): void {
  test('of many callers in one turn exactly as many get in as there is room for', async (t) => {
    const { ledger } = await opened(t);
    for (const key of [BUDGET, COUNT, SLOTS]) {
      const got = await Promise.all(Array.from({ length: 50 }, () => spend(ledger, key, 7)));
      assert.deepEqual(
        got,
        got.map((_, index) => index < 7),
      );
      assert.equal((await valuesOf(ledger, key))[key], 7);
    }
  });

  test('what an outcome gives back is seen by the transactions behind it in the same batch', async (t) => {
    const { ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(intent({ call, attempt, reserved: { [BUDGET]: 5 }, slots: [SLOTS] }));
    const [before, , after] = await Promise.all([
      valuesOf(ledger, BUDGET, SLOTS),
      ledger.append(outcome('not-started', call, attempt)),
      valuesOf(ledger, BUDGET, SLOTS),
    ]);
    assert.deepEqual([before, after], [{ [BUDGET]: 5, [SLOTS]: 1 }, {}]);
  });

  test('a transaction that writes what only the store can see gets its answer, and so do those behind it', async (t) => {
    const { ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(intent({ call, attempt, reserved: { [BUDGET]: 5 }, slots: [SLOTS] }));
    const [blind, after] = await Promise.all([
      ledger.transact({}, () => ({ writes: outcome('not-started', call, attempt), result: 'written' })),
      valuesOf(ledger, BUDGET, SLOTS),
    ]);
    assert.deepEqual([blind, after], ['written', {}]);
  });
}

function leaseTests(opened: Open): void {
  test('a lease lives until its attempt ends, and counts once for each attempt', async (t) => {
    const { ledger } = await opened(t);
    const [one, two] = [newId(), newId()];
    await ledger.append(intent({ call: one, attempt: one, slots: [SLOTS, 'slots/other'] }));
    await ledger.append(intent({ call: two, attempt: two, slots: [SLOTS] }));
    assert.deepEqual(await valuesOf(ledger, SLOTS, 'slots/other'), { [SLOTS]: 2, 'slots/other': 1 });
    await ledger.append(answered('succeeded', one, one));
    assert.deepEqual(await valuesOf(ledger, SLOTS, 'slots/other'), { [SLOTS]: 1 });
    assert.deepEqual((await ledger.call(one))?.slots, []);
    await ledger.append(outcome('not-started', two, two));
    assert.deepEqual(await valuesOf(ledger, SLOTS), {});
  });

  test('after an unknown outcome a lease counts until its effect must be over, or until it is settled', async (t) => {
    const { world, ledger } = await opened(t);
    const [timed, open] = [newId(), newId()];
    await ledger.append(intent({ call: timed, attempt: timed, slots: [SLOTS], effectTimeoutMs: 30_000 }));
    await ledger.append(intent({ call: open, attempt: open, slots: [SLOTS] }));
    world.advance(10_000);
    await ledger.append(outcome('unknown', timed, timed));
    await ledger.append(outcome('unknown', open, open));
    world.advance(29_999);
    assert.deepEqual(await valuesOf(ledger, SLOTS), { [SLOTS]: 2 });
    world.advance(1);
    assert.deepEqual(await valuesOf(ledger, SLOTS), { [SLOTS]: 1 });
    assert.equal((await ledger.call(timed))?.slotsUntil, START_MS + 40_000);
    await ledger.append(settled('executed', timed, timed));
    await ledger.append(settled('executed', open, open));
    assert.deepEqual(await valuesOf(ledger, SLOTS), {});
    const row = await ledger.call(timed);
    assert.deepEqual([row?.slots, row?.slotsUntil, row?.effectTimeoutMs], [[], undefined, undefined]);
  });
}

function killTests(opened: Open): void {
  test('a kill switch is on for the next transaction, says who threw it, and is lifted once', async (t) => {
    const { place, world, ledger } = await opened(t);
    const keys = ['kill/all', 'kill/tool:files.write', 'kill/principal:local'];
    const [before, , after] = await Promise.all([
      valuesOf(ledger, ...keys),
      ledger.append(killed('tool:files.write')),
      valuesOf(ledger, ...keys),
    ]);
    assert.deepEqual([before, after], [{}, { 'kill/tool:files.write': 1 }]);
    await ledger.append(killed('all'));
    await ledger.append(killed('all'));
    const said = { reason: 'as the test wants', by: 'ann', at: START_MS };
    const again = await place.open(world);
    t.after(() => again[Symbol.asyncDispose]());
    assert.deepEqual(await again.kills(), [
      { target: 'all', ...said },
      { target: 'tool:files.write', ...said },
    ]);
    await again.append(revived('all'));
    await assert.rejects(again.append(revived('all')), isCode('conflict'));
    assert.deepEqual(await valuesOf(ledger, ...keys), { 'kill/tool:files.write': 1 });
    for (const target of ['', 'every', 'tool:', 'run:x']) {
      await assert.rejects(ledger.append(killed(target)), { name: 'AssertionError' }, target);
    }
  });
}

function pinTests(opened: Open): void {
  test('a tool is trusted once, under one definition, which every transaction and every opening then sees', async (t) => {
    const { place, world, ledger } = await opened(t);
    const keys = ['pin/sha256:a/files.write', 'pin/sha256:b/files.write', 'pin/sha256:a/files.read', 'pin/odd'];
    const [before, , after, second] = await Promise.all([
      valuesOf(ledger, ...keys),
      ledger.append(trusted('files.write', 'sha256:a')),
      valuesOf(ledger, ...keys),
      ledger.append(trusted('files.write', 'sha256:b')).catch((error: unknown) => error),
    ]);
    assert.deepEqual([before, after], [{}, { 'pin/sha256:a/files.write': 1, 'pin/sha256:b/files.write': 2 }]);
    assert.ok(isCode('conflict')(second));
    const again = await place.open(world);
    t.after(() => again[Symbol.asyncDispose]());
    await assert.rejects(again.append(trusted('files.write', 'sha256:a')), isCode('conflict'));
    await again.append(trusted('a/b.c/d', 'sha256:c', '{"name":"c/d"}'));
    assert.deepEqual(await valuesOf(ledger, 'pin/sha256:c/a/b.c/d'), { 'pin/sha256:c/a/b.c/d': 1 });
    const [odd, write] = await ledger.trusted();
    assert.deepEqual([odd?.tool, write?.tool, write?.digest], ['a/b.c/d', 'files.write', 'sha256:a']);
    const entry = await ledger.entry(odd?.position ?? -1);
    assert.deepEqual([entry?.type, entry?.['definition']], ['pin.trusted', '{"name":"c/d"}']);
    for (const [tool, digest] of [
      ['', 'sha256:a'],
      ['files.x', ''],
      ['files.x', 'a/b'],
    ] as const) {
      await assert.rejects(ledger.append(trusted(tool, digest)), { name: 'AssertionError' }, tool);
    }
  });
}

function jumped(): Writes {
  return one('clock.jumped', { since: 'start', byMs: -600_000, wall: 'whenever' });
}

function accepted(): Writes {
  return one('clock.accepted', { reason: 'it is right', by: 'ann', behindMs: 600_000 });
}

function clockTests(opened: Open): void {
  test('a jump of the clock is a fact of the next transaction, for every opening, until it is accepted once', async (t) => {
    const { place, world, ledger } = await opened(t);
    const [before, , after] = await Promise.all([
      valuesOf(ledger, 'clock/jump'),
      ledger.append(jumped()),
      valuesOf(ledger, 'clock/jump'),
    ]);
    assert.deepEqual([before, after], [{}, { 'clock/jump': 1 }]);
    await ledger.append(jumped());
    const again = await place.open(world);
    t.after(() => again[Symbol.asyncDispose]());
    assert.deepEqual(await valuesOf(again, 'clock/jump'), { 'clock/jump': 1 });
    await again.append(accepted());
    assert.deepEqual(await valuesOf(ledger, 'clock/jump', 'clock/behind'), { 'clock/behind': 600_000 });
    await assert.rejects(again.append(accepted()), isCode('conflict'));
    for (const fields of [
      { byMs: 1 },
      { since: 'start', byMs: 0 },
      { since: 'start', byMs: 0.5 },
      { since: 'x', byMs: 1 },
    ]) {
      await assert.rejects(ledger.append(one('clock.jumped', fields)), { name: 'AssertionError' });
    }
  });

  test('the longest gap before an opening stays known until the clock is accepted', async (t) => {
    const { place, world, ledger } = await opened(t);
    for (const ms of [10_000, 5_000]) {
      world.advance(ms);
      const next = await place.open(world);
      await next[Symbol.asyncDispose]();
    }
    assert.deepEqual(await valuesOf(ledger, 'clock/gap'), { 'clock/gap': 10_000 });
    await Promise.all([ledger.append(jumped()), ledger.append(accepted())]);
    assert.deepEqual(await valuesOf(ledger, 'clock/gap'), {});
  });
}

function parkedTests(opened: Open): void {
  test('a parked call holds its keys and is counted, until one claim makes it an intent', async (t) => {
    const { ledger } = await opened(t);
    const [call, other, attempt] = [newId(), newId(), newId()];
    const salt = Uint8Array.of(1);
    await ledger.append({ ...parked({ call, keys: ['h_k'] }), fingerprints: [{ call, salt, mac: salt }] });
    await ledger.append(parked({ call: other, principal: 'else' }));
    assert.deepEqual(await valuesOf(ledger, PARKED, 'parked/principal=else'), {
      [PARKED]: 1,
      'parked/principal=else': 1,
    });
    await assert.rejects(ledger.append(intent({ call: newId(), attempt, keys: ['h_k'] })), isCode('conflict'));
    await assert.rejects(ledger.append(parked({ call: newId(), keys: ['h_k'] })), isCode('conflict'));
    assert.deepEqual(
      (await ledger.parked()).map(({ id }) => id),
      [call, other].toSorted(),
    );
    const [row] = await ledger.parked('local');
    assert.deepEqual([row?.id, row?.approval, row?.approvals, row?.salt], [call, APPROVAL, [], salt]);
    assert.equal((await look(ledger, { open: { principal: 'local', tool: 'files.write' } })).open[0]?.id, call);

    await ledger.append(approved(call, 'ann'));
    const claims = await Promise.allSettled(
      [attempt, newId()].map((attempt) => ledger.append(intent({ call, attempt, keys: ['h_k'] }))),
    );
    assert.deepEqual(
      claims.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    const claimed = await ledger.call(call);
    assert.deepEqual([claimed?.state, claimed?.attempt, claimed?.attempts], ['intent', attempt, 1]);
    assert.deepEqual([claimed?.approvals.length, claimed?.approval?.digest, claimed?.salt], [1, APPROVAL.digest, salt]);
    assert.deepEqual(await valuesOf(ledger, PARKED), {});
    assert.deepEqual(await ledger.parked('local'), []);
  });

  test('an approval only records: once for each person, for exactly what was asked', async (t) => {
    const { ledger } = await opened(t);
    const call = newId();
    await ledger.append(parked({ call }));
    const parkedAt = (await ledger.call(call))?.position;
    await ledger.append(approved(call, 'ann'));
    const bob = { call, by: 'bob', digest: APPROVAL.digest, interactive: true };
    await ledger.append(one('call.approved', { ...bob, unsigned: true }));
    await assert.rejects(ledger.append(approved(call, 'ann')), isCode('conflict'));
    await assert.rejects(ledger.append(approved(call, 'eve', 'sha256:other')), isCode('conflict'));
    await assert.rejects(ledger.append(one('call.approved', { ...bob, by: 'eve' })), { name: 'AssertionError' });
    const row = await ledger.call(call);
    assert.deepEqual([row?.state, row?.position], ['parked', parkedAt]);
    const [signed, unsigned] = row?.approvals ?? [];
    assert.deepEqual(signed, { by: 'ann', signature: 'c2lnbmVk', position: (parkedAt ?? 0) + 1 });
    assert.deepEqual(unsigned, { by: 'bob', position: (parkedAt ?? 0) + 2, interactive: true });
    const entry = await ledger.entry(signed?.position ?? -1);
    assert.deepEqual([entry?.type, entry?.['call'], entry?.['by']], ['call.approved', call, 'ann']);
    assert.equal(await ledger.entry(1_000), undefined);
  });
}

function endOfParkingTests(opened: Open): void {
  test('a refused call is over, and its key is free for another', async (t) => {
    const { ledger } = await opened(t);
    const [call, other] = [newId(), newId()];
    await ledger.append(parked({ call, keys: ['h_k'] }));
    await ledger.append(refused(call));
    assert.equal((await look(ledger, { keys: ['h_k'] })).keys.get('h_k')?.state, 'refused');
    assert.deepEqual(await valuesOf(ledger, PARKED), {});
    for (const writes of [approved(call, 'ann'), refused(call), intent({ call, attempt: newId(), keys: ['h_k'] })]) {
      await assert.rejects(ledger.append(writes), isCode('conflict'));
    }
    await ledger.append(intent({ call: other, attempt: newId(), keys: ['h_k'] }));
    const { keys } = await look(ledger, { call, keys: ['h_k'] });
    assert.equal(keys.get('h_k')?.id, other);
  });

  test('at its expiry a parked call can neither be approved nor claimed, and only then expires', async (t) => {
    const { world, ledger } = await opened(t);
    const call = newId();
    await ledger.append(parked({ call, keys: ['h_k'], approval: { expires: START_MS + 1_000 } }));
    await ledger.append(approved(call, 'ann'));
    await assert.rejects(ledger.append(expired(call)), isCode('conflict'));
    world.advance(1_000);
    await assert.rejects(ledger.append(approved(call, 'bob')), isCode('conflict'));
    await assert.rejects(ledger.append(intent({ call, attempt: newId(), keys: ['h_k'] })), isCode('conflict'));
    await ledger.append(expired(call));
    assert.equal((await ledger.call(call))?.state, 'expired');
    assert.deepEqual(await valuesOf(ledger, PARKED), {});
    await ledger.append(parked({ call: newId(), keys: ['h_k'] }));
    const late = parked({ call: newId(), approval: { expires: START_MS } });
    await assert.rejects(ledger.append(late), isCode('conflict'));
  });

  test('a call that was not executed may be parked again, with nothing of its first approval', async (t) => {
    const { ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(parked({ call }));
    await ledger.append(approved(call, 'ann'));
    await ledger.append(intent({ call, attempt, reserved: { [BUDGET]: 3 } }));
    await ledger.append(outcome('not-started', call, attempt));
    await ledger.append(parked({ call, approval: { digest: 'sha256:again' } }));
    const row = await ledger.call(call);
    assert.deepEqual([row?.state, row?.approvals, row?.approval?.digest], ['parked', [], 'sha256:again']);
    await assert.rejects(ledger.append(intent({ call, attempt })), isCode('conflict'));
    await assert.rejects(ledger.append(denied(call)), isCode('conflict'));
    await ledger.append(intent({ call, attempt: newId() }));
    assert.equal((await ledger.call(call))?.attempts, 2);
  });
}
