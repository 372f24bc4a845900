/** What every ledger must do, as one suite that is run over each. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import type { Entry } from '../src/ledger/entry.ts';
import { parseEntry } from '../src/ledger/entry.ts';
import type { CallRow, Facts, Ledger, Reads, Writes } from '../src/ledger/ledger.ts';
import { LedgerError } from '../src/ledger/ledger.ts';
import { checkpointProblem } from '../src/ledger/signer.ts';
import { foldLog } from '../src/ledger/tables.ts';
import type { Vault } from '../src/ledger/vault.ts';
import { parseVerifierKey } from '../src/tlog/note.ts';
import { EMPTY_FRONTIER, appendLeaf, leafHash } from '../src/tlog/tree.ts';
import type { Frontier } from '../src/tlog/tree.ts';
import { answered, denied, draft, intent, newId, one, outcome, settled } from './ledger-drafts.ts';
import type { ManualWorld } from './manual-world.ts';
import { START_MS, createManualWorld } from './manual-world.ts';

/** Where a ledger of one kind keeps its log between two openings. */
export interface Place {
  readonly vault: Vault;
  open(world: ManualWorld): Promise<Ledger>;
  /** Everything stored now. */
  leaves(): Uint8Array[];
  rows(): CallRow[];
}

export type MakePlace = (world: ManualWorld) => Place;

interface Opened {
  readonly place: Place;
  readonly world: ManualWorld;
  readonly ledger: Ledger;
}

export function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof LedgerError && error.code === code;
}

export function entriesOf(place: Place): Entry[] {
  return place.leaves().map((leaf) => {
    const parsed = parseEntry(leaf);
    assert(parsed.ok, 'expected every leaf to be an entry');
    return parsed.value;
  });
}

export function frontierOf(leaves: readonly Uint8Array[]): Frontier {
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) frontier = appendLeaf(frontier, leafHash(leaf));
  return frontier;
}

/** The rows without what no entry says. */
export function derived(rows: Iterable<CallRow>): CallRow[] {
  const bare = [...rows].map(({ salt: _salt, fingerprint: _fingerprint, ...row }) => row);
  return bare.sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** Asks under the write lock, and writes nothing. */
export function look(ledger: Ledger, reads: Reads): Promise<Facts> {
  return ledger.transact(reads, (facts) => ({ result: facts }));
}

export function ledgerConformance(name: string, makePlace: MakePlace): void {
  const opened = async (t: TestContext): Promise<Opened> => {
    const world = createManualWorld();
    const place = makePlace(world);
    const ledger = await place.open(world);
    t.after(() => ledger[Symbol.asyncDispose]());
    return { place, world, ledger };
  };
  describe(name, () => {
    logTests(opened);
    batchTests(opened);
    callTests(opened);
    bodyTests(opened);
    checkpointTests(opened);
    foldTest(makePlace);
  });
}

type Open = (t: TestContext) => Promise<Opened>;

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
    const at = await ledger.transact({}, (facts) => ({ writes: one('policy.loaded', { digest: 'd' }), result: facts.at }));
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
      { entries: [draft('policy.loaded', { digest: 'd' }), draft('call.settled', { call: 'c', attempt: 'a', as: 'maybe' })] },
    ];
    for (const writes of bad) {
      await assert.rejects(ledger.append(writes), { name: 'AssertionError' });
      await assert.rejects(ledger.transact({}, () => ({ writes, result: 0 })), { name: 'AssertionError' });
    }
    assert.equal(place.leaves().length, before);
  });
}

function batchTests(opened: Open): void {
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
    assert.deepEqual(await Promise.all(calls.map(take)), calls.map(() => first));
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
      entriesOf(place).slice(before).map(({ type }) => type),
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

function callTests(opened: Open): void {
  test('a call is known by its last intent, with what its fingerprint needs', async (t) => {
    const { place, ledger } = await opened(t);
    const [call, attempt, instance] = [newId(), newId(), newId()];
    const salt = Uint8Array.of(1, 2, 3);
    const mac = Uint8Array.of(4, 5, 6);
    const writes = { ...intent({ call, attempt, instance, keys: ['h_a', 'h_b'] }), fingerprints: [{ call, salt, mac }] };
    await ledger.append(writes);
    const expected: CallRow = {
      ...{ id: call, principal: 'local', tool: 'files.write', state: 'intent', attempt, attempts: 1, instance },
      ...{ deadline: START_MS + 60_000, keys: ['h_a', 'h_b'], position: 2, salt, fingerprint: mac },
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

  test('an intent is an orphan when the instance that wrote it no longer lives, and not before', async (t) => {
    const { place, world, ledger } = await opened(t);
    const second = await place.open(world);
    t.after(() => second[Symbol.asyncDispose]());
    const [left, done] = [newId(), newId()];
    await ledger.append(intent({ call: left, attempt: newId(), instance: ledger.instance }));
    await ledger.append(intent({ call: done, attempt: done, instance: ledger.instance }));
    await ledger.append(answered('succeeded', done, done));
    assert.deepEqual(await second.orphans(), []);
    assert.equal(await second.isAlive(ledger.instance), true);
    assert.equal(await second.isAlive(second.instance), true);
    await ledger[Symbol.asyncDispose]();
    assert.equal(await second.isAlive(ledger.instance), false);
    assert.deepEqual((await second.orphans()).map(({ id }) => id), [left]);
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

function checkpointTests(opened: Open): void {
  test('a checkpoint signs everything that was committed, and the same size only once', async (t) => {
    const { place, ledger } = await opened(t);
    await ledger.append(one('policy.loaded', { digest: 'd' }));
    const note = await ledger.checkpoint();
    const key = parseVerifierKey(String(entriesOf(place)[0]?.['key']));
    assert(key !== undefined);
    assert.equal(key.name, ledger.log);
    assert.equal(checkpointProblem(note, key, frontierOf(place.leaves())), undefined);
    assert.equal(await ledger.checkpoint(), note);
    await ledger.append(one('policy.loaded', { digest: 'e' }));
    assert.notEqual(await ledger.checkpoint(), note);
  });
}

/** What a random caller does next; whether it is legal is for the ledger to say. */
type Move = readonly [kind: number, call: number, attempt: number, keys: readonly number[]];

const moves: fc.Arbitrary<readonly (readonly Move[])[]> = fc.array(
  fc.array(
    fc.tuple(fc.nat(7), fc.nat(3), fc.nat(2), fc.uniqueArray(fc.nat(2), { maxLength: 2 })),
    { minLength: 1, maxLength: 8 },
  ),
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
    default:
      return intent({ call: id, attempt: tryId, instance: id, keys: keys.map((key) => `h_${key}`) });
  }
}

function foldTest(makePlace: MakePlace): void {
  test('whatever is written, in whatever batches, folding the entries gives the rows that are stored', async () => {
    const world = createManualWorld();
    await fc.assert(
      fc.asyncProperty(moves, async (batches) => {
        const place = makePlace(world);
        await using ledger = await place.open(world);
        const ids = Array.from({ length: 7 }, newId);
        for (const batch of batches) {
          const results = await Promise.allSettled(
            batch.map((move, index) => {
              const writes = writesOf(move, ids);
              if (index % 2 === 0) return ledger.append(writes);
              return ledger.transact({ call: ids[move[1]] ?? '' }, () => ({ writes, result: undefined }));
            }),
          );
          for (const result of results) if (result.status === 'rejected') assert(isCode('conflict')(result.reason));
        }
        const folded = foldLog(entriesOf(place));
        assert(folded.ok);
        assert.deepEqual(derived(folded.tables.rows()), derived(place.rows()));
        for (const row of place.rows()) {
          for (const key of row.keys) assert.equal(folded.tables.holder(key)?.id, row.id);
        }
      }),
      { numRuns: 40 },
    );
  });
}
