/** What leaves for a model, captured where it arrives: with the authority in front, and the real SDK behind it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, countersOf, openWorld } from '../../../test/authority-world.ts';
import { type Asked, type ModelAnswer, modelServer } from '../../../test/model-server.ts';
import type { Answer } from '../../authority/answer.ts';
import { parseConfiguration } from '../../policy/document/configuration.ts';
import type { JsonObject } from '../../value/json.ts';
import { openModels } from './models.ts';

const KEY = 'sk-canary-0123456789';
const EMAIL = 'Canary.Person@example.com';
const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
const PROVIDERS = ['openai', 'anthropic', 'openai-compatible'] as const;

function policyAt(url: string): string {
  const models = PROVIDERS.map(
    (provider) =>
      `  ${provider}: { provider: ${provider}, model: x, url: "${url}", apiKeyEnv: THE_KEY, price: { input: 1, output: 1 } }`,
  );
  return `interlock: 1
principals: { agent-007: { roles: [governed] } }
models:
${models.join('\n')}
tools:
  "llm.*": { cost: { thrift: 1000 }, actualCost: { thrift: output.tokens.input + output.tokens.output }, labels: [watched] }
budgets: { thrift: { limit: 5000, unit: tokens, window: 24h } }
rules: [{ id: the-one-rule, allow: "llm.*", when: 'principal.id == "agent-007"' }]
`;
}

interface Place {
  readonly world: Opening;
  readonly ask: (provider: string, args: JsonObject) => Promise<Answer>;
}

async function place(url: string): Promise<Place> {
  const policy = policyAt(url);
  const world = await openWorld({ policy });
  const parsed = parseConfiguration(policy, { file: 'f', environment: {} });
  assert.ok(parsed.ok);
  const reach = openModels(parsed.value.models, { world: world.world, environment: { THE_KEY: KEY }, directory: '/' });
  const ask = (provider: string, args: JsonObject): Promise<Answer> => {
    const reached = reach(`llm.${provider}`) ?? assert.fail();
    return world.call(`llm.${provider}`, args, { ...reached, principal: 'agent-007', session: 'run-of-canaries' });
  };
  return { world, ask };
}

/** Every text in a request, with where it stands. */
function textsIn(value: unknown, at = ''): readonly string[] {
  if (typeof value === 'string') return [`${at}: ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => textsIn(member, `${at}/${name}`));
}

test('what arrives at a provider is the prompt as the model may see it, and nothing of who asks or why [R-model-projection]', async () => {
  await using server = await modelServer(() => ({ text: 'yes', input: 1, output: 1 }));
  const { world, ask } = await place(server.url);
  const prompt = `Is ${EMAIL} at home? No token.`;
  for (const provider of PROVIDERS) assert.equal((await ask(provider, { prompt })).state, 'succeeded');
  const bodies = server.asked.map(({ body }: Asked) => textsIn(body));
  const seen = bodies.map((texts) => texts.map((text) => text.replace(/vault:\/\/s_[\w-]{16}\/\d+/u, 'REFERENCE')));
  const asked = 'Is REFERENCE at home? No token.';
  assert.deepEqual(seen, [
    ['/model: x', '/input/0/role: user', '/input/0/content/0/type: input_text', `/input/0/content/0/text: ${asked}`],
    ['/model: x', '/messages/0/role: user', '/messages/0/content/0/type: text', `/messages/0/content/0/text: ${asked}`],
    ['/model: x', '/messages/0/role: user', `/messages/0/content: ${asked}`],
  ]);
  assert.equal(server.asked[0]?.body['store'], false);
  await ask('openai', { prompt: `${EMAIL} and ${TOKEN}` });
  const all = server.asked.map(({ text, headers }) => text + JSON.stringify(headers)).join('\n');
  const { call } = await ask('openai', { prompt: 'x' });
  const loaded = world.entries().find(({ type }) => type === 'policy.loaded');
  assert.ok(typeof loaded?.['digest'] === 'string');
  const governance = [
    'agent-007',
    'governed',
    'run-of-canaries',
    'the-one-rule',
    'thrift',
    'watched',
    call,
    loaded['digest'],
  ];
  for (const hidden of ['Canary.Person', 'ghp_', ...governance]) assert.ok(!all.includes(hidden), hidden);
  const ledger = world.disk.leaves.map((leaf) => Buffer.from(leaf).toString('utf8')).join('\n');
  for (const hidden of ['Canary.Person', 'ghp_', KEY]) assert.ok(!ledger.includes(hidden), hidden);
});

test('every attempt is charged what it took, failures that took something too [R-model-tokens]', async () => {
  const half: ModelAnswer = { text: 'half', input: 30, output: 10, stop: 'length' };
  const answers: ModelAnswer[] = [{ text: 'yes', input: 5, output: 2 }, half, { status: 500, body: '{}' }, 'cut'];
  await using server = await modelServer(() => answers.shift() ?? 'cut');
  const { world, ask } = await place(server.url);
  const spent = (): number => [...countersOf(world)].find(([key]) => key.startsWith('budget/thrift'))?.[1] ?? 0;
  const took: [string, number][] = [];
  for (const _ of [1, 2, 3, 4]) {
    const before = spent();
    const { state } = await ask('openai', { prompt: 'x' });
    took.push([state, spent() - before]);
  }
  // Of what is unknown the most that was reserved stays charged.
  assert.deepEqual(took, [
    ['succeeded', 7],
    ['failed', 40],
    ['failed', 0],
    ['unknown', 1_000],
  ]);
});

test('what a model says is kept without its secrets, like any result', async () => {
  await using server = await modelServer(() => ({ text: `use ${TOKEN}` }));
  const { world, ask } = await place(server.url);
  const { output, call } = await ask('anthropic', { prompt: 'x' });
  assert.ok(JSON.stringify(output).includes(TOKEN), 'the run gets it');
  const kept = JSON.stringify(await world.ledger.body(call, 'output'));
  assert.ok(kept.includes('use [secret: github]') && !kept.includes('ghp_'));
});
