/** The end of the input: what runs finishes, is recorded and answered, and nothing is left behind. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { EVERYTHING, RawHost, dig, direct, isAlive, rig, script, server } from './harness.ts';

const ODD = [script('odd-server.ts')];
const ENTRY = [script('relay-entry.ts'), ...ODD];

test('a call that runs when the input ends is finished and answered', async () => {
  const { host, gateway, door } = rig([server('all', EVERYTHING)]);
  await host.hello();
  const args = { duration: 0.4, steps: 2 };
  const { id } = host.start('tools/call', { name: 'all__trigger-long-running-operation', arguments: args });
  host.end();
  await gateway.ended;
  const answer = host.heard.find((message) => message.id === id);
  assert.match(String(dig(answer, 'result', 'content', 0, 'text')), /Long running operation completed/);
  assert.equal(door.outcomes[0]?.kind, 'succeeded');
});

test('a call that does not finish is unknown after three seconds, recorded and answered', async () => {
  const { host, gateway, door } = rig([server('odd', ODD)]);
  await host.hello();
  await host.request('tools/list');
  const { id } = host.start('tools/call', { name: 'odd__hang' });
  const ended = performance.now();
  host.end();
  await gateway.ended;
  const took = performance.now() - ended;
  assert.ok(took > 2_900 && took < 4_500, `${took} ms`);
  assert.deepEqual(door.outcomes, [{ kind: 'unknown', reason: 'the gateway was closed before an answer came' }]);
  const answer = host.heard.find((message) => message.id === id);
  assert.equal(dig(answer, 'result', '_meta', 'interlock/call', 'state'), 'unknown');
});

test('neither a server nor what it started outlives the gateway', async () => {
  const { host, gateway } = rig([server('odd', ODD), server('deaf', ODD)]);
  await host.hello();
  const pids: number[] = [];
  for (const name of ['odd__pid', 'odd__spawn', 'deaf__pid', 'deaf__spawn']) {
    const response = await host.request('tools/call', { name });
    pids.push(Number(dig(response, 'result', 'content', 0, 'text')));
  }
  await host.request('tools/call', { name: 'deaf__deaf' });
  assert.ok(pids.length === 4 && pids.every(isAlive));
  host.end();
  await gateway.ended;
  // The grandchild was killed in the turn its parent was reaped; init reaps it when it gets to it.
  for (const pid of pids) while (isAlive(pid)) await new Promise(setImmediate);
});

test('a server that ignores its input and SIGTERM is killed', async () => {
  const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.error(process.pid);";
  const { host, gateway, log } = rig([server('stubborn', ['-e', stubborn], { startTimeoutMs: 300 })]);
  await host.hello();
  await host.request('tools/list');
  const pid = Number(log.find((line) => line.startsWith('[stubborn]'))?.split(' ')[1]);
  assert.ok(isAlive(pid));
  host.end();
  await gateway.ended;
  assert.equal(isAlive(pid), false);
});

test('the gateway ends while its servers still start', async () => {
  const { host, gateway } = rig([server('slow', [...ODD, '--start-after', '60000'])]);
  await host.hello();
  host.end();
  const before = performance.now();
  await gateway.ended;
  assert.ok(performance.now() - before < 2_500);
});

test('a host that never says hello leaves nothing behind either', async () => {
  const { host, gateway } = rig([server('odd', ODD)]);
  assert.equal((await host.request('tools/list')).error?.code, -32_600);
  assert.deepEqual((await host.request('ping')).result, {});
  host.end();
  await gateway.ended;
});

test('close does what the end of the input does, and may be called again', async () => {
  const { host, gateway } = rig([server('odd', ODD)]);
  await host.hello();
  const pid = Number(dig(await host.request('tools/call', { name: 'odd__pid' }), 'result', 'content', 0, 'text'));
  await Promise.all([gateway.close(), gateway.close(), gateway.ended]);
  assert.equal(isAlive(pid), false);
});

test('a host that stops reading holds back its servers, and loses nothing when it reads again', async () => {
  const input = new PassThrough();
  const output = new PassThrough({ highWaterMark: 1_024 });
  const { gateway, door } = rig([server('odd', ODD)], { input, output });
  input.write(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}\n',
  );
  input.write('{"jsonrpc":"2.0","id":"f","method":"tools/call","params":{"name":"odd__flood"}}\n');
  while (output.writableLength < 1_024) await new Promise(setImmediate);
  // As long as it takes three times over where the host reads.
  const free = direct(ODD);
  await free.host.hello();
  for (let round = 0; round < 3; round += 1) await free.host.request('tools/call', { name: 'flood' });
  free.child.kill();
  assert.deepEqual(door.outcomes, []);
  assert.ok(output.writableLength < 1_000_000, `${output.writableLength} of 20 MB wait here`);
  const host = new RawHost(output, input);
  await host.until((message) => message.id === 'f');
  assert.equal(host.heard.filter((message) => message.method === 'notifications/message').length, 200);
  host.end();
  await gateway.ended;
});

test('as a program it exits 0 by itself, with nothing but messages on its output', async () => {
  const child = spawn(process.execPath, ENTRY, { stdio: ['pipe', 'pipe', 'pipe'] });
  const host = new RawHost(child.stdout, child.stdin);
  await host.hello();
  const pid = Number(dig(await host.request('tools/call', { name: 'it__pid' }), 'result', 'content', 0, 'text'));
  host.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(isAlive(pid), false);
});

test('a host that dies without a word takes the servers with it', async () => {
  const child = spawn(process.execPath, ENTRY, { stdio: ['pipe', 'pipe', 'ignore'] });
  const host = new RawHost(child.stdout, child.stdin);
  await host.hello();
  const pid = Number(dig(await host.request('tools/call', { name: 'it__pid' }), 'result', 'content', 0, 'text'));
  child.stdout.destroy();
  host.send({ jsonrpc: '2.0', id: 'p', method: 'ping' });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(isAlive(pid), false);
});

test('servers end when the gateway is killed', async () => {
  const child = spawn(process.execPath, ENTRY, { stdio: ['pipe', 'pipe', 'ignore'] });
  const host = new RawHost(child.stdout, child.stdin);
  await host.hello();
  const pid = Number(dig(await host.request('tools/call', { name: 'it__pid' }), 'result', 'content', 0, 'text'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  while (isAlive(pid)) await new Promise(setImmediate);
});
