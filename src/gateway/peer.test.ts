import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { Peer, type Incoming, type Outcome, type PeerOptions } from './peer.ts';

/** A clock that stands still until it is told to move on. */
class StillWorld implements World {
  #now = 0;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  now = (): number => this.#now;
  monotonic = (): number => this.#now;
  uptime = (): number => this.#now;
  random = (length: number): Uint8Array => new Uint8Array(length);
  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const sleeper = { until: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        resolve();
      });
    });

  get sleeping(): number {
    return this.#sleepers.size;
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Rig {
  readonly peer: Peer;
  readonly world: StillWorld;
  readonly sent: JsonObject[];
  readonly notified: [string, JsonObject][];
  readonly malformed: string[];
  readonly faults: unknown[];
  readonly hear: (message: object) => void;
}

function rig(
  serve: (request: Incoming) => Promise<Outcome> = async () => ({ result: {} }),
  more: Partial<PeerOptions> = {},
): Rig {
  const world = new StillWorld();
  const sent: JsonObject[] = [];
  const notified: [string, JsonObject][] = [];
  const malformed: string[] = [];
  const faults: unknown[] = [];
  const peer = new Peer({
    send: (line) => sent.push(JSON.parse(line) as JsonObject) > 0,
    world,
    openMax: 2,
    busy: { code: -32_000, message: 'busy' },
    answersMalformed: true,
    events: {
      request: serve,
      notification: (method, params) => void notified.push([method, params]),
      malformed: ({ reason }) => void malformed.push(reason),
      fault: (error) => void faults.push(error),
    },
    ...more,
  });
  const hear = (message: object): void => peer.receive(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message })));
  return { peer, world, sent, notified, malformed, faults, hear };
}

const never = (): Promise<Outcome> => new Promise(() => {});

test('a request is sent before the call returns, and answered by its id', async () => {
  const { peer, sent, hear } = rig();
  const [one, two] = [peer.request('a', { x: 1 }), peer.request('b', undefined)];
  assert.deepEqual(sent, [
    { jsonrpc: '2.0', id: 1, method: 'a', params: { x: 1 } },
    { jsonrpc: '2.0', id: 2, method: 'b' },
  ]);
  hear({ id: 2, error: { code: 1, message: 'no' } });
  hear({ id: 1, result: { y: 1 } });
  hear({ id: 1, result: { y: 2 } });
  assert.deepEqual(await one, { kind: 'result', result: { y: 1 } });
  assert.deepEqual(await two, { kind: 'error', error: { code: 1, message: 'no' } });
});

test('what was never sent is told from what was lost', async () => {
  const refusing = rig(undefined, { send: () => false });
  assert.equal((await refusing.peer.request('a', {})).kind, 'not-sent');
  const { peer, sent } = rig();
  assert.equal((await peer.request('a', {}, { signal: AbortSignal.abort() })).kind, 'not-sent');
  assert.deepEqual(sent, []);
  const open = peer.request('a', {});
  peer.close('gone');
  assert.deepEqual(await open, { kind: 'lost', reason: 'gone' });
  assert.deepEqual(await peer.request('b', {}), { kind: 'not-sent', reason: 'gone' });
  assert.equal(peer.notify('n'), false);
});

test('a request without an answer is lost at its limit, and the peer is told', async () => {
  const { peer, world, sent, hear } = rig();
  const reply = peer.request('tools/call', {}, { timeoutMs: 100 });
  await world.pass(99);
  assert.equal(sent.length, 1);
  await world.pass(1);
  assert.equal((await reply).kind, 'lost');
  const cancelled = { requestId: 1, reason: 'no answer within 100 ms' };
  assert.deepEqual(sent[1], { jsonrpc: '2.0', method: 'notifications/cancelled', params: cancelled });
  hear({ id: 1, result: {} });
  assert.equal(world.sleeping, 0);
});

test('initialize is never cancelled', async () => {
  const { peer, world, sent } = rig();
  const reply = peer.request('initialize', {}, { timeoutMs: 100 });
  await world.pass(100);
  assert.equal((await reply).kind, 'lost');
  assert.equal(sent.length, 1);
});

test('progress keeps a request alive, ten limits long', async () => {
  const { peer, world, hear } = rig();
  const seen: unknown[] = [];
  let settled = false;
  const reply = peer.request('a', {}, { timeoutMs: 100, onProgress: ({ progress }) => void seen.push(progress) });
  void reply.then(() => (settled = true));
  for (let round = 1; round <= 19; round += 1) {
    await world.pass(50);
    assert.equal(settled, false, `after ${round * 50} ms`);
    hear({ method: 'notifications/progress', params: { progressToken: 1, progress: round } });
  }
  await world.pass(50);
  assert.equal((await reply).kind, 'lost');
  assert.equal(seen.length, 19);
});

test('a question of the peer keeps what it was asked alive while it waits for us', async () => {
  const answer = Promise.withResolvers<Outcome>();
  const { peer, world, hear } = rig(() => answer.promise);
  let settled = false;
  const reply = peer.request('a', {}, { timeoutMs: 100 });
  void reply.then(() => (settled = true));
  hear({ id: 'q', method: 'elicitation/create' });
  for (let round = 0; round < 9; round += 1) await world.pass(100);
  assert.equal(settled, false);
  answer.resolve({ result: {} });
  await turn();
  await world.pass(100);
  assert.equal((await reply).kind, 'lost');
});

test('progress is asked for under a token of our own, and only when somebody listens', () => {
  const { peer, sent } = rig();
  void peer.request('a', { _meta: { progressToken: 'theirs', kept: 1 } }, { onProgress: () => {} });
  void peer.request('b', { _meta: { kept: 1 } });
  assert.deepEqual(sent[0]?.['params'], { _meta: { progressToken: 1, kept: 1 } });
  assert.deepEqual(sent[1]?.['params'], { _meta: { kept: 1 } });
});

test('progress of a task goes on after the answer that made it', async () => {
  const { peer, hear } = rig();
  const seen: unknown[] = [];
  const [task, plain] = [1, 2].map(() =>
    peer.request('a', {}, { onProgress: ({ progress }) => void seen.push(progress) }),
  );
  hear({ id: 1, result: { task: { taskId: 't' } } });
  hear({ id: 2, result: {} });
  await Promise.all([task, plain]);
  hear({ method: 'notifications/progress', params: { progressToken: 1, progress: 'of the task' } });
  hear({ method: 'notifications/progress', params: { progressToken: 2, progress: 'of nothing' } });
  assert.deepEqual(seen, ['of the task']);
});

test('a cancelled request tells the peer, takes an answer that still comes, and else is lost', async () => {
  const { peer, world, sent, hear } = rig();
  const controller = new AbortController();
  const [one, two] = [1, 2].map(() => peer.request('a', {}, { signal: controller.signal, timeoutMs: 60_000 }));
  controller.abort('enough');
  assert.deepEqual(sent[2]?.['params'], { requestId: 1, reason: 'enough' });
  hear({ id: 1, result: {} });
  await world.pass(2_000);
  assert.equal((await one)?.kind, 'result');
  assert.deepEqual(await two, { kind: 'lost', reason: 'it was cancelled (enough) and did not answer' });
  assert.equal(world.sleeping, 0);
});

test('a request of the peer is answered once, unless the peer cancelled it', async () => {
  const answers = [Promise.withResolvers<Outcome>(), Promise.withResolvers<Outcome>()];
  const signals: AbortSignal[] = [];
  const { peer, sent, hear } = rig(({ params, signal }) => {
    signals.push(signal);
    return answers[Number(params['n'])]?.promise ?? never();
  });
  hear({ id: 'a', method: 'm', params: { n: 0 } });
  hear({ id: 1, method: 'm', params: { n: 1 } });
  hear({ method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } });
  hear({ method: 'notifications/cancelled', params: { requestId: 'nobody' } });
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, true],
  );
  for (const { resolve } of answers) resolve({ result: { ok: true } });
  await peer.idle();
  assert.deepEqual(sent, [{ jsonrpc: '2.0', id: 'a', result: { ok: true } }]);
});

test('more open requests than allowed are refused, and room comes back', async () => {
  const first = Promise.withResolvers<Outcome>();
  const { sent, hear } = rig(({ params }) => (params['n'] === 0 ? first.promise : never()));
  for (const n of [0, 1, 2]) hear({ id: n, method: 'm', params: { n } });
  assert.deepEqual(sent, [{ jsonrpc: '2.0', id: 2, error: { code: -32_000, message: 'busy' } }]);
  first.resolve({ result: {} });
  await turn();
  hear({ id: 3, method: 'm', params: { n: 3 } });
  assert.deepEqual(
    sent.map(({ id }) => id),
    [2, 0],
  );
});

test('a bug of ours is an internal error that says nothing of itself', async () => {
  const { peer, sent, faults, hear } = rig(() => Promise.reject(new Error('secret')));
  hear({ id: 1, method: 'm' });
  await peer.idle();
  assert.deepEqual(sent, [{ jsonrpc: '2.0', id: 1, error: { code: -32_603, message: 'internal error' } }]);
  assert.equal(faults.length, 1);
});

test('an answer that cannot be read loses its request at once', async () => {
  const { peer, malformed } = rig(undefined, { answersMalformed: false });
  const replies = [1, 2, 3].map(() => peer.request('a', {}));
  peer.receive(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"n":9007199254740993}}'));
  peer.receive(Buffer.from('{"jsonrpc":"2.0","id":2,"result":7}'));
  peer.receive(Buffer.from('{"jsonrpc":"2.0","id":3,"result":{},"error":{}}'));
  assert.deepEqual(
    (await Promise.all(replies)).map(({ kind }) => kind),
    ['lost', 'lost', 'lost'],
  );
  assert.equal(malformed.length, 2);
});

test('after it closed, a peer neither hears nor says anything', async () => {
  const answer = Promise.withResolvers<Outcome>();
  const { peer, sent, notified, hear } = rig(() => answer.promise);
  hear({ id: 1, method: 'm' });
  peer.close('gone');
  answer.resolve({ result: {} });
  await peer.idle();
  hear({ method: 'n' });
  hear({ id: 2, method: 'm' });
  assert.deepEqual([sent, notified], [[], []]);
});
