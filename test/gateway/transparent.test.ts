/** The official servers answer the same behind the gateway as without it. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type JsonObject, isJsonObject } from '../../src/value/json.ts';
import {
  ALL_CAPABILITIES,
  EVERYTHING,
  type RawHost,
  type Rig,
  type Wire,
  dig,
  direct,
  filesystem,
  list,
  rig,
  server,
} from './harness.ts';

let through: Rig;
let straight: ReturnType<typeof direct>;

/** Answers every question the same way, so that what differs is the gateway's doing. */
function answerable(host: RawHost): RawHost {
  host.answers.set('roots/list', () => ({ roots: [{ uri: 'file:///workspace', name: 'workspace' }] }));
  host.answers.set('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada', check: true } }));
  host.answers.set('sampling/createMessage', (params) => ({
    role: 'assistant',
    model: 'none',
    stopReason: 'endTurn',
    content: { type: 'text', text: JSON.stringify(dig(params, 'messages')) },
  }));
  return host;
}

/** The response without what the two sides must not share: ids of requests, and what the gateway adds on purpose. */
function plain(response: Wire): unknown {
  if (response.error !== undefined) {
    const { data, ...error } = response.error;
    if (!isJsonObject(data)) return { error: response.error };
    const bare = withoutCall(data);
    return { error: Object.keys(bare).length === 0 ? error : { ...error, data: bare } };
  }
  return withoutCall(response.result ?? {});
}

function withoutCall({ _meta: meta, ...rest }: JsonObject & { _meta?: JsonObject }): JsonObject {
  const { 'interlock/call': _, ...others } = meta ?? {};
  return Object.keys(others).length === 0 ? rest : { ...rest, _meta: others };
}

before(async () => {
  through = rig([server('it', EVERYTHING)]);
  straight = direct(EVERYTHING);
  await Promise.all([
    answerable(through.host).hello(ALL_CAPABILITIES),
    answerable(straight.host).hello(ALL_CAPABILITIES),
  ]);
});

after(async () => {
  straight.host.end();
  straight.child.kill();
  through.host.end();
  await through.gateway.ended;
});

test('tools/list is what the server lists, in its order, but for the names', async () => {
  const [here, there] = await Promise.all([through.host.request('tools/list'), straight.host.request('tools/list')]);
  const renamed = list(there, 'result', 'tools').map((tool) => ({
    ...(tool as object),
    name: `it__${String(dig(tool, 'name'))}`,
  }));
  assert.ok(renamed.length >= 19);
  assert.deepEqual(list(here, 'result', 'tools'), renamed);
});

const CALLS: readonly (readonly [string, JsonObject])[] = [
  ['echo', { message: 'grüße 👋 \u2028' }],
  ['echo', { message: 7 }],
  ['echo', {}],
  ['get-annotated-message', { messageType: 'error', includeImage: true }],
  ['get-annotated-message', { messageType: 'success' }],
  ['get-env', {}],
  ['get-resource-links', { count: 3 }],
  ['get-structured-content', { location: 'Chicago' }],
  ['get-structured-content', { location: 'nowhere' }],
  ['get-sum', { a: 1.5, b: -0.25 }],
  ['get-tiny-image', {}],
  ['gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' }],
  ['gzip-file-as-resource', { name: 'b.gz', data: 'data:text/plain,hello', outputType: 'resourceLink' }],
  ['get-roots-list', {}],
  ['trigger-elicitation-request', {}],
  ['trigger-url-elicitation', { url: 'https://example.com/', elicitationId: 'e1' }],
  ['trigger-sampling-request', { prompt: 'why', maxTokens: 5 }],
  ['trigger-sampling-request-async', { prompt: 'why', maxTokens: 5 }],
  ['trigger-elicitation-request-async', {}],
  ['simulate-research-query', { topic: 'without a task' }],
];

for (const [name, args] of CALLS) {
  test(`${name} ${JSON.stringify(args).slice(0, 60)} answers the same`, async () => {
    const [here, there] = await Promise.all([
      through.host.request('tools/call', { name: `it__${name}`, arguments: args }),
      straight.host.request('tools/call', { name, arguments: args }),
    ]);
    if (name !== 'get-env') return assert.deepEqual(plain(here), plain(there));
    // A server sees PATH, HOME, LANG and TMPDIR, whatever else is set.
    const seen = JSON.parse(String(dig(here, 'result', 'content', 0, 'text'))) as Record<string, string>;
    assert.deepEqual(
      Object.keys(seen).filter((key) => !['PATH', 'HOME', 'LANG', 'TMPDIR'].includes(key)),
      [],
    );
  });
}

test('an elicitation that comes as an error arrives as that error', async () => {
  const response = await through.host.request('tools/call', {
    name: 'it__trigger-url-elicitation',
    arguments: { url: 'https://example.com/', errorPath: true },
  });
  assert.equal(response.error?.code, -32_042);
  assert.equal(dig(response.error.data, 'elicitations', 0, 'mode'), 'url');
});

test('resources, templates, prompts and completions are the same', async () => {
  const ref = { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' };
  const requests: readonly (readonly [string, JsonObject])[] = [
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['resources/read', { uri: 'demo://resource/static/document/features.md' }],
    ['resources/read', { uri: 'demo://resource/nothing' }],
    ['completion/complete', { ref, argument: { name: 'resourceId', value: '1' } }],
    ['resources/subscribe', { uri: 'demo://resource/dynamic/text/1' }],
    ['resources/unsubscribe', { uri: 'demo://resource/dynamic/text/1' }],
    ['logging/setLevel', { level: 'debug' }],
  ];
  for (const [method, params] of requests) {
    const [here, there] = await Promise.all([
      through.host.request(method, params),
      straight.host.request(method, params),
    ]);
    assert.deepEqual(plain(here), plain(there), method);
  }
});

test('prompts are the same under the name that is listed for them', async () => {
  const [here, there] = await Promise.all([
    through.host.request('prompts/list'),
    straight.host.request('prompts/list'),
  ]);
  const renamed = list(there, 'result', 'prompts').map((item) => ({
    ...(item as object),
    name: `it__${String(dig(item, 'name'))}`,
  }));
  assert.deepEqual(list(here, 'result', 'prompts'), renamed);
  const get = async (host: RawHost, prefix: string): Promise<unknown> =>
    plain(await host.request('prompts/get', { name: `${prefix}args-prompt`, arguments: { city: 'Zürich' } }));
  assert.deepEqual(await get(through.host, 'it__'), await get(straight.host, ''));
  const complete = async (host: RawHost, prefix: string): Promise<unknown> => {
    const ref = { type: 'ref/prompt', name: `${prefix}completable-prompt` };
    const context = { arguments: { department: 'Sales' } };
    return plain(await host.request('completion/complete', { ref, argument: { name: 'name', value: 'E' }, context }));
  };
  assert.deepEqual(await complete(through.host, 'it__'), await complete(straight.host, ''));
});

test('a task runs to its result, with a question to the host on the way', async () => {
  const started = await through.host.request('tools/call', {
    name: 'it__simulate-research-query',
    arguments: { topic: 'python', ambiguous: true },
    task: { ttl: 60_000 },
  });
  const taskId = String(dig(started, 'result', 'task', 'taskId'));
  const status = await through.host.request('tasks/get', { taskId });
  assert.equal(dig(status, 'result', 'taskId'), taskId);
  const result = await through.host.request('tasks/result', { taskId });
  assert.match(String(dig(result, 'result', 'content', 0, 'text')), /Research Report: python/);
  assert.equal(dig(result, 'result', '_meta', 'io.modelcontextprotocol/related-task', 'taskId'), taskId);
  const listed = await through.host.request('tasks/list');
  assert.ok(list(listed, 'result', 'tasks').some((task) => dig(task, 'taskId') === taskId));
  const { tool, args } = through.door.proposals.findLast((proposal) => proposal.tool === 'it.tasks/result') ?? {};
  assert.deepEqual({ tool, args }, { tool: 'it.tasks/result', args: { taskId } });
});

test("progress arrives under the host's own token, string or number", async () => {
  for (const progressToken of ['mine', 4711]) {
    const response = await through.host.request('tools/call', {
      name: 'it__trigger-long-running-operation',
      arguments: { duration: 0.02, steps: 2 },
      _meta: { progressToken },
    });
    assert.equal(response.error, undefined);
    const steps = through.host.heard.filter(
      (message) => message.method === 'notifications/progress' && message.params?.['progressToken'] === progressToken,
    );
    assert.deepEqual(
      steps.map((step) => [step.params?.['progress'], step.params?.['total']]),
      [
        [1, 2],
        [2, 2],
      ],
    );
  }
});

test('a subscribed resource says when it is updated, and log messages arrive', async () => {
  const uri = 'demo://resource/dynamic/text/2';
  await through.host.request('resources/subscribe', { uri });
  await through.host.request('tools/call', { name: 'it__toggle-subscriber-updates', arguments: {} });
  const updated = await through.host.notice('notifications/resources/updated');
  assert.equal(updated.params?.['uri'], uri);
  await through.host.request('tools/call', { name: 'it__toggle-subscriber-updates', arguments: {} });
  await through.host.request('tools/call', { name: 'it__toggle-simulated-logging', arguments: {} });
  const message = await through.host.notice('notifications/message');
  assert.equal(typeof message.params?.['level'], 'string');
  await through.host.request('tools/call', { name: 'it__toggle-simulated-logging', arguments: {} });
});

test('sampling and elicitation were decided under their policy names', () => {
  const tools = new Set(through.door.proposals.map((proposal) => proposal.tool));
  for (const method of [
    'sampling/createMessage',
    'elicitation/create',
    'resources/read',
    'prompts/get',
    'completion/complete',
  ]) {
    assert.ok(tools.has(`it.${method}`), method);
  }
});

test('the filesystem server does the same work', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-'));
  writeFileSync(join(directory, 'a.txt'), 'one\ntwo\n');
  const here = rig([server('files', filesystem(directory))]);
  const there = direct(filesystem(directory));
  try {
    await Promise.all([here.host.hello(), there.host.hello()]);
    const calls: readonly (readonly [string, JsonObject])[] = [
      ['read_text_file', { path: join(directory, 'a.txt') }],
      ['list_directory', { path: directory }],
      ['read_text_file', { path: '/etc/passwd' }],
      ['write_file', { path: join(directory, 'b.txt'), content: 'three' }],
      ['directory_tree', { path: directory }],
    ];
    for (const [name, args] of calls) {
      const response = await here.host.request('tools/call', { name: `files__${name}`, arguments: args });
      assert.deepEqual(plain(response), plain(await there.host.request('tools/call', { name, arguments: args })), name);
    }
  } finally {
    there.child.kill();
    here.host.end();
    await here.gateway.ended;
    rmSync(directory, { recursive: true });
  }
});
