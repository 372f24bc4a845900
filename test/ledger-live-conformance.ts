/** What every ledger must do with what it keeps only for a while; part of the one suite. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approved, draft, intent, newId, one, parked } from './ledger-drafts.ts';
import type { Open } from './ledger-place.ts';
import { START_MS } from './manual-world.ts';

export function liveTests(opened: Open): void {
  test('a live form opens until the next entry that gives its call a state, and its key dies with it', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    const waiting = place.vault.seal(call, 'live', { pin: '1' }, [call]);
    const [asks] = parked({ call }).entries;
    assert(asks !== undefined);
    const entry = { ...asks, fields: { ...asks.fields, live: { $body: waiting.commitment } } };
    await ledger.append({ entries: [entry], bodies: [waiting.body] });
    await ledger.append(approved(call, 'ann'));
    assert.equal(await ledger.expireLive(START_MS * 2), 0);
    assert.deepEqual(await ledger.body(call, 'live'), { pin: '1' });
    await ledger.append(intent({ call, attempt }));
    assert.equal(await ledger.body(call, 'live'), undefined);
    assert.deepEqual(await ledger.subjectsOf(call), []);
    const output = place.vault.seal(call, 'live', { pin: '2' }, [call]);
    const success = one('call.succeeded', { call, attempt, live: { $body: output.commitment }, output: {} });
    await ledger.append({ ...success, bodies: [output.body] });
    assert.deepEqual(await ledger.body(call, 'live'), { pin: '2' });
  });

  test('live forms of results are destroyed by their time, and nothing else is', async (t) => {
    const { place, world, ledger } = await opened(t);
    const [call, later, attempt] = [newId(), newId(), newId()];
    for (const one of [call, later]) {
      await ledger.append(intent({ call: one, attempt }));
      const live = place.vault.seal(one, 'live', { pin: 1 }, [one]);
      const output = place.vault.seal(one, 'output', { done: true });
      const commitments = { live: { $body: live.commitment }, output: { $body: output.commitment } };
      const entries = [draft('call.succeeded', { call: one, attempt, ...commitments })];
      await ledger.append({ entries, bodies: [live.body, output.body] });
      world.advance(1_000);
    }
    assert.equal(await ledger.expireLive(START_MS), 0);
    assert.equal(await ledger.expireLive(START_MS + 500), 1);
    assert.deepEqual([await ledger.body(call, 'live'), await ledger.body(later, 'live')], [undefined, { pin: 1 }]);
    assert.deepEqual(await ledger.body(call, 'output'), { done: true });
    assert.equal(await ledger.expireLive(START_MS + 5_000), 1);
    assert.equal(await ledger.expireLive(START_MS + 5_000), 0);
  });
}
