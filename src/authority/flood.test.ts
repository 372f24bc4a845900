import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Opening, deepProblems, openWorld, overriding, typesOf } from '../../test/authority-world.ts';
import { START_MS } from '../../test/manual-world.ts';
import { textOf } from '../../test/simulation/reading.ts';
import { deniedCode } from '../ledger/denial.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { watchFloods } from './flood.ts';

const MINUTE = 60_000;

const SHORT = `interlock: 1
tools:
  bank.asked: { input: { type: object } }
  bank.balance: { effect: read, input: { type: object } }
rules:
  - allow: bank.asked
  - { ask: bank.asked, expires: 1s }
`;

/** Of each principal and code: how many denials are entries, and how many of them the log counts. */
function account(opening: Opening): Record<string, readonly [entries: number, counted: number]> {
  const account: Record<string, [number, number]> = {};
  for (const entry of opening.entries()) {
    const isCount = entry.type === 'denial.repeated';
    if (entry.type !== 'call.denied' && !isCount) continue;
    const code = isCount ? textOf(entry, 'code') : deniedCode(entry);
    const of = (account[`${textOf(entry, 'principal')} ${code}`] ??= [0, 0]);
    of[isCount ? 1 : 0] += isCount ? Number(entry['count']) : 1;
  }
  return account;
}

function counts(opening: Opening): readonly Entry[] {
  return opening.entries().filter(({ type }) => type === 'denial.repeated');
}

/** `times` denials one after the other. */
async function flood(opening: Opening, times: number, tool = 'bank.hidden', principal = 'local'): Promise<void> {
  for (let each = 0; each < times; each += 1) {
    const { state, decision } = await opening.call(tool, {}, { principal });
    assert.equal(state, 'denied');
    assert.notEqual(decision?.code, 'busy');
  }
}

test('of 5,000 denials at once 20 are entries, and one entry counts the others [R-floods]', async () => {
  const opening = await openWorld();
  const answers = await Promise.all(Array.from({ length: 5_000 }, () => opening.call('bank.hidden')));
  for (const { state, decision, sentence } of answers) {
    assert.deepEqual([state, decision?.code], ['denied', 'unknown-tool']);
    assert.ok(sentence !== undefined);
  }
  assert.equal(new Set(answers.map(({ call }) => call)).size, 5_000);
  assert.equal(await opening.authority.tally('over'), 0, 'the minute is not over');
  opening.world.advance(MINUTE);
  assert.equal(await opening.authority.tally('over'), 1);
  assert.deepEqual(account(opening), { 'local no-rule': [20, 4_980] });
  const at = new Date(START_MS).toISOString();
  const { ledger } = opening;
  const said = ['first', 'last', 'tools', 'recorded', 'instance'].map((name) => counts(opening)[0]?.[name]);
  assert.deepEqual(said, [at, at, ['bank.hidden'], 20, ledger.instance]);
  assert.deepEqual(deepProblems(opening), []);
  assert.equal(await opening.authority.tally('all'), 0);
});

test('each minute, principal and code is counted for itself [R-floods]', async () => {
  const opening = await openWorld();
  await flood(opening, 25);
  await flood(opening, 21, 'bank.hidden', 'bo');
  await flood(opening, 22, 'no.such');
  opening.world.advance(MINUTE - 1);
  await flood(opening, 1);
  opening.world.advance(1);
  await flood(opening, 21);
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), {
    'local no-rule': [40, 7],
    'bo no-rule': [20, 1],
    'local unknown-tool': [20, 2],
  });
  assert.deepEqual(deepProblems(opening), []);
});

test('tools are named up to eight, and that there were more is said', async () => {
  const opening = await openWorld();
  await flood(opening, 20, 'no.such');
  for (let each = 0; each < 9; each += 1) await flood(opening, 2, `no.tool${each}\ud800${'x'.repeat(300)}`);
  await opening.authority.tally('all');
  const [told] = counts(opening);
  const tools = told?.['tools'] as readonly string[];
  assert.deepEqual([tools.length, told?.['toolsMore']], [8, true]);
  assert.ok(tools.every((tool) => tool.isWellFormed() && tool.length <= 256));
  assert.deepEqual(deepProblems(opening), []);
});

test('a transaction that is composed again counts its call once', async () => {
  const between = (ledger: Ledger): Ledger =>
    overriding(ledger, {
      transact: async (reads, compose) => {
        await ledger.transact(reads, (facts) => ({ result: void compose(facts) }));
        return ledger.transact(reads, compose);
      },
    });
  const opening = await openWorld({ between });
  await flood(opening, 30);
  for (let each = 0; each < 30; each += 1) await opening.authority.malformed('local', 'session', 'no JSON');
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local no-rule': [20, 10], 'local malformed': [20, 10] });
});

/** An opening whose next transactions meet these, one each. */
async function failing(): Promise<{ readonly opening: Opening; readonly faults: ('busy' | 'lost' | 'landed')[] }> {
  const faults: ('busy' | 'lost' | 'landed')[] = [];
  const between = (ledger: Ledger): Ledger =>
    overriding(ledger, {
      transact: async (reads, compose) => {
        const fault = faults.shift();
        if (fault === undefined) return ledger.transact(reads, compose);
        await ledger.transact(reads, fault === 'landed' ? compose : (facts) => ({ result: void compose(facts) }));
        throw new LedgerError(fault === 'busy' ? 'busy' : 'outcome-unknown', 'on purpose');
      },
    });
  return { opening: await openWorld({ between }), faults };
}

test('a denial that was not written gives its place to the next one, and is not counted', async () => {
  const { opening, faults } = await failing();
  await flood(opening, 19);
  faults.push('busy');
  assert.equal((await opening.call('bank.hidden')).decision?.code, 'busy');
  await flood(opening, 2);
  faults.push('busy');
  assert.equal((await opening.call('bank.hidden')).decision?.code, 'busy');
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local no-rule': [20, 1] });
});

test('a denial that may have been written keeps its place, and the count says how many are known to be', async () => {
  const { opening, faults } = await failing();
  await flood(opening, 1);
  faults.push('lost', 'landed');
  for (let each = 0; each < 2; each += 1) await opening.call('bank.hidden');
  await flood(opening, 18);
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local no-rule': [19, 1] });
  assert.equal(counts(opening)[0]?.['recorded'], 18);
  assert.deepEqual(deepProblems(opening), []);
});

test('a denial that is composed when nobody waits for it any more is counted for nobody', async () => {
  const { ledger, world, ...opening } = await openWorld();
  const floods = watchFloods(ledger, world);
  const denial = { principal: 'local', code: 'no-rule', tool: 'bank.pay' } as const;
  const later: (() => boolean)[] = [];
  for (let each = 0; each < 25; each += 1) {
    await floods.denying(async (admits) => {
      later.push(() => admits(denial, world.now()));
      return admits(denial, world.now());
    });
  }
  await assert.rejects(
    floods.denying(async (admits) => {
      later.push(() => admits(denial, world.now()));
      admits(denial, world.now());
      throw new LedgerError('outcome-unknown', 'it lands later');
    }),
  );
  assert.deepEqual(
    later.map((composed) => composed()),
    [...Array.from({ length: 20 }, () => true), ...Array.from({ length: 6 }, () => false)],
  );
  assert.equal(await floods.tell('all'), 1);
  assert.equal(opening.entries().at(-1)?.['count'], 5);
});

test('counts that found the ledger busy are recorded later, and those that may be in the log not twice', async () => {
  const { opening, faults } = await failing();
  await flood(opening, 22);
  faults.push('busy');
  await assert.rejects(opening.authority.tally('all'), { code: 'busy' });
  // Denials of the next minute are counted beside them.
  await flood(opening, 23);
  assert.equal(await opening.authority.tally('all'), 2);
  assert.deepEqual(account(opening), { 'local no-rule': [40, 5] });
  await flood(opening, 21);
  faults.push('landed');
  await assert.rejects(opening.authority.tally('all'), { code: 'outcome-unknown' });
  assert.equal(await opening.authority.tally('all'), 0);
  assert.deepEqual(account(opening), { 'local no-rule': [60, 6] });
});

test('two processes on one log count each for itself, and a crash loses what was only counted', async () => {
  const one = await openWorld();
  const two = await openWorld({ disk: one.disk, world: one.world, vault: one.vault });
  await flood(one, 25);
  await flood(two, 26);
  const three = await openWorld({ disk: one.disk, world: one.world, vault: one.vault });
  await flood(three, 30);
  await one.authority.tally('all');
  await two.authority.tally('all');
  assert.deepEqual(account(one), { 'local no-rule': [60, 11] });
  assert.deepEqual(deepProblems(one), []);
});

test('20,000 lines that are no messages make 21 entries, and few of them reach the ledger [R-floods]', async () => {
  let transactions = 0;
  const between = (ledger: Ledger): Ledger =>
    overriding(ledger, {
      transact: (reads, compose) => {
        transactions += 1;
        return ledger.transact(reads, compose);
      },
    });
  const opening = await openWorld({ between });
  const lines = Array.from({ length: 20_000 }, () => opening.authority.malformed('local', 'session', 'no JSON'));
  await Promise.all(lines);
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local malformed': [20, 19_980] });
  assert.equal(transactions, 21);
  assert.deepEqual(counts(opening)[0]?.['tools'], []);
  assert.deepEqual(deepProblems(opening), []);
});

test('what is decided without a policy is counted as well', async () => {
  const opening = await openWorld();
  await opening.authority.refuse('it has a mistake');
  await flood(opening, 30, 'bank.pay');
  for (let each = 0; each < 30; each += 1) await opening.call('bank.pay', {}, { key: '' });
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local policy-invalid': [20, 10], 'local malformed': [20, 10] });
  assert.deepEqual(deepProblems(opening), []);
});

test('an approval that expires is an entry however many do', async () => {
  const opening = await openWorld({ policy: SHORT });
  for (let round = 0; round < 2; round += 1) {
    for (let each = 0; each < 15; each += 1) await opening.call('bank.asked', { round, each });
    opening.world.advance(1_000);
    for (let each = 0; each < 15; each += 1) {
      assert.equal((await opening.call('bank.asked', { round, each })).decision?.code, 'approval-expired');
    }
  }
  assert.equal(typesOf(opening).filter((type) => type === 'call.expired').length, 30);
});

test('more principals than can be kept cost entries, and no count is lost', async () => {
  const { ledger, world, ...opening } = await openWorld();
  const floods = watchFloods(ledger, world);
  const denied = { entries: 0, counted: 0 };
  const deny = (principal: string): Promise<boolean> =>
    floods.denying(async (admits) => {
      const isEntry = admits({ principal, code: 'no-rule', tool: 'bank.pay' }, world.now());
      denied[isEntry ? 'entries' : 'counted'] += 1;
      return isEntry;
    });
  for (let principal = 0; principal < 2_000; principal += 1) {
    for (let each = 0; each < 25; each += 1) await deny(`p${principal}`);
  }
  assert.deepEqual(denied, { entries: 2_000 * 20, counted: 2_000 * 5 });
  // The first ones had to make room, and begin anew; the last one has not.
  assert.deepEqual([await deny('p0'), await deny('p1999')], [true, false]);
  // There is no room for more that must be remembered: what is denied then is an entry as if nothing were counted.
  for (let principal = 0; principal < 1_024; principal += 1) {
    for (let each = 0; each < 21; each += 1) await deny(`q${principal}`);
  }
  for (let each = 0; each < 30; each += 1) assert.equal(await deny('late'), true);
  assert.equal(await floods.tell('over'), 1_024);
  for (let each = 0; each < 20; each += 1) assert.equal(await deny('late'), true);
  assert.equal(await deny('late'), false);
  await floods.tell('all');
  const counts = opening.entries().flatMap(({ type, count }) => (type === 'denial.repeated' ? [Number(count)] : []));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    denied.counted,
  );
});

test('a clock that goes back does not prolong a minute, and one that goes ahead ends it', async () => {
  const opening = await openWorld({ policy: SHORT });
  await flood(opening, 25, 'bank.balance');
  opening.world.setWall(START_MS - 3_600_000);
  await flood(opening, 1, 'bank.balance');
  opening.world.advance(MINUTE);
  await flood(opening, 21, 'bank.balance');
  opening.world.setWall(START_MS + 3_600_000);
  await flood(opening, 21, 'bank.balance');
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local no-rule': [60, 8] });
  assert.deepEqual(deepProblems(opening), []);
});

test('a clock that jumps while denials are counted puts no count before its denials, or after its own entry', async () => {
  let jump = 0;
  const between = (ledger: Ledger): Ledger =>
    overriding(ledger, {
      transact: (reads, compose) => {
        opening.world.setWall(opening.world.now() + jump);
        jump = 0;
        return ledger.transact(reads, compose);
      },
    });
  const opening = await openWorld({ between });
  const lines = (count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, () => opening.authority.malformed('local', 'session', 'no JSON')));
  opening.world.advance(MINUTE);
  // Between the look at the clock and the commit.
  jump = -40_000;
  await lines(21);
  opening.world.setWall(START_MS + MINUTE + 29_000);
  await lines(1);
  opening.world.setWall(START_MS + MINUTE + 10_000);
  await opening.authority.tally('all');
  // A minute has passed since the entries.
  assert.deepEqual(account(opening), { 'local malformed': [21, 1] });
  assert.deepEqual(deepProblems(opening), []);
  // Ahead by the clock, and back before it is recorded.
  opening.world.advance(MINUTE);
  await lines(20);
  opening.world.setWall(START_MS + 3 * MINUTE);
  await lines(1);
  opening.world.setWall(START_MS);
  await opening.authority.tally('all');
  assert.deepEqual(account(opening), { 'local malformed': [41, 2] });
  assert.deepEqual(deepProblems(opening), []);
});

const STEP = fc.oneof(
  { weight: 8, arbitrary: fc.record({ deny: fc.integer({ min: 1, max: 30 }), of: fc.constantFrom('ada', 'bo') }) },
  { weight: 3, arbitrary: fc.record({ bad: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 70_000 }) }) },
  { weight: 2, arbitrary: fc.record({ jump: fc.integer({ min: -2_000_000, max: 2_000_000 }) }) },
  { weight: 2, arbitrary: fc.constant({ tally: true }) },
);

test('whatever the clocks do, entries and counts are what was denied, and the log verifies deeply [R-floods]', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 25 }), async (steps) => {
      // Of a tool that reads: others are stopped once the clock has jumped.
      const opening = await openWorld({ policy: SHORT });
      const denied: Record<string, number> = {};
      for (const step of steps) {
        if ('pass' in step) opening.world.advance(step.pass);
        if ('jump' in step) opening.world.setWall(opening.world.now() + step.jump);
        if ('tally' in step) await opening.authority.tally('over');
        if ('deny' in step) {
          const { deny, of } = step;
          denied[`${of} no-rule`] = (denied[`${of} no-rule`] ?? 0) + deny;
          await Promise.all(Array.from({ length: deny }, () => opening.call('bank.balance', {}, { principal: of })));
        }
        if ('bad' in step) {
          denied['ada malformed'] = (denied['ada malformed'] ?? 0) + step.bad;
          await Promise.all(Array.from({ length: step.bad }, () => opening.authority.malformed('ada', 's', 'bad')));
        }
      }
      await opening.authority.tally('all');
      const told = Object.entries(account(opening)).map(([of, [entries, counted]]) => [of, entries + counted]);
      assert.deepEqual(Object.fromEntries(told), denied);
      assert.deepEqual(deepProblems(opening), []);
    }),
    { numRuns: 60 },
  );
});
