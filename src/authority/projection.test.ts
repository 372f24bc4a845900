import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, claimed, openWorld, overriding } from '../../test/authority-world.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { JsonObject } from '../value/json.ts';
import type { Answer, Performed } from './answer.ts';
import { approve } from './approve.ts';
import { newId } from './draft.ts';
import type { Proposal } from './proposal.ts';

const EMAIL = 'Canary.Person@example.com';
const PHONE = '+49 151 2345 6789';
const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
const MODELS = `interlock: 1
approvals: { signed: false }
models:
  cloud: { provider: openai, model: x }
  named: { provider: openai, model: x }
  local: { provider: openai-compatible, url: "http://localhost/v1", model: y }
  asked: { provider: scripted, file: a.yaml }
`;
const TOOLS = `tools:
  llm.named: { personal: ['args.prompt.substring(0, 6)'] }
  crm.note: { effect: write, input: { type: object }, personal: [args.name] }
  crm.mail:
    effect: write
    input: { type: object, properties: { to: {type: string}, text: {type: string} }, required: [to] }
rules: [{ allow: "llm.*" }, { ask: llm.asked }, { allow: "crm.*" }]
`;
const POLICY = `${MODELS}personal: { models: { local: show } }\n${TOOLS}`;
const REFERENCE = /vault:\/\/s_[\w-]{16}\/\d+/gu;

const told = (world: Opening): string => world.disk.leaves.map((leaf) => Buffer.from(leaf).toString('utf8')).join('\n');

/** Asks `llm.MODEL`, which answers with what `say` makes of what it was sent. */
async function ask(
  world: Opening,
  model: string,
  args: JsonObject,
  say: (sent: string) => string = (sent) => sent,
  more: Partial<Proposal> = {},
): Promise<{ readonly answer: Answer; readonly sent: JsonObject; readonly prompt: string; readonly said: string }> {
  const seen: JsonObject[] = [];
  const perform = async (sent: JsonObject): Promise<Performed> => {
    seen.push(sent);
    const text = say(typeof sent['prompt'] === 'string' ? sent['prompt'] : '');
    return { kind: 'succeeded', output: { structuredContent: { text, model, tokens: { input: 1, output: 1 } } } };
  };
  const answer = await world.call(`llm.${model}`, args, { perform, ...more });
  const { text = '' } = (answer.output?.['structuredContent'] ?? {}) as { readonly text?: string };
  const [sent = {}] = seen;
  return { answer, sent, prompt: typeof sent['prompt'] === 'string' ? sent['prompt'] : '', said: text };
}

test('a model is sent no secret and no personal value, declared ones included [R-model-projection]', async () => {
  const world = await openWorld({ policy: POLICY });
  const prompt = `Ada L. writes from ${EMAIL} or ${PHONE}, again ${EMAIL}`;
  const { sent, answer, prompt: seen } = await ask(world, 'named', { prompt, outputs: ['a', EMAIL] });
  const [name, mail, phone, again, ...others] = seen.match(REFERENCE) ?? [];
  assert.equal(seen, `${name} writes from ${mail} or ${phone}, again ${again}`);
  assert.deepEqual([mail, others, sent['outputs']], [again, [], ['a', mail]]);
  assert.equal(new Set([name, mail, phone]).size, 3);
  assert.equal(answer.state, 'succeeded');
  const secret = await ask(world, 'cloud', { prompt: `it has ${TOKEN}` });
  assert.deepEqual(secret.sent, { prompt: 'it has [secret: github]' });
  for (const hidden of [EMAIL, PHONE, TOKEN]) assert(!told(world).includes(hidden), hidden);
});

test('what one call of a run declares to be personal no model sees in another', async () => {
  const world = await openWorld({ policy: POLICY });
  assert.equal((await world.call('crm.note', { name: 'Ada Lovelace' })).state, 'succeeded');
  const { prompt } = await ask(world, 'cloud', { prompt: 'a letter to Ada Lovelace' });
  assert.match(prompt, /^a letter to vault:\/\/s_[\w-]{16}\/\d+$/u);
  await world.call('crm.mail', { to: prompt.slice('a letter to '.length) });
  assert.deepEqual(world.effects.at(-1), { to: 'Ada Lovelace' });
  const other = await ask(world, 'cloud', { prompt: 'a letter to Ada Lovelace' }, undefined, { session: 'another' });
  assert.deepEqual(other.sent, { prompt: 'a letter to Ada Lovelace' });
});

test('the ledger has what was asked, and the model only what it may see', async () => {
  const world = await openWorld({ policy: POLICY });
  const prompt = `whoever ${EMAIL} is`;
  await ask(world, 'cloud', { prompt });
  const position = world.entries().findLastIndex(({ type }) => type === 'call.intent');
  assert.equal(await world.ledger.argument(position, '/prompt'), prompt);
});

test('a model to which the policy shows personal values sees them, and no secret', async () => {
  const world = await openWorld({ policy: POLICY });
  const shown = await ask(world, 'local', { prompt: `write to ${EMAIL}` });
  assert.deepEqual(shown.sent, { prompt: `write to ${EMAIL}` });
  const { sent } = await ask(world, 'local', { prompt: `write to ${EMAIL} with ${TOKEN}` });
  assert.deepEqual(sent, { prompt: `write to ${EMAIL} with [secret: github]` });
});

test('what a model answers with a reference opens where it is passed on, in that run alone [R-model-reference]', async () => {
  const world = await openWorld({ policy: POLICY });
  const prompt = `reply to the person at ${EMAIL}, phone ${PHONE}`;
  const { said } = await ask(world, 'cloud', { prompt }, (sent) => sent.match(REFERENCE)?.[0] ?? '');
  assert.match(said, /^vault:\/\//u, 'to the run it is data, and stays a reference');
  const mailed = await world.call('crm.mail', { to: said, text: `Dear <${said}>` });
  assert.equal(mailed.state, 'succeeded');
  assert.deepEqual(world.effects, [{ to: EMAIL, text: `Dear <${EMAIL}>` }]);
  for (const other of [{ session: 'another' }, { principal: 'somebody' }]) {
    assert.equal((await world.call('crm.mail', { to: said }, other)).decision?.code, 'guard-refused');
  }
  // Asked again with it, the model sees the same reference, and nobody reads the value in the log.
  const again = await ask(world, 'cloud', { prompt: `is it ${said} or ${EMAIL}?` });
  assert.deepEqual(again.sent, { prompt: `is it ${said} or ${said}?` });
  for (const hidden of [EMAIL, PHONE]) assert(!told(world).includes(hidden), hidden);
  world.disk.bodies.clear();
  assert.equal((await world.call('crm.mail', { to: said })).decision?.code, 'erased');
});

test('of a text that also holds a secret nothing is kept, so that nothing of it is referred to', async () => {
  const world = await openWorld({ policy: POLICY });
  const { sent } = await ask(world, 'cloud', { prompt: `${EMAIL} and ${TOKEN}` });
  assert.deepEqual(sent, { prompt: '[secret: email] and [secret: github]' });
});

test('what no reference was given for is not opened because a model says so', async () => {
  const world = await openWorld({ policy: POLICY });
  const { said } = await ask(world, 'cloud', { prompt: 'hello you' }, () => 'vault://s_AAAAAAAAAAAAAAAA/1');
  assert.equal((await world.call('crm.mail', { to: said })).decision?.code, 'guard-refused');
  assert.deepEqual(world.effects, []);
});

test('a call that was approved, by whoever carries it out, is sent as the model may see it', async () => {
  const seen: JsonObject[] = [];
  const perform = async (sent: JsonObject): Promise<Performed> => {
    seen.push(sent);
    return { kind: 'succeeded', output: {} };
  };
  const world = await openWorld({ policy: POLICY, reach: () => ({ timeoutMs: 60_000, perform }) });
  const { call, state } = await world.call('llm.asked', { prompt: `${EMAIL}, and ${TOKEN}` }, { perform });
  assert.equal(state, 'parked');
  await approve(world.ledger, world.world, { call, by: 'os:me', unsigned: true });
  await claimed(world);
  assert.equal(seen.length, 1);
  assert.doesNotMatch(JSON.stringify(seen), /Canary|ghp_/u);
});

test('where the intent cannot be read nothing is sent, since nothing in it could be referred to', async () => {
  const busy = (): Promise<never> => Promise.reject(new LedgerError('busy', 'it is'));
  const world = await openWorld({ policy: POLICY, between: (ledger) => overriding(ledger, { call: busy }) });
  const { answer, sent } = await ask(world, 'cloud', { prompt: `to ${EMAIL}` });
  assert.deepEqual([answer.state, sent], ['not-started', {}]);
  assert.equal((await ask(world, 'local', { prompt: `to ${EMAIL}` })).answer.state, 'succeeded');
});

test('hundreds of values that are sealed as one open all the same', async () => {
  const world = await openWorld({ policy: POLICY });
  const outputs = Array.from({ length: 300 }, (_, index) => `p${index}@example.com`);
  const { sent } = await ask(world, 'cloud', { prompt: 'which?', outputs });
  const references = sent['outputs'] as string[];
  assert.equal(new Set(references).size, 300);
  assert.equal((await world.call('crm.mail', { to: references[271] ?? '' })).state, 'succeeded');
  assert.deepEqual(world.effects, [{ to: 'p271@example.com' }]);
});

/** The world as another process finds it. */
function reopened({ disk, world, vault, effects }: Opening): Promise<Opening> {
  return openWorld({ policy: POLICY, disk, world, vault, effects });
}

test('a run goes on in another process: its references open there, and what it declared stays hidden', async () => {
  const first = await openWorld({ policy: POLICY });
  first.world.advance(5);
  const more = { session: newId(first.world) };
  await first.call('crm.mail', { to: 'nobody@example.com' });
  await first.call('crm.note', { name: 'Ada Lovelace' }, more);
  const { prompt: seen } = await ask(first, 'cloud', { prompt: `${PHONE}, ${EMAIL}: Ada Lovelace` }, undefined, more);
  const second = await reopened(first);
  for (const [reference, value] of [
    [seen.match(REFERENCE)?.[1] ?? '', EMAIL],
    [seen.match(REFERENCE)?.[2] ?? '', 'Ada Lovelace'],
  ] as const) {
    const mailed = await second.call('crm.mail', { to: reference }, more);
    assert.deepEqual([mailed.state, second.effects.at(-1)], ['succeeded', { to: value }], mailed.sentence);
    assert.equal((await second.call('crm.mail', { to: reference })).decision?.code, 'guard-refused', 'not elsewhere');
  }
  const again = await ask(await reopened(second), 'cloud', { prompt: `Ada Lovelace, ${EMAIL}` }, undefined, more);
  const [, mail, name] = seen.match(REFERENCE) ?? [];
  assert.equal(again.prompt, `${name}, ${mail}`);
  first.disk.bodies.clear();
  const erased = await reopened(first);
  assert.equal((await erased.call('crm.mail', { to: mail ?? '' }, more)).decision?.code, 'guard-refused');
});

test('while the log cannot be read nothing is opened, and no model is told anything', async () => {
  let isDown = false;
  const world = await openWorld({
    policy: POLICY,
    between: (ledger) =>
      overriding(ledger, {
        entry: (position) => (isDown ? Promise.reject(new LedgerError('stopped', 'it is')) : ledger.entry(position)),
      }),
  });
  isDown = true;
  const more = { session: newId(world.world) };
  const { answer, sent } = await ask(world, 'cloud', { prompt: `to ${EMAIL}` }, undefined, more);
  assert.deepEqual([answer.state, answer.decision?.code, sent], ['denied', 'busy', {}]);
  isDown = false;
  assert.equal((await ask(world, 'cloud', { prompt: `to ${EMAIL}` }, undefined, more)).answer.state, 'succeeded');
});
