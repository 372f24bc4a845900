import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, claimed, openWorld } from '../../test/authority-world.ts';
import { SecretSearchError } from '../guard/secret/find.ts';
import { isHidden } from '../ledger/recorded.ts';
import { canonicalText } from '../value/canonical.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { Performed } from './answer.ts';
import { approve, question, refuse } from './approve.ts';
import { settle } from './settle.ts';

const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
const PASSWORD = 'correct horse battery';
const POLICY = `
interlock: 1
approvals: { signed: false }
tools:
  t.send: { effect: write, input: { type: object } }
  t.login: { effect: write, key: 'args.user', input: { type: object }, secrets: [args.password, output.session] }
  t.joined: { effect: write, input: { type: object }, secrets: ['args.a + "-" + args.b'] }
  t.asked: { effect: write, input: { type: object }, secrets: [args.password] }
  t.strict: { effect: write, input: { type: object }, secrets: never-store }
  t.half: { effect: write, key: 'args.user', input: { type: object }, secrets: [never-store, args.password] }
  t.person: { effect: write, input: { type: object }, personal: [args.who] }
rules:
  - allow: t.*
    when: '!has(args.stop)'
  - ask: t.asked
  - ask: t.strict
`;

const done =
  (output: JsonObject): (() => Promise<Performed>) =>
  async () => ({ kind: 'succeeded', output });

function argsOf(world: Opening, type: string): JsonValue {
  return world.entries().findLast((entry) => entry.type === type)?.['args'] ?? null;
}

/** Everything that the log says, as text. */
function told(world: Opening): string {
  return world.disk.leaves.map((leaf) => Buffer.from(leaf).toString('utf8')).join('\n');
}

function assertSilent(world: Opening): void {
  for (const secret of [TOKEN, PASSWORD]) assert(!told(world).includes(secret), secret);
}

test('a secret is recorded as its kind, wherever it stands, and the tool gets it as it was given', async () => {
  const world = await openWorld({ policy: POLICY });
  const args = { to: 'x', deep: [{ token: TOKEN }, 'plain'], text: `use ${TOKEN} now`, n: 1, [`k-${TOKEN}`]: 1 };
  await world.call('t.send', { in: args, also: 'plain' });
  assert.deepEqual(world.effects, [{ in: args, also: 'plain' }]);
  assert.deepEqual(argsOf(world, 'call.intent'), { in: { $secret: 'github' }, also: 'plain' });
  const { [`k-${TOKEN}`]: _, ...unnamed } = args;
  await world.call('t.send', { in: unnamed });
  const mark = { $secret: 'github' };
  assert.deepEqual(argsOf(world, 'call.intent'), {
    in: { to: 'x', deep: [{ token: mark }, 'plain'], text: mark, n: 1 },
  });
  assertSilent(world);
});

test('what is declared secret is one in its place and wherever else it stands, and nothing forged passes for one', async () => {
  const world = await openWorld({ policy: POLICY });
  const args = { user: 'u', password: PASSWORD, note: `my ${PASSWORD}!`, forged: { $secret: 'x' } };
  await world.call('t.login', args);
  const mark = { $secret: 'declared' };
  const forged = { $lit: { $secret: 'x' } };
  assert.deepEqual(argsOf(world, 'call.intent'), { user: 'u', password: mark, note: mark, forged });
  await world.call('t.joined', { a: 'correct', b: 'horse', both: 'correct-horse' });
  assert.deepEqual(argsOf(world, 'call.intent'), { a: 'correct', b: 'horse', both: mark });
  const { decision } = await world.call('t.joined', { a: PASSWORD });
  assert.equal(decision?.code, 'obligation-failed');
  assert.deepEqual(argsOf(world, 'call.denied'), { $secret: 'unknown' });
  assertSilent(world);
});

test('no leaf says a secret, however the call ends and whoever refuses it [R-secrets]', async () => {
  const world = await openWorld({ policy: POLICY });
  const args = { user: 'u', password: PASSWORD, token: TOKEN };
  const said = `it said ${TOKEN} and ${PASSWORD}`;
  await world.call('t.login', { ...args, stop: 1 });
  await world.call('t.login', { password: PASSWORD, token: TOKEN });
  await world.call(`t.${TOKEN}`, args);
  await world.call('t.login', { ...args, user: 'f' }, { perform: async () => ({ kind: 'failed', output: { said } }) });
  for (const kind of ['unknown', 'not-started'] as const) {
    const answer = await world.call(
      't.login',
      { ...args, user: kind },
      { perform: async () => ({ kind, reason: said }) },
    );
    assert(!canonicalText({ ...answer, output: null } as unknown as JsonValue).includes(PASSWORD));
  }
  await world.authority.refuse(`the file says ${TOKEN}`);
  await world.call('t.login', args);
  const types = new Set<string>(world.entries().map(({ type }) => type));
  for (const type of ['call.denied', 'call.failed', 'call.unknown', 'call.not-started', 'policy.refused']) {
    assert(types.has(type), type);
  }
  assert(!told(world).includes(TOKEN));
  // Of a tool that nobody knows nothing is declared, nor without a policy.
  assert.equal(told(world).split(PASSWORD).length - 1, 2);
});

test('a result reaches its caller as it came, is kept without its secrets, and is told again only for a while', async () => {
  const world = await openWorld({ policy: POLICY });
  const output = {
    content: [{ type: 'text', text: `token ${TOKEN}, password ${PASSWORD}` }],
    structuredContent: { session: 's-12345', list: [TOKEN], seen: 'session s-12345', n: 1 },
  };
  const args = { user: 'u', password: PASSWORD };
  const first = await world.call('t.login', args, { perform: done(output) });
  assert.deepEqual(first.output, output);
  const kept = await world.ledger.body(first.call, 'output');
  assert.deepEqual(kept, {
    content: [{ type: 'text', text: 'token [secret: github], password [secret: declared]' }],
    structuredContent: {
      session: '[secret: declared]',
      list: ['[secret: github]'],
      seen: 'session [secret: declared]',
      n: 1,
    },
  });
  const again = await world.call('t.login', args);
  assert.deepEqual([again.replayed, again.output], [true, output]);
  world.world.advance(10 * 60_000 + 1);
  // Nobody has looked yet, and it is not told any more all the same.
  const late = await world.call('t.login', args);
  assert.deepEqual(
    [late.state, late.replayed, late.decision?.code, late.output],
    ['succeeded', true, 'result-redacted', undefined],
  );
  await world.authority.expire();
  assert.equal(await world.ledger.body(first.call, 'live'), undefined);
  assert.deepEqual((await world.authority.status('local', first.call))?.output, kept);
  assert.match((await world.authority.status('local', first.call))?.sentence ?? '', /secrets are left out/);
  assert.equal(world.effects.length, 0);
  assertSilent(world);
});

test('what may never be stored is told once', async () => {
  const world = await openWorld({ policy: POLICY });
  const args = { user: 'u', password: PASSWORD };
  const first = await world.call('t.half', args, { perform: done({ said: PASSWORD }) });
  assert.deepEqual(first.output, { said: PASSWORD });
  assert.equal(await world.ledger.body(first.call, 'live'), undefined);
  assert.equal((await world.call('t.half', args)).decision?.code, 'result-redacted');
  const denied = await world.call('t.strict', { any: 1 });
  assert.equal(denied.decision?.code, 'secret-cannot-wait');
  assert.equal(world.effects.length, 0);
});

test('a parked call goes on with its secrets from a key of its own, which dies when it goes on', async () => {
  const world = await openWorld({ policy: POLICY });
  const args = { password: PASSWORD, token: TOKEN, to: 'x', forged: { $secret: 'y' } };
  const { call, state } = await world.call('t.asked', args);
  assert.equal(state, 'parked');
  const asked = await question(world.ledger, { call, by: 'os:me', at: world.world.now() });
  assert.deepEqual(asked.ok && asked.shown, {
    password: { $secret: 'declared' },
    token: { $secret: 'github' },
    to: 'x',
    forged: { $lit: { $secret: 'y' } },
  });
  assert.deepEqual(await world.ledger.body(call, 'live'), args);
  assert((await world.ledger.subjectsOf(call)).includes(call));
  await approve(world.ledger, world.world, { call, by: 'os:me', unsigned: true });
  // Another process, which was never asked: it has what the vault keeps.
  const seen: JsonValue[] = [];
  const reach = () => ({
    timeoutMs: 1_000,
    perform: async (given: JsonObject): Promise<Performed> => {
      seen.push(given);
      assert.equal(await world.ledger.body(call, 'live'), undefined);
      return { kind: 'succeeded', output: { ok: true } };
    },
  });
  const { disk, vault } = world;
  const other = await openWorld({ policy: POLICY, disk, vault, world: world.world, reach });
  await claimed(other);
  assert.deepEqual(seen, [args]);
  assert.equal((await world.ledger.call(call))?.state, 'succeeded');
  assert([...world.disk.bodies.keys()].every((name) => !name.endsWith('/live')));
  assertSilent(world);
});

test('what is refused, or was never answered, keeps no secret', async () => {
  const world = await openWorld({ policy: POLICY });
  const no = await world.call('t.asked', { password: PASSWORD, n: 1 });
  const late = await world.call('t.asked', { password: PASSWORD, n: 2 });
  await refuse(world.ledger, world.world, { call: no.call, by: 'os:me', reason: 'no' });
  assert.equal(await world.ledger.body(no.call, 'live'), undefined);
  // However long it waits, what it waits with is kept.
  await world.authority.expire();
  assert.notEqual(await world.ledger.body(late.call, 'live'), undefined);
  world.world.advance(8 * 86_400_000);
  await claimed(world);
  assert.equal((await world.ledger.call(late.call))?.state, 'expired');
  assert.equal(await world.ledger.body(late.call, 'live'), undefined);
});

test('an approval binds what is secret, and its digest tells nobody who guesses', async () => {
  const worlds = [await openWorld({ policy: POLICY }), await openWorld({ policy: POLICY })];
  const digests = await Promise.all(
    worlds.map(async (world) => {
      const { call } = await world.call('t.asked', { password: '1234' });
      return (await world.ledger.call(call))?.approval?.digest;
    }),
  );
  assert.notEqual(digests[0], digests[1]);
});

test('what cannot be searched is denied before the call, and withheld after it', async () => {
  const searchSecrets = () => (text: string) => {
    if (text.includes('odd')) throw new SecretSearchError('a rule failed');
    return [];
  };
  const world = await openWorld({ policy: POLICY, searchSecrets });
  const before = await world.call('t.send', { text: 'odd' });
  assert.deepEqual([before.state, before.decision?.code], ['denied', 'guard-refused']);
  assert.match(before.sentence ?? '', /cannot be searched for secrets, a rule failed/);
  assert.deepEqual([argsOf(world, 'call.denied'), world.effects.length], [{ $secret: 'unknown' }, 0]);
  const after = await world.call('t.login', { user: 'u' }, { perform: done({ text: 'odd' }) });
  assert.deepEqual([after.state, after.decision?.code, after.output], ['succeeded', 'result-redacted', undefined]);
  assert.match(after.sentence ?? '', /withheld/);
  assert.equal((await world.call('t.login', { user: 'u' })).decision?.code, 'result-redacted');
  assert(!told(world).includes('odd'));
  assert.equal(await world.ledger.body(after.call, 'live'), undefined);
  // Any other failure is a bug, and no answer.
  const broken = await openWorld({ policy: POLICY, searchSecrets: () => () => assert.fail('a bug') });
  await assert.rejects(broken.call('t.send', { text: 'x' }), /a bug/);
});

test('without detection only what is declared is secret', async () => {
  const world = await openWorld({ policy: `${POLICY}secrets: { detect: false, replay: 1h }\n` });
  await world.call('t.login', { user: 'u', password: PASSWORD, token: TOKEN });
  assert.deepEqual(argsOf(world, 'call.intent'), { user: 'u', password: { $secret: 'declared' }, token: TOKEN });
});

test('personal values and large arguments are sealed without the secrets in them', async () => {
  const world = await openWorld({ policy: POLICY });
  const who = { name: 'Ada', token: TOKEN };
  const { call } = await world.call('t.person', { who, plain: 1 });
  const recorded = argsOf(world, 'call.intent') as { readonly who: JsonObject };
  assert.equal(recorded.who['redacted'], true);
  assert(isHidden(recorded));
  const position = world.entries().findLastIndex(({ type }) => type === 'call.intent');
  assert.deepEqual(await world.ledger.argument(position, '/who'), { name: 'Ada', token: '[secret: github]' });
  const large = await world.call('t.send', { token: TOKEN, text: 'x'.repeat(60_000) });
  assert.equal((argsOf(world, 'call.intent') as JsonObject)['redacted'], true);
  assert.deepEqual(await world.ledger.body(large.call, 'args'), {
    token: '[secret: github]',
    text: 'x'.repeat(60_000),
  });
  assert.notEqual(call, large.call);
  assertSilent(world);
});

test('what a person says of an unknown outcome is kept without secrets', async () => {
  const world = await openWorld({ policy: POLICY });
  const args = { user: 'u' };
  const lost = await world.call('t.login', args, { perform: async () => ({ kind: 'unknown', reason: 'gone' }) });
  const order = {
    call: lost.call,
    as: 'executed',
    by: 'os:me',
    reason: `asked ${TOKEN}`,
    output: { token: TOKEN },
  } as const;
  assert.equal((await settle(world.ledger, world, order)).ok, true);
  assert.deepEqual(await world.ledger.body(lost.call, 'output'), { token: '[secret: github]' });
  assert.deepEqual((await world.call('t.login', args)).output, { token: TOKEN });
  assertSilent(world);
});
