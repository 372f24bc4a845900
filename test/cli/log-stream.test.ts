/** `interlock log --json` as other tools read it: slowly, not to the end, and by the recipes of the docs. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { INTERLOCK, Scratch, fakeTerminal } from './command.ts';
import { type Calls, leaves, openRecording, record } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
const ROOM = 16 * 1024;
const LINE = 20_000;
let calls: Calls;

before(async () => {
  calls = await record(data);
  await using recording = await openRecording(data);
  const text = 'x'.repeat(LINE - 1_000);
  const done = { kind: 'unknown', reason: '' } as const;
  // Of three principals 20 are entries each; further ones are counted.
  const denied = Array.from({ length: 60 }, (_, n) => recording.call('bank.balance', { n, text }, done, `p${n % 3}`));
  await Promise.all(denied);
  for (let n = 0; n < 5; n += 1) await recording.call('bank.balance', { n }, done, 'p0');
});
after(() => scratch[Symbol.dispose]());

/** Takes one write, and no more until it is told to. */
class Stalled extends Writable {
  #taken: (() => void) | undefined;
  bytes = 0;

  constructor() {
    super({ highWaterMark: ROOM });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytes += chunk.length;
    this.#taken = done;
    this.emit('waiting');
  }

  take(): void {
    this.#taken?.();
  }
}

test('a reader that stalls is waited for: what is ahead of it stays within its room and one line [R-json-lines]', async (t) => {
  const output = new Stalled();
  t.after(() => output.destroy());
  const following = runCommandLine({ ...fakeTerminal(), output }, ['log', '--json', '--follow', '--data', data]);
  const whole = leaves(data).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  assert.ok(whole > 20 * ROOM);
  while (output.bytes < whole) {
    if (output.writableLength === 0) await once(output, 'waiting');
    // Whatever else would be written is written by now.
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    assert.ok(output.writableLength <= ROOM + LINE, `${output.writableLength} bytes wait`);
    output.take();
  }
  output.destroy();
  assert.equal(await following, 0);
});

test('a reader that leaves ends a log that is followed, and is no error [R-json-lines]', async () => {
  const child = spawn(process.execPath, [INTERLOCK, 'log', '--json', '--follow', '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = (await once(child, 'close')) as [number | null];
  assert.deepEqual([code, said], [0, '']);
});

test('the recipes of the docs do what they say [R-json-lines]', (t) => {
  if (spawnSync('jq', ['--version']).error !== undefined) return t.skip('jq is not installed');
  const page = readFileSync(new URL('../../docs/telemetry.md', import.meta.url), 'utf8');
  const [, block = ''] = /```sh\n([\s\S]*?)```/u.exec(page) ?? [];
  const recipes = new Map(
    block.split('\n\n').map((recipe) => {
      const [title = '', ...lines] = recipe.trim().split('\n');
      return [title.replace('# ', ''), lines.join('\n')] as const;
    }),
  );
  const told = (title: string): string[] => {
    const recipe = recipes.get(title) ?? assert.fail(`no recipe \`${title}\``);
    const shell = `set -e; interlock() { "${process.execPath}" "${INTERLOCK}" "$@"; }\n${recipe.replace('2026-01-31', '2020-01-31')}`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', shell], { cwd: scratch.path, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], title);
    return stdout.split('\n').slice(0, -1);
  };
  assert.deepEqual(told('denials by code, those that are only counted too'), ['66 no-rule', '1 unknown-tool']);
  // A hostile name holds a newline, which CSV may.
  const rows = told('for a spreadsheet').filter((row) => /^"\d{4}-/u.test(row));
  assert.equal(rows.length, leaves(data).filter((line) => line.includes('"policy":{')).length);
  assert.ok(rows.some((row) => row.includes(`"${calls.failed}","bob","bank.pay","allowed"`)));
  const unknown = told('calls whose outcome is unknown and not settled, with the time');
  assert.deepEqual(
    unknown.map((line) => line.split(' ')[1]),
    [calls.unknown],
  );
  const perMinute = told('calls a minute, by effect').map((line) => line.trim().split(/ +/u));
  assert.ok(perMinute.every((line) => line.length === 3 && /^(?:allow|ask|deny)$/u.test(line[2] ?? '')));
  assert.deepEqual(told('for a collector that should not see arguments'), []);
  const shipped = readFileSync(scratch.at('interlock.jsonl'), 'utf8').split('\n').slice(0, -1);
  assert.equal(shipped.length, leaves(data).length);
  assert.ok(shipped.every((line) => !Object.hasOwn(JSON.parse(line) as object, 'args')));
});
