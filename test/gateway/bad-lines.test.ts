/** Every bad line gets exactly one error and is reported, and the connection goes on. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LINE_BYTES_MAX } from '../../src/gateway/framing.ts';
import { type Rig, type Wire, rig, script, server } from './harness.ts';

let it: Rig;

before(async () => {
  it = rig([server('odd', [script('odd-server.ts')])]);
  await it.host.hello();
});

after(async () => {
  it.host.end();
  await it.gateway.ended;
});

const call = (id: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'odd__alive', arguments: {} } });
const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

const PARSE = -32_700;
const REQUEST = -32_600;

/** What is sent, without its newline; the code and the id of the one error that answers it. */
const LINES: readonly (readonly [string, string | Uint8Array, number, (string | number | null)?])[] = [
  ['an empty line', '', PARSE],
  ['only blanks', '  \t ', PARSE],
  ['no JSON at all', 'GET / HTTP/1.1', PARSE],
  ['half a message', '{"jsonrpc":"2.0","id":1,', PARSE],
  ['two messages on a line', `${call('a')}${call('b')}`, PARSE],
  ['a comment', '{"jsonrpc":"2.0","id":1,"method":"ping"} // hello', PARSE],
  ['single quotes', "{'jsonrpc':'2.0','id':1,'method':'ping'}", PARSE],
  ['a NUL byte after a message', `${call('nul')}\0`, PARSE],
  ['NUL bytes', '\0\0\0', PARSE],
  ['a NUL inside a string', '{"jsonrpc":"2.0","id":1,"method":"ping\0"}', PARSE],
  ['invalid UTF-8', bytes('{"jsonrpc":"2.0","id":1,"method":"', [0xff, 0xfe], '"}'), PARSE],
  ['an overlong encoding', bytes('{"jsonrpc":"2.0","id":1,"method":"ping', [0xc0, 0x80], '"}'), PARSE],
  ['a surrogate in UTF-8', bytes('{"jsonrpc":"2.0","id":1,"method":"', [0xed, 0xa0, 0x80], '"}'), PARSE],
  [
    'a lone surrogate, escaped',
    '{"jsonrpc":"2.0","id":"s","method":"tools/call","params":{"name":"\\ud800"}}',
    PARSE,
    's',
  ],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], call('bom')), PARSE],
  ['a batch', `[${call('one')},${call('two')}]`, REQUEST],
  ['a batch of one', `[${call('only')}]`, REQUEST],
  ['an empty batch', '[]', REQUEST],
  ['a batch in a batch', `[[${call('deep')}]]`, REQUEST],
  ['a duplicate method', '{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}', REQUEST, 7],
  ['a duplicate id', '{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}', REQUEST],
  ['a duplicate id, escaped', '{"jsonrpc":"2.0","\\u0069d":7,"id":8,"method":"ping"}', REQUEST],
  [
    'a duplicate argument',
    '{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"odd__alive","name":"odd__die"}}',
    REQUEST,
    'd',
  ],
  [
    'an integer that does not survive',
    '{"jsonrpc":"2.0","id":"n","method":"ping","params":{"n":9007199254740993}}',
    REQUEST,
    'n',
  ],
  ['an id that does not survive', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', REQUEST],
  ['a number beyond all', '{"jsonrpc":"2.0","id":"h","method":"ping","params":{"n":1e999}}', REQUEST, 'h'],
  [
    'deep nesting',
    `{"jsonrpc":"2.0","id":"deep","method":"ping","params":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
    REQUEST,
    'deep',
  ],
  ['bottomless nesting', '['.repeat(1_000_000), REQUEST],
  ['a line longer than the bound', `"${'x'.repeat(LINE_BYTES_MAX)}"`, REQUEST],
  ['a string', '"ping"', REQUEST],
  ['a number', '42', REQUEST],
  ['null', 'null', REQUEST],
  ['an object that says nothing', '{}', REQUEST],
  ['no version', '{"id":1,"method":"ping"}', REQUEST, 1],
  ['version 1.0', '{"jsonrpc":"1.0","id":1,"method":"ping"}', REQUEST, 1],
  ['version as a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}', REQUEST, 1],
  ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":{"toString":"ping"}}', REQUEST, 1],
  ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', REQUEST],
  ['a fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', REQUEST],
  ['an object as id', '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', REQUEST],
  ['a boolean as id', '{"jsonrpc":"2.0","id":true,"method":"ping"}', REQUEST],
  ['an array as parameters', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["odd__alive"]}', REQUEST, 1],
  ['null as parameters', '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', REQUEST, 1],
  ['both result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}', REQUEST],
  ['an error without a code', '{"jsonrpc":"2.0","id":1,"error":{"message":"x"}}', REQUEST],
  ['a result without an id', '{"jsonrpc":"2.0","result":{}}', REQUEST],
];

for (const [name, line, code, id = null] of LINES) {
  test(`${name} gets one error`, async () => {
    const { host, door } = it;
    const before = { heard: host.heard.length, proposed: door.proposals.length, refused: door.refusedLines.length };
    host.raw(line);
    host.raw('\n');
    const pong = host.request('ping');
    assert.deepEqual((await pong).result, {});
    const answers = host.heard
      .slice(before.heard)
      .filter((message) => message !== undefined && message.error !== undefined);
    assert.deepEqual(
      answers.map((answer) => [answer.error?.code, answer.id]),
      [[code, id]],
    );
    assert.ok(!Array.isArray(answers[0]));
    assert.equal(door.refusedLines.length, before.refused + 1);
    assert.equal(door.proposals.length, before.proposed, 'nothing of it was decided on');
  });
}

test('all of them together, in pieces of any size, still get one error each [R-bad-lines]', async () => {
  const all = Buffer.concat(
    LINES.filter(([, line]) => line.length < 10_000).map(([, line]) =>
      Buffer.concat([Buffer.from(line), Buffer.from('\n')]),
    ),
  );
  for (const size of [1, 7, 64]) {
    const host = it.host;
    const heard = host.heard.length;
    for (let at = 0; at < all.length; at += size) host.raw(all.subarray(at, at + size));
    await host.request('ping');
    const errors = host.heard.slice(heard).filter((message: Wire) => message.error !== undefined);
    assert.equal(errors.length, LINES.filter(([, line]) => line.length < 10_000).length);
  }
});

test('an error that answers nothing is not answered, or two gateways would never stop', async () => {
  const heard = it.host.heard.length;
  it.host.raw('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}\n');
  it.host.raw('{"jsonrpc":"2.0","id":999,"result":{}}\n');
  it.host.raw('{"jsonrpc":"2.0","method":"notifications/nobody-knows"}\n');
  await it.host.request('ping');
  assert.equal(it.host.heard.length, heard + 1);
});

test('an id that is still open is refused without an id, and the first call keeps its answer', async () => {
  const { host } = it;
  const first = { jsonrpc: '2.0', id: 'twice', method: 'tools/call', params: { name: 'odd__alive' } };
  const heard = host.heard.length;
  host.send(first);
  host.send(first);
  await host.until((message) => message.id === 'twice');
  const errors = host.heard.slice(heard).filter((message) => message.error !== undefined);
  assert.deepEqual(
    errors.map(({ id, error }) => [id, error?.code]),
    [[null, REQUEST]],
  );
});

test('parameters that are wrong are -32602 with the id, and recorded', async () => {
  const { host, door } = it;
  const wrong: readonly (readonly [string, Record<string, never> | object])[] = [
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['tools/call', { name: 'x'.repeat(513) }],
    ['tools/call', { name: 'odd__alive', arguments: [] }],
    ['tools/call', { name: 'odd__alive', _meta: 'x' }],
    ['tools/call', { name: 'odd__alive', _meta: { 'interlock/key': 7 } }],
    ['tools/call', { name: 'odd__alive', _meta: { 'interlock/key': '' } }],
    ['tools/call', { name: 'odd__alive', _meta: { 'interlock/key': 'k'.repeat(257) } }],
    ['tools/list', { cursor: 'x' }],
    ['resources/list', { cursor: 'not ours' }],
    ['resources/read', { uri: [] }],
    ['prompts/get', { name: null }],
    ['completion/complete', { ref: 'x' }],
    ['logging/setLevel', { level: 'loud' }],
  ];
  for (const [method, params] of wrong) {
    const recorded = door.refusedLines.length;
    const response = await host.request(method, params as Record<string, never>);
    assert.equal(response.error?.code, -32_602, JSON.stringify([method, params]));
    assert.equal(door.refusedLines.length, recorded + 1);
  }
});

test('an unknown method is -32601', async () => {
  for (const method of ['tools/uninstall', '', 'constructor', '__proto__', 'notifications/initialized']) {
    assert.equal((await it.host.request(method)).error?.code, -32_601, method);
  }
});

test('a last line without a newline counts', async () => {
  const { host, gateway } = rig([]);
  await host.hello();
  host.raw('{"jsonrpc":"2.0","id":"last","method":"ping"}');
  host.end();
  await gateway.ended;
  assert.deepEqual(host.heard.at(-1), { jsonrpc: '2.0', id: 'last', result: {} });
});
