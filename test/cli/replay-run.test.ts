/** `interlock replay RUN`: moves and decisions made again, without the world. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunReplay } from '../../src/audit/replay-run.ts';
import { type Ended, Scratch, run } from './command.ts';
import { RUN_POLICY, recordRuns } from './recorded-run.ts';
import { entriesOf, rewrite } from '../tampered-log.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
let runs: readonly string[] = [];

before(async () => {
  runs = await recordRuns(data, [5, 60, 500]);
  scratch.write('strict.yaml', RUN_POLICY.replace('<= 100', '<= 50'));
  scratch.write('open.yaml', RUN_POLICY.replace('<= 100', '<= 1000'));
});
after(() => scratch[Symbol.dispose]());

type Told = RunReplay & { readonly ok: boolean; readonly differing: number; readonly missing: number };

function command(...args: readonly string[]): Promise<Ended> {
  return run(['replay', ...args], { directory: scratch.path });
}

async function replay(...args: readonly string[]): Promise<Told & { readonly code: number | null }> {
  const { code, out, err } = await command(...args, '--json');
  assert.equal(err, '');
  return { ...(JSON.parse(out) as Told), code };
}

test('a run goes again as it went, every move and every decision [R-replay-run]', async () => {
  for (const [nth, status, path] of [
    [0, 'success', 'pay check done'],
    [1, 'success', 'pay check twice done'],
    [2, 'rejected', 'pay refused'],
  ] as const) {
    const told = await replay(runs[nth] ?? '');
    assert.deepEqual([told.code, told.ok, told.status, told.program], [0, true, status, 'paying']);
    assert.equal(told.moves.flatMap(({ steps }) => steps).join(' '), path);
    assert.ok(told.moves.every(({ differs, attested }) => differs === undefined && attested === undefined));
  }
  const shown = await command(runs[1] ?? '');
  assert.match(shown.out, /^program paying\n {6}entry \d+ {2}start {2}running {2}→ pay\n/u);
  assert.match(shown.out, /as recorded: 3 moves, 2 decisions\n$/u);
});

test('with another policy it tells the first call that is decided otherwise, and where the run goes then [R-replay-run]', async () => {
  const strict = await replay(runs[1] ?? '', '--policy', 'strict.yaml');
  assert.deepEqual([strict.code, strict.differing, strict.first?.command], [1, 1, 'pay/1']);
  assert.deepEqual(strict.first?.instead, { status: 'rejected', steps: ['refused'] });
  // What was denied has no outcome to go on with.
  const wide = await replay(runs[2] ?? '', '--policy', 'open.yaml');
  assert.deepEqual(
    [wide.code, wide.first?.decided.effect, wide.first?.instead, wide.missing],
    [1, 'allow', undefined, 1],
  );
  const shown = await command(runs[1] ?? '', '--policy', 'strict.yaml');
  assert.match(
    shown.out,
    /pay\/1 was allow \(allowed\) by small, is deny \(no-rule\), and the run rejected by refused\n/u,
  );
});

test('it stops where a step is entered, and shows what the run had then [R-replay-run]', async () => {
  const { state, moves, steps } = await replay(runs[1] ?? '', '--until', 'twice');
  assert.deepEqual([moves.length, steps.length], [2, 1]);
  assert.deepEqual(state?.input, { amount: 60 });
  assert.deepEqual(state?.outputs, { pay: { args: { amount: 60 } } });
  assert.equal(state?.pending?.[0]?.['tool'], 'shop.pay');
  assert.match((await command(runs[1] ?? '', '--until', 'twice')).out, / {2}pay {2}\{"args":\{"amount":60\}\}\n/u);
  const never = await command(runs[0] ?? '', '--until', 'twice');
  assert.deepEqual([never.code, /never came to step `twice`/u.test(never.err)], [2, true]);
});

test('a move that was forged does not follow, also where the log was signed again [R-replay-run]', async () => {
  const entries = entriesOf(data);
  const at = entries.findIndex(
    ({ type, run: of }) => type === 'program.moved' && JSON.stringify(of).includes(runs[1] ?? ''),
  );
  const forged = entries.map((entry, position) => (position === at ? { ...entry, steps: ['done'] } : entry));
  rewrite(data, forged, 'all');
  const told = await replay(runs[1] ?? '');
  assert.equal(told.code, 1);
  assert.deepEqual(
    told.moves.flatMap(({ entry, differs }) =>
      differs === undefined ? [] : [[entry, differs.endsWith('[run-move]')]],
    ),
    [[at, true]],
  );
});
