/** `interlock approve --standing`: the rule is shown, written where that is ordered, and lifts what was said. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import type { JsonObject } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';
import { rewriteFile } from '../../src/cli/rewrite.ts';
import { policyOf } from '../authority-world.ts';
import { openTampered } from '../tampered-log.ts';
import { Scratch, json } from './command.ts';
import { type Desk, desk, park } from './desk.ts';

const POLICY = `tools:
  bank.pay:   # the only one
    input: { type: object, properties: { to: { type: string }, amount: { type: integer }, note: { type: string } } }
rules:
  - allow: bank.pay
  - ask: bank.pay
    when: args.amount > 10      # much
    approvers:   [ finance ]
`;
const CALL = { to: 'a"; -- \u202e', amount: 20 };
const MONTH = ['--for', '30d'] as const;

async function bank(): Promise<Desk> {
  const made = await desk('alice', 'bob');
  made.configure(POLICY);
  return made;
}

const file = (at: Desk): string => readFileSync(at.at('interlock.yaml'), 'utf8');

async function decided(at: Desk, args: JsonObject, now?: string): Promise<unknown> {
  const call = JSON.stringify({ tool: 'bank.pay', args, ...(now === undefined ? {} : { now }) });
  const { out } = await at.command(['decide', '--call', '-', '--json'], { input: call });
  return json(out)['effect'];
}

test('a standing rule is shown first, and written only where that is ordered [R-standing]', async () => {
  using at = await bank();
  const before = file(at);
  const shown = await at.command([
    'approve',
    await park(at.data, { args: CALL }),
    '--as',
    'alice',
    '--standing',
    'call',
    ...MONTH,
  ]);
  assert.equal(shown.code, 0, shown.err);
  assert.equal(file(at), before);
  const difference =
    /^@@ interlock\.yaml:\d+\n-    when: args\.amount > 10 {6}# much\n\+    when: 'args\.amount > 10 && !\(principal\.id == "local" && tool\.name == "bank\.pay" && args == \{.*\}.* {6}# much\n/mu;
  assert.match(shown.out, difference);
  assert.match(shown.out, /rules\/1 would not ask until .*: --write changes interlock\.yaml\n$/u);
  assert.equal(shown.out.includes('\u202e'), false);

  const again = await park(at.data, { args: CALL });
  const written = await at.command([
    'approve',
    again,
    '--as',
    'alice',
    '--standing',
    'call',
    ...MONTH,
    '--write',
    '--json',
  ]);
  assert.equal(written.code, 0, written.err);
  const standing = json(written.out)['standing'] as Record<string, unknown>;
  assert.deepEqual([standing['file'], standing['written']], ['interlock.yaml', true]);
  assert.equal(file(at).replace(/when: .*# much/u, 'when: args.amount > 10      # much'), before);
  assert.equal(
    readdirSync(at.path).some((name) => name.endsWith('.tmp')),
    false,
  );
  const effects = [CALL, { ...CALL, amount: 21 }, { ...CALL, note: 'x' }, { amount: 20 }].map((args) =>
    decided(at, args),
  );
  assert.deepEqual(await Promise.all(effects), ['allow', 'ask', 'ask', 'ask']);
  assert.equal(await decided(at, CALL, String(standing['until'])), 'ask');
  assert.equal((await at.command(['check', '--json'])).code, 0);
});

test('by recipient and by tool it goes as far as it says [R-standing]', async () => {
  using at = await bank();
  const approve = async (...more: readonly string[]): Promise<void> => {
    const call = await park(at.data, { args: CALL });
    const { code, err } = await at.command(['approve', call, '--as', 'alice', ...more, ...MONTH, '--write']);
    assert.equal(code, 0, err);
  };
  await approve('--standing', 'recipient', '--by', 'to');
  assert.deepEqual(
    [await decided(at, { ...CALL, amount: 900 }), await decided(at, { to: 'b', amount: 900 })],
    ['allow', 'ask'],
  );
  const call = await park(at.data, { args: CALL });
  const none = await at.command(['approve', call, '--as', 'alice', '--standing', 'tool', ...MONTH]);
  assert.deepEqual([none.code, none.out], [2, '']);
  assert.match(none.err, /no standing rule can be derived: under the policy in force no rule asks about the call/u);
});

test('a standing rule that cannot be had is refused before anything is approved', async () => {
  using at = await bank();
  const call = await park(at.data, { args: CALL });
  const second = await park(at.data, { args: CALL, quorum: 2 });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--write'], /belong to `--standing`/u],
    [['--by', 'to', '--standing', 'call', ...MONTH], /`--by` belongs to `--standing recipient`/u],
    [['--standing', 'recipient', ...MONTH], /needs `--by`/u],
    [['--standing', 'everything', ...MONTH], /expected `--standing` to be call, recipient or tool, got `everything`/u],
    [['--standing', 'call'], /must end: it needs `--for`/u],
    [['--standing', 'call', '--for', '0d'], /at most 366d, got `0d`/u],
    [['--standing', 'call', '--for', '367d'], /at most 366d, got `367d`/u],
    [['--standing', 'call', '--for', 'ever'], /at most 366d, got `ever`/u],
    [['--standing', 'recipient', '--by', 'cc', ...MONTH], /the call has no argument `cc`/u],
  ];
  for (const [more, expected] of cases) {
    const { code, out, err } = await at.command(['approve', call, '--as', 'alice', ...more]);
    assert.deepEqual([code, out], [2, ''], more.join(' '));
    assert.match(err, expected);
  }
  const order = ['--standing', 'call', ...MONTH, '--write'] as const;
  const first = await at.command(['approve', second, '--as', 'alice', ...order]);
  assert.deepEqual([first.code, first.out], [2, '']);
  assert.match(first.err, /this is approval 1 of 2\n {2}hint: it comes with the last one/u);
  assert.deepEqual(at.entries('call.approved'), []);
  assert.equal((await at.command(['approve', second, '--as', 'alice'])).code, 0);
  const last = await at.command(['approve', second, '--as', 'bob', ...order]);
  assert.equal(last.code, 0, last.err);
  assert.match(last.out, /rules\/1 does not ask until .*: interlock\.yaml is changed\n$/u);
});

test('who is not asked derives no standing rule', async () => {
  using at = await desk('alice');
  at.configure(`approvals: { signed: false }\n${POLICY}`);
  const call = await park(at.data, { args: CALL });
  const { code, err } = await at.command(['approve', call, '--standing', 'tool', ...MONTH, '--write']);
  assert.equal(code, 2);
  assert.match(err, /no standing rule can be derived: the rules ask finance, and os:.* is none of them/u);
  assert.deepEqual(at.entries('call.approved'), []);
});

test('a file is replaced whole with its mode, through its link, and not when it is another one by now', () => {
  using at = new Scratch();
  const target = at.write('real.yaml', '\ufeffa\r\n', 0o640);
  symlinkSync(target, at.at('link.yaml'));
  assert.equal(rewriteFile(at.at('link.yaml'), '\ufeffa\r\n', '\ufeffb\r\n', systemWorld), undefined);
  assert.deepEqual([readFileSync(target, 'utf8'), statSync(target).mode & 0o777], ['\ufeffb\r\n', 0o640]);
  assert.match(rewriteFile(target, 'something else', 'c', systemWorld) ?? '', /changed meanwhile/u);
  assert.match(rewriteFile(at.at('absent'), '', 'c', systemWorld) ?? '', /ENOENT/u);
  assert.equal(readFileSync(target, 'utf8'), '\ufeffb\r\n');
  assert.deepEqual(readdirSync(at.path).toSorted(), ['link.yaml', 'real.yaml']);
});

test('before a standing rule is made it is told what it would have let through lately [R-standing]', async () => {
  using at = await bank();
  // Nothing is asked of servers here: the tool is described in the file.
  const { configuration } = policyOf(readFileSync(at.at('interlock.yaml'), 'utf8'));
  const { ledger, call } = await openTampered(at.data, policyOf(JSON.stringify(configuration.data)));
  const asked: string[] = [];
  for (const amount of [20, 20, 30, 5]) asked.push((await call({ to: 'b', amount })).call);
  await ledger[Symbol.asyncDispose]();
  const order = ['approve', asked.at(2) ?? '', '--as', 'alice', '--standing', 'recipient', '--by', 'to', ...MONTH];
  const shown = await at.command(order);
  assert.equal(shown.code, 0, shown.err);
  assert.match(
    shown.out,
    /of the last 30 days it would have let through 2 calls that were asked about, such as entries \d+, \d+\n/u,
  );
  const told = json((await at.command(['approve', asked[0] ?? '', ...order.slice(2), '--json'])).out);
  assert.partialDeepStrictEqual(told['standing'], { seen: { days: 30, calls: 2 } });
});
