/** `interlock gateway`: how it starts, ends, and follows its configuration; the relay has tests of its own. */

import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { RawHost, type Wire, dig, list } from '../gateway/harness.ts';
import { type FakeTerminal, POLICY, Scratch, drivesTerminal, fakeTerminal, json, run } from './command.ts';
import { leaves, openRecording, record, tamper } from './recorded.ts';

const PAYMENTS = join(import.meta.dirname, '../../examples/payments-server.ts');

/** A gateway in this process and the host in front of it. */
interface Served extends AsyncDisposable {
  readonly host: RawHost;
  readonly terminal: FakeTerminal;
  readonly ended: Promise<number>;
}

async function serve(scratch: Scratch, ...args: readonly string[]): Promise<Served> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const environment = { PATH: process.env['PATH'] ?? '' };
  const terminal = fakeTerminal({ directory: scratch.path, input, environment });
  const ended = runCommandLine({ ...terminal, output }, ['gateway', ...args]);
  const host = new RawHost(output, input);
  await host.hello();
  const end = async (): Promise<void> => {
    host.end();
    await ended;
  };
  return { host, terminal, ended, [Symbol.asyncDispose]: end };
}

function payments(scratch: Scratch, rules: string): string {
  const args = [PAYMENTS, '--file', scratch.at('paid.jsonl')];
  return `interlock: 1
servers:
  payments: { command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify(args)} }
tools:
  payments.create_payment: { effect: irreversible, key: args.charge }
rules:
${rules}`;
}

async function tools(host: RawHost): Promise<unknown[]> {
  const answer = await host.request('tools/list', {});
  return list(answer, 'result', 'tools').map((tool) => dig(tool, 'name'));
}

const PAY = { charge: 'c', amount: 5, currency: 'eur', to: 'somebody' };

function pay(host: RawHost, charge: string): Promise<Wire> {
  return host.request('tools/call', { name: 'payments__create_payment', arguments: { ...PAY, charge } });
}

const decided = (answer: Wire): unknown => dig(answer, 'result', '_meta', 'interlock/decision', 'code');
const state = (answer: Wire): unknown => dig(answer, 'result', '_meta', 'interlock/call', 'state');

async function end({ host, ended }: Served): Promise<number> {
  host.end();
  return ended;
}

/** Puts a file in place whole, as editors do. */
function replace(scratch: Scratch, name: string, text: string): void {
  renameSync(scratch.write(`${name}.new`, text), scratch.at(name));
}

function recorded(scratch: Scratch): Record<string, unknown>[] {
  return leaves(scratch.at('.interlock')).map((leaf) => JSON.parse(leaf) as Record<string, unknown>);
}

test('without a policy it starts, lists nothing, denies all and says why, until the file is there', async () => {
  using scratch = new Scratch();
  await using served = await serve(scratch);
  const { host, terminal } = served;
  assert.deepEqual(await tools(host), []);
  const denied = await pay(host, 'c1');
  assert.deepEqual([decided(denied), dig(denied, 'result', 'isError')], ['policy-invalid', true]);
  assert.match(
    terminal.errors.text,
    /^interlock\.yaml:1:1: error: the configuration cannot be read: there is no such file/u,
  );
  assert.match(terminal.errors.text, /^interlock: every call is denied until the file is mended$/mu);

  const changed = host.notice('notifications/tools/list_changed');
  replace(scratch, 'interlock.yaml', payments(scratch, '  - allow: payments.*\n'));
  await changed;
  assert.deepEqual(await tools(host), ['payments__create_payment', 'payments__get_payment', 'interlock__get_call']);
  assert.equal(state(await pay(host, 'c1')), 'succeeded');
  assert.equal(await end(served), 0);

  const types = recorded(scratch).flatMap(({ type }) => (type === 'policy.content' ? [] : [type]));
  assert.deepEqual(types, [
    'ledger.created',
    'ledger.opened',
    'policy.refused',
    'call.denied',
    'policy.loaded',
    'pin.trusted',
    'pin.trusted',
    'call.intent',
    'call.succeeded',
    'ledger.closed',
  ]);
  const verified = await run(['verify', '--deep', '--json'], { directory: scratch.path });
  const { unsigned, attested } = json(verified.out);
  assert.deepEqual([verified.code, unsigned, attested], [0, 0, 1], 'the first was denied without a policy');
});

test('a good policy stays in force while its file is bad, and a good file replaces it', async () => {
  using scratch = new Scratch();
  const good = payments(scratch, '  - allow: payments.*\n');
  scratch.write('interlock.yaml', good);
  await using served = await serve(scratch);
  const { host, terminal } = served;
  assert.equal((await tools(host)).length, 3);
  const bad: readonly (readonly [string, RegExp])[] = [
    ['', /policy-empty/u],
    ['interlock: [', /yaml-malformed/u],
    [`${good}  - allow: payments.nothing\n`, /pattern-matches-nothing/u],
    [`${good}  - deny: payments.get_payment\n    when: args.chrge == "x"\n`, /did you mean `charge`\?/u],
  ];
  for (const [index, [text, expected]] of bad.entries()) {
    replace(scratch, 'interlock.yaml', text);
    const kept = (log: string): number => log.split('interlock: the policy in force stays as it was\n').length - 1;
    const log = await terminal.errors.until((so) => kept(so) === index + 1);
    assert.match(log, expected);
    assert.equal(state(await pay(host, `kept-${index}`)), 'succeeded');
  }
  replace(scratch, 'interlock.yaml', payments(scratch, '  - allow: payments.get_payment\n'));
  await terminal.errors.until((log) => log.endsWith('interlock: the configuration was reloaded\n'));
  assert.deepEqual(await tools(host), ['payments__get_payment', 'interlock__get_call']);
  assert.equal(decided(await pay(host, 'no-more')), 'unknown-tool');
  assert.equal(await end(served), 0);
  const loaded = recorded(scratch).filter(({ type }) => type === 'policy.loaded' || type === 'policy.refused');
  assert.deepEqual(
    loaded.map(({ type }) => type),
    ['policy.loaded', ...bad.map(() => 'policy.refused'), 'policy.loaded'],
  );
});

test('a host is offered no model and can ask none, whatever the rules allow [R-model-host]', async () => {
  using scratch = new Scratch();
  const models = 'models: { support: { provider: scripted, file: answers.yaml } }\n';
  scratch.write('interlock.yaml', `${payments(scratch, '  - allow: "*"\n')}${models}`);
  await using served = await serve(scratch);
  const { host } = served;
  assert.deepEqual(await tools(host), ['payments__create_payment', 'payments__get_payment', 'interlock__get_call']);
  for (const name of ['llm__support', 'llm.support', 'llm__ghost']) {
    const answer = await host.request('tools/call', { name, arguments: { prompt: 'hello' } });
    assert.equal(decided(answer), 'unknown-tool', name);
  }
  assert.equal(await end(served), 0);
  const denied = recorded(scratch).filter(({ type }) => type === 'call.denied');
  assert.deepEqual(
    denied.map(({ policy }) => (policy as { code: unknown }).code),
    ['unknown-tool', 'unknown-tool', 'unknown-tool'],
  );
});

test('every kind of bad policy denies everything and names its place', async () => {
  const policies: readonly (readonly [string, string | Uint8Array | undefined, RegExp])[] = [
    ['empty', '', /^interlock\.yaml:1:1: error: the configuration is empty/mu],
    ['not UTF-8', Uint8Array.of(0x69, 0xff), /^interlock\.yaml:1:2: error: expected UTF-8/mu],
    ['tabs', 'interlock: 1\nrules:\n\t- allow: "*"\n', /^interlock\.yaml:3:1: error: .*tabs/mu],
    ['a directory', undefined, /^interlock\.yaml:1:1: error: .*it is a directory/mu],
    ['a typing error', POLICY.replace('args.amount <=', 'args.amout <='), /^interlock\.yaml:15:16: error: .*`amout`/mu],
    ['hostile', 'interlock: 1\n"\u009b\u202e": \u001b[2J\n', /^interlock\.yaml:\d:\d+: error: /mu],
  ];
  for (const [name, policy, expected] of policies) {
    using scratch = new Scratch();
    if (policy === undefined) mkdirSync(scratch.at('interlock.yaml'));
    else scratch.write('interlock.yaml', policy);
    await using served = await serve(scratch);
    assert.deepEqual(await tools(served.host), [], name);
    const call = { name: 'bank__pay', arguments: { charge: 'c', amount: 1 } };
    assert.equal(decided(await served.host.request('tools/call', call)), 'policy-invalid', name);
    assert.equal(await end(served), 0);
    assert.match(served.terminal.errors.text, expected);
    assert.equal(drivesTerminal(served.terminal.errors.text), false);
    const refused = recorded(scratch).find(({ type }) => type === 'policy.refused');
    assert.match(String(refused?.['message']), /^interlock\.yaml:\d+:\d+: /u);
  }
});

test('what waits for the list of a server is not complained about before the list is there', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', payments(scratch, '  - allow: payments.get_payment\n  - deny: payments.gone\n'));
  await using served = await serve(scratch);
  await tools(served.host);
  assert.equal(await end(served), 0);
  const log = served.terminal.errors.text;
  assert.doesNotMatch(log, /matches nothing so far/u);
  assert.match(log, /^interlock\.yaml:8:11: error: .*`payments\.gone` matches no tool that is served/mu);
});

test('a ledger that cannot be opened is exit code 7 and one sentence, and nothing is served', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('file', '');
  scratch.write('noise/ledger.db', 'x'.repeat(9_000));
  await record(scratch.at('strange'));
  tamper(scratch.at('strange'), 'PRAGMA application_id = 1');
  await record(scratch.at('rolled'));
  tamper(scratch.at('rolled'), 'DELETE FROM entries WHERE position > 4');
  tamper(scratch.at('rolled'), 'DELETE FROM checkpoints');
  await record(scratch.at('keyless'));
  renameSync(scratch.at('keyless', 'signer.key'), scratch.at('signer.key'));
  const cases: readonly (readonly [string, RegExp])[] = [
    ['file', /is a file, expected a directory.*\[cannot-open\]/u],
    ['noise', /is damaged or no SQLite database.*\[cannot-open\]/u],
    ['strange', /is a database of another program.*\[cannot-open\]/u],
    ['rolled', /does not extend what was signed.*\[tampered\]/u],
    ['keyless', /signer\.key` is missing.*\[cannot-open\]/u],
  ];
  for (const [data, expected] of cases) {
    const { code, out, err } = await run(['gateway', '--data', data], { directory: scratch.path });
    assert.deepEqual([code, out], [7, ''], data);
    assert.match(err, expected);
    assert.match(err, /^interlock: [^\n]+\n$/u);
  }
});

test('a ledger that stopped while it served makes the exit code 7', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  await using served = await serve(scratch);
  tamper(scratch.at('.interlock'), 'INSERT INTO entries(position, leaf) VALUES (999, ?)', Uint8Array.of(1));
  const answer = await served.host.request('tools/call', { name: 'bank__pay', arguments: {} });
  assert.equal(decided(answer), 'ledger-tampered');
  assert.equal(await end(served), 7);
  assert.match(
    served.terminal.errors.text,
    /^interlock: the stored log does not extend what was signed.*\[tampered\]$/mu,
  );
});

test('what a dead gateway left open is said and unknown from now on', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  {
    await using recording = await openRecording(scratch.at('.interlock'));
    // Closed while the call is still out, as a process that dies leaves it.
    void recording.call('bank.pay', {}, () => new Promise(() => {})).catch(() => undefined);
    while (!leaves(scratch.at('.interlock')).some((leaf) => leaf.includes('"call.intent"'))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await using served = await serve(scratch);
  assert.equal(await end(served), 0);
  const log = served.terminal.errors.text;
  assert.match(log, /^interlock: a process died before the outcome of 1 call was recorded: unknown from now on$/mu);
  assert.equal(recorded(scratch).filter(({ type }) => type === 'call.unknown').length, 1);
});

test('each signal ends it as the end of its input does, and a person who starts it is told what it waits for', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    using scratch = new Scratch();
    scratch.write('interlock.yaml', POLICY);
    const terminal = fakeTerminal({ directory: scratch.path, input: new PassThrough(), attended: true });
    const ended = runCommandLine(terminal, ['gateway']);
    await terminal.errors.until((log) => log.includes('interlock: this speaks MCP on standard input'));
    terminal.signals.emit(signal);
    assert.equal(await ended, 0);
    assert.equal(recorded(scratch).at(-1)?.['type'], 'ledger.closed');
    assert.equal(terminal.signals.listenerCount(signal), 0);
  }
});
