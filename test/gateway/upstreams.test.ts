/** Servers that misbehave, die, start late, or come in twos. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { hostName } from '../../src/gateway/names.ts';
import type { JsonObject } from '../../src/value/json.ts';
import {
  ALL_CAPABILITIES,
  EVERYTHING,
  type Rig,
  type Wire,
  dig,
  isAlive,
  list,
  refusal,
  rig,
  script,
  server,
} from './harness.ts';

const ODD = [script('odd-server.ts')];
let running: Rig[] = [];

const start: typeof rig = (servers, more) => {
  const it = rig(servers, more);
  running.push(it);
  return it;
};

afterEach(async () => {
  const all = running;
  running = [];
  for (const { host } of all) host.end();
  await Promise.all(all.map(({ gateway }) => gateway.ended));
});

const call = (it: Rig, name: string, args: JsonObject = {}, more: JsonObject = {}): Promise<Wire> =>
  it.host.request('tools/call', { name, arguments: args, ...more });
const textOf = (response: Wire): string => String(dig(response, 'result', 'content', 0, 'text'));
const namesOf = (response: Wire): readonly unknown[] =>
  list(response, 'result', 'tools').map((tool) => dig(tool, 'name'));

test('two servers stand behind one gateway, in the order of the configuration', async () => {
  const it = start([server('zed', ODD), server('all', EVERYTHING)]);
  await it.host.hello();
  const names = namesOf(await it.host.request('tools/list'));
  const first = names.findIndex((name) => String(name).startsWith('all__'));
  assert.ok(first > 0 && names.slice(0, first).every((name) => String(name).startsWith('zed__')));
  assert.match(textOf(await call(it, 'all__echo', { message: 'hi' })), /Echo: hi/);
  assert.equal(textOf(await call(it, 'zed__alive')), 'alive');
  assert.deepEqual(
    it.door.proposals.map(({ tool }) => tool),
    ['all.echo', 'zed.alive'],
  );
});

test('one dead server hides its tools and nothing else', async () => {
  const it = start([
    server('gone', ['-e', 'process.exit(1)']),
    server('odd', ODD),
    server('none', [], { command: '/no/such/program' }),
  ]);
  await it.host.hello();
  const names = namesOf(await it.host.request('tools/list'));
  assert.ok(names.length > 0 && names.every((name) => String(name).startsWith('odd__')));
  const response = await call(it, 'gone__anything');
  assert.equal(dig(response, 'result', 'isError'), true);
  assert.equal(dig(response, 'result', '_meta', 'interlock/decision', 'code'), 'upstream-unavailable');
  assert.equal(textOf(await call(it, 'odd__alive')), 'alive');
  assert.ok(
    it.log.some((line) => line.startsWith('server gone: it exited with code 1')),
    it.log.join('\n'),
  );
  assert.ok(
    it.log.some((line) => line.startsWith('server none: cannot start `/no/such/program`')),
    it.log.join('\n'),
  );
});

test('names are always acceptable, and a hashed one reaches its tool', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const names = namesOf(await it.host.request('tools/list'));
  for (const name of names) assert.match(String(name), /^[A-Za-z0-9_-]{1,64}$/);
  for (const own of ['x'.repeat(80), 'with.dot', 'späce name']) {
    const name = hostName('odd', own);
    assert.ok(names.includes(name), name);
    assert.equal(textOf(await call(it, name)), `called ${own}`);
    assert.equal(it.door.proposals.at(-1)?.tool, `odd.${own}`);
  }
  assert.equal(new Set(names).size, names.length);
  assert.ok(it.log.some((line) => line.includes('under the name of a method: odd.resources/read')));
});

test('unknown fields of definitions and parameters pass, our own do not', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const [tool] = list(await it.host.request('tools/list'), 'result', 'tools');
  assert.deepEqual(dig(tool, 'x-unknown'), { kept: [1, null] });
  const meta = { 'interlock/key': 'k1', traceparent: '00-ab', progressToken: 'p', other: { a: 1 } };
  const response = await call(it, 'odd__tell', { __proto__x: 1, n: 1.25 }, { _meta: meta, future: [true] });
  const told = dig(response, 'result', 'structuredContent') as JsonObject;
  const token = dig(told, '_meta', 'progressToken');
  assert.notEqual(token, 'p');
  const passed = { traceparent: '00-ab', other: { a: 1 }, progressToken: token };
  assert.deepEqual(told, { future: [true], name: 'tell', arguments: { __proto__x: 1, n: 1.25 }, _meta: passed });
  assert.equal(it.door.proposals.at(-1)?.key, 'k1');
  const bare = await it.host.request('tools/call', { name: 'odd__tell' });
  assert.deepEqual(dig(bare, 'result', 'structuredContent'), { name: 'tell' });
});

test('a server cannot speak in our name', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const response = await call(it, 'odd__forge');
  const mine = { id: 'call-1', state: 'succeeded', replayed: false };
  assert.deepEqual(dig(response, 'result', '_meta'), { kept: 1, 'interlock/call': mine });
});

test('an error of a server is a failure, and arrives as that error with the call in its data', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const error = { code: -32_042, message: 'a person must log in', data: { url: 'https://example.com/', n: 1.5 } };
  const _meta = { 'interlock/call': { id: 'call-1', state: 'failed', replayed: false } };
  assert.deepEqual((await call(it, 'odd__error')).error, { ...error, data: { ...error.data, _meta } });
  assert.deepEqual(it.door.outcomes, [{ kind: 'failed', output: { error } }]);
});

for (const [name, said] of [
  ['die', /exited|closed/],
  ['close', /closed/],
  ['big-integer', /malformed/],
  ['duplicate', /malformed/],
  ['not-object', /malformed/],
] as const) {
  test(`a call that ends in \`${name}\` is unknown, and its answer says how to settle it`, async () => {
    const it = start([server('odd', ODD)]);
    await it.host.hello();
    const response = await call(it, `odd__${name}`);
    assert.equal(it.door.outcomes[0]?.kind, 'unknown');
    assert.match((it.door.outcomes[0] as { reason: string }).reason, said);
    assert.equal(dig(response, 'result', 'isError'), true);
    assert.equal(dig(response, 'result', '_meta', 'interlock/call', 'state'), 'unknown');
    assert.match(textOf(response), /unknown.*interlock settle call-1 executed\|not-executed --reason/);
  });
}

test('a call whose server is gone before the first byte did not start', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  await it.host.request('tools/list');
  it.door.delay = async ({ tool }) => {
    if (tool === 'odd.alive') await it.host.notice('notifications/tools/list_changed');
  };
  const [late] = await Promise.all([call(it, 'odd__alive'), call(it, 'odd__die')]);
  assert.deepEqual(it.door.outcomes[1], { kind: 'not-started', reason: 'server odd is not running' });
  assert.equal(dig(late, 'result', '_meta', 'interlock/call', 'state'), 'not-started');
});

test('a call that nobody answers in time is unknown, and the server hears that it is cancelled', async () => {
  const it = start([server('odd', ODD, { timeoutMs: 200 })]);
  await it.host.hello();
  await call(it, 'odd__cancellable');
  assert.deepEqual(it.door.outcomes, [{ kind: 'unknown', reason: 'no answer within 200 ms' }]);
  // It answered that it was cancelled, too late: nobody is told twice.
  assert.equal(textOf(await call(it, 'odd__alive')), 'alive');
});

test('a cancelled call reaches the server, and what it still answers is recorded but not sent', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const { id, response } = it.host.start('tools/call', { name: 'odd__cancellable' });
  void response.then(() => assert.fail('a cancelled request was answered'));
  await it.host.notice('notifications/message');
  it.host.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason: 'no need' } });
  assert.equal(textOf(await call(it, 'odd__alive')), 'alive');
  assert.deepEqual(it.door.outcomes[0], {
    kind: 'succeeded',
    output: { content: [{ type: 'text', text: 'cancelled: no need' }] },
  });
});

test('what a server prints on its standard output is noise, not an answer', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  assert.equal(textOf(await call(it, 'odd__junk')), 'after junk');
  assert.ok(it.log.some((line) => line.startsWith('server odd: sent a line that is no message')));
  assert.equal(it.door.refusedLines.length, 0);
});

test('standard error is logged under the server, harmless and bounded', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  await call(it, 'odd__stderr');
  it.host.end();
  await it.gateway.ended;
  assert.ok(it.log.includes('[odd] plain'));
  assert.ok(it.log.includes('[odd] ·[2Jcleared·'));
  const long = it.log.filter((line) => line.startsWith('[odd] yyy'));
  assert.ok(long.length > 100 && long.length < 200 && long.every((line) => line.length <= 1_006), String(long.length));
});

test('a server that dies comes back, and the host hears of both', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const before = namesOf(await it.host.request('tools/list'));
  const pid = Number(textOf(await call(it, 'odd__pid')));
  await call(it, 'odd__die');
  await it.host.notice('notifications/tools/list_changed');
  assert.equal(it.door.offers.get('odd'), undefined);
  assert.ok(it.door.offers.has('odd'));
  it.host.heard.length = 0;
  await it.host.notice('notifications/tools/list_changed');
  assert.deepEqual(namesOf(await it.host.request('tools/list')), before);
  const again = Number(textOf(await call(it, 'odd__pid')));
  assert.notEqual(again, pid);
  assert.equal(isAlive(pid), false);
});

test('a server that closed its output is ended before it is started again', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  await it.host.request('tools/list');
  const pid = Number(textOf(await call(it, 'odd__pid')));
  await call(it, 'odd__close');
  await it.host.notice('notifications/tools/list_changed');
  it.host.heard.length = 0;
  await it.host.notice('notifications/tools/list_changed');
  assert.equal(isAlive(pid), false);
  assert.equal(textOf(await call(it, 'odd__alive')), 'alive');
});

test('tools that change while they are first listed are not missed', async () => {
  const it = start([server('odd', [...ODD, '--change-while-listing'])]);
  await it.host.hello();
  const names = namesOf(await it.host.request('tools/list'));
  if (!names.includes('odd__grown')) await it.host.notice('notifications/tools/list_changed');
  assert.ok(namesOf(await it.host.request('tools/list')).includes('odd__grown'));
});

test('tools/list waits for a server that starts, and goes out without one that is late', async () => {
  const it = start([
    server('slow', [...ODD, '--start-after', '300']),
    server('late', [...ODD, '--start-after', '1500'], { startTimeoutMs: 700 }),
  ]);
  await it.host.hello();
  const first = namesOf(await it.host.request('tools/list'));
  assert.ok(first.length > 0 && first.every((name) => String(name).startsWith('slow__')), first.join(' '));
  await it.host.notice('notifications/tools/list_changed');
  const second = namesOf(await it.host.request('tools/list'));
  assert.ok(second.includes('late__alive') && second.includes('slow__alive'));
});

test('a call to a server that still starts waits for it', async () => {
  const it = start([server('slow', [...ODD, '--start-after', '300'])]);
  await it.host.hello();
  assert.equal(textOf(await call(it, 'slow__alive')), 'alive');
});

test('a server that changes its tools is listed anew', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  const before = namesOf(await it.host.request('tools/list'));
  await call(it, 'odd__grow');
  await it.host.notice('notifications/tools/list_changed');
  assert.deepEqual(namesOf(await it.host.request('tools/list')), [...before, 'odd__grown']);
  assert.ok(it.door.offers.get('odd')?.some(({ name }) => name === 'odd.grown'));
});

test('what the caller may not know is not listed, and a change of the policy is told', async () => {
  const it = start([server('odd', ODD)]);
  it.door.hidden = (tool) => tool === 'odd.die' || tool === 'odd.resources/read';
  await it.host.hello();
  assert.ok(!namesOf(await it.host.request('tools/list')).includes('odd__die'));
  assert.deepEqual(list(await it.host.request('resources/list'), 'result', 'resources'), []);
  it.gateway.policyChanged();
  it.door.hidden = () => false;
  it.gateway.policyChanged();
  await it.host.notice('notifications/tools/list_changed');
  assert.ok(namesOf(await it.host.request('tools/list')).includes('odd__die'));
  const told = it.host.heard.filter((message) => message.method === 'notifications/tools/list_changed');
  assert.equal(told.length, 1);
});

test('a denied call is a result for the model, a denied method an error with the decision', async () => {
  const it = start([server('odd', ODD)]);
  it.door.rule = (proposal, id) =>
    proposal.tool === 'odd.alive' || proposal.tool === 'odd.resources/read'
      ? refusal(id, 'no-rule', 'nothing allows it')
      : undefined;
  await it.host.hello();
  const decision = { effect: 'deny', code: 'no-rule', rules: [], retryable: false };
  assert.deepEqual((await call(it, 'odd__alive')).result, {
    content: [{ type: 'text', text: 'nothing allows it' }],
    isError: true,
    _meta: { 'interlock/call': { id: 'call-1', state: 'denied', replayed: false }, 'interlock/decision': decision },
  });
  const read = await it.host.request('resources/read', { uri: 'odd://1/0' });
  const { data, ...error } = read.error ?? {};
  assert.deepEqual(error, { code: -32_010, message: 'nothing allows it' });
  assert.deepEqual(data, { ...decision, _meta: dig(data, '_meta') });
  assert.equal(dig(data, '_meta', 'interlock/call', 'state'), 'denied');
});

test('a tool that nobody offers is the door to decide, and reaches nobody', async () => {
  const it = start([server('odd', ODD)]);
  await it.host.hello();
  for (const name of ['odd__nothing', 'nobody__x', 'plain', '__', 'odd__', 'constructor', 'odd.alive']) {
    const response = await call(it, name);
    assert.equal(dig(response, 'result', 'isError'), true, name);
    assert.equal(it.door.proposals.at(-1)?.available, false, name);
  }
  assert.deepEqual(it.door.outcomes, []);
  assert.deepEqual(
    it.door.proposals.slice(0, 3).map(({ tool }) => tool),
    ['odd.nothing', 'nobody.x', 'plain'],
  );
});

test('pages of two servers are merged, and their cursors are one', async () => {
  const it = start([server('a', ODD), server('b', ODD)]);
  await it.host.hello();
  const uris: unknown[] = [];
  let cursor: unknown;
  let pages = 0;
  do {
    const response = await it.host.request('resources/list', cursor === undefined ? {} : { cursor: cursor as string });
    uris.push(...list(response, 'result', 'resources').map((item) => dig(item, 'uri')));
    cursor = dig(response, 'result', 'nextCursor');
    pages += 1;
  } while (cursor !== undefined);
  assert.equal(pages, 3);
  assert.equal(new Set(uris).size, 6);
});

test('a resource is read from the server that lists it, even one that was never listed to the host', async () => {
  const it = start([server('a', ODD), server('b', ODD)]);
  await it.host.hello();
  for (const id of ['a', 'b']) {
    const pid = textOf(await call(it, `${id}__pid`));
    const read = await it.host.request('resources/read', { uri: `odd://${pid}/1` });
    assert.equal(dig(read, 'result', 'contents', 0, 'text'), `read by ${pid}`);
    assert.deepEqual(it.door.proposals.at(-1)?.args, { uri: `odd://${pid}/1` });
  }
  const nowhere = await it.host.request('resources/read', { uri: 'odd://nowhere' });
  assert.equal(nowhere.error?.code, -32_002);
});

test('a task belongs to the server that made it', async () => {
  const it = start([server('a', ODD), server('b', ODD)]);
  await it.host.hello();
  assert.equal((await it.host.request('tasks/get', { taskId: 'task-1' })).error?.code, -32_602);
  await call(it, 'b__task', {}, { task: {} });
  await it.host.request('tasks/get', { taskId: 'task-1' });
  assert.equal(it.door.proposals.at(-1)?.tool, 'b.tasks/get');
});

test('a server may ask what the host can do and the door allows, and nothing else', async () => {
  const it = start([server('odd', ODD)]);
  it.host.answers.set('sampling/createMessage', (params) => ({
    model: 'm',
    role: 'assistant',
    content: params['messages'] ?? [],
  }));
  it.host.answers.set('roots/list', () => ({ roots: [] }));
  await it.host.hello({ sampling: {}, roots: {} });
  const ask = async (method: string, params: JsonObject): Promise<unknown> =>
    dig(await call(it, 'odd__ask', { method, params }), 'result', 'structuredContent');
  const sampled = await ask('sampling/createMessage', { messages: [1], _meta: { 'interlock/key': 'stolen' } });
  assert.deepEqual(dig(sampled, 'result'), { model: 'm', role: 'assistant', content: [1] });
  const proposed = it.door.proposals.find(({ tool }) => tool === 'odd.sampling/createMessage');
  assert.deepEqual([proposed?.args, proposed?.key], [{ messages: [1] }, undefined]);
  assert.deepEqual(dig(await ask('roots/list', {}), 'result'), { roots: [] });
  assert.deepEqual(dig(await ask('ping', {}), 'result'), {});
  assert.equal(dig(await ask('elicitation/create', {}), 'error', 'code'), -32_601);
  assert.equal(dig(await ask('secrets/steal', {}), 'error', 'code'), -32_601);
  it.door.rule = ({ tool }, id) => (tool.includes('/') ? refusal(id, 'no-rule', 'not allowed') : undefined);
  const denied = await ask('sampling/createMessage', { messages: [] });
  assert.deepEqual([dig(denied, 'error', 'code'), dig(denied, 'error', 'data', 'code')], [-32_010, 'no-rule']);
});

test('one server sees no task that another made at the host', async () => {
  const it = start([server('a', ODD), server('b', ODD)]);
  it.host.answers.set('sampling/createMessage', () => ({ task: { taskId: 'h1', status: 'working' } }));
  it.host.answers.set('tasks/get', ({ taskId }) => ({ taskId: taskId ?? null, status: 'working' }));
  it.host.answers.set('tasks/list', () => ({ tasks: [{ taskId: 'h1' }, { taskId: 'h2' }] }));
  await it.host.hello(ALL_CAPABILITIES);
  const ask = async (id: string, method: string, params: JsonObject): Promise<unknown> =>
    dig(await call(it, `${id}__ask`, { method, params }), 'result', 'structuredContent');
  await ask('a', 'sampling/createMessage', { task: {} });
  assert.equal(dig(await ask('a', 'tasks/get', { taskId: 'h1' }), 'result', 'status'), 'working');
  assert.equal(dig(await ask('b', 'tasks/get', { taskId: 'h1' }), 'error', 'code'), -32_602);
  assert.deepEqual(dig(await ask('a', 'tasks/list', {}), 'result', 'tasks'), [{ taskId: 'h1' }]);
  assert.deepEqual(dig(await ask('b', 'tasks/list', {}), 'result', 'tasks'), []);
});

test('a new configuration keeps what did not change, starts what is new and stops what is gone', async () => {
  const it = start([server('kept', ODD), server('gone', ODD)]);
  await it.host.hello();
  await it.host.request('tools/list');
  const [kept, gone] = [textOf(await call(it, 'kept__pid')), textOf(await call(it, 'gone__pid'))];
  const servers = [server('fresh', ODD), server('kept', ODD)];
  it.gateway.reconfigure(new Map(servers.map((one) => [one.id, one])));
  const names = namesOf(await it.host.request('tools/list'));
  assert.deepEqual([...new Set(names.map((name) => String(name).split('__')[0]))], ['fresh', 'kept']);
  assert.equal(textOf(await call(it, 'kept__pid')), kept);
  assert.notEqual(textOf(await call(it, 'fresh__pid')), kept);
  assert.equal(it.door.offers.get('gone'), undefined);
  it.host.end();
  await it.gateway.ended;
  for (const pid of [kept, gone]) assert.equal(isAlive(Number(pid)), false);
});
