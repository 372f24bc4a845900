/** `interlock approver`, `approvals`, `approve` and `refuse`: what a person sees is what is signed, and it is recorded. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { verifyApproval } from '../../src/authority/approval.ts';
import { parseConfiguration } from '../../src/policy/document/configuration.ts';
import { type Around, type Ended, json } from './command.ts';
import { ARGS, Desk, PASSPHRASE, desk, park } from './desk.ts';
import { leaves, tamper } from './recorded.ts';

test('a key is made once, encrypted, for its owner only, and its lines load in a configuration', async () => {
  using scratch = new Desk();
  for (const id of ['alice', 'ops/team', 'null', '..']) {
    const { code, out, err } = await scratch.command(['approver', 'add', id]);
    assert.equal(code, 0, err);
    const file = scratch.at('config', 'interlock', 'approvers', `${encodeURIComponent(id)}.key`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const pem = readFileSync(file, 'utf8');
    assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/u);
    const parsed = parseConfiguration(`interlock: 1\n${out}`, { file: 'x', environment: {} });
    assert.ok(parsed.ok, out);
    assert.match(parsed.value.principals?.get(id)?.key ?? '', /^ed25519:/u);
    const again = await scratch.command(['approver', 'add', id]);
    assert.deepEqual([again.code, again.out], [2, '']);
    assert.match(again.err, /there is a key .* already\n {2}hint: a key is never replaced/u);
    assert.equal(readFileSync(file, 'utf8'), pem);
  }
});

test('the passphrase comes from a file, the environment or a terminal that shows nothing of it', async () => {
  using scratch = new Desk();
  scratch.write('passphrase', `${PASSPHRASE}\n`);
  const environment = { XDG_CONFIG_HOME: scratch.at('config') };
  const add = (id: string, around: Around, ...more: readonly string[]): Promise<Ended> =>
    scratch.command(['approver', 'add', id, ...more], { environment, ...around });
  assert.equal((await add('file', {}, '--passphrase-file', 'passphrase')).code, 0);
  assert.equal((await add('stdin', { input: PASSPHRASE }, '--passphrase-file', '-')).code, 0);
  const typed = await add('typed', {
    attended: true,
    input: 'correctX\u007f horse\r\ncorrect horse\n'.replace('\r\n', '\r'),
  });
  assert.equal(typed.code, 0, typed.err);
  assert.match(typed.err, /^new passphrase: \nthe same again: \nmade /u);
  assert.equal(`${typed.out}${typed.err}`.includes('horse'), false);

  const refused: readonly (readonly [Around, readonly string[], RegExp])[] = [
    [{}, [], /nobody can be asked\n {2}hint: set INTERLOCK_PASSPHRASE/u],
    [{ attended: true, input: 'one passphrase\nanother one\n' }, [], /the two passphrases differ/u],
    [{ attended: true, input: 'half \u0003' }, [], /no passphrase was given/u],
    [{ attended: true, input: Readable.from([]) }, [], /no passphrase was given/u],
    [{ input: 'short' }, ['--passphrase-file', '-'], /at least 8 characters/u],
    [{ input: '\nsecond' }, ['--passphrase-file', '-'], /`-` holds no passphrase/u],
    [{}, ['--passphrase-file', 'absent'], /`absent` cannot be read/u],
    [{}, ['--passphrase-file', ''], /`--passphrase-file` is empty/u],
  ];
  for (const [around, more, expected] of refused) {
    const { code, out, err } = await add('none', around, ...more);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, expected);
  }
  assert.equal(existsSync(scratch.at('config/interlock/approvers/none.key')), false);
});

test('a parked call is listed with everything that an approval binds, arguments as they would be sent', async () => {
  using scratch = await desk('alice');
  await park(scratch.data, { past: true });
  const call = await park(scratch.data);
  const large = await park(scratch.data, { args: { note: 'x'.repeat(60_000) }, quorum: 2, notRequester: true });
  const { out } = await scratch.command(['approvals', '--json']);
  const listed = json(out)['approvals'] as Record<string, unknown>[];
  assert.equal(listed.length, 2);
  const [first, second] = [call, large].map((id) => listed.find((one) => one['call'] === id));
  assert.deepEqual([first?.['args'], first?.['given'], first?.['tool']], [ARGS, [], 'bank.pay']);
  assert.deepEqual([second?.['quorum'], second?.['notRequester']], [2, true]);
  assert.deepEqual(second?.['args'], { note: 'x'.repeat(60_000) });
  const shown = (await scratch.command(['approvals'])).out;
  assert.match(shown, new RegExp(`^call ${call}\n {2}tool {7}bank\\.pay\n {2}arguments {2}\\{.*"amount":9000`, 'mu'));
  assert.match(shown, /approvers {2}finance, not local\n {2}given {6}0 of 2\n/u);
  assert.equal(shown.includes('\u001b'), false);
});

test('listing writes nothing, and needs the key of sealed values only where there are some', async () => {
  using scratch = await desk('alice');
  await park(scratch.data);
  const before = leaves(scratch.data);
  rmSync(join(scratch.data, 'vault.key'));
  rmSync(join(scratch.data, 'instances'), { recursive: true });
  const { code, out } = await scratch.command(['approvals', '--json']);
  assert.deepEqual([code, (json(out)['approvals'] as unknown[]).length], [0, 1]);
  assert.deepEqual(leaves(scratch.data), before);
  assert.deepEqual(
    [existsSync(join(scratch.data, 'vault.key')), existsSync(join(scratch.data, 'instances'))],
    [false, false],
  );

  using sealed = await desk('alice');
  await park(sealed.data, { args: { note: 'x'.repeat(60_000) } });
  rmSync(join(sealed.data, 'vault.key'));
  const refused = await sealed.command(['approvals']);
  assert.deepEqual([refused.code, refused.out], [7, '']);
  assert.match(refused.err, /vault\.key` is missing/u);
});

test('the log shows parked calls and their answers, and selects them by tool', async () => {
  using scratch = await desk('alice');
  const call = await park(scratch.data);
  await scratch.command(['refuse', call, '--reason', 'not today']);
  await scratch.command(['kill', 'server:bank', '--reason', 'enough']);
  const { out } = await scratch.command(['log', '--tool', 'bank.*']);
  assert.match(
    out,
    new RegExp(`call\\.parked .*bank\\.pay .*approve it as ${call}\n.*call\\.refused .*not today\n$`, 'u'),
  );
  assert.match((await scratch.command(['log'])).out, /kill\.set .*server:bank {2}os:.* {2}enough\n/u);
});

test('an approval is a signature over the parked call, once a person, and only records', async () => {
  using scratch = await desk('alice', 'bob');
  const call = await park(scratch.data, { quorum: 2 });
  const first = await scratch.command(['approve', call, '--as', 'alice']);
  assert.deepEqual([first.code, first.out], [0, `call ${call} (bank.pay) is approved by alice, 1 of 2\n`]);
  assert.match(first.err, /arguments {2}\{.*"amount":9000/u);
  const again = await scratch.command(['approve', call, '--as', 'alice']);
  assert.deepEqual([again.code, again.out], [1, '']);
  assert.match(again.err, /`alice` has answered this call already \[already-answered\]/u);
  const second = await scratch.command(['approve', call, '--as', 'bob', '--json']);
  assert.deepEqual([second.code, json(second.out), second.err], [0, { ok: true, call, given: 2 }, '']);
  for (const entry of scratch.entries('call.approved')) {
    const { by, digest, signature, unsigned } = entry;
    const key = scratch.keys.get(String(by)) ?? '';
    assert.equal(verifyApproval(key, String(digest), String(by), String(signature)), true);
    assert.equal(unsigned, undefined);
  }
  const { out } = await scratch.command(['approvals', '--json']);
  const [waiting] = json(out)['approvals'] as Record<string, unknown>[];
  assert.deepEqual(waiting?.['given'], [
    { by: 'alice', signed: true },
    { by: 'bob', signed: true },
  ]);
  assert.equal((await scratch.command(['verify'])).code, 0);
});

test('nothing is recorded without the key that the configuration names for the approver', async () => {
  using scratch = await desk('alice', 'bob');
  const call = await park(scratch.data);
  const bobs = scratch.at('config', 'interlock', 'approvers', 'bob.key');
  scratch.write('wide.key', readFileSync(bobs), 0o644);
  scratch.write('junk.key', 'nonsense');
  const wrong = { environment: { ...scratch.environment, INTERLOCK_PASSPHRASE: 'wrong horse' } };
  const cases: readonly (readonly [readonly string[], Around, RegExp])[] = [
    [[], {}, /an approval needs its approver\n {2}hint: --as ID/u],
    [['--key', bobs], {}, /--key needs --as ID/u],
    [['--as', 'mallory'], {}, /`mallory` is no principal/u],
    [['--as', 'local'], {}, /`local` has no `key`/u],
    [['--as', 'alice', '--key', bobs], {}, /is not the key that the configuration names for `alice`/u],
    [['--as', 'bob', '--key', 'wide.key'], {}, /has mode 0644, expected 0600/u],
    [['--as', 'bob', '--key', 'junk.key'], {}, /cannot be opened: the passphrase is wrong/u],
    [['--as', 'bob', '--key', 'absent.key'], {}, /there is no key .*\n {2}hint: make one/u],
    [['--as', 'bob'], wrong, /cannot be opened: the passphrase is wrong/u],
    [['--as', 'bob', '-c', 'absent.yaml'], {}, /the configuration cannot be read/u],
  ];
  for (const [args, around, expected] of cases) {
    const { code, out, err } = await scratch.command(['approve', call, ...args], around);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, expected);
  }
  assert.deepEqual(scratch.entries('call.approved'), []);
});

test('a row that others changed is not signed', async () => {
  using scratch = await desk('alice');
  const [call, other] = [await park(scratch.data), await park(scratch.data, { args: { amount: 1 } })];
  const lookup = 'SELECT more FROM calls WHERE id = ?';
  tamper(scratch.data, `UPDATE calls SET more = (${lookup}) WHERE id = ?`, other, call);
  const { code, out, err } = await scratch.command(['approve', call, '--as', 'alice']);
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /is not what was parked: run interlock verify \[changed\]/u);
  const listed = await scratch.command(['approvals', '--json']);
  assert.match(listed.err, new RegExp(`${call} is not what was parked`, 'u'));
  assert.equal((json(listed.out)['approvals'] as unknown[]).length, 1);
});

test('without signatures it is the user of the system, and the entry says that it is unsigned', async () => {
  using scratch = await desk('alice');
  scratch.configure('approvals: { signed: false }\n');
  const call = await park(scratch.data);
  const { code, err } = await scratch.command(['approve', call]);
  assert.equal(code, 0);
  assert.match(err, /note: the rules ask finance, and os:.* is none of them\n$/u);
  assert.equal((await scratch.command(['approve', call, '--as', 'alice'])).code, 0);
  const [unsigned, signed] = scratch.entries('call.approved');
  assert.match(String(unsigned?.['by']), /^os:./u);
  assert.deepEqual(
    [unsigned?.['unsigned'], unsigned?.['signature'], signed?.['unsigned']],
    [true, undefined, undefined],
  );
});

test('a refusal ends the call; after it, after its time and before it exists there is nothing to answer', async () => {
  using scratch = await desk('alice');
  const late = await park(scratch.data, { past: true });
  const call = await park(scratch.data);
  const refusal = ['--reason', 'not today'];
  const refused = await scratch.command(['refuse', call, ...refusal, '--as', 'alice']);
  assert.deepEqual(refused, { code: 0, out: `call ${call} (bank.pay) is refused by alice\n`, err: '' });
  const [entry] = scratch.entries('call.refused');
  assert.deepEqual([entry?.['call'], entry?.['by'], entry?.['reason']], [call, 'alice', 'not today']);
  const cases: readonly (readonly [string, number, string])[] = [
    [call, 1, 'not-parked'],
    [late, 1, 'expired'],
    ['\u001b[2J', 2, 'no-such-call'],
  ];
  for (const [id, expected, name] of cases) {
    for (const args of [
      ['approve', id, '--as', 'alice'],
      ['refuse', id, ...refusal],
    ]) {
      const { code, out } = await scratch.command([...args, '--json']);
      assert.deepEqual([code, json(out)['ok'], json(out)['code']], [expected, false, name], args.join(' '));
    }
  }
  assert.equal((await scratch.command(['refuse', late, '--reason', ' '])).code, 2);
  assert.deepEqual([scratch.entries('call.refused').length, scratch.entries('call.approved').length], [1, 0]);
});

test('a call can be refused while somebody else has approved it, and by nobody twice', async () => {
  using scratch = await desk('alice');
  const call = await park(scratch.data, { quorum: 2 });
  assert.equal((await scratch.command(['approve', call, '--as', 'alice'])).code, 0);
  const own = await scratch.command(['refuse', call, '--as', 'alice', '--reason', 'x']);
  assert.match(own.err, /\[already-answered\]/u);
  assert.equal((await scratch.command(['refuse', call, '--reason', 'x'])).code, 0);
  assert.deepEqual(json((await scratch.command(['approvals', '--json'])).out), {
    approvals: [],
    reloads: [],
    exceptions: [],
  });
});
