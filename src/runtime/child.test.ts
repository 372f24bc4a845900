import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepReport, overriding } from '../../test/authority-world.ts';
import { type RuntimeWorld, openRuntimeWorld } from '../../test/runtime-world.ts';
import type { Ledger } from '../ledger/ledger.ts';

const CALLER = `
program: caller
start: child
steps:
  child: { call: waiting, input: {}, next: done }
  done: { end: success, output: "\${{ steps.child.output }}" }
`;
const WAITING = `
program: waiting
events: { news: { type: object } }
start: news
steps:
  news: { wait: news, timeout: 1h, next: done, expired: done }
  done: { end: success, output: told }
`;
const programs = { waiting: WAITING };

/** The ledger of an opening that dies once a run has ended. */
function dyingAtEnd(die: (ledger: Ledger) => void): (ledger: Ledger) => Ledger {
  return (ledger) =>
    overriding(ledger, {
      transact: async (reads, compose) => {
        let isEnd = false;
        const result = await ledger.transact(reads, (facts) => {
          const composition = compose(facts);
          isEnd = composition.writes?.entries.some(({ type }) => type === 'program.ended') ?? false;
          return composition;
        });
        if (isEnd) die(ledger);
        return result;
      },
    });
}

test('a run whose process died when the program that it called was over goes on in the next one', async () => {
  const first: RuntimeWorld = await openRuntimeWorld({
    programs,
    between: dyingAtEnd((ledger) => first.disk.alive.delete(ledger.instance)),
  });
  const { run, waits } = await first.run(CALLER);
  await first.runtime.signal(waits[0]?.of ?? '', 'news', {}).catch(() => undefined);
  await first.runtime.idle();
  assert.equal((await first.runtime.get(waits[0]?.of ?? ''))?.status, 'success');
  assert.equal((await first.runtime.get(run))?.status, 'suspended');
  const { disk, vault, world } = first;
  const next = await openRuntimeWorld({ programs, disk, vault, world });
  await next.runtime.recover();
  await next.runtime.idle();
  const view = await next.runtime.get(run);
  assert.deepEqual([view?.status, view?.output], ['success', 'told']);
  assert.deepEqual(deepReport(next).problems, []);
});
