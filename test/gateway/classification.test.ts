/** How a call on stdio ended, by what its transport saw: every row of the table in docs/ledger.md, on real processes. */

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { Performed } from '../../src/authority/answer.ts';
import { type Rig, dig, rig, script, server } from './harness.ts';

const ODD = [script('odd-server.ts')];
const running: Rig[] = [];

afterEach(async () => {
  const all = running.splice(0);
  for (const { host } of all) host.end();
  await Promise.all(all.map(({ gateway }) => gateway.ended));
});

async function odd(timeoutMs = 60_000): Promise<Rig> {
  const it = rig([server('odd', ODD, { timeoutMs })]);
  running.push(it);
  await it.host.hello();
  await it.host.request('tools/list');
  return it;
}

/** Calls the tool and answers how the last call ended. */
async function outcomeOf(it: Rig, name: string): Promise<Performed | undefined> {
  await it.host.request('tools/call', { name: `odd__${name}` });
  return it.door.outcomes.at(-1);
}

function reasonOf(performed: Performed | undefined): string {
  return performed !== undefined && 'reason' in performed ? performed.reason : `it was ${performed?.kind}`;
}

describe('not-started, for certain no effect', () => {
  test('a server that cannot be started is denied before there is an intent', async () => {
    const it = rig([server('gone', [], { command: '/nonexistent/program' })]);
    running.push(it);
    await it.host.hello();
    const answer = await it.host.request('tools/call', { name: 'gone__pay' });
    assert.deepEqual(it.door.outcomes, []);
    assert.equal(it.door.proposals[0]?.available, false);
    assert.equal(dig(answer, 'result', '_meta', 'interlock/decision', 'code'), 'upstream-unavailable');
  });

  test('a server that died between the decision and the send', async () => {
    const it = await odd();
    it.door.delay = async ({ tool }) => {
      if (tool === 'odd.alive') await it.host.notice('notifications/tools/list_changed');
    };
    await Promise.all([outcomeOf(it, 'alive'), outcomeOf(it, 'die')]);
    const [died, late] = it.door.outcomes;
    assert.deepEqual([died?.kind, late?.kind], ['unknown', 'not-started']);
    assert.match(reasonOf(late), /is not running/);
  });

  test('a server whose input takes no more: not one byte of the call is queued', async () => {
    const it = await odd();
    assert.equal((await outcomeOf(it, 'deaf'))?.kind, 'succeeded');
    const big = 'x'.repeat(8_000_000);
    const calls = Array.from({ length: 12 }, () =>
      it.host.start('tools/call', { name: 'odd__alive', arguments: { big } }),
    );
    while (it.door.outcomes.length < 2) await new Promise(setImmediate);
    const refused = it.door.outcomes[1];
    assert.equal(refused?.kind, 'not-started');
    assert.match(reasonOf(refused), /does not take any more/);
    for (const { response } of calls) response.catch(() => undefined);
  });

  test('a caller that left before the send', async () => {
    const it = await odd();
    const held = Promise.withResolvers<void>();
    it.door.delay = () => held.promise;
    const { id } = it.host.start('tools/call', { name: 'odd__alive' });
    while (it.door.proposals.length === 0) await new Promise(setImmediate);
    it.host.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
    while (it.door.proposals[0]?.signal.aborted !== true) await new Promise(setImmediate);
    held.resolve();
    while (it.door.outcomes.length === 0) await new Promise(setImmediate);
    assert.deepEqual(it.door.outcomes, [{ kind: 'not-started', reason: 'it was cancelled before it was sent' }]);
  });
});

describe('unknown, once bytes may have left', () => {
  for (const [name, what, said] of [
    ['die', 'the process ended', /connection to server odd was lost|is gone/],
    ['close', 'the server closed its output', /closed/],
    ['big-integer', 'the answer is no message of the protocol', /malformed/],
    ['duplicate', 'the answer has a key twice', /malformed/],
    ['not-object', 'the result is no object', /malformed/],
  ] as const) {
    test(what, async () => {
      const it = await odd();
      const performed = await outcomeOf(it, name);
      assert.equal(performed?.kind, 'unknown');
      assert.match(reasonOf(performed), said);
    });
  }

  test('the server closed its input, which the next write finds', async () => {
    const it = await odd(5_000);
    const { response } = it.host.start('tools/call', { name: 'odd__shut' });
    await it.host.notice('notifications/message');
    const next = await outcomeOf(it, 'alive');
    assert.equal(next?.kind, 'unknown');
    assert.match(reasonOf(next), /connection to server odd was lost: its input/);
    await response;
    assert.deepEqual(
      it.door.outcomes.map(({ kind }) => kind),
      ['unknown', 'unknown'],
    );
  });

  test('no answer came in time', async () => {
    const it = await odd(200);
    const performed = await outcomeOf(it, 'hang');
    assert.deepEqual(performed, { kind: 'unknown', reason: 'no answer within 200 ms' });
  });
});

describe('answered, whatever the words are', () => {
  test('a result succeeded, one with `isError` and a JSON-RPC error failed [R-classification]', async () => {
    const it = await odd();
    assert.equal((await outcomeOf(it, 'alive'))?.kind, 'succeeded');
    const failed = await outcomeOf(it, 'failing');
    assert.deepEqual([failed?.kind, dig(failed, 'output', 'isError')], ['failed', true]);
    const error = await outcomeOf(it, 'error');
    assert.deepEqual([error?.kind, dig(error, 'output', 'error', 'code')], ['failed', -32_042]);
  });
});
