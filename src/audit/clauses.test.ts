import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, deepReport, openWorld } from '../../test/authority-world.ts';
import type { Entry } from '../ledger/entry.ts';
import type { JsonObject } from '../value/json.ts';

const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
const POLICY = `
interlock: 1
approvals: { signed: false }
budgets: { money: { limit: 100, unit: usd-cents, window: 24h } }
tools:
  t.pay:
    effect: write
    input:
      type: object
      properties: { to: {type: string}, amount: {type: integer}, token: {type: string}, deep: {type: object} }
      required: [amount]
    personal: [args.to]
    subject: args.to
    cost: { money: args.amount }
  t.open: { effect: write, input: { type: object, properties: { token: {type: string}, n: {type: integer} } } }
rules:
  - id: small
    allow: t.pay
    when: args.amount < 50 && args.to != "Nobody" && (args.to.startsWith("A") || args.amount == 7)
  - id: never
    deny: t.pay
    when: has(args.token) && args.token.startsWith("x")
  - id: many
    ask: t.pay
    when: args.to.endsWith("?")
  - id: plain
    allow: t.open
    when: '!has(args.n) || args.n < 5'
  - id: odd
    deny: t.open
    when: has(args.token) && args.token.contains("ghp") && args.n == 3
`;

async function played(): Promise<Opening> {
  const world = await openWorld({ policy: POLICY });
  await world.call('t.pay', { to: 'Ada', amount: 5, token: TOKEN });
  await world.call('t.pay', { to: 'Bo', amount: 7 });
  await world.call('t.pay', { to: 'Nobody', amount: 7 });
  await world.call('t.pay', { to: 'Ada?', amount: 8 });
  await world.call('t.pay', { to: 'Ada', amount: 60 });
  await world.call('t.open', { token: TOKEN, n: 3 });
  await world.call('t.open', { token: TOKEN, n: 4 });
  await world.call('t.open', { n: 4 });
  return world;
}

const decisions = (world: Opening): Entry[] => world.entries().filter(({ policy }) => policy !== undefined);
const clauses = (entry: Entry): unknown => (entry['policy'] as JsonObject)['clauses'];
const withoutClauses = (policy: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(policy).filter(([name]) => name !== 'clauses'));

/** The log with another `policy` in the entry that is the `nth` decision. */
function edited(world: Opening, nth: number, change: (policy: JsonObject) => JsonObject): Entry[] {
  const target = decisions(world)[nth];
  return world
    .entries()
    .map((entry) => (entry.id === target?.id ? { ...entry, policy: change(entry['policy'] as JsonObject) } : entry));
}

const codes = (world: Opening, entries?: readonly Entry[]): readonly string[] =>
  deepReport(world, entries).problems.map(({ code }) => code);

test('a decision says what each clause said that read a sealed or secret argument, and of no other [R-attested]', async () => {
  const world = await played();
  assert.deepEqual(decisions(world).map(clauses), [
    { small: { 1: true, 2: true }, never: { 1: false }, many: { 0: false } },
    { small: { 1: true, 2: true }, many: { 0: false } },
    { small: { 1: false, 2: true }, many: { 0: false } },
    { small: { 1: true, 2: true }, many: { 0: true } },
    { small: { 1: true, 2: true }, many: { 0: false } },
    { odd: { 1: true } },
    { odd: { 1: true } },
    undefined,
  ]);
});

test('where the input opens each clause is evaluated again, and a forged result is found [R-attested] [R-tampering]', async () => {
  const world = await played();
  const report = deepReport(world);
  assert.deepEqual(report.problems, []);
  assert.equal(report.attested, 3, 'those with a secret');
  const forged = edited(world, 1, (policy) => ({
    ...policy,
    clauses: { small: { 1: true, 2: false }, many: { 0: false } },
  }));
  assert.deepEqual(codes(world, forged), ['decision-facts']);
  const without = edited(world, 1, withoutClauses);
  assert.deepEqual(codes(world, without), ['decision-facts']);
});

test('once the input is gone the results are taken, all above them is made again, and the call is attested [R-attested]', async () => {
  const world = await played();
  world.disk.bodies.clear();
  const problems = (entries?: readonly Entry[]) => codes(world, entries).filter((code) => code !== 'body-missing');
  assert.deepEqual(problems(), []);
  const { attested, attestations } = deepReport(world);
  assert.equal(attested, 7);
  assert(
    attestations.some(({ why }) => why.endsWith('what its clauses said is taken, and all above it is made again')),
  );
  // What nobody can find any more is a result; what does not follow from the results is found.
  const turned = edited(world, 1, (policy) => ({
    ...policy,
    clauses: { small: { 1: true, 2: false }, many: { 0: false } },
  }));
  assert.deepEqual(problems(turned), ['decision-wrong']);
  const allowed = edited(world, 2, (policy) => ({ ...policy, effect: 'allow', code: 'allowed', rules: ['small'] }));
  assert.deepEqual(problems(allowed), ['decision-wrong']);
  const cheaper = edited(world, 0, (policy) => ({ ...policy, reserved: {} }));
  assert(problems(cheaper).includes('decision-reservation'));
  for (const missing of [
    undefined,
    {},
    { small: { 1: true } },
    { small: { 1: true, 2: true, 9: true }, many: { 0: false } },
  ]) {
    const cut = edited(world, 1, (policy) => ({
      ...withoutClauses(policy),
      ...(missing === undefined ? {} : { clauses: missing }),
    }));
    assert.deepEqual(problems(cut), ['decision-facts'], JSON.stringify(missing));
  }
});

test('a secret is never there to be evaluated again, and what does not follow from the results is found', async () => {
  const world = await played();
  const allowed = edited(world, 5, (policy) => ({ ...policy, effect: 'allow', code: 'allowed', rules: ['plain'] }));
  assert.deepEqual(codes(world, allowed), ['decision-wrong']);
  const denied = edited(world, 6, (policy) => ({ ...policy, clauses: { odd: { 1: 'error' } } }));
  // `args.n == 3` is known to be false, whatever the clause beside it said.
  assert.deepEqual(codes(world, denied), []);
});
