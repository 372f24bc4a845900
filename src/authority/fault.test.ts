import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Opening, openWorld, overriding, typesOf } from '../../test/authority-world.ts';
import { createManualWorld } from '../../test/manual-world.ts';
import { type Ledger, LedgerError, type LedgerErrorCode } from '../ledger/ledger.ts';
import type { Answer, Performed } from './answer.ts';
import { settle } from './settle.ts';

const PAY = { charge: 'ch_1', amount: 100 };

/** Fails the n-th write of an intent or an outcome: `lost` never reaches the store, `landed` does. */
function failing(which: 'transact' | 'append', how: 'lost' | 'landed', code: LedgerErrorCode) {
  return (ledger: Ledger): Ledger => {
    const failed = new LedgerError(code, 'on purpose');
    if (which === 'append') {
      return overriding(ledger, {
        append: async (writes) => {
          const outcome = writes.entries.some((entry) => entry.type.startsWith('call.'));
          if (!outcome || how === 'landed') await ledger.append(writes);
          if (outcome) throw failed;
        },
      });
    }
    return overriding(ledger, {
      transact: async (reads, compose) => {
        // What looks at the clock is not the write of an intent.
        if (reads.facts?.includes('clock/gap') === true) return ledger.transact(reads, compose);
        if (how === 'landed') await ledger.transact(reads, compose);
        throw failed;
      },
    });
  };
}

describe('when the write of an intent fails', () => {
  for (const code of ['busy', 'disk-full', 'stopped', 'tampered'] as const) {
    test(`and is lost (${code}), nothing is dispatched and the call is denied`, async () => {
      const world = await openWorld({ between: failing('transact', 'lost', code) });
      const answer = await world.call('bank.pay', PAY);
      const codes = {
        busy: 'busy',
        'disk-full': 'busy',
        stopped: 'ledger-stopped',
        tampered: 'ledger-tampered',
      } as const;
      assert.deepEqual([answer.decision?.code, answer.state], [codes[code], 'denied']);
      assert.deepEqual(world.effects, []);
    });
  }

  test('without telling whether it landed, and it did not, nothing is dispatched', async () => {
    const world = await openWorld({ between: failing('transact', 'lost', 'outcome-unknown') });
    assert.equal((await world.call('bank.pay', PAY)).state, 'denied');
    assert.deepEqual(world.effects, []);
  });

  test('without telling whether it landed, and it did, the call goes on once under its own attempt id', async () => {
    const world = await openWorld({ between: failing('transact', 'landed', 'outcome-unknown') });
    assert.equal((await world.call('bank.pay', PAY)).state, 'succeeded');
    assert.equal(world.effects.length, 1);
    assert.deepEqual(typesOf(world), ['call.intent', 'call.succeeded']);
  });
});

describe('when the write of an outcome fails', () => {
  for (const [how, code, told] of [
    ['lost', 'stopped', 'unknown'],
    ['lost', 'outcome-unknown', 'unknown'],
    ['landed', 'outcome-unknown', 'succeeded'],
  ] as const) {
    test(`${how} with ${code}, the caller is told ${told}, never a success that is not recorded`, async () => {
      const world = await openWorld({ between: failing('append', how, code) });
      const answer = await world.call('bank.pay', PAY);
      assert.equal(answer.state, told);
      assert.equal(world.effects.length, 1);
      assert.equal(typesOf(world).at(-1), told === 'succeeded' ? 'call.succeeded' : 'call.intent');
    });
  }

  for (const code of ['busy', 'disk-full'] as const) {
    /** A call whose outcome is refused so often, in a world in which time passes when somebody waits for less than a second. */
    const refused = async (times: number) => {
      const manual = createManualWorld();
      let left = times;
      const opening = await openWorld({
        world: {
          ...manual,
          sleep: async (ms, signal) => (ms < 1_000 ? manual.advance(ms) : manual.sleep(ms, signal)),
        },
        between: (ledger) =>
          overriding(ledger, {
            append: async (writes) => {
              if (!writes.entries.some(({ type }) => type.startsWith('call.'))) return ledger.append(writes);
              left -= 1;
              if (left >= 0) throw new LedgerError(code, 'on purpose');
              return ledger.append(writes);
            },
          }),
      });
      const answer = await opening.call('bank.pay', PAY, { timeoutMs: 10_000 });
      return { answer, opening, tries: times - left, tookMs: manual.monotonic() };
    };

    test(`for a while, it is tried again until it is recorded, and the call is sent once [R-outcome-room] (${code})`, async () => {
      const { answer, opening, tries } = await refused(30);
      assert.deepEqual([answer.state, answer.replayed, tries], ['succeeded', false, 31]);
      assert.deepEqual(typesOf(opening), ['call.intent', 'call.succeeded']);
      assert.equal(opening.effects.length, 1);
    });

    test(`until the deadline of the call, the caller is told unknown by then [R-outcome-room] (${code})`, async () => {
      const { answer, opening, tookMs } = await refused(Number.POSITIVE_INFINITY);
      assert.equal(answer.decision?.code, 'outcome-unknown');
      assert.deepEqual([typesOf(opening), opening.effects.length], [['call.intent'], 1]);
      assert.ok(tookMs > 9_000 && tookMs < 10_000, `it took ${tookMs} ms`);
    });
  }

  for (const [kind, as] of [
    ['succeeded', 'executed'],
    ['failed', 'executed'],
    ['not-started', 'not-executed'],
  ] as const) {
    test(`because a sibling declared the call unknown, a late ${kind} settles it as ${as}`, async () => {
      const world = await openWorld();
      const late: Performed =
        kind === 'not-started' ? { kind, reason: 'refused' } : { kind, output: { isError: kind === 'failed' } };
      const answer = await world.call('bank.pay', PAY, {
        perform: async () => {
          await declareUnknown(world);
          return late;
        },
      });
      assert.deepEqual([answer.state, answer.replayed], [kind, false]);
      assert.deepEqual(typesOf(world), ['call.intent', 'call.unknown', 'call.settled']);
      const settled = world.entries().at(-1);
      assert.deepEqual([settled?.['as'], settled?.['by']], [as, 'transport']);
      const again = await world.call('bank.pay', PAY);
      if (as === 'executed') assert.deepEqual([again.replayed, again.output], [true, { isError: kind === 'failed' }]);
      else assert.deepEqual([again.state, again.replayed, world.effects.length], ['succeeded', false, 1]);
    });
  }

  test('because somebody settled the call before, the settlement stands and is the answer', async () => {
    const world = await openWorld();
    const answer = await world.call('bank.pay', PAY, {
      perform: async () => {
        const call = await declareUnknown(world);
        const said = { call, as: 'executed', by: 'os:somebody', reason: 'seen', output: { said: 1 } } as const;
        assert.equal((await settle(world.ledger, world, said)).ok, true);
        return { kind: 'succeeded', output: { done: 1 } };
      },
    });
    assert.deepEqual([answer.state, answer.output], ['settled-executed', { said: 1 }]);
    assert.deepEqual(typesOf(world), ['call.intent', 'call.unknown', 'call.settled']);
  });

  test('because the call was declared unknown, and it was lost as well, the caller is told unknown', async () => {
    const world = await openWorld();
    const answer = await world.call('bank.pay', PAY, {
      perform: async () => {
        await declareUnknown(world);
        return { kind: 'unknown', reason: 'lost' };
      },
    });
    assert.equal(answer.decision?.code, 'outcome-unknown');
    assert.deepEqual(typesOf(world), ['call.intent', 'call.unknown']);
  });
});

/** As a sibling does; answers the call's id. */
async function declareUnknown(world: Opening): Promise<string> {
  const [row] = world.disk.tables.rows();
  assert.ok(row);
  const fields = { call: row.id, attempt: row.attempt, reason: 'x' };
  await world.ledger.append({ entries: [{ id: row.id, type: 'call.unknown', fields }] });
  return row.id;
}

/** Leaves a call between intent and outcome, its effect made, and kills the process. */
async function crashed(): Promise<{ dead: Opening; next: Opening }> {
  const world = createManualWorld();
  const dead = await openWorld({ world });
  const never = new Promise<Performed>(() => {});
  void dead.call('bank.pay', PAY, { perform: (args) => (dead.effects.push(args), never) });
  while (dead.effects.length === 0) await new Promise(setImmediate);
  dead.disk.alive.delete(dead.ledger.instance);
  return { dead, next: await openWorld({ world, disk: dead.disk, effects: dead.effects, vault: dead.vault }) };
}

describe('after a crash between intent and outcome', () => {
  test('the call is unknown, and no proposal under its key runs it again [R-at-most-once]', async () => {
    const { next } = await crashed();
    assert.equal(await next.authority.recover(), 1);
    assert.equal(await next.authority.recover(), 0);
    assert.equal((await next.call('bank.pay', PAY)).decision?.code, 'outcome-unknown');
    assert.equal(next.effects.length, 1);
    assert.deepEqual(typesOf(next), ['call.intent', 'call.unknown']);
  });

  test('a proposal that finds the dead call before anybody recovered it settles it as unknown itself', async () => {
    const { next } = await crashed();
    const waiting = next.call('bank.pay', PAY);
    for (let turn = 0; turn < 10; turn += 1) {
      await new Promise(setImmediate);
      next.world.advance(100);
    }
    assert.equal((await waiting).decision?.code, 'outcome-unknown');
    assert.equal(next.effects.length, 1);
  });
});

describe('past the deadline of a call whose process lives', () => {
  /** A call of `one` that runs until `gate`, and a sibling that looks on. */
  async function running(): Promise<{
    one: Opening;
    two: Opening;
    gate: PromiseWithResolvers<Performed>;
    call: Promise<Answer>;
  }> {
    const one = await openWorld();
    const gate = Promise.withResolvers<Performed>();
    const call = one.call('bank.pay', PAY, { perform: () => gate.promise, timeoutMs: 10_000 });
    while (!typesOf(one).includes('call.intent')) await new Promise(setImmediate);
    return { one, two: await openWorld(one), gate, call };
  }

  test('a sibling declares it unknown after the grace, not before, and its own process never does [R-overdue]', async () => {
    const { one, two } = await running();
    assert.equal(await two.authority.recover(), 0);
    for (const ms of [9_999, 1, 4_999]) {
      one.world.advance(ms);
      assert.equal(await two.authority.recover(), 0, 'a live call is left alone until its grace is over');
    }
    one.world.advance(1);
    assert.equal(await one.authority.recover(), 0);
    assert.equal(await two.authority.recover(), 1);
    assert.equal(await two.authority.recover(), 0);
    assert.match(JSON.stringify(one.entries().at(-1)), /deadline passed/);
    assert.equal((await two.call('bank.pay', PAY)).decision?.code, 'outcome-unknown');
  });

  test('a wall clock that jumps forward declares nothing, nor does a process that has just come', async () => {
    const { one, two, gate, call } = await running();
    await two.authority.recover();
    one.world.setWall(one.world.now() + 3_600_000);
    assert.equal(await two.authority.recover(), 0);
    const three = await openWorld(one);
    assert.equal(await three.authority.recover(), 0);
    one.world.advance(4_999);
    assert.equal((await two.authority.recover()) + (await three.authority.recover()), 0);
    gate.resolve({ kind: 'succeeded', output: {} });
    assert.equal((await call).state, 'succeeded');
    assert.deepEqual(typesOf(one), ['call.intent', 'call.succeeded']);
  });

  test('who waits for it under its key learns that it is unknown, and once its own process is back, the result', async () => {
    const { one, two, gate, call } = await running();
    const waiting = two.call('bank.pay', PAY);
    for (let turn = 0; turn < 200; turn += 1) {
      await new Promise(setImmediate);
      one.world.advance(100);
    }
    assert.equal((await waiting).decision?.code, 'outcome-unknown');
    gate.resolve({ kind: 'succeeded', output: { paid: 1 } });
    assert.deepEqual((await call).output, { paid: 1 });
    const again = await two.call('bank.pay', PAY);
    assert.deepEqual([again.state, again.output, two.effects.length], ['settled-executed', { paid: 1 }, 0]);
  });

  test('its own process, paused before the send, does not send any more [R-at-most-once]', async () => {
    const world = createManualWorld();
    let two: Opening | undefined;
    const between = (ledger: Ledger): Ledger =>
      overriding(ledger, {
        transact: async (reads, compose) => {
          const result = await ledger.transact(reads, compose);
          // Suspended here, once the intent is durable.
          if (two === undefined && reads.keys !== undefined) {
            two = await openWorld({ ...one, between: (own) => own });
            await two.authority.recover();
            world.advance(15_000);
            assert.equal(await two.authority.recover(), 1);
          }
          return result;
        },
      });
    const one = await openWorld({ world, between });
    const answer = await one.call('bank.pay', PAY, { timeoutMs: 10_000 });
    assert.deepEqual([answer.state, one.effects], ['not-started', []]);
    assert.deepEqual(typesOf(one), ['call.intent', 'call.unknown', 'call.settled']);
    assert.equal((await two?.call('bank.pay', PAY))?.state, 'succeeded');
    assert.equal(one.effects.length, 1);
  });
});

describe('settling', () => {
  const as = (call: string, outcome: 'executed' | 'not-executed') =>
    ({ call, as: outcome, by: 'os:somebody', reason: 'seen' }) as const;

  async function unknown(): Promise<{ next: Opening; call: string }> {
    const { next } = await crashed();
    await next.authority.recover();
    return { next, call: (await next.call('bank.pay', PAY)).call };
  }

  test('as executed answers later proposals with the output a person gave', async () => {
    const { next, call } = await unknown();
    const settled = await settle(next.ledger, next, { ...as(call, 'executed'), output: { paid: true } });
    assert.equal(settled.ok, true);
    const answer = await next.call('bank.pay', PAY);
    assert.deepEqual([answer.state, answer.replayed, answer.output], ['settled-executed', true, { paid: true }]);
    assert.equal(next.effects.length, 1);
  });

  test('as executed without an output says so', async () => {
    const { next, call } = await unknown();
    await settle(next.ledger, next, as(call, 'executed'));
    assert.match(JSON.stringify((await next.call('bank.pay', PAY)).output), /recorded no output/);
  });

  test('as not executed frees the key for a new attempt', async () => {
    const { next, call } = await unknown();
    assert.equal((await settle(next.ledger, next, as(call, 'not-executed'))).ok, true);
    const answer = await next.call('bank.pay', PAY);
    assert.deepEqual([answer.state, answer.call, next.effects.length], ['succeeded', call, 2]);
  });

  test('is refused for what is not unknown, for what is not there, and a second time', async () => {
    const { next, call } = await unknown();
    const codeOf = async (id: string): Promise<string> => {
      const settled = await settle(next.ledger, next, as(id, 'executed'));
      return settled.ok ? 'ok' : settled.code;
    };
    assert.equal(await codeOf('01890000-0000-7000-8000-000000000000'), 'no-such-call');
    assert.equal(await codeOf((await next.call('bank.wire')).call), 'not-unknown');
    assert.equal(await codeOf(call), 'ok');
    assert.equal(await codeOf(call), 'not-unknown');
  });

  test('is refused for another attempt than the one whose process was looked at', async () => {
    const { next, call } = await unknown();
    const between = overriding(next.ledger, {
      isAlive: async (instance) => {
        await settle(next.ledger, next, as(call, 'not-executed'));
        await next.call('bank.pay', PAY, { perform: async () => ({ kind: 'unknown', reason: 'lost' }) });
        return next.ledger.isAlive(instance);
      },
    });
    const settled = await settle(between, next, as(call, 'not-executed'));
    assert.equal(settled.ok ? 'ok' : settled.code, 'not-unknown');
    assert.equal((await next.ledger.call(call))?.state, 'unknown');
  });

  test('is refused for a call that ran when it was looked at, though it has become unknown since', async () => {
    const world = await openWorld();
    const gate = Promise.withResolvers<Performed>();
    const calling = world.call('bank.pay', PAY, { perform: () => gate.promise });
    while (typesOf(world).length === 0) await new Promise(setImmediate);
    const [row] = world.disk.tables.rows();
    const between = overriding(world.ledger, {
      call: async () => {
        gate.resolve({ kind: 'unknown', reason: 'lost' });
        await calling;
        return row;
      },
    });
    const settled = await settle(between, world, as(row?.id ?? '', 'not-executed'));
    assert.equal(settled.ok ? 'ok' : settled.code, 'not-unknown');
    assert.equal((await world.ledger.call(row?.id ?? ''))?.state, 'unknown');
  });

  test('as not executed is refused while the process that sent the call lives', async () => {
    const world = await openWorld();
    const { call } = await world.call('bank.pay', PAY, { perform: async () => ({ kind: 'unknown', reason: 'lost' }) });
    const settled = await settle(world.ledger, world, as(call, 'not-executed'));
    assert.equal(settled.ok ? 'ok' : settled.code, 'owner-alive');
    assert.equal((await settle(world.ledger, world, as(call, 'executed'))).ok, true);
  });
});
