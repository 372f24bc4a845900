/** `FAULTS=all` kills a process at every point, twice; without it, at those where a call is most at risk. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { STATE_OF_ROW } from '../../src/authority/answering.ts';
import { FAULT_POINTS, dieAtOf } from '../../src/cli/die-at.ts';
import { fakeTerminal } from '../cli/command.ts';
import { readFiles } from '../source.ts';
import { ARROWS } from './arrows.ts';
import { bankPlace } from './bank-place.ts';
import { OTHER_WRITES, runOther } from './other-writes.ts';
import { FRESH, ask, runArrow, tellOf } from './run.ts';
import { expectedFaults, pointsOf, pointsOnPage, readPage, statesOnPage, withFaults } from './table.ts';

const ALL = process.env['FAULTS'] === 'all';
/** Of the arrow from proposal to reply. */
const SOON: ReadonlySet<string> = new Set(['call.intent/lost', 'call.intent/landed', 'sent', 'call.succeeded/landed']);

test('every arrow of the states has a fault point, and every fault point an arrow or a write [R-crash-windows]', () => {
  const page = readPage();
  assert.deepEqual(new Set(pointsOnPage(page)), new Set(FAULT_POINTS));
  const states = statesOnPage(page);
  const ends = new Set(ARROWS.map(({ name }) => name.split(' → ')[1]?.replace(': ', '-').replace(' ', '-')));
  for (const state of Object.keys(STATE_OF_ROW)) {
    assert.ok(ends.has(state), `no arrow leads to ${state}`);
    const [word = ''] = state.split('-executed')[0]?.split('-not') ?? [];
    assert.ok(states.has(state) || states.has(word), `${state} is not in the diagram`);
  }
  for (const { name } of ARROWS)
    for (const end of name.split(' → ')) assert.ok(states.has(end.split(/[: ]/u)[0] ?? ''), `${end} is not in it`);
});

test('the fault table of the page is the one that the runs must give', () => {
  const page = readPage();
  assert.equal(page, withFaults(page, expectedFaults()));
});

describe('killed at', { concurrency: 2 }, () => {
  for (const arrow of ARROWS) {
    for (const [point, outcome] of pointsOf(arrow)) {
      for (const round of [1, 2] as const) {
        const isRun = ALL || (round === 1 && SOON.has(point) && arrow.from === undefined);
        const title = `${point} on ${arrow.name}, call ${round}: ${outcome.told}, paid ${outcome.effects} times`;
        test(`${title} [R-crash-windows]`, { skip: isRun ? false : 'FAULTS=all runs it' }, async () => {
          assert.deepEqual(await runArrow(arrow, point, round), outcome);
        });
      }
    }
  }
  for (const write of OTHER_WRITES) {
    for (const side of ['lost', 'landed'] as const) {
      test(`${write.type}/${side}: ${write[side]}`, { skip: ALL ? false : 'FAULTS=all runs it' }, async () => {
        assert.equal(await runOther(write, side), write[side]);
      });
    }
  }
});

test('fault points are off: a server that is given the variable by the policy changes nothing', async () => {
  using place = bankPlace();
  const file = `${place.directory}/interlock.yaml`;
  const given = 'timeoutMs: 60000, env: { INTERLOCK_DIE_AT: proposed }';
  writeFileSync(file, readFileSync(file, 'utf8').replace('timeoutMs: 60000', given));
  const gateway = place.gateway();
  await gateway.hello();
  assert.equal(tellOf(await ask(gateway, FRESH, 'fresh')), 'succeeded');
  assert.equal(await gateway.close(), 0);
});

test('only the environment of the process names a fault point, and only one that there is', () => {
  assert.equal(dieAtOf(fakeTerminal()), undefined);
  const terminal = (value: string) => fakeTerminal({ environment: { INTERLOCK_DIE_AT: value } });
  assert.deepEqual(dieAtOf(terminal('sent:2')), { point: 'sent', visit: 2 });
  for (const value of ['nowhere', 'sent:0', 'sent:x', 'sent:1:1', 'call.intent', ':1'])
    assert.throws(() => dieAtOf(terminal(value)), /expected `INTERLOCK_DIE_AT` as POINT or POINT:VISIT/u, value);
  const naming = [...readFiles(['src'], ['.ts'])].filter(([, text]) => text.includes('INTERLOCK_DIE_AT'));
  assert.deepEqual(
    naming.map(([path]) => path),
    ['src/cli/die-at.ts'],
  );
});
