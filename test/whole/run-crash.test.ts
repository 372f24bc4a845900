/** `interlock run`, killed at the points of a run's life, and taken up again by `interlock runs recover`. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BankPlace, bankPlace } from '../fault/bank-place.ts';
import { json } from '../cli/command.ts';

const PROGRAM = `
program: twice
events: { go: { type: object } }
start: one
steps:
  one: { tool: bank.pay, args: { charge: one, amount: 1, conduct: pay }, next: both }
  both:
    parallel:
      two: { tool: bank.pay, args: { charge: two, amount: 1, conduct: pay } }
      three: { tool: bank.pay, args: { charge: three, amount: 1, conduct: pay } }
    next: go
  go: { wait: go, timeout: 1h, next: done, expired: late }
  done: { end: success }
  late: { end: late }
`;
const CHARGES = ['one', 'two', 'three'];

/** Where the process dies, and what may be unknown then. */
const POINTS: readonly (readonly [point: string, unknown: 'none' | 'one'])[] = [
  ['program.started/lost', 'none'],
  ['program.started/landed', 'none'],
  ['call.intent/lost:1', 'none'],
  ['call.intent/landed:1', 'one'],
  ['before-send:2', 'one'],
  ['sent:1', 'one'],
  ['sent:3', 'one'],
  ['answered:1', 'one'],
  ['call.succeeded/lost:1', 'one'],
  ['call.succeeded/landed:1', 'none'],
  ['call.succeeded/landed:2', 'one'],
  ['program.moved/lost:1', 'none'],
  ['program.moved/landed:1', 'none'],
  ['program.moved/landed:2', 'none'],
  ['program.moved/landed:3', 'none'],
];

interface Told {
  readonly run: string;
  readonly status: string;
  readonly waits?: readonly { readonly kind: string; readonly of: string }[];
}

function told(out: string): readonly Told[] {
  return out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => json(line) as unknown as Told);
}

function recover(place: BankPlace): Told | undefined {
  const { stdout, stderr, status } = place.command(['runs', 'recover', '--json']);
  assert.equal(status, 0, stderr);
  return told(stdout)[0];
}

describe('a run that is killed goes on, and pays nothing twice', { concurrency: 2 }, () => {
  for (const [point, unknown] of POINTS) {
    test(`killed at ${point} [R-run-crash]`, async () => {
      using place = bankPlace();
      writeFileSync(join(place.directory, 'twice.yaml'), PROGRAM);
      const died = place.command(['run', 'twice.yaml'], { INTERLOCK_DIE_AT: point });
      assert.equal(died.signal, 'SIGKILL', died.stderr);
      await place.quiet();
      if (point === 'program.started/lost') {
        assert.deepEqual([told(place.command(['runs', '--all', '--json']).stdout), place.effects('one')], [[], 0]);
        return;
      }
      let run = recover(place);
      let settled = 0;
      for (let turn = 0; turn < CHARGES.length; turn += 1) {
        const call = run?.waits?.find(({ kind }) => kind === 'settlement')?.of;
        if (call === undefined) break;
        const charge = CHARGES.find((each) => place.row(each)?.id === call) ?? '';
        const as = place.effects(charge) > 0 ? 'executed' : 'not-executed';
        const { status, stderr } = place.command(['settle', call, as, '--reason', 'looked at the books']);
        assert.equal(status, 0, stderr);
        settled += 1;
        run = recover(place);
      }
      assert.ok(unknown === 'one' || settled === 0, `${settled} calls were unknown`);
      for (const charge of CHARGES)
        assert.ok(place.effects(charge) <= 1, `${charge}: ${place.effects(charge)} payments`);
      if (run?.waits?.[0]?.kind === 'event') {
        assert.deepEqual(
          CHARGES.map((charge) => place.effects(charge)),
          [1, 1, 1],
        );
        const ended = place.command(['signal', run.run, 'go', '--json']);
        assert.deepEqual([ended.status, told(ended.stdout)[0]?.status], [0, 'success'], ended.stderr);
      } else {
        // What was not executed fails its step, and with it the run.
        const all = told(place.command(['runs', '--all', '--json']).stdout);
        assert.deepEqual([all.map(({ status }) => status), unknown], [['failed'], 'one'], JSON.stringify(all));
      }
      const total = CHARGES.reduce((sum, charge) => sum + place.effects(charge), 0);
      assert.deepEqual(await place.problems(total), []);
    });
  }
});
