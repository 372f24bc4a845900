import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, claimed, openWorld } from '../../test/authority-world.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { Performed } from './answer.ts';
import { approve } from './approve.ts';
import type { Proposal } from './proposal.ts';

const EMAIL = 'Canary.Person@example.com';
const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
const POLICY = `
interlock: 1
approvals: { signed: false }
personal: { results: hide }
secrets: { results: hide }
tools:
  crm.find: { effect: read, input: { type: object }, personal: [args.name] }
  crm.mail:
    effect: write
    input: { type: object, properties: { to: {type: string}, text: {type: string}, list: {type: array} }, required: [to] }
  crm.ask: { effect: write, input: { type: object } }
rules:
  - allow: crm.*
    when: '!has(args.to) || args.to.contains("@") || args.to.startsWith("ghp_") || args.to.startsWith("Ada")'
  - ask: crm.ask
`;
const REFERENCE = /^vault:\/\/s_[\w-]{16}\/\d+$/u;

const found: JsonObject = {
  content: [{ type: 'text', text: `it is ${EMAIL}, token ${TOKEN}; again ${EMAIL}` }],
  structuredContent: { mail: EMAIL, other: 'bob@example.com', by: { [EMAIL]: 1 }, who: 'Ada L.', n: 7 },
};

const answering =
  (output: JsonObject): Proposal['perform'] =>
  async (): Promise<Performed> => ({ kind: 'succeeded', output });

interface Shown {
  readonly content: readonly [{ readonly text: string }];
  readonly structuredContent: {
    readonly mail: string;
    readonly other: string;
    readonly by: JsonObject;
    readonly who: string;
  };
}

async function find(world: Opening, more: Partial<Proposal> = {}): Promise<Shown> {
  const { output } = await world.call('crm.find', { name: 'Ada L.' }, { perform: answering(found), ...more });
  return output as unknown as Shown;
}

const told = (world: Opening): string => world.disk.leaves.map((leaf) => Buffer.from(leaf).toString('utf8')).join('\n');

test('a caller gets references in the place of what is hidden, equal ones for equal values [R-references]', async () => {
  const world = await openWorld({ policy: POLICY });
  const { content, structuredContent } = await find(world);
  const { mail, other, by, who } = structuredContent;
  for (const one of [mail, other, who]) assert.match(one, REFERENCE);
  assert.notEqual(mail, other);
  const [, token = ''] = /token (\S+);/u.exec(content[0].text) ?? [];
  assert.match(token, REFERENCE);
  assert.equal(content[0].text, `it is ${mail}, token ${token}; again ${mail}`);
  assert.deepEqual(by, { '[secret: email]': 1 });
  const shown = JSON.stringify([content, structuredContent]);
  for (const hidden of [EMAIL, TOKEN, 'Ada L.', 'bob@']) assert(!shown.includes(hidden));
  // Whom two references are about says nothing to another session.
  const later = await find(world, { session: 'another' });
  assert.notEqual(later.structuredContent.mail, mail);
});

test('a reference in an argument is opened before the decision, and what it opens stays hidden in the log', async () => {
  const world = await openWorld({ policy: POLICY });
  const { content, structuredContent } = await find(world);
  const { mail, who } = structuredContent;
  const [, token = ''] = /token (\S+);/u.exec(content[0].text) ?? [];
  const sent = await world.call('crm.mail', { to: mail, text: `for ${who} <${mail}>`, list: [[token]] });
  assert.equal(sent.state, 'succeeded');
  assert.deepEqual(world.effects, [{ to: EMAIL, text: `for Ada L. <${EMAIL}>`, list: [[TOKEN]] }]);
  // Nothing is declared of this tool.
  await world.call('crm.mail', { to: who });
  for (const hidden of [EMAIL, TOKEN, 'Ada L.']) assert(!told(world).includes(hidden), hidden);
  const recorded = world.entries().findLast(({ type }) => type === 'call.intent')?.['args'] as JsonObject;
  assert(Object.hasOwn(recorded['to'] as JsonObject, '$sealed'));
});

test('what was not given in this session, to this principal, is one denial, whoever else it was given to', async () => {
  const world = await openWorld({ policy: POLICY });
  const { mail } = (await find(world)).structuredContent;
  const forged = mail.replace(/\d+$/u, '999');
  const made = 'vault://s_AAAAAAAAAAAAAAAA/1';
  const asked = async (to: string, more: Partial<Proposal>): Promise<string> => {
    const { decision, sentence } = await world.call('crm.mail', { to }, more);
    return `${decision?.code}: ${sentence?.replace(to, 'IT')}`;
  };
  const other = { session: 'another' };
  const answers = [
    await asked(mail, other),
    await asked(mail, { principal: 'somebody' }),
    await asked(forged, {}),
    await asked(made, {}),
  ];
  assert.deepEqual(
    new Set(answers),
    new Set(['guard-refused: crm.mail is denied: `IT` was not given in this session']),
  );
  assert.deepEqual(world.effects, []);
  // What has another form is a text like any other.
  for (const to of ['vault://kv/secret@1', 'vault://s_short/1@']) {
    assert.equal((await world.call('crm.mail', { to })).state, 'succeeded');
  }
});

test('what was erased, or is past its time, is told to be gone', async () => {
  const world = await openWorld({ policy: POLICY });
  const { content, structuredContent } = await find(world);
  const [, token = ''] = /token (\S+);/u.exec(content[0].text) ?? [];
  world.world.advance(10 * 60_000 + 1);
  const late = await world.call('crm.mail', { to: token });
  assert.deepEqual([late.state, late.decision?.code], ['denied', 'erased']);
  assert.equal((await world.call('crm.mail', { to: structuredContent.mail })).decision?.code, 'erased');
  // A result without secrets is kept for as long as results are.
  const plain = await find(world, { perform: answering({ structuredContent: { mail: EMAIL } }) });
  world.world.advance(86_400_000);
  assert.equal((await world.call('crm.mail', { to: plain.structuredContent.mail })).state, 'succeeded');
  world.disk.bodies.clear();
  assert.equal((await world.call('crm.mail', { to: plain.structuredContent.mail })).decision?.code, 'erased');
});

test('a call that waits goes on with what its references led to, and records it hidden once more', async () => {
  const world = await openWorld({ policy: POLICY });
  const { who } = (await find(world)).structuredContent;
  const { call, state } = await world.call('crm.ask', { about: `on ${who}` });
  assert.equal(state, 'parked');
  await approve(world.ledger, world.world, { call, by: 'os:me', unsigned: true });
  const seen: JsonValue[] = [];
  const perform = async (args: JsonObject): Promise<Performed> => {
    seen.push(args);
    return { kind: 'succeeded', output: {} };
  };
  const { disk, vault } = world;
  const reach = () => ({ timeoutMs: 1_000, perform });
  await claimed(await openWorld({ policy: POLICY, disk, vault, world: world.world, reach }));
  assert.deepEqual(seen, [{ about: 'on Ada L.' }]);
  assert(!told(world).includes('Ada L.'));
});

test('where nothing is hidden results and arguments pass as they are', async () => {
  const world = await openWorld({ policy: POLICY.replaceAll('results: hide', 'results: show') });
  assert.deepEqual(await find(world), found);
  const to = 'vault://s_AAAAAAAAAAAAAAAA/1@';
  assert.equal((await world.call('crm.mail', { to })).state, 'succeeded');
  assert.deepEqual(world.effects, [{ to }]);
});
