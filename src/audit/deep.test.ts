import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, openWorld } from '../../test/authority-world.ts';
import type { Performed } from '../authority/answer.ts';
import { type Policy, compilePolicy } from '../policy/compile.ts';
import { parseConfiguration } from '../policy/document/configuration.ts';
import { lockOf } from '../policy/pin/lock.ts';
import { type ToolDefinition, defineTool } from '../policy/tool/tool.ts';
import { DeepVerifier } from './deep.ts';

const TEXT = `interlock: 1
servers: { bank: { command: x, env: { TOKEN: hunter2 } } }
rules:
  - allow: bank.*
    when: args.amount < 10
`;

function toolOf(name: string, description: string): ToolDefinition {
  const properties = { amount: { type: 'integer' }, rate: { type: 'number' } };
  const defined = defineTool('bank', { name, description, inputSchema: { type: 'object', properties } });
  assert.ok(defined.ok);
  return defined.tool;
}

const [PAY, OTHER, GONE] = [toolOf('pay', 'pays'), toolOf('pay', 'pays more'), toolOf('gone', 'was there')];

function policyOf(live: ToolDefinition, pinned: readonly ToolDefinition[], text = TEXT): Policy {
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const tools = new Map(pinned.map((tool) => [tool.upstreamName, tool]));
  const pins = pinned.length === 0 ? {} : { lock: lockOf(new Map([['bank', { tools, complete: true }]])) };
  const { policy } = compilePolicy(parsed.value, new Map([[live.name, live]]), { complete: new Set(['bank']), pins });
  assert.ok(policy !== undefined);
  return policy;
}

function verify(opening: Opening) {
  const deep = new DeepVerifier();
  for (const [position, entry] of opening.entries().entries()) deep.take(entry, position);
  return deep.report();
}

test('calls of pinned, changed, missing and first trusted tools are decided again, also beside a shadow [R-deep]', async () => {
  const cases: readonly (readonly [Policy, string])[] = [
    [policyOf(PAY, [PAY, GONE]), 'succeeded'],
    [policyOf(OTHER, [PAY]), 'pin-changed'],
    [policyOf(PAY, []), 'succeeded'],
    [policyOf(OTHER, []), 'pin-changed'],
    [policyOf(PAY, [], `${TEXT}pins: { first: ask }\n`), 'pin-changed'],
  ];
  const world = await openWorld();
  for (const [policy, expected] of cases) {
    for (const shadow of [policy, policyOf(PAY, [PAY], TEXT.replace('10', '5'))]) {
      await world.authority.load(policy, { kind: 'loaded', policy: shadow });
      const answer = await world.call('bank.pay', { amount: 7, rate: 1 });
      assert.equal(answer.decision?.code ?? answer.state, expected);
      await world.call('bank.gone', { amount: 1 });
    }
  }
  const found = verify(world);
  assert.deepEqual([found.problems, found.attested, found.decided], [[], 0, 4 * cases.length]);
});

test('a call that was sent again is decided again without what its lost attempt held [R-own-room]', async () => {
  const input = 'input: { type: object, properties: { id: { type: string } }, required: [id] }';
  const world = await openWorld({
    policy: `interlock: 1
tools: { bank.pay: { key: "'k'", cost: { money: 3 }, downstreamKey: { arg: id }, ${input} } }
budgets: { money: { limit: 5, unit: calls, window: 24h, per: [] } }
limits: [{ tools: bank.pay, concurrency: 1 }]
rules: [{ allow: bank.pay }]
`,
  });
  const perform = (): Promise<Performed> => Promise.resolve({ kind: 'unknown', reason: 'lost' });
  assert.equal((await world.call('bank.pay', {}, { perform })).state, 'unknown');
  assert.equal((await world.call('bank.pay', {})).state, 'succeeded');
  const found = verify(world);
  assert.deepEqual([found.problems, found.attested, found.decided], [[], 0, 2]);
});

test('the log holds what was decided on once, and nothing of how a server is started', async () => {
  const world = await openWorld();
  for (const amount of [1, 2, 99]) {
    await world.authority.load(policyOf(PAY, [PAY]));
    await world.call('bank.pay', { amount });
  }
  const contents = world.entries().filter(({ type }) => type === 'policy.content');
  assert.equal(contents.length, 3, 'configuration, list of tools, definition');
  assert.equal(JSON.stringify(world.entries()).includes('hunter2'), false);
  const again = await openWorld({ disk: world.disk, world: world.world, vault: world.vault });
  await again.authority.load(policyOf(PAY, [PAY]));
  await again.call('bank.pay', { amount: 3 });
  assert.equal(again.entries().filter(({ type }) => type === 'policy.content').length, 3);
  assert.deepEqual(verify(again).problems, []);
});

test('a configuration of many parts is put together again, whatever characters it has', async () => {
  const because = `${'x'.repeat(30_000)}${'\u{1f600}'.repeat(8_001)}"\\`;
  const world = await openWorld();
  await world.authority.load(policyOf(PAY, [PAY], `${TEXT}    because: ${JSON.stringify(because)}\n`));
  await world.call('bank.pay', { amount: 1 });
  assert.ok(world.entries().filter(({ type }) => type === 'policy.content').length >= 5);
  assert.deepEqual(verify(world).problems, []);
});
