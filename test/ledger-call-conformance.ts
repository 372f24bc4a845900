/** What every ledger must do with calls, their bodies and its checkpoints; part of the one suite. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CallRow, Ledger, Writes } from '../src/ledger/ledger.ts';
import { checkpointProblem } from '../src/ledger/signer.ts';
import { firstSigner } from '../src/ledger/sqlite/stored-signers.ts';
import { parseVerifierKey } from '../src/tlog/note.ts';
import { uuidV7 } from '../src/value/id.ts';
import { formatInstant } from '../src/value/time.ts';
import { answered, approved, charged, denied, intent, killed, newId, one } from './ledger-drafts.ts';
import { outcome, parked, refused, revived, settled, trusted } from './ledger-drafts.ts';
import { assertFolded, entriesOf, frontierOf, isCode, look } from './ledger-place.ts';
import type { Open } from './ledger-place.ts';
import { START_MS } from './manual-world.ts';

export function callTests(opened: Open): void {
  keyTests(opened);
  stateTests(opened);
  bodyTests(opened);
  expiryTests(opened);
  checkpointTests(opened);
}

function keyTests(opened: Open): void {
  test('a call is known by its last intent, with what its fingerprint needs', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, attempt, instance] = [newId(), newId(), newId()];
    const salt = Uint8Array.of(1, 2, 3);
    const mac = Uint8Array.of(4, 5, 6);
    const writes = {
      ...intent({ call, attempt, instance, keys: ['h_a', 'h_b'] }),
      fingerprints: [{ call, salt, mac }],
    };
    await ledger.append(writes);
    const expected: CallRow = {
      id: call,
      principal: 'local',
      tool: 'files.write',
      state: 'intent',
      attempt,
      attempts: 1,
      instance,
      deadline: START_MS + 60_000,
      keys: ['h_a', 'h_b'],
      reserved: {},
      slots: [],
      approvals: [],
      position: 2,
      salt,
      fingerprint: mac,
    };
    assert.deepEqual(await ledger.call(call), expected);
    const seen = await look(ledger, { keys: ['h_b', 'h_c'], open: { principal: 'local', tool: 'files.write' }, call });
    assert.deepEqual([...seen.keys], [['h_b', expected]]);
    assert.deepEqual(seen.open, [expected]);
    assert.deepEqual(seen.call, expected);
    assert.deepEqual(place.rows(), [expected]);
  });

  test('open calls are those of the principal and the tool that run or are unknown', async (t) => {
    const { ledger } = await opened(t);
    const ids = Array.from({ length: 5 }, newId) as [string, string, string, string, string];
    const [running, unknown, done, otherTool, otherPrincipal] = ids;
    for (const call of ids) {
      const tool = call === otherTool ? 'files.read' : 'files.write';
      const principal = call === otherPrincipal ? 'somebody' : 'local';
      await ledger.append(intent({ call, attempt: call, tool, principal }));
    }
    await ledger.append(outcome('unknown', unknown, unknown));
    await ledger.append(answered('failed', done, done));
    const { open } = await look(ledger, { open: { principal: 'local', tool: 'files.write' } });
    assert.deepEqual(new Set(open.map(({ id }) => id)), new Set([running, unknown]));
  });

  test('a key belongs to the call that took it, and a free call makes a new attempt under it', async (t) => {
    const { ledger } = await opened(t);
    const [call, other, first, second] = [newId(), newId(), newId(), newId()];
    await ledger.append(intent({ call, attempt: first, keys: ['h_k'] }));
    await assert.rejects(ledger.append(intent({ call: other, attempt: newId(), keys: ['h_k'] })), isCode('conflict'));
    await assert.rejects(ledger.append(intent({ call, attempt: second, keys: ['h_k'] })), isCode('conflict'));
    await ledger.append(outcome('not-started', call, first));
    await assert.rejects(ledger.append(intent({ call, attempt: first, keys: ['h_k'] })), isCode('conflict'));
    await assert.rejects(ledger.append(intent({ call, attempt: second, keys: [] })), isCode('conflict'));
    await ledger.append(intent({ call, attempt: second, keys: ['h_k', 'h_more'] }));
    const row = await ledger.call(call);
    assert.deepEqual([row?.state, row?.attempt, row?.attempts, row?.keys], ['intent', second, 2, ['h_k', 'h_more']]);
    await assert.rejects(ledger.append(answered('succeeded', call, first)), isCode('conflict'));
    await ledger.append(answered('succeeded', call, second));
    const { keys } = await look(ledger, { keys: ['h_more'] });
    assert.equal(keys.get('h_more')?.id, call);
  });
}

function stateTests(opened: Open): void {
  test('an unknown call is settled once, and one that was not executed is free again', async (t) => {
    const { ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    await ledger.append(intent({ call, attempt }));
    await assert.rejects(ledger.append(settled('executed', call, attempt)), isCode('conflict'));
    await ledger.append(outcome('unknown', call, attempt));
    await assert.rejects(ledger.append(answered('succeeded', call, attempt)), isCode('conflict'));
    await ledger.append(settled('not-executed', call, attempt));
    await assert.rejects(ledger.append(settled('executed', call, attempt)), isCode('conflict'));
    await ledger.append(intent({ call, attempt: newId() }));
    assert.equal((await ledger.call(call))?.attempts, 2);
  });

  test('a denied call stays denied', async (t) => {
    const { ledger } = await opened(t);
    const call = newId();
    await ledger.append(denied(call));
    assert.equal((await ledger.call(call))?.state, 'denied');
    await assert.rejects(ledger.append(denied(call)), isCode('conflict'));
    await assert.rejects(ledger.append(intent({ call, attempt: newId() })), isCode('conflict'));
  });

  test('a call is among those that run until it ends, and its instance lives until it is closed', async (t) => {
    const { place, world, ledger } = await opened(t);
    const second = await place.open(world);
    t.after(() => second[Symbol.asyncDispose]());
    const [left, done] = [newId(), newId()];
    await ledger.append(intent({ call: left, attempt: newId(), instance: ledger.instance }));
    await ledger.append(intent({ call: done, attempt: done, instance: ledger.instance }));
    await ledger.append(answered('succeeded', done, done));
    assert.equal(await second.isAlive(ledger.instance), true);
    assert.equal(await second.isAlive(second.instance), true);
    await ledger[Symbol.asyncDispose]();
    assert.equal(await second.isAlive(ledger.instance), false);
    assert.deepEqual(
      (await second.unsettled('intent')).map(({ id }) => id),
      [left],
    );
    assert.equal(await second.isAlive('../ledger'), false);
  });
}

function bodyTests(opened: Open): void {
  test('a sealed body opens to what was sealed, and the last one of its role is the one', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, first, second] = [newId(), newId(), newId()];
    const args = place.vault.seal(call, 'args', { text: 'one' });
    const later = place.vault.seal(call, 'args', { text: 'two' });
    const output = place.vault.seal(call, 'output', { content: ['ü', null, { __proto__: null, a: 1.5 }] });
    assert.equal(await ledger.body(call, 'args'), undefined);
    await ledger.append({ ...intent({ call, attempt: first, args: { $body: args.commitment } }), bodies: [args.body] });
    assert.deepEqual(await ledger.body(call, 'args'), { text: 'one' });
    await ledger.append(outcome('not-started', call, first));
    const retry = intent({ call, attempt: second, args: { $body: later.commitment } });
    await ledger.append({ ...retry, bodies: [later.body] });
    assert.deepEqual(await ledger.body(call, 'args'), { text: 'two' });
    const success = one('call.succeeded', { call, attempt: second, output: { $body: output.commitment } });
    await ledger.append({ ...success, bodies: [output.body] });
    assert.deepEqual(await ledger.body(call, 'output'), { content: ['ü', null, { a: 1.5 }] });
  });

  test('a sealed argument opens at the entry that commits to it, and a body needs the keys of all its subjects', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    const name = place.vault.seal(call, 'args/~1/0', 'Ada', ['s1', 's2']);
    const output = place.vault.seal(call, 'output', { of: 'Ada' }, ['s2']);
    const args = { '/': [{ $sealed: name.commitment }], open: { $lit: { $sealed: name.commitment } } };
    await ledger.append({ ...intent({ call, attempt, args }), bodies: [name.body] });
    const position = (await ledger.call(call))?.position ?? 0;
    const success = one('call.succeeded', { call, attempt, output: { $body: output.commitment } });
    await ledger.append({ ...success, bodies: [output.body] });
    assert.equal(await ledger.argument(position, '/~1/0'), 'Ada');
    for (const pointer of ['', '/', '/open', '/~1']) assert.equal(await ledger.argument(position, pointer), undefined);
    assert.equal(await ledger.argument(position + 1, '/~1/0'), undefined);
    assert.equal(await ledger.argument(position + 100, '/~1/0'), undefined);
    assert.deepEqual(await ledger.body(call, 'output'), { of: 'Ada' });
    assert.deepEqual(await ledger.subjectsOf(call), ['s1', 's2']);
  });

  test('a body that its entry does not commit to is not given out', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, attempt] = [newId(), newId()];
    const right = place.vault.seal(call, 'output', { paid: 1 });
    const wrong = place.vault.seal(call, 'output', { paid: 2 });
    await ledger.append(intent({ call, attempt }));
    const success = one('call.succeeded', { call, attempt, output: { $body: right.commitment } });
    await ledger.append({ ...success, bodies: [wrong.body] });
    await assert.rejects(ledger.body(call, 'output'), isCode('tampered'));
  });

  test('a body of a call that no entry of the transaction names fails an assertion', async (t) => {
    const { place, ledger } = await opened(t);
    const { body } = place.vault.seal(newId(), 'output', {});
    const writes = { ...intent({ call: newId(), attempt: newId() }), bodies: [body] };
    await assert.rejects(ledger.append(writes), { name: 'AssertionError' });
  });
}

function expiryTests(opened: Open): void {
  test('what ended before a moment loses body and fingerprint, keeps row and key, and an entry says so', async (t) => {
    const { place, world, ledger } = await opened(t);
    const ended = async (call: string): Promise<void> => {
      const { commitment, body } = place.vault.seal(call, 'output', { paid: 1 });
      const fingerprints = [{ call, salt: new Uint8Array(16), mac: new Uint8Array(32) }];
      await ledger.append({ ...intent({ call, attempt: call, keys: [`h_${call}`] }), fingerprints });
      const success = one('call.succeeded', { call, attempt: call, output: { $body: commitment } });
      await ledger.append({ ...success, bodies: [body] });
    };
    const idAt = (at: number): string => uuidV7(at, world.random(10));
    const [old, open, fresh] = [idAt(world.now()), idAt(world.now()), idAt(world.now() + 10_000)];
    await ended(old);
    const { commitment, body } = place.vault.seal(open, 'args', { charge: 'x' });
    await ledger.append({ ...intent({ call: open, attempt: open, args: { $body: commitment } }), bodies: [body] });
    await ledger.append(outcome('unknown', open, open));
    world.advance(10_000);
    await ended(fresh);
    assert.deepEqual(await ledger.expire(world.now() - 10_000, ''), { calls: 0 });
    assert.deepEqual(await ledger.expire(world.now(), ''), { calls: 1 });
    assert.deepEqual(await ledger.expire(world.now(), ''), { calls: 0 });
    const row = await ledger.call(old);
    assert.deepEqual(
      [row?.salt, row?.fingerprint, row?.state, row?.keys],
      [undefined, undefined, 'succeeded', [`h_${old}`]],
    );
    assert.equal((await look(ledger, { keys: [`h_${old}`] })).keys.get(`h_${old}`)?.id, old);
    assert.equal(await ledger.body(old, 'output'), undefined);
    assert.deepEqual(
      [await ledger.body(open, 'args'), await ledger.body(fresh, 'output')],
      [{ charge: 'x' }, { paid: 1 }],
    );
    assert.equal((await ledger.call(fresh))?.salt?.length, 16);
    const said = entriesOf(place).filter(({ type }) => type === 'erasure.expired');
    assert.deepEqual(
      said.map((entry) => entry['before']),
      [formatInstant(world.now())],
    );
  });

  test('a call that goes on while it is about to lose its body keeps it', async (t) => {
    const { place, world, ledger } = await opened(t);
    const [call, attempt] = [uuidV7(world.now(), world.random(10)), newId()];
    const first = { call, salt: new Uint8Array(8), mac: new Uint8Array(32) };
    await ledger.append({ ...intent({ call, attempt }), fingerprints: [first] });
    await ledger.append(outcome('not-started', call, attempt));
    const { commitment, body } = place.vault.seal(call, 'args', { charge: 'x' });
    const salt = new Uint8Array(16);
    const again = intent({ call, attempt: newId(), args: { $body: commitment } });
    world.advance(1_000);
    await Promise.all([
      ledger.append({ ...again, bodies: [body], fingerprints: [{ call, salt, mac: new Uint8Array(32) }] }),
      ledger.expire(world.now(), ''),
    ]);
    assert.equal(entriesOf(place).at(-1)?.type, 'erasure.expired');
    assert.deepEqual([await ledger.body(call, 'args'), (await ledger.call(call))?.salt], [{ charge: 'x' }, salt]);
  });
}

function checkpointTests(opened: Open): void {
  test('a checkpoint signs everything that was committed, and the same size only once', async (t) => {
    const { place, ledger } = await opened(t);
    await ledger.append(one('policy.loaded', { digest: 'd' }));
    const note = await ledger.checkpoint();
    const created = entriesOf(place)[0]?.['key'];
    const key = typeof created === 'string' ? parseVerifierKey(created) : undefined;
    assert(key !== undefined);
    assert.equal(key.name, ledger.log);
    assert.equal(checkpointProblem(note, firstSigner(key), frontierOf(place.leaves())), undefined);
    assert.equal(await ledger.checkpoint(), note);
    await ledger.append(one('policy.loaded', { digest: 'e' }));
    assert.notEqual(await ledger.checkpoint(), note);
  });
}

/** What a random caller does next; whether it is legal is for the ledger to say. */
type Move = readonly [kind: number, call: number, attempt: number, keys: readonly number[]];

const moves: fc.Arbitrary<readonly (readonly Move[])[]> = fc.array(
  fc.array(fc.tuple(fc.nat(16), fc.nat(3), fc.nat(2), fc.uniqueArray(fc.nat(2), { maxLength: 2 })), {
    minLength: 1,
    maxLength: 8,
  }),
  { maxLength: 6 },
);

function writesOf([kind, call, attempt, keys]: Move, ids: readonly string[]): Writes {
  const [id = '', tryId = ''] = [ids[call], ids[4 + attempt]];
  switch (kind) {
    case 0:
      return denied(id);
    case 1:
      return outcome('not-started', id, tryId);
    case 2:
      return outcome('unknown', id, tryId);
    case 3:
      return answered('succeeded', id, tryId);
    case 4:
      return settled(attempt === 0 ? 'executed' : 'not-executed', id, tryId);
    case 5:
      return parked({ call: id, keys: keyNames(keys, ids) });
    case 6:
      return approved(id, `approver ${attempt}`);
    case 7:
      return refused(id);
    case 8:
      return charged('succeeded', id, tryId, { [`budget/${keys[0] ?? 0}`]: attempt * 3 });
    case 9:
      return killed(`tool:${call}`);
    case 10:
      return revived(`tool:${call}`);
    case 11:
      return trusted(`files.${id}`, `sha256:${attempt}`);
    default: {
      const held = {
        reserved: Object.fromEntries(keys.map((key) => [`budget/${key}`, attempt])),
        rates: { 'rate/0': call },
        slots: keys.map((key) => `slots/${key}`),
        ...(attempt === 0 ? {} : { effectTimeoutMs: attempt * 1_000 }),
      };
      return intent({ call: id, attempt: tryId, instance: id, keys: keyNames(keys, ids), ...held });
    }
  }
}

function keyNames(keys: readonly number[], ids: readonly string[]): string[] {
  return keys.map((key) => `h_${key}/${ids[0]}`);
}

/** Appends and transactions in one turn; the latter ask for their call only if `asks`. */
async function attemptAll(
  ledger: Ledger,
  batch: readonly Writes[],
  asks: readonly (string | undefined)[],
): Promise<void> {
  const results = await Promise.allSettled(
    batch.map((writes, index) => {
      if (index % 2 === 0) return ledger.append(writes);
      const call = asks[index];
      return ledger.transact(call === undefined ? {} : { call }, () => ({ writes, result: undefined }));
    }),
  );
  for (const result of results) if (result.status === 'rejected') assert(isCode('conflict')(result.reason));
}

export function foldTest(opened: Open): void {
  test('whatever is written, in whatever batches, folding the entries gives the tables that are stored', async (t) => {
    const { place, ledger } = await opened(t);
    await fc.assert(
      fc.asyncProperty(moves, fc.boolean(), async (batches, isBlind) => {
        const ids = Array.from({ length: 7 }, newId);
        for (const batch of batches) {
          const asks = batch.map((move) => (isBlind ? undefined : ids[move[1]]));
          await attemptAll(
            ledger,
            batch.map((move) => writesOf(move, ids)),
            asks,
          );
        }
        assertFolded(place);
      }),
      { numRuns: 60 },
    );
  });
}
