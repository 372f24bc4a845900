/** `bin/interlock.js` as a process: its exit codes, its streams when nobody reads them, and signals. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { INTERLOCK, POLICY, Scratch, json, start } from './command.ts';
import { openRecording } from './recorded.ts';

const scratch = new Scratch();

before(async () => {
  scratch.write('interlock.yaml', POLICY);
  scratch.write('call.json', '{"tool":"bank.pay","args":{"charge":"c","amount":1}}');
  // More than a pipe holds.
  await using recording = await openRecording(scratch.at('.interlock'));
  const text = 'x'.repeat(20_000);
  const done = { kind: 'unknown', reason: '' } as const;
  await Promise.all(Array.from({ length: 40 }, (_, n) => recording.call('bank.balance', { n, text }, done)));
});
after(() => scratch[Symbol.dispose]());

interface Streams {
  readonly stdout?: 'pipe' | number;
  /** Closes the reading ends at the first byte, or before any. */
  readonly leave?: 'stdout' | 'stderr';
}

/** Runs a command whose reader leaves early; resolves with its exit code and what it said on the stream that stays. */
function abandoned(args: readonly string[], { stdout = 'pipe', leave }: Streams): Promise<[number | null, string]> {
  const child = spawn(process.execPath, [INTERLOCK, ...args], {
    cwd: scratch.path,
    stdio: ['ignore', stdout, 'pipe'],
  });
  let said = '';
  if (leave === 'stdout') child.stdout?.once('data', () => child.stdout?.destroy());
  else child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  if (leave === 'stderr') child.stderr?.destroy();
  else child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve([code, said])));
}

test('the exit code of the process is the one of the command', async () => {
  const around = { directory: scratch.path };
  const cases: readonly (readonly [readonly string[], number])[] = [
    [['decide', '--call', 'call.json'], 0],
    [['eval', '1 / 0'], 1],
    [['check', '-c', 'absent.yaml'], 2],
    [['log', '--data', 'absent'], 7],
  ];
  const ended = await Promise.all(cases.map(([args]) => start(args, around)));
  assert.deepEqual(
    ended.map(({ code }) => code),
    cases.map(([, code]) => code),
  );
  const [denied, asked] = await Promise.all(
    [{ amount: 99_999 }, { amount: 9_999 }].map((args) => {
      const input = JSON.stringify({ tool: 'bank.pay', args: { charge: 'c', ...args } });
      return start(['decide', '--call', '-', '--json'], { ...around, input });
    }),
  );
  assert.deepEqual([denied?.code, json(denied?.out ?? '')['effect']], [3, 'deny']);
  assert.deepEqual([asked?.code, json(asked?.out ?? '')['effect']], [4, 'ask']);
});

test('a reader that leaves early is no error and leaves no trace on standard error', async () => {
  const [log, verify] = await Promise.all([
    abandoned(['log', '--json'], { leave: 'stdout' }),
    abandoned(['verify', 'absent'], { leave: 'stderr' }),
  ]);
  assert.deepEqual(log, [0, '']);
  assert.deepEqual(verify, [2, '']);
});

test('what a preloaded module writes to the console is no answer [R-telemetry]', async () => {
  const preload = `data:text/javascript,process.on('exit',()=>{console.log('stray');console.dir({stray:1})})`;
  const environment = { NODE_OPTIONS: `--import=${preload}` };
  const { code, out, err } = await start(['canonical'], { input: '{"b":1,"a":2}', environment });
  assert.deepEqual([code, out, err], [0, '{"a":2,"b":1}', 'stray\n{ stray: 1 }\n']);
});

test('an answer that cannot be written was not given', async (t) => {
  if (!existsSync('/dev/full')) return t.skip('this system has no /dev/full');
  const full = openSync('/dev/full', 'w');
  const [code, said] = await abandoned(['verify', '--json'], { stdout: full });
  closeSync(full);
  assert.deepEqual([code, said], [2, 'interlock: the answer cannot be written (ENOSPC)\n']);
});

test('without a terminal there are no colours, whatever the environment wants', async () => {
  const environment = { FORCE_COLOR: '1', CLICOLOR_FORCE: '1', TERM: 'xterm-256color' };
  const around = { directory: scratch.path, environment };
  const ended = await Promise.all([start(['log'], around), start(['verify'], around), start(['check'], around)]);
  for (const { code, out, err } of ended) {
    assert.equal(code, 0);
    assert.equal((out + err).includes('\u001b'), false);
  }
});

test('a gateway that is asked to end does so in order', async () => {
  const data = scratch.at('asked');
  const child = spawn(process.execPath, [INTERLOCK, 'gateway', '--data', data], {
    cwd: scratch.path,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
  const [answer] = await new Promise<[Buffer]>((resolve) => child.stdout.once('data', (chunk) => resolve([chunk])));
  assert.deepEqual(JSON.parse(answer.toString()), { jsonrpc: '2.0', id: 1, result: {} });
  child.kill('SIGTERM');
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0);
  const { out } = await start(['verify', '--json', '--data', data]);
  assert.deepEqual([json(out)['verdict'], json(out)['unsigned']], ['ok', 0]);
});
