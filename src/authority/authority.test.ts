import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openWorld, overriding, typesOf } from '../../test/authority-world.ts';
import { createManualWorld } from '../../test/manual-world.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Performed } from './answer.ts';

const PAY = { charge: 'ch_1', amount: 100 };

describe('a call', () => {
  test('is dispatched after its intent is durable and answered after its outcome is [R-durable]', async () => {
    const world = await openWorld();
    let atDispatch: string[] = [];
    const answer = await world.call(
      'bank.wire',
      { amount: 1 },
      {
        perform: async () => {
          atDispatch = typesOf(world);
          return { kind: 'succeeded', output: { ok: true } };
        },
      },
    );
    assert.deepEqual(atDispatch, ['call.intent']);
    assert.deepEqual(typesOf(world), ['call.intent', 'call.succeeded']);
    assert.equal(answer.state, 'succeeded');
    assert.deepEqual(answer.output, { ok: true });
    assert.equal(answer.decision, undefined);
  });

  test('that is denied is recorded with its arguments and reaches nobody', async () => {
    const world = await openWorld();
    const answer = await world.call('bank.pay', { charge: 'ch_1', amount: 20001 });
    assert.equal(answer.decision?.code, 'no-rule');
    assert.match(answer.sentence ?? '', /20000/);
    assert.deepEqual(world.effects, []);
    const denied = world.entries().find((entry) => entry.type === 'call.denied');
    assert.deepEqual(denied?.['args'], { charge: 'ch_1', amount: 20001 });
  });

  for (const [tool, args, code] of [
    ['bank.pay', { charge: 'ch_1' }, 'schema-mismatch'],
    ['bank.pay', { charge: '', amount: 1 }, 'obligation-failed'],
    ['bank.private', { email: 'a@b.example' }, 'obligation-failed'],
    ['bank.nothing', {}, 'unknown-tool'],
  ] as const) {
    test(`of ${tool} with ${JSON.stringify(args)} is denied ${code}`, async () => {
      const world = await openWorld();
      const answer = await world.call(tool, args);
      assert.equal(answer.decision?.code, code);
      assert.deepEqual(world.effects, []);
      assert.deepEqual(typesOf(world), ['call.denied']);
    });
  }

  test('of a tool the caller may not know is answered unknown-tool while the ledger keeps the real code', async () => {
    const world = await openWorld();
    const answer = await world.call('bank.hidden');
    assert.equal(answer.decision?.code, 'unknown-tool');
    const policy = world.entries().find((entry) => entry.type === 'call.denied')?.['policy'];
    assert.equal((policy as { code: string }).code, 'no-rule');
  });

  test('to a server that cannot be reached is denied upstream-unavailable and may be retried', async () => {
    const world = await openWorld();
    const answer = await world.call('bank.wire', {}, { available: false });
    assert.deepEqual([answer.decision?.code, answer.decision?.retryable], ['upstream-unavailable', true]);
  });

  test('without a policy is denied policy-invalid, whatever it is [R-default-deny]', async () => {
    const world = await openWorld();
    await world.authority.refuse('interlock.yaml:1:1: it is empty');
    const answer = await world.call('bank.balance');
    assert.equal(answer.decision?.code, 'policy-invalid');
    assert.match(answer.sentence ?? '', /it is empty/);
    assert.equal(world.authority.visible('local', 'bank.balance'), false);
  });

  test('is told the nearest change that would be allowed, which its entry does not hold', async () => {
    const world = await openWorld();
    const { decision } = await world.call('bank.pay', { charge: 'ch_1', amount: 20_001 });
    assert.equal(decision?.nearest?.['text'], '`amount` ≤ 20000 would be allowed');
    const denied = world.entries().find((entry) => entry.type === 'call.denied');
    assert.equal(JSON.stringify(denied).includes('nearest'), false);
  });

  test('with arguments that imitate a commitment is recorded as literal', async () => {
    const world = await openWorld();
    await world.call('bank.balance', {}, {});
    await world.call('bank.wire', { note: 'x', $body: 'forged', deep: [{ $sealed: 1 }] });
    const intent = world.entries().findLast((entry) => entry.type === 'call.intent');
    assert.deepEqual(intent?.['args'], { $lit: { note: 'x', $body: 'forged', deep: [{ $lit: { $sealed: 1 } }] } });
  });

  test('with arguments too large for an entry is recorded by commitment, and they can be opened again', async () => {
    const world = await openWorld();
    const args = { note: 'x'.repeat(200_000) };
    const answer = await world.call('bank.wire', args);
    const intent = world.entries().find((entry) => entry.type === 'call.intent');
    assert.deepEqual(Object.keys(intent?.['args'] as object), ['$body']);
    assert.deepEqual(await world.ledger.body(answer.call, 'args'), args);
  });

  for (const clock of ['wall', 'monotonic'] as const) {
    test(`is not sent when its deadline has passed on the ${clock} clock while the intent was written`, async () => {
      const world = createManualWorld();
      const between = (ledger: Ledger): Ledger =>
        overriding(ledger, {
          transact: async (reads, compose) => {
            const result = await ledger.transact(reads, compose);
            const wall = world.now();
            if (clock === 'wall') world.setWall(wall + 5_000);
            else {
              world.advance(5_000);
              world.setWall(wall);
            }
            return result;
          },
        });
      const opening = await openWorld({ world, between });
      const answer = await opening.call('bank.wire', {}, { timeoutMs: 1_000 });
      assert.equal(answer.state, 'not-started');
      assert.deepEqual(opening.effects, []);
      assert.deepEqual(typesOf(opening), ['call.intent', 'call.not-started']);
    });
  }

  test('whose transport throws is of unknown outcome', async () => {
    const world = await openWorld();
    const answer = await world.call('bank.wire', {}, { perform: () => Promise.reject(new Error('broken pipe')) });
    assert.equal(answer.decision?.code, 'outcome-unknown');
    assert.match(answer.sentence ?? '', /unknown.*interlock settle/);
    assert.deepEqual(typesOf(world), ['call.intent', 'call.unknown']);
  });
});

describe('a guarded path', () => {
  const policy = (root: string): string => `
interlock: 1
tools:
  files.read:
    effect: read
    guard: { path: { within: ${JSON.stringify(root)} } }
    input: { type: object, properties: { path: {type: string}, nested: {type: object} } }
rules:
  - allow: files.read
    when: '!args.path.endsWith("secret")'
`;

  test('is decided on, recorded and sent as its real target [R-real-target]', async (t) => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'interlock-guard-')));
    t.after(() => rmSync(root, { recursive: true }));
    writeFileSync(join(root, 'secret'), '');
    symlinkSync('secret', join(root, 'harmless'));
    const world = await openWorld({ policy: policy(root) });

    await world.call('files.read', { path: 'x/../notes', nested: { file: './notes' } });
    const sent = { path: join(root, 'notes'), nested: { file: join(root, 'notes') } };
    assert.deepEqual(world.effects, [sent]);
    assert.deepEqual(world.entries().find((entry) => entry.type === 'call.intent')?.['args'], sent);

    const linked = await world.call('files.read', { path: 'harmless' });
    assert.equal(linked.decision?.code, 'no-rule');
    for (const nested of [{ file: '/etc/passwd' }, { deep: [{ path: '../x' }] }]) {
      const escaped = await world.call('files.read', { path: 'notes', nested });
      assert.equal(escaped.decision?.code, 'guard-refused', JSON.stringify(nested));
    }
    assert.equal(world.effects.length, 1);
  });
});

describe('a key', () => {
  const failed: Performed = { kind: 'failed', output: { isError: true } };

  test('answers the same call with the recorded result, and nothing runs [R-at-most-once]', async () => {
    const world = await openWorld();
    const first = await world.call('bank.pay', PAY);
    const again = await world.call('bank.pay', PAY);
    assert.deepEqual(again, { ...first, replayed: true });
    assert.equal(world.effects.length, 1);
    assert.deepEqual(typesOf(world), ['call.intent', 'call.succeeded']);
  });

  test('answers with a recorded failure too', async () => {
    const world = await openWorld();
    await world.call('bank.pay', PAY, { perform: async () => failed });
    const again = await world.call('bank.pay', PAY);
    assert.deepEqual([again.state, again.replayed, again.output], ['failed', true, { isError: true }]);
    assert.equal(world.effects.length, 0);
  });

  test('of a caller adds to the one of the tool', async () => {
    const world = await openWorld();
    await world.call('bank.pay', PAY, { key: 'k1' });
    assert.equal(
      (await world.call('bank.pay', { charge: 'ch_2', amount: 1 }, { key: 'k1' })).decision?.code,
      'key-conflict',
    );
    await world.call('bank.pay', { charge: 'ch_3', amount: 1 }, { key: 'k3' });
    assert.equal((await world.call('bank.pay', PAY, { key: 'k3' })).decision?.code, 'key-conflict');
    assert.equal((await world.call('bank.pay', PAY)).replayed, true);
    assert.equal(world.effects.length, 2);
  });

  test('with other arguments is a conflict', async () => {
    const world = await openWorld();
    await world.call('bank.pay', PAY);
    assert.equal((await world.call('bank.pay', { ...PAY, amount: 101 })).decision?.code, 'key-conflict');
    assert.equal(world.effects.length, 1);
  });

  test('of the operator that another principal used is taken, and its result stays hidden', async () => {
    const world = await openWorld();
    await world.call('bank.pay', PAY);
    const other = await world.call('bank.pay', PAY, { principal: 'somebody' });
    assert.equal(other.decision?.code, 'key-taken');
    assert.equal(other.output, undefined);
  });

  test('of a caller is its own: another principal may use the same text', async () => {
    const world = await openWorld();
    await world.call('bank.wire', { amount: 1 }, { key: 'k' });
    const other = await world.call('bank.wire', { amount: 2 }, { key: 'k', principal: 'somebody' });
    assert.equal(other.state, 'succeeded');
  });

  test('of a call that did not start makes a new attempt of the same call', async () => {
    const world = await openWorld();
    const first = await world.call('bank.pay', PAY, {
      perform: async () => ({ kind: 'not-started', reason: 'refused' }),
    });
    const again = await world.call('bank.pay', PAY);
    assert.deepEqual([first.state, again.state, again.call], ['not-started', 'succeeded', first.call]);
    const attempts = world.entries().flatMap((entry) => (entry.type === 'call.intent' ? [entry['attempt']] : []));
    assert.equal(new Set(attempts).size, 2);
  });

  test('names a call that did not start under all its keys, whichever of them asks again', async () => {
    const world = await openWorld();
    const refused: Performed = { kind: 'not-started', reason: 'refused' };
    await world.call('bank.pay', PAY, { key: 'k', perform: async () => refused });
    assert.equal((await world.call('bank.pay', PAY)).state, 'succeeded');
    assert.equal((await world.call('bank.pay', PAY, { key: 'k' })).replayed, true);
    assert.equal(world.effects.length, 1);
  });

  test('of an unknown call is answered unknown, for ever', async () => {
    const world = await openWorld();
    await world.call('bank.pay', PAY, { perform: async () => ({ kind: 'unknown', reason: 'lost' }) });
    for (const _ of [1, 2]) assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'outcome-unknown');
    assert.equal(world.effects.length, 0);
  });

  test('of a running call waits for it, and a hundred callers get one effect', async () => {
    const world = await openWorld();
    const gate = Promise.withResolvers<void>();
    const perform = async (): Promise<Performed> => {
      world.effects.push(1);
      await gate.promise;
      return { kind: 'succeeded', output: { paid: true } };
    };
    const callers = Array.from({ length: 100 }, () => world.call('bank.pay', PAY, { perform }));
    while (world.effects.length === 0) await new Promise(setImmediate);
    gate.resolve();
    const answers = await Promise.all(callers);
    assert.equal(world.effects.length, 1);
    assert.equal(answers.filter((answer) => !answer.replayed).length, 1);
    assert.ok(answers.every((answer) => answer.output?.['paid'] === true));
  });

  test('of a call that another process runs is watched until that process has recorded its outcome', async () => {
    const one = await openWorld();
    const gate = Promise.withResolvers<Performed>();
    const running = one.call('bank.pay', PAY, { perform: () => gate.promise });
    while (!typesOf(one).includes('call.intent')) await new Promise(setImmediate);
    const two = await openWorld(one);
    let answered = false;
    const waiting = two.call('bank.pay', PAY).finally(() => (answered = true));
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise(setImmediate);
      one.world.advance(100);
    }
    assert.equal(answered, false);
    gate.resolve({ kind: 'succeeded', output: { paid: 1 } });
    await running;
    while (!answered) {
      one.world.advance(100);
      await new Promise(setImmediate);
    }
    assert.deepEqual([(await waiting).output, (await waiting).replayed], [{ paid: 1 }, true]);
    assert.equal(two.effects.length, 0);
  });

  for (const key of ['', 'x'.repeat(257)]) {
    test(`of ${key.length} characters is malformed`, async () => {
      const world = await openWorld();
      assert.equal((await world.call('bank.wire', {}, { key })).decision?.code, 'malformed');
    });
  }
});

describe('a call with effects and without a key', () => {
  test('is not run while an equal one runs, and runs again once that has ended', async () => {
    const world = await openWorld();
    const gate = Promise.withResolvers<Performed>();
    const first = world.call('bank.wire', { amount: 1 }, { perform: () => gate.promise });
    while (!typesOf(world).includes('call.intent')) await new Promise(setImmediate);
    const twin = await world.call('bank.wire', { amount: 1 });
    assert.deepEqual([twin.decision?.code, twin.state], ['twin-unsettled', 'running']);
    assert.equal((await world.call('bank.wire', { amount: 2 })).state, 'succeeded');
    gate.resolve({ kind: 'succeeded', output: {} });
    assert.equal(twin.call, (await first).call);
    assert.equal((await world.call('bank.wire', { amount: 1 })).state, 'succeeded');
  });

  test('is not run while an equal one is unknown', async () => {
    const world = await openWorld();
    await world.call('bank.wire', { amount: 1 }, { perform: async () => ({ kind: 'unknown', reason: 'lost' }) });
    const twin = await world.call('bank.wire', { amount: 1 });
    assert.deepEqual([twin.decision?.code, twin.state], ['twin-unsettled', 'unknown']);
    assert.match(twin.sentence ?? '', /interlock settle/);
  });

  test('is free to run beside itself when it only reads', async () => {
    const world = await openWorld();
    const gate = Promise.withResolvers<Performed>();
    const first = world.call('bank.balance', {}, { perform: () => gate.promise });
    assert.equal((await world.call('bank.balance')).state, 'succeeded');
    gate.resolve({ kind: 'succeeded', output: {} });
    await first;
  });
});
