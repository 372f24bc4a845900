import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { openWorld } from '../../test/authority-world.ts';
import { createVault } from '../ledger/vault.ts';
import { keepBody } from '../ledger/keep.ts';
import { commitmentsIn, literalOf } from '../ledger/recorded.ts';
import { canonicalText } from '../value/canonical.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { systemWorld } from '../world/system.ts';
import { recordedArgs } from './asked.ts';
import { SUBJECTS_MAX, recordArgs } from './personal.ts';

const vault = createVault(new Uint8Array(32).fill(7), systemWorld);
const EMAIL = 'canary.person@example.com';
const PERSONS = `
interlock: 1
tools:
  crm.note:
    input:
      type: object
      properties: { customer: {type: string}, name: {type: string}, note: {type: string}, age: {type: integer}, amount: {type: integer} }
    personal: [args.name, args.age]
    subject: args.customer
  crm.look: { effect: read, input: { type: object } }
rules:
  - allow: "*"
`;

test('what is declared and what is found is sealed, and all else stands as it was', async () => {
  const world = await openWorld({ policy: PERSONS });
  const args = { customer: 'c_9', name: 'Ada Lovelace', age: 36, amount: 36, note: `call Ada Lovelace or ${EMAIL}` };
  const { call } = await world.call('crm.note', args);
  const entry = world.entries().find(({ type }) => type === 'call.intent');
  const recorded = (entry?.['args'] ?? {}) as JsonObject;
  assert.deepEqual([...commitmentsIn(recorded).keys()].toSorted(), ['/age', '/amount', '/customer', '/name', '/note']);
  assert.deepEqual(entry?.['subject'], [world.vault.subject('id', 'c_9')]);
  const row = await world.ledger.call(call);
  assert.deepEqual(
    await recordedArgs(world.ledger, row?.position === undefined ? 0 : entryAt(world, 'call.intent'), recorded),
    args,
  );
  assert.deepEqual(
    await world.ledger.subjectsOf(call),
    [world.vault.subject('email', EMAIL), world.vault.subject('id', 'c_9')].toSorted(),
  );
});

function entryAt(world: Awaited<ReturnType<typeof openWorld>>, type: string): number {
  return world.entries().findIndex((entry) => entry.type === type);
}

test('no leaf says what is personal, however the call ends and whoever refuses it [R-sealed]', async () => {
  const world = await openWorld({ policy: PERSONS });
  const args = { customer: 'customer-4711', name: 'Ada Lovelace', note: `x ${EMAIL}` };
  const reason = `the tool said ${EMAIL}, Ada Lovelace, customer-4711`;
  await world.call('crm.note', args);
  await world.call('crm.note', { ...args, age: 'none' });
  await world.call('crm.note', { ...args, customer: '' });
  await world.call('crm.unheard', { [EMAIL]: 1, more: [{ deep: EMAIL }], $x: EMAIL });
  for (const kind of ['unknown', 'not-started'] as const) {
    await world.call('crm.note', { ...args, amount: kind.length }, { perform: async () => ({ kind, reason }) });
  }
  const output = { content: [{ type: 'text', text: EMAIL }], isError: true };
  await world.call('crm.note', { ...args, amount: 1 }, { perform: async () => ({ kind: 'failed', output }) });
  const leaves = world.disk.leaves.map((leaf) => Buffer.from(leaf).toString('utf8')).join('\n');
  const types = new Set<string>(world.entries().map(({ type }) => type));
  for (const type of ['call.denied', 'call.unknown', 'call.not-started', 'call.failed']) assert(types.has(type), type);
  for (const text of [EMAIL, 'Ada Lovelace', 'customer-4711']) assert(!leaves.includes(text), text);
});

test('values of nobody lie under a key of their call, results under the keys of all who are in the call', async () => {
  const world = await openWorld({
    policy: `interlock: 1
tools: { t.a: { input: { type: object, properties: { secret: {type: boolean} } }, personal: [args.secret] } }
rules: [ { allow: "*" } ]`,
  });
  const nobody = await world.call('t.a', { secret: true });
  assert.deepEqual(await world.ledger.subjectsOf(nobody.call), [nobody.call]);
  const output = { to: EMAIL };
  const found = await world.call('t.a', {}, { perform: async () => ({ kind: 'succeeded', output }) });
  assert.deepEqual(await world.ledger.subjectsOf(found.call), [world.vault.subject('email', EMAIL)]);
  assert.deepEqual(await world.ledger.body(found.call, 'output'), output);
});

test('the same key is answered from the record where arguments are sealed, and another call is told apart', async () => {
  const world = await openWorld({ policy: PERSONS });
  const args = { customer: 'c_9', name: 'Ada' };
  const first = await world.call('crm.note', args, { key: 'k' });
  const again = await world.call('crm.note', args, { key: 'k' });
  assert.deepEqual([again.call, again.replayed, again.output], [first.call, true, first.output]);
  assert.equal((await world.call('crm.note', { ...args, name: 'Bob' }, { key: 'k' })).decision?.code, 'key-conflict');
  assert.equal(world.effects.length, 1);
});

test('recorded arguments are the proposed ones again, whatever these are', () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const key = fc.oneof(fc.constantFrom('$lit', '$sealed', '$body', EMAIL, '~/', '', '__proto__'), fc.string());
  const mail = fc.constantFrom(EMAIL, 'x', '+49 30 901820', 1);
  const objects = fc.dictionary(key, fc.oneof(value, mail, fc.array(mail, { maxLength: 3 })));
  fc.assert(
    fc.property(objects, (json) => {
      const args = JSON.parse(JSON.stringify(json)) as JsonObject;
      const { value: recorded, bodies } = recordArgs(vault, 'call', args);
      const keys = new Map<string, Uint8Array>();
      const opened = new Map<string, JsonValue>();
      for (const [pointer, commitment] of commitmentsIn(recorded)) {
        const sealed = bodies.find(({ role }) => role === `args${pointer}`);
        assert(sealed !== undefined);
        const kept = keepBody(sealed, 1, vault.keyring, keys);
        const shares = kept.shares.map((share) => ({ ...share, record: keys.get(share.subject) }));
        opened.set(pointer, vault.open({ ...kept, shares }, commitment) ?? null);
      }
      assert.equal(canonicalText(literalOf(recorded, opened)), canonicalText(args));
      assert(!canonicalText(recorded).includes(EMAIL));
    }),
  );
});

test('what is about more people than can be kept apart is not kept', async () => {
  const world = await openWorld({ policy: PERSONS });
  const of = (count: number) => ({ list: Array.from({ length: count }, (_, n) => `p${n}@example.com`) });
  const few = await world.call('crm.look', of(300));
  const many = await world.call('crm.look', of(SUBJECTS_MAX + 1));
  assert.equal((await world.ledger.subjectsOf(few.call)).length, 300);
  assert.deepEqual([many.state, await world.ledger.subjectsOf(many.call)], ['succeeded', []]);
  assert.deepEqual(await world.ledger.body(few.call, 'args'), of(300));
  assert.equal(await world.ledger.body(many.call, 'output'), undefined);
});

test('an approval binds arguments that are sealed, and its digest alone cannot be guessed at', async () => {
  const policy = `${PERSONS}  - ask: crm.note\napprovals: { signed: false }\n`;
  const [one, two] = [await openWorld({ policy }), await openWorld({ policy })];
  const args = { customer: 'c_9', name: 'Ada' };
  for (const world of [one, two]) {
    const { call, state } = await world.call('crm.note', args);
    assert.equal(state, 'parked');
    const { approve } = await import('./approve.ts');
    const answered = await approve(world.ledger, world.world, { call, by: 'os:me', unsigned: true });
    assert.equal(answered.ok, true);
    const ran = await world.call('crm.note', args);
    assert.deepEqual([ran.call, ran.state], [call, 'succeeded']);
  }
});

test('arguments that are nothing but addresses are sealed as one, without a key for each', () => {
  const list = Array.from({ length: 5_000 }, (_, n) => `p${n % 900}@example.com`);
  const few = recordArgs(vault, 'call', { list: list.slice(0, 200) });
  assert.deepEqual([few.bodies.length, few.subjects.length], [200, 200]);
  const many = recordArgs(vault, 'call', { list });
  assert.deepEqual(
    [Object.keys(many.value as JsonObject), many.bodies.length, many.subjects.length],
    [['$body'], 1, 900],
  );
  assert.equal(recordArgs(vault, 'call', { text: list.join(' ') }).subjects.length, 900);
  const beyond = recordArgs(vault, 'call', { text: list.map((one, n) => `${n}${one}`).join(' ') });
  assert.deepEqual([beyond.bodies.length, beyond.subjects.length], [0, SUBJECTS_MAX + 1]);
  assert(!JSON.stringify([many.value, beyond.value]).includes('@'));
});
