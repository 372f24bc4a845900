/** What is left of runs: receipts that others verify, and figures of many. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { runReceipts } from '../../src/audit/run-receipt.ts';
import { parseEntry } from '../../src/ledger/entry.ts';
import { utf8 } from '../../src/value/encoding.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { recordRuns } from './recorded-run.ts';

const scratch = new Scratch();
let runs: readonly string[] = [];

before(async () => {
  runs = await recordRuns(scratch.at('.interlock'), [5, 60, 500]);
});
after(() => scratch[Symbol.dispose]());

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

test('a receipt of a run holds its entries and those of its calls, and verifies elsewhere [R-run-receipt]', async () => {
  const [, id = ''] = runs;
  const made = await interlock('receipt', id, '-o', 'run.json', '--json');
  assert.deepEqual([made.code, made.err], [0, '']);
  const told = json(made.out);
  assert.equal(told['run'], id);
  using elsewhere = new Scratch();
  const text = readFileSync(scratch.at('run.json'), 'utf8');
  elsewhere.write('run.json', text);
  elsewhere.write('key', String(told['key']));
  const verified = await run(['verify', 'run.json', '--key', 'key', '--json'], { directory: elsewhere.path });
  assert.equal(verified.code, 0, verified.out);
  // Whoever has the file alone computes the same receipt.
  const { entries } = JSON.parse(text) as { entries: readonly { position: number; leaf: string }[] };
  const parsed = entries.map(({ position, leaf }) => {
    const entry = parseEntry(utf8(leaf));
    assert.ok(entry.ok);
    return [position, entry.value] as const;
  });
  assert.deepEqual(JSON.parse(JSON.stringify(runReceipts(parsed))), [told['receipt']]);
  const types = parsed.map(([, { type }]) => type);
  for (const type of [
    'program.content',
    'program.started',
    'program.moved',
    'program.ended',
    'call.intent',
    'call.succeeded',
  ]) {
    assert.ok(types.includes(type as (typeof types)[number]), type);
  }
  assert.equal(types.filter((type) => type === 'program.started').length, 1);
  assert.equal(types.filter((type) => type === 'call.intent').length, 2);

  const shown = await interlock('receipt', id.slice(-12), '-o', 'run.json');
  assert.match(shown.out, /success: pay → check → twice → done\n.*2 calls, 2 attempts; /su);
  const none = await interlock('receipt', 'nothing-like-it', '-o', 'run.json');
  assert.deepEqual([none.code, /no call and no run/u.test(none.err)], [2, true]);
  const opened = await interlock('receipt', id, '-o', 'x', '--disclose', '/output', '--to', 'x', '--reason', 'y');
  assert.deepEqual([opened.code, /opens values of a call/u.test(opened.err)], [2, true]);
});

test('runs --health tells figures of all runs, which are flagged, and what changed [R-run-health]', async () => {
  const told = await interlock('runs', '--health', '--json');
  assert.deepEqual([told.code, told.err], [1, '']);
  const { batch, runs: each } = JSON.parse(told.out) as {
    batch: { runs: number; statuses: unknown; figures: Record<string, number>; flags: readonly string[] };
    runs: readonly { run: string; flags: readonly string[] }[];
  };
  assert.deepEqual([batch.runs, batch.statuses], [3, { rejected: 1, success: 2 }]);
  assert.equal(batch.figures['deniedShare'], 0.25);
  assert.deepEqual(
    each.map(({ run: of, flags }) => [of, flags]),
    [
      [runs[0], []],
      [runs[1], []],
      [runs[2], ['pathVariance', 'deniedShare']],
    ],
  );
  writeFileSync(scratch.at('before.json'), told.out);
  const since = await interlock('runs', '--health', '--program', 'paying', '--baseline', 'before.json');
  assert.match(
    since.out,
    /^3 runs: 1 rejected, 2 success\n {2}rollback density {11}0\.000 {2}flagged above 0\.25 {2}\+0\.000/u,
  );
  const other = await interlock('runs', '--health', '--program', 'other');
  assert.deepEqual([other.code, /no run of program `other`/u.test(other.err)], [2, true]);
  scratch.write('bad.json', '{}');
  const bad = await interlock('runs', '--health', '--baseline', 'bad.json');
  assert.deepEqual([bad.code, /holds no figures/u.test(bad.err)], [2, true]);
});

test('the log tells what moved each run, and for which step a call is', async () => {
  const { out } = await interlock('log');
  assert.match(out, /program\.started +…\S+ {2}paying of version 1 {2}running {2}→ pay\n/u);
  assert.match(out, /program\.moved +…\S+ {2}call pay\/1 {2}succeeded {2}running {2}→ check → twice\n/u);
  assert.match(out, /program\.ended +…\S+ {2}call pay\/1 {2}denied {2}rejected {2}→ refused\n/u);
  assert.match(out, /call\.intent +…\S+ {2}shop\.pay {2}twice\/1 {2}allowed/u);
});

test('a report lists the runs with their paths, and verifies [R-report]', async () => {
  const [, id = ''] = runs;
  for (const named of [[], [id]]) {
    const made = await interlock('report', ...named, '-o', 'report.html');
    assert.equal(made.code, 0, made.err);
    assert.equal((await interlock('verify', 'report.html')).code, 0);
    const page = readFileSync(scratch.at('report.html'), 'utf8').replace(/<script.*$/su, '');
    const rows = runs.filter((one) => page.includes(`<code>${one}</code>`));
    assert.deepEqual(rows, named.length === 0 ? runs : named);
    assert.match(page, /pay → check → twice → done/u);
    assert.match(page, new RegExp(`step twice/1 of run ${id}`, 'u'));
    if (named.length > 0) assert.match(page, new RegExp(`<h1>Run ${id}</h1>`, 'u'));
  }
});

test('a log with runs verifies deep from the command line', async () => {
  const found = await interlock('verify', '--deep', '--json');
  assert.deepEqual([found.code, json(found.out)['attested']], [0, 0], found.out);
});
