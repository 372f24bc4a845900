/** `interlock breakglass`: what a person may set aside, for how long, and how it is told and ended. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openData } from '../../src/cli/data.ts';
import { type Ended, Scratch, fakeTerminal, json, run } from './command.ts';

const RULES = `rules:
  - allow: bank.pay
  - id: much
    deny: bank.pay
    when: args.amount > 100
  - ask: bank.pay
    quorum: 2
`;

class Desk extends Scratch {
  readonly environment = { XDG_CONFIG_HOME: this.at('config'), INTERLOCK_PASSPHRASE: 'correct horse' };

  command(...args: readonly string[]): Promise<Ended> {
    return run(args, { directory: this.path, environment: this.environment });
  }

  breakGlass(...args: readonly string[]): Promise<Ended> {
    return this.command('breakglass', ...args);
  }
}

async function open(): Promise<Desk> {
  const desk = new Desk();
  const { out } = await desk.command('approver', 'add', 'ann', '--json');
  const principals = `principals:\n  local: {}\n  ann: { key: "${String(json(out)['key'])}" }\n`;
  const tools = 'tools: { bank.pay: { input: { type: object, properties: { amount: {type: integer} } } } }\n';
  desk.write('interlock.yaml', `interlock: 1\n${principals}${tools}${RULES}`);
  await using data = await openData(fakeTerminal({ directory: desk.path }), { json: false }, { create: true });
  await data.ledger.checkpoint();
  return desk;
}

test('an exception is shown, signed, listed, verified and ended [R-break-glass]', async () => {
  using desk = await open();
  const made = await desk.breakGlass('much', '--expires', '1h', '--reason', 'the bank is on fire', '--as', 'ann');
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /^sets aside much: deny bank\.pay when args\.amount > 100\n {2}until {6}\d{4}-/u);
  const [id = ''] = /exception-[0-9a-f]{16}/u.exec(made.out) ?? [];
  const listed = await desk.command('approvals');
  assert.match(
    listed.out,
    new RegExp(`^exception ${id}\\n {2}rules {6}much\\n {2}by {9}ann: the bank is on fire\\n`, 'mu'),
  );
  const told = json((await desk.command('approvals', '--json')).out)['exceptions'] as Record<string, unknown>[];
  assert.equal(told.length, 1);
  assert.partialDeepStrictEqual(told[0], { id, rules: ['much'], by: 'ann', reason: 'the bank is on fire' });
  assert.match((await desk.command('log')).out, new RegExp(`policy\\.exception +ann +the bank is on fire +${id}`, 'u'));
  assert.equal((await desk.command('verify')).code, 0);
  // No decision has brought the policy's text into the log yet.
  const deep = json((await desk.command('verify', '--deep', '--json')).out);
  assert.deepEqual([deep['verdict'], deep['attested']], ['ok', 1]);
  desk.write('call.json', '{"tool": "bank.pay", "args": {"amount": 500}}');
  const decided = async (): Promise<number | null> =>
    (await desk.command('decide', '--offline', '--call', 'call.json', '--data', desk.at('.interlock'))).code;
  assert.equal(await decided(), 4, 'a decision on this directory knows that only the other rule is left');
  const ended = await desk.command('refuse', id, '--reason', 'it is out', '--as', 'ann');
  assert.deepEqual([ended.code, ended.out], [0, `${id} is refused by ann\n`]);
  assert.equal(await decided(), 3);
  assert.equal((await desk.command('refuse', id, '--reason', 'again')).code, 1);
  assert.deepEqual(json((await desk.command('approvals', '--json')).out)['exceptions'], []);
});

test('with --json one object says what was made', async () => {
  using desk = await open();
  const made = await desk.breakGlass('much', 'much', '--expires', '30m', '--reason', 'x', '--as', 'ann', '--json');
  const { exception, expires, ...rest } = json(made.out);
  assert.deepEqual([made.code, made.err, rest], [0, '', { ok: true, rules: ['much'] }]);
  assert.match(`${String(exception)} ${String(expires)}`, /^exception-[0-9a-f]{16} \d{4}-\d\d-\d\dT/u);
});

test('what cannot be set aside, or not by this person, is refused before anything is asked or written', async () => {
  using desk = await open();
  const until = ['--expires', '1h', '--reason', 'x'];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['none', ...until, '--as', 'ann'], /no rule `none`/u],
    [['rules/0', ...until, '--as', 'ann'], /`allow`, which stops nothing/u],
    [['rules/2', ...until, '--as', 'ann'], /asks 2 people/u],
    [['much', ...until], /needs its approver/u],
    [['much', ...until, '--as', 'local'], /no principal with a `key`/u],
    [['much', '--expires', '8d', '--reason', 'x', '--as', 'ann'], /at most seven days/u],
    [['much', '--expires', 'soon', '--reason', 'x', '--as', 'ann'], /got `soon`/u],
    [['much', '--expires', '0s', '--reason', 'x', '--as', 'ann'], /got `0s`/u],
    [['much', '--expires', '1h', '--reason', ' ', '--as', 'ann'], /needs a reason/u],
    [['much', '--expires', '1h', '--as', 'ann'], /--reason/u],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await desk.breakGlass(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, message);
  }
  assert.deepEqual(json((await desk.command('approvals', '--json')).out)['exceptions'], []);
});
