import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, claimed, deepReport, openWorld, typesOf } from '../../test/authority-world.ts';
import { compilePolicy } from '../policy/compile.ts';
import { parseConfiguration } from '../policy/document/configuration.ts';
import type { JsonObject } from '../value/json.ts';
import type { Performed } from './answer.ts';
import { approve } from './approve.ts';

const POLICY = `
interlock: 1
approvals: { signed: false }
tools:
  crm.get:
    effect: read
    input: { type: object, properties: { customer: {type: string}, order: {type: string} }, required: [customer] }
  crm.note:
    effect: write
    input: { type: object }
    subject: args.customer
    subjectCheck: crm.get
  crm.asked: { effect: write, input: { type: object }, subject: args.customer, subjectCheck: crm.get }
  crm.strict: { effect: write, input: { type: object }, subject: args.customer, subjectCheck: required }
  crm.plain: { effect: write, input: { type: object }, subjectCheck: required }
rules:
  - allow: crm.*
  - ask: crm.asked
  - deny: crm.note
    when: has(args.stop)
  - deny: crm.get
    when: args.customer == "c_hidden"
`;

/** Knows some customers; what it was asked stands in `asked`. */
function crm(asked: JsonObject[]) {
  const perform = async (args: JsonObject): Promise<Performed> => {
    asked.push(args);
    const { customer } = args;
    if (customer === 'c_1') return { kind: 'succeeded', output: { structuredContent: { id: 'c_1' } } };
    if (customer === 'c_none') return { kind: 'succeeded', output: { structuredContent: {} } };
    if (customer === 'c_lost') return { kind: 'unknown', reason: 'it ended' };
    return { kind: 'failed', output: { content: [{ type: 'text', text: 'no such customer' }], isError: true } };
  };
  return (tool: string) => (tool === 'crm.get' || tool === 'crm.asked' ? { timeoutMs: 1_000, perform } : undefined);
}

const entry = (world: Opening, type: string): JsonObject =>
  world.entries().findLast((one) => one.type === type) as unknown as JsonObject;

test('a claim that the tool confirms goes on, and its entry names the call that asked [R-subject-check]', async () => {
  const asked: JsonObject[] = [];
  const world = await openWorld({ policy: POLICY, reach: crm(asked) });
  const { state, call } = await world.call('crm.note', { customer: 'c_1', order: 'o_1', text: 'x' });
  assert.equal(state, 'succeeded');
  assert.deepEqual(asked, [{ customer: 'c_1', order: 'o_1' }]);
  assert.deepEqual(typesOf(world), ['call.intent', 'call.succeeded', 'call.intent', 'call.succeeded']);
  const intent = entry(world, 'call.intent');
  assert.equal(intent['call'], call);
  assert.equal((await world.ledger.call(intent['checked'] as string))?.tool, 'crm.get');
  // Whom a call is about stands in clear nowhere, although nothing is declared of the tool that is asked.
  assert(!JSON.stringify(world.entries()).includes('c_1'));
});

test('a claim that the tool does not confirm denies the call, whatever the reason', async () => {
  const world = await openWorld({ policy: POLICY, reach: crm([]) });
  for (const [customer, why] of [
    ['c_2', 'crm.get is failed'],
    ['c_none', 'crm.get knows nothing of it'],
    ['c_lost', 'crm.get is outcome-unknown'],
    ['c_hidden', 'crm.get is denied-by-rule'],
  ] as const) {
    const { state, decision, sentence } = await world.call('crm.note', { customer });
    assert.deepEqual([state, decision?.code], ['denied', 'obligation-failed'], customer);
    assert.match(sentence ?? '', new RegExp(`not confirmed, ${why}`, 'u'));
    assert.equal(typeof entry(world, 'call.denied')['checked'], 'string');
  }
  const away = await openWorld({ policy: POLICY });
  assert.match((await away.call('crm.note', { customer: 'c_1' })).sentence ?? '', /crm\.get cannot be reached/u);
  assert.deepEqual([...world.effects, ...away.effects], []);
});

test('nothing is asked about a call that is denied anyway', async () => {
  const asked: JsonObject[] = [];
  const world = await openWorld({ policy: POLICY, reach: crm(asked) });
  assert.equal((await world.call('crm.note', { customer: 'c_1', stop: 1 })).decision?.code, 'denied-by-rule');
  assert.equal((await world.call('crm.note', {})).decision?.code, 'obligation-failed');
  assert.deepEqual(asked, []);
});

test('a call that waited is checked again when it goes on', async () => {
  const asked: JsonObject[] = [];
  const world = await openWorld({ policy: POLICY, reach: crm(asked) });
  const { call, state } = await world.call('crm.asked', { customer: 'c_1' });
  assert.equal(state, 'parked');
  await approve(world.ledger, world.world, { call, by: 'os:me', unsigned: true });
  await claimed(world);
  assert.equal((await world.ledger.call(call))?.state, 'succeeded');
  assert.equal(asked.length, 2);
});

test('a log says whether each claim was confirmed before its call, and a made-up confirmation is found [R-tampering]', async () => {
  const world = await openWorld({ policy: POLICY, reach: crm([]) });
  await world.call('crm.note', { customer: 'c_1' });
  await world.call('crm.note', { customer: 'c_2' });
  await world.call('crm.asked', { customer: 'c_1' });
  const report = deepReport(world);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    report.attestations.map(({ why }) => why),
    ['only the world knew whether its subject was confirmed'],
  );
  const other = entry(world, 'call.denied')['checked'] ?? '';
  for (const checked of [other, 'nobody']) {
    const forged = world.entries().map((one) => (one.type === 'call.parked' ? { ...one, checked } : one));
    assert.deepEqual(
      deepReport(world, forged).problems.map(({ code }) => code),
      ['decision-wrong'],
    );
  }
});

test('where a check is required a subject that nothing checks is refused, and a call without one is not', async () => {
  const world = await openWorld({ policy: POLICY });
  const { decision, sentence } = await world.call('crm.strict', { customer: 'c_1' });
  assert.equal(decision?.code, 'obligation-failed');
  assert.match(sentence ?? '', /nothing checks that/u);
  assert.equal((await world.call('crm.plain', { customer: 'c_1' })).state, 'succeeded');
});

test('a check that could confirm nothing does not load', () => {
  const faults = (declared: string): readonly string[] => {
    const text = `interlock: 1
tools:
  t.get: { effect: read, input: { type: object } }
  t.set: { effect: write, input: { type: object } }
  t.loop: { effect: read, input: { type: object }, subject: args.a, subjectCheck: t.get }
  t.a: { effect: write, input: { type: object }, ${declared} }
rules: [ { allow: t.* } ]
`;
    const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
    if (!parsed.ok) return parsed.issues.map(({ code }) => code);
    const { issues } = compilePolicy(parsed.value, new Map());
    return issues.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code}: ${message}`);
  };
  const unusable = 'subject-check-unusable: `subjectCheck` of `t.a`';
  assert.deepEqual(faults('subject: args.a, subjectCheck: t.get'), []);
  assert.deepEqual(faults('subject: args.a, subjectCheck: required'), []);
  assert.deepEqual(faults('subjectCheck: required'), []);
  for (const [declared, why] of [
    ['subject: args.a, subjectCheck: t.gone', 'which nobody serves'],
    ['subject: args.a, subjectCheck: require', 'which nobody serves'],
    ['subject: args.a, subjectCheck: t.set', 'not declared'],
    ['subject: args.a, subjectCheck: t.loop', 'own subject'],
    ['subjectCheck: t.get', 'there is no'],
  ] as const) {
    const [fault = ''] = faults(declared);
    assert(fault.includes(why) && fault.startsWith(unusable.split(':')[0] ?? ''), fault);
  }
  assert.deepEqual(faults('subjectCheck: [t.get]'), ['wrong-type']);
});
