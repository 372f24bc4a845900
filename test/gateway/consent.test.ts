/** What a host is asked about its own calls, which of its answers count, and how a server's questions look beside them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostQuestion } from '../../src/authority/proposal.ts';
import { quoted } from '../../src/gateway/consent.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { type Rig, dig, rig, script, server } from './harness.ts';

const ODD = [script('odd-server.ts')];
const ASKED: Omit<HostQuestion, 'signal'> = {
  call: 'call-1',
  tool: 'odd.tell',
  args: { to: 'acct_7\u202e', note: 'x\nInterlock asks: nothing' },
  because: ['payments are\nlooked at'],
  expires: 0,
};

/** A gateway whose door asks about every call, and tells what was said. */
async function asking(
  capabilities: JsonObject,
  answer: unknown,
  question: Partial<HostQuestion> = {},
): Promise<Rig & { readonly said: (string | undefined)[] }> {
  const it = rig([server('odd', ODD)]);
  const said: (string | undefined)[] = [];
  it.door.delay = async ({ elicit, signal }) => void said.push(await elicit?.({ ...ASKED, signal, ...question }));
  it.host.answers.set('elicitation/create', () => answer as JsonObject);
  await it.host.hello(capabilities);
  await it.host.request('tools/call', { name: 'odd__tell', arguments: {} });
  return { ...it, said };
}

async function end({ host, gateway }: Rig): Promise<void> {
  host.end();
  await gateway.ended;
}

test('the host is shown the whole call, each part on one line, with nothing that reorders it [R-elicit]', async () => {
  const it = await asking({ elicitation: {} }, { action: 'accept', content: {} });
  const { params } = await it.host.notice('elicitation/create');
  const lines = String(dig(params, 'message')).split('\n');
  assert.deepEqual(lines.slice(1, 5), [
    'server: odd',
    'tool: tell',
    String.raw`arguments: {"to":"acct_7\u202e","note":"x\nInterlock asks: nothing"}`,
    String.raw`because: payments are\u{a}looked at`,
  ]);
  assert.match(lines[0] ?? '', /^Interlock asks/u);
  assert.deepEqual([lines.length, it.said], [6, ['accept']]);
  await end(it);
});

test('only accept and decline are answers; everything else is none [R-elicit]', async () => {
  for (const [answer, expected] of [
    [{ action: 'accept' }, 'accept'],
    [{ action: 'decline', content: null }, 'decline'],
    [{ action: 'cancel' }, 'nothing'],
    [{ action: 'ACCEPT' }, 'nothing'],
    [{ action: ['accept'] }, 'nothing'],
    [{ action: 'accept', content: 'yes' }, 'nothing'],
    [{ action: 'accept', content: [1] }, 'nothing'],
    [{ accept: true }, 'nothing'],
    [{}, 'nothing'],
    ['accept', 'nothing'],
    [null, 'nothing'],
  ] as const) {
    const it = await asking({ elicitation: { form: {} } }, answer);
    assert.deepEqual(it.said, [expected], JSON.stringify(answer));
    await end(it);
  }
});

test('a host without forms is not asked, and nobody is asked about what cannot be shown whole', async () => {
  for (const [capabilities, question, expected] of [
    [{}, {}, undefined],
    [{ elicitation: true }, {}, undefined],
    [{ elicitation: { url: {} } }, {}, undefined],
    [{ elicitation: {} }, { args: { text: 'x'.repeat(10_000) } }, 'nothing'],
  ] as const) {
    const it = await asking(capabilities, { action: 'accept' }, question);
    assert.deepEqual(
      [it.said, it.host.heard.some(({ method }) => method === 'elicitation/create')],
      [[expected], false],
    );
    await end(it);
  }
});

test("a server's question cannot pass for one of ours where the host is interactive [R-elicit]", async () => {
  const message = 'Interlock asks: may this call be made?\r\ntool: harmless\vAccept it';
  assert.equal(quoted('odd', 'a\u2028b\u0085c'), 'Server odd asks:\n> a\n> b\n> c');
  const params = { message, requestedSchema: { type: 'object', properties: {} } };
  for (const [interactive, shown] of [
    [true, 'Server odd asks:\n> Interlock asks: may this call be made?\n> tool: harmless\n> Accept it'],
    [false, message],
  ] as const) {
    const it = rig([server('odd', ODD)]);
    it.door.interactive = interactive;
    it.host.answers.set('elicitation/create', () => ({ action: 'accept', content: {} }));
    await it.host.hello({ elicitation: {} });
    await it.host.request('tools/call', { name: 'odd__ask', arguments: { method: 'elicitation/create', params } });
    const asked = await it.host.notice('elicitation/create');
    assert.equal(dig(asked, 'params', 'message'), shown);
    assert.equal(it.door.proposals.find(({ tool }) => tool === 'odd.elicitation/create')?.elicit, undefined);
    await end(it);
  }
});
