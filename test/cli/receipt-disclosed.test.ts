/** `interlock receipt --disclose`: chosen values, checked against what the entries commit to, and recorded to whom. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { verifyEd25519 } from '../../src/ledger/ed25519.ts';
import { verifyBundle } from '../../src/ledger/verify/bundle.ts';
import { utf8 } from '../../src/value/encoding.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { HOSTILE, leaves, openRecording } from './recorded.ts';

const RULES = `interlock: 1
tools:
  crm.note: { input: { type: object }, personal: [args.name, args.to.street], subject: args.customer }
rules:
  - allow: crm.note
`;
const NAME = `Zoe ${HOSTILE}`;
const ARGS = { customer: 'c_1', name: NAME, to: { street: { at: ['Elm', 5] } }, n: 1 };
const OUTPUT = { content: [{ type: 'text', text: 'noted' }] };
const FOR = ['--to', 'the court', '--reason', 'ticket 17'];
const scratch = new Scratch();
let call = '';
let other = '';

before(async () => {
  await using recording = await openRecording(scratch.at('.interlock'), true, RULES);
  const done = { kind: 'succeeded', output: OUTPUT } as const;
  call = await recording.call('crm.note', ARGS, done);
  other = await recording.call('crm.note', { ...ARGS, name: 'Adam' }, done);
});
after(() => scratch[Symbol.dispose]());

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

interface Receipt {
  readonly key: string;
  readonly entries: readonly { readonly position: number; readonly leaf: string }[];
  readonly disclosures: readonly { readonly position: number; readonly disclosure: string }[];
}

function read(file: string): Receipt {
  return JSON.parse(readFileSync(scratch.at(file), 'utf8')) as Receipt;
}

async function made(file: string, of: string, ...pointers: readonly string[]): Promise<Receipt> {
  const ended = await interlock('receipt', of, '--disclose', ...pointers, ...FOR, '-o', file, '--json');
  assert.deepEqual([ended.code, ended.err], [0, '']);
  return read(file);
}

/** The codes that a receipt with other disclosures is reported with. */
function found(receipt: Receipt, disclosures: readonly unknown[]): string[] {
  const bytes = utf8(JSON.stringify({ ...receipt, disclosures }));
  const { verdict, problems, disclosed = [] } = verifyBundle(bytes, { checkSignature: verifyEd25519 });
  assert.equal(verdict, problems.length === 0 ? 'ok' : 'bad');
  assert.ok(problems.length === 0 || disclosed.length < disclosures.length);
  return problems.map(({ code }) => code);
}

test('a receipt opens what was chosen and nothing else, for whoever verifies it [R-disclosed]', async () => {
  const receipt = await made('r.json', call.slice(-12), '/args/name', '/output');
  using elsewhere = new Scratch();
  elsewhere.write('r.json', JSON.stringify(receipt));
  const verified = await run(['verify', 'r.json', '--json'], { directory: elsewhere.path });
  assert.equal(verified.code, 0, verified.out);
  const { disclosed, entries } = json(verified.out);
  const [first, second] = disclosed as readonly { entry: number; pointer: string; value: unknown }[];
  assert.deepEqual([first?.pointer, first?.value], ['/args/name', NAME]);
  assert.deepEqual([second?.pointer, second?.value], ['/output', OUTPUT]);
  assert.equal(entries, receipt.entries.length);
  const text = JSON.stringify(receipt.entries);
  assert.ok(!text.includes('Zoe') && !text.includes('Elm') && !JSON.stringify(disclosed).includes('Elm'));
  const told = await run(['verify', 'r.json'], { directory: elsewhere.path });
  assert.match(told.out, /^ {2}entry \d+ had at \/args\/name: "Zoe /mu);
  assert.ok(!told.out.includes('\u001b') && !told.out.includes('\u202e'));
});

test('to whom and why is an entry before the file is there, and in the receipt [R-disclosed]', async () => {
  const receipt = await made('recorded.json', call, '/args/to/street');
  const entries = receipt.entries.map(({ leaf }) => JSON.parse(leaf) as JsonObject);
  const last = entries.findLast(({ type }) => type === 'disclosure.made');
  assert.deepEqual(
    [last?.['to'], last?.['reason'], last?.['pointers']],
    ['the court', 'ticket 17', ['/args/to/street']],
  );
  const before = leaves(scratch.at('.interlock')).length;
  const lost = await interlock('receipt', call, '--disclose', '/args/name', ...FOR, '-o', 'no/such/place');
  assert.deepEqual([lost.code, lost.out], [2, '']);
  const since = leaves(scratch.at('.interlock')).slice(before);
  assert.ok(
    since.some((leaf) => leaf.includes('"disclosure.made"')),
    'an entry of one that was not made',
  );
});

test('a disclosure that is changed, moved or of another call is reported [R-disclosed]', async () => {
  const receipt = await made('sound.json', call, '/args/name', '/args/to/street');
  const [name, street] = receipt.disclosures;
  assert.ok(name !== undefined && street !== undefined);
  assert.deepEqual(found(receipt, [name, street]), []);
  assert.deepEqual(found(receipt, []), []);
  const [salt, pointer, value] = JSON.parse(Buffer.from(name.disclosure, 'base64url').toString()) as unknown[];
  const forged = (...parts: readonly unknown[]) => ({
    ...name,
    disclosure: Buffer.from(JSON.stringify(parts)).toString('base64url'),
  });
  const strange = (await made('other.json', other, '/args/name')).disclosures;
  for (const wrong of [
    forged(salt, pointer, 'Zoe'),
    forged('other', pointer, value),
    forged(salt, '/args/to/street', value),
    forged(salt, '/args/n', 1),
    forged(salt, pointer),
    forged(salt, pointer, value, value),
    { ...name, disclosure: `${name.disclosure}=` },
    { ...name, disclosure: '' },
    { ...name, disclosure: 'AAAA' },
    { ...name, position: 0 },
    { ...name, position: 9_999 },
    ...strange,
  ]) {
    assert.deepEqual(found(receipt, [wrong, street]), ['disclosure-wrong'], JSON.stringify(wrong));
  }
  for (const at of [0, 7, name.disclosure.length - 2]) {
    const letter = name.disclosure[at] === 'A' ? 'B' : 'A';
    const disclosure: string = name.disclosure.slice(0, at) + letter + name.disclosure.slice(at + 1);
    assert.deepEqual(found(receipt, [{ ...name, disclosure }]), ['disclosure-wrong']);
  }
  for (const malformed of [null, 1, [], { position: 1 }, { ...name, more: 1 }, { ...name, position: '1' }]) {
    assert.deepEqual(found(receipt, [malformed]), ['bundle-malformed']);
  }
});

test('what is not kept is told, and nothing is recorded or written', async () => {
  const before = leaves(scratch.at('.interlock')).filter((leaf) => leaf.includes('disclosure.made')).length;
  const missing = await interlock('receipt', call, '--disclose', '/args/n', ...FOR, '-o', 'none.json', '--json');
  assert.deepEqual([missing.code, json(missing.out)['code']], [1, 'not-kept']);
  for (const [args, expected] of [
    [['--to', 'x', '--reason', 'y'], /are for what `--disclose` opens/u],
    [['--disclose', '/output'], /needs `--to` and `--reason`/u],
    [['--disclose', '/output', '--to', 'x'], /needs `--to` and `--reason`/u],
    [['--disclose', '/output', '--to', 'x', '--reason', ' '], /needs a reason/u],
  ] as const) {
    const { code, out, err } = await interlock('receipt', call, ...args, '-o', 'none.json');
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, expected);
  }
  assert.ok(!existsSync(scratch.at('none.json')));
  const after = leaves(scratch.at('.interlock')).filter((leaf) => leaf.includes('disclosure.made')).length;
  assert.equal(after, before);
});

test('an erasure lists what a receipt opened, and the receipt that is out there still verifies [R-disclosed]', async () => {
  await made('out-there.json', call, '/args/name');
  const erased = json((await interlock('erase', 'c_1', '--reason', 'ticket 18', '--json')).out);
  const listed = erased['disclosures'] as readonly number[];
  const entries = leaves(scratch.at('.interlock')).map((leaf) => JSON.parse(leaf) as JsonObject);
  const given = entries.flatMap(({ type }, position) => (type === 'disclosure.made' ? [position] : []));
  assert.deepEqual(
    listed.toSorted((a, b) => a - b),
    given,
  );
  const verified = await interlock('verify', 'out-there.json', '--json');
  assert.deepEqual([verified.code, (json(verified.out)['disclosed'] as unknown[]).length], [0, 1]);
  const again = await interlock('receipt', call, '--disclose', '/args/name', ...FOR, '-o', 'gone.json', '--json');
  assert.deepEqual([again.code, json(again.out)['code']], [1, 'not-kept']);
  assert.equal((await interlock('receipt', call, '-o', 'plain.json')).code, 0);
});
