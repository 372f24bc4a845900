/** `interlock recover`: a restored backup is noticed, accepted by a person, and lifted again. */

import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { type Ended, POLICY, Scratch, json, run } from './command.ts';
import { leaves } from './recorded.ts';

class Desk extends Scratch {
  readonly data: string = this.at('.interlock');

  constructor(more = '') {
    super();
    this.write('interlock.yaml', `${POLICY}${more}`);
  }

  command(...args: readonly string[]): Promise<Ended> {
    return run(args, { directory: this.path, environment: { XDG_STATE_HOME: this.at('state') } });
  }

  /** A log of some entries, and then the copy of it from before the last of them. */
  async restored(): Promise<this> {
    assert.equal((await this.command('kill', 'tool:bank.pay', '--reason', 'r')).code, 0);
    cpSync(this.data, this.at('backup'), { recursive: true });
    assert.equal((await this.command('revive', 'tool:bank.pay', '--reason', 'r')).code, 0);
    rmSync(this.data, { recursive: true });
    cpSync(this.at('backup'), this.data, { recursive: true });
    return this;
  }

  types(): string[] {
    return leaves(this.data).map((leaf) => (JSON.parse(leaf) as { type: string }).type);
  }
}

const ACCEPT = ['recover', '--accept-rollback', '--reason', 'restored after a disk failure'];
const LIFT = ['recover', '--lift', '--reason', 'compared with the bank statement'];
const PAY = ['decide', '--offline', '--call', 'call.json', '--json'];

for (const [where, more] of [
  ['in the state directory', ''],
  ['where the configuration says', 'checkpoints: { file: ../elsewhere/ledger.checkpoint }\n'],
] as const) {
  test(`with the checkpoint ${where} every command that writes exits 7 until the older copy is accepted [R-rollback]`, async () => {
    using scratch = new Scratch();
    using desk = await new Desk(more.replace('../elsewhere', scratch.path)).restored();
    for (const args of [['kill', 'all', '--reason', 'r'], ['export', '-o', 'out'], ['gateway']]) {
      const { code, out, err } = await desk.command(...args);
      assert.deepEqual([code, out], [7, ''], args[0]);
      assert.match(err, /restored backup.*interlock recover --accept-rollback --reason TEXT \[rolled-back\]\n$/u);
    }
    assert.equal((await desk.command('verify')).code, 1);
    const accepted = await desk.command(...ACCEPT);
    assert.deepEqual([accepted.code, accepted.err], [0, '']);
    assert.match(accepted.out, /^accepted: .*interlock recover --lift\n$/u);
    assert.equal((await desk.command('kill', 'all', '--reason', 'r')).code, 0);
    assert(desk.types().includes('ledger.rollback-accepted'));
    // The checkpoint that is there now is that of the copy.
    assert.equal((await desk.command('verify')).code, 0);
  });
}

test('until it is lifted writes ask and reads do not, and both are told as JSON too', async () => {
  using desk = await new Desk().restored();
  assert.deepEqual(json((await desk.command(...ACCEPT, '--json')).out), { ok: true, done: 'rollback-accepted' });
  assert.equal((await desk.command('revive', 'tool:bank.pay', '--reason', 'r')).code, 0);
  desk.write('call.json', '{"tool":"bank.pay","args":{"charge":"c","amount":1}}');
  const decided = async (): Promise<unknown[]> => {
    const { code, out } = await desk.command(...PAY, '--data', desk.data);
    return [code, json(out)['effect'], json(out)['rules']];
  };
  assert.deepEqual(await decided(), [4, 'ask', ['ledger/rollback']]);
  assert.deepEqual(json((await desk.command(...LIFT, '--json')).out), { ok: true, done: 'rollback-lifted' });
  assert.deepEqual(await decided(), [0, 'allow', ['small']]);
  const again = await desk.command(...LIFT);
  assert.deepEqual([again.code, again.out], [1, '']);
  assert.match(again.err, /no accepted rollback is left to lift \[not-rolled-back\]/u);
});

test('there is nothing to accept of a log that is whole, and nothing is recorded of it but the look', async () => {
  using desk = new Desk();
  assert.equal((await desk.command('kill', 'all', '--reason', 'r')).code, 0);
  const { code, err } = await desk.command(...ACCEPT);
  assert.equal(code, 1);
  assert.match(err, /nothing to accept \[not-rolled-back\]/u);
  assert(!desk.types().includes('ledger.rollback-accepted'));
});

test('a recovery says which, and why', async () => {
  using desk = new Desk();
  for (const args of [
    ['recover', '--reason', 'r'],
    ['recover', '--accept-rollback', '--lift', '--reason', 'r'],
    ['recover', '--accept-clock', '--lift', '--reason', 'r'],
    ['recover', '--accept-clock', '--accept-rollback', '--reason', 'r'],
    ['recover', '--lift', '--reason', ' '],
    ['recover', '--lift'],
  ]) {
    assert.equal((await desk.command(...args)).code, 2, args.join(' '));
  }
  assert.equal((await desk.command(...ACCEPT)).code, 7, 'no ledger was ever here');
});
