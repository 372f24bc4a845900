/** Exceptions from the ledger to the decision: a genuine one lifts its rule while it lasts, and nothing else does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, openWorld, overriding, policyOf } from '../../test/authority-world.ts';
import { signedText } from '../ledger/signed-text.ts';
import { signerFromSeed } from '../ledger/signer.ts';
import { ruleDigest } from '../policy/approval/exception.ts';
import { toBase64, utf8 } from '../value/encoding.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import { draft } from './draft.ts';
import { breakGlass, endException } from './exception.ts';

const ann = signerFromSeed(new Uint8Array(32).fill(1));
const eve = signerFromSeed(new Uint8Array(32).fill(2));
const keyOf = ({ publicKey }: { readonly publicKey: Uint8Array }): string => `ed25519:${toBase64(publicKey)}`;
const POLICY = `interlock: 1
tools:
  bank.pay: { input: { type: object, properties: { amount: {type: integer} } } }
principals: { local: {}, ann: { key: "${keyOf(ann)}" } }
rules:
  - allow: bank.pay
  - deny: bank.pay
    when: args.amount > 100
`;
const HOUR = 3_600_000;
const [, DENY] = policyOf(POLICY).configuration.rules;
assert.ok(DENY !== undefined);
const RULES = [{ id: DENY.id, digest: ruleDigest(DENY) }];

function glass(world: Opening): Promise<string> {
  const expires = world.world.now() + HOUR;
  const sign = (text: string): string => toBase64(ann.sign(utf8(text)));
  return breakGlass(world.ledger, world.world, {
    by: 'ann',
    key: keyOf(ann),
    rules: RULES,
    reason: 'fire',
    expires,
    sign,
  });
}

async function pay(world: Opening, amount = 500): Promise<string | undefined> {
  const { decision, state } = await world.call('bank.pay', { amount });
  return decision?.code ?? state;
}

/** An exception's entry as somebody writes it who can write entries. */
async function write(world: Opening, fields: JsonObject, signer = ann, log = world.ledger.log): Promise<void> {
  const whole = {
    exception: 'exception-00000000000000ff',
    rules: RULES,
    expires: formatInstant(world.world.now() + HOUR),
    reason: 'x',
    by: 'ann',
    key: keyOf(signer),
    ...fields,
  };
  const signature = toBase64(signer.sign(utf8(signedText('policy.exception', log, whole) ?? '')));
  await world.ledger.append({ entries: [draft(world.world, 'policy.exception', { signature, ...whole })] });
}

test('a signed exception lifts its rule from the next decision on, until it expires, and decisions name it [R-break-glass]', async () => {
  const world = await openWorld({ policy: POLICY });
  assert.equal(await pay(world), 'denied-by-rule');
  const id = await glass(world);
  assert.equal(await pay(world), 'succeeded');
  const intent = world.entries().findLast(({ type }) => type === 'call.intent');
  const said = isJsonObject(intent?.['policy']) ? intent['policy'] : {};
  assert.deepEqual(said['rules'], ['rules/0', id.replace('-', '/')]);
  const [named] = said['exceptions'] as JsonObject[];
  assert.equal(named?.['id'], id);
  assert.ok(typeof named['digest'] === 'string');
  assert.match(named['digest'], /^sha256:/u);
  // One that did not matter is not named.
  assert.equal(await pay(world, 5), 'succeeded');
  const plain = world.entries().findLast(({ type }) => type === 'call.intent')?.['policy'];
  assert.equal(isJsonObject(plain) && Object.hasOwn(plain, 'exceptions'), false);

  world.world.advance(HOUR - 1);
  assert.equal(await pay(world), 'succeeded');
  world.world.advance(1);
  assert.equal(await pay(world), 'denied-by-rule');
});

test('it counts in every process and after a restart, and can be ended early in all of them', async () => {
  const one = await openWorld({ policy: POLICY });
  const two = await openWorld({ ...one, policy: POLICY });
  const id = await glass(one);
  assert.deepEqual([await pay(one), await pay(two)], ['succeeded', 'succeeded']);
  const three = await openWorld({ ...one, policy: POLICY });
  assert.equal(await pay(three), 'succeeded');
  assert.equal(await endException(two.ledger, two.world, { id, by: 'ann', reason: 'over' }), true);
  assert.equal(await endException(two.ledger, two.world, { id, by: 'ann', reason: 'over' }), false);
  for (const each of [one, two, three]) assert.equal(await pay(each), 'denied-by-rule');
});

test('a forged, unsigned, expired, replayed or foreign exception lifts nothing [R-break-glass]', async () => {
  const other = await openWorld({ policy: POLICY });
  const foreign = other.ledger.log;
  const forgeries: readonly (readonly [string, (world: Opening) => Promise<void>])[] = [
    ['signed by nobody who may', (world) => write(world, {}, eve)],
    ['in the name of ann, with the key of ann, by somebody else', (world) => write(world, { key: keyOf(ann) }, eve)],
    ['unsigned', (world) => write(world, { signature: 'none' })],
    ['by a principal without key', (world) => write(world, { by: 'local' })],
    ['of another log', (world) => write(world, {}, ann, foreign)],
    ['expired', (world) => write(world, { expires: formatInstant(world.world.now()) })],
    ['of a rule that says something else', (world) => write(world, { rules: [{ id: 'rules/1', digest: 'sha256:0' }] })],
  ];
  for (const [what, forge] of forgeries) {
    const world = await openWorld({ policy: POLICY });
    await forge(world);
    assert.equal(await pay(world), 'denied-by-rule', what);
    assert.equal(world.effects.length, 0);
  }
  const world = await openWorld({ policy: POLICY });
  await write(world, {});
  assert.equal(await pay(world), 'succeeded', 'the one that is signed as it is written');
  const entry = world.entries().findLast(({ type }) => type === 'policy.exception');
  const { v: _v, log: _log, at: _at, id: _id, type: _type, ...fields } = entry ?? {};
  await endException(world.ledger, world.world, { id: 'exception-00000000000000ff', by: 'x', reason: 'x' });
  await assert.rejects(
    world.ledger.append({ entries: [draft(world.world, 'policy.exception', fields)] }),
    /has ended/u,
  );
  assert.equal(await pay(world), 'denied-by-rule');
});

test('a row that somebody writes into the tables points at no signed entry, and lifts nothing', async () => {
  const world = await openWorld({ policy: POLICY });
  await pay(world);
  const counters = [
    ['exception/exception-00000000000000ff', 1],
    ['exception/exception-00000000000000fe', world.disk.leaves.length],
    ['exception/exception-00000000000000fd', 1_000_000],
    ['exception-version', 7],
  ] as const;
  world.disk.tables.apply({ counters });
  assert.equal(await pay(world), 'denied-by-rule');
});

test('an exception that is made or ended while a call is decided counts for that call', async () => {
  let between: (() => Promise<void>) | undefined;
  const world: Opening = await openWorld({
    policy: POLICY,
    between: (ledger) =>
      overriding(ledger, {
        transact: async (reads, compose) => {
          const once = between;
          between = undefined;
          await once?.();
          return ledger.transact(reads, compose);
        },
      }),
  });
  let id = '';
  between = async () => void (id = await glass(world));
  assert.equal(await pay(world), 'succeeded');
  between = async () => void (await endException(world.ledger, world.world, { id, by: 'ann', reason: 'over' }));
  assert.equal(await pay(world), 'denied-by-rule');
  between = async () => {
    world.world.advance(HOUR);
  };
  await glass(world);
  assert.equal(await pay(world), 'denied-by-rule', 'one that expires meanwhile');
});

test('whoever is no approver any more has no exception in force any more', async () => {
  const world = await openWorld({ policy: POLICY });
  await glass(world);
  assert.equal(await pay(world), 'succeeded');
  await world.authority.load(policyOf(POLICY.replace(keyOf(ann), keyOf(eve))));
  assert.equal(await pay(world), 'denied-by-rule');
});
