import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, openSync, closeSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { systemWorld } from '../../world/system.ts';
import { ProcessError } from './error.ts';
import { type ProcessPlan, type StartedProcess, startProcess } from './spawn.ts';

const start = (script: string, more: Partial<ProcessPlan> = {}): Promise<StartedProcess> =>
  startProcess({ command: process.execPath, args: ['-e', script], env: {}, cwd: tmpdir(), ...more }, systemWorld);

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

test('no shell reads the command or its arguments', async () => {
  const hostile = ['$(id)', '; touch pwned', '`id`', '*', '"', ' a b ', '\n'];
  const script = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
  const child = await start('', { args: ['-e', script, '--', ...hostile] });
  assert.deepEqual(JSON.parse(await text(child.stdout)), hostile);
  assert.deepEqual(await child.ended, { code: 0, signal: null });
  await assert.rejects(start('', { command: `${process.execPath} -e 1` }), ProcessError);
});

test('the environment and the directory are those of the plan and no others', async () => {
  process.env['INTERLOCK_TEST_SECRET'] = 'x';
  const child = await start('console.log(JSON.stringify([process.env, process.cwd()]))', { env: { ONLY: 'this' } });
  const [env, cwd] = JSON.parse(await text(child.stdout)) as [Record<string, string>, string];
  assert.deepEqual(env, { ONLY: 'this' });
  assert.equal(cwd, realpathSync(tmpdir()));
});

test('no other descriptor is inherited', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-'));
  writeFileSync(join(directory, 'open'), '');
  const descriptor = openSync(join(directory, 'open'), 'r');
  const list =
    "try { const fs = require('fs'); console.log(fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd) } catch { return '' } }).join('\\n')) } catch {}";
  const child = await start(list);
  assert.ok(!(await text(child.stdout)).includes(directory));
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

for (const [name, plan] of [
  ['a program that is not there', { command: '/no/such/program' }],
  ['a directory', { command: tmpdir() }],
  ['a working directory that is not there', { cwd: '/no/such/directory' }],
  ['a NUL in an argument', { args: ['a\0b'] }],
  ['an empty command', { command: '' }],
] as const) {
  test(`${name} cannot be started, and the error says so`, async () => {
    await assert.rejects(start('', plan), (error) => error instanceof ProcessError && error.code === 'cannot-start');
  });
}

test('a process that ends at the end of its input is not signalled', async () => {
  const child = await start("process.stdin.resume().on('end', () => process.exit(7))");
  await child.stop(2_000);
  assert.deepEqual(await child.ended, { code: 7, signal: null });
});

test('one that does not is terminated, and one that ignores that is killed', async () => {
  const deaf = await start('setInterval(() => {}, 1000)');
  await deaf.stop(50);
  assert.deepEqual(await deaf.ended, { code: null, signal: 'SIGTERM' });
  const stubborn = await start("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')");
  await once(stubborn.stdout, 'data');
  await Promise.all([stubborn.stop(50), stubborn.stop(50)]);
  assert.deepEqual(await stubborn.ended, { code: null, signal: 'SIGKILL' });
  assert.ok(isGone(stubborn.pid));
});

test('what a process left behind in its group ends with it', async () => {
  const script =
    "const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); console.log(c.pid); setTimeout(() => process.exit(0), 50)";
  const child = await start(script);
  // It holds our pipe: the pipe ends only when the grandchild has.
  const [output] = await Promise.all([text(child.stdout), child.ended]);
  assert.match(output, /^\d+\n$/);
});

test('to stop what has ended does nothing', async () => {
  const child = await start('');
  await child.ended;
  await child.stop(1);
  child.stdin.write('nobody reads this');
  await once(child.stdin, 'close');
});
