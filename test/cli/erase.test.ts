/** `interlock erase`, `subjects`, `hold` and `disclose`: what is kept of a person goes, its proofs stand. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Performed } from '../../src/authority/answer.ts';
import { eraseSubject, finishErasures } from '../../src/authority/erase.ts';
import { openVault } from '../../src/ledger/vault.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';
import { CHECKPOINTS } from '../state-home.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { Desk, park } from './desk.ts';
import { type Recording, leaves, openRecording } from './recorded.ts';

const RULES = `interlock: 1
tools:
  crm.note: { input: { type: object }, key: 'args.ref', personal: [args.name], subject: args.customer }
  crm.denied: { input: { type: object }, personal: [args.name], subject: args.customer }
  crm.asked: { input: { type: object }, personal: [args.name], subject: args.customer }
  crm.send: { input: { type: object }, subject: args.customer }
  crm.look: { effect: read, input: { type: object } }
rules:
  - allow: crm.note
  - allow: crm.look
  - allow: crm.send
  - allow: crm.asked
  - ask: crm.asked
`;
const WHY = ['--reason', 'ticket 17'];
const CANARY = {
  email: 'Canary.Zebra@example.com',
  phone: '+49 30 90182 0017',
  name: 'Wilhelmina Öxenstierna "W"',
  id: 'customer-8121417',
};
const ABOUT = { customer: CANARY.id, name: CANARY.name };

const done = (output: JsonObject): Performed => ({ kind: 'succeeded', output });
const textual = (text: string): JsonObject => ({ content: [{ type: 'text', text }] });

/** One call of every kind that says the canary, and one about somebody else; answers with the ids of some. */
async function sing(
  recording: Recording,
): Promise<{ readonly noted: string; readonly parked: string; readonly other: string }> {
  const all = `${CANARY.name}, ${CANARY.email}, ${CANARY.phone}, ${CANARY.id}`;
  const noted = await recording.call('crm.note', { ...ABOUT, ref: 'r1', note: all }, done(textual(all)));
  await recording.call(
    'crm.note',
    { ...ABOUT, ref: 'r2' },
    { kind: 'failed', output: { ...textual(all), isError: true } },
  );
  for (const [ref, kind] of [
    ['r3', 'not-started'],
    ['r4', 'unknown'],
  ] as const) {
    await recording.call(
      'crm.note',
      { ...ABOUT, ref, deep: [{ [CANARY.email]: all }] },
      { kind, reason: `it said ${all}` },
    );
  }
  await recording.call('crm.note', { ...ABOUT, ref: 'r5', text: `${all} `.repeat(2_000) }, done(textual(all)));
  await recording.call('crm.denied', { ...ABOUT, mail: CANARY.email, tel: CANARY.phone }, done({}));
  await recording.call('crm.look', { of: 'somebody' }, done({ list: [CANARY.email, 'dora@example.com'] }));
  const parked = await recording.call('crm.asked', { ...ABOUT, mail: CANARY.email, tel: CANARY.phone }, done({}));
  const other = await recording.call(
    'crm.note',
    { customer: 'c_2', name: 'Bo Other', ref: 'r6' },
    done(textual('Bo Other')),
  );
  return { noted, parked, other };
}

/** Every form in which the canary could lie in a file. */
function forms(): Buffer[] {
  const texts = Object.values(CANARY).flatMap((text) => [text, text.toLowerCase(), JSON.stringify(text).slice(1, -1)]);
  texts.push(
    '+49309018200017',
    '49309018200017',
    CANARY.name.replaceAll('Ö', '\\u00d6'),
    CANARY.name.replaceAll('Ö', '\\u00D6'),
  );
  return [...new Set(texts)].flatMap((text) => {
    const bytes = Buffer.from(text);
    // Base64 of what stands at another place within three bytes begins differently; its middle is the same.
    const based = [0, 1, 2].map((shift) => {
      const cut = bytes.subarray((3 - shift) % 3);
      return cut.subarray(0, cut.length - (cut.length % 3)).toString('base64');
    });
    const encoded = [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...based];
    return [bytes, Buffer.from(text, 'utf16le'), ...encoded.map((one) => Buffer.from(one))];
  });
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
}

function assertNowhere(files: readonly string[], more: readonly Buffer[] = []): void {
  for (const file of files) {
    const bytes = readFileSync(file);
    for (const form of [...forms(), ...more]) assert(bytes.indexOf(form) === -1, `${file} holds ${form.toString()}`);
  }
}

function assertSilent({ out, err }: Ended): void {
  for (const form of forms()) assert(!`${out}${err}`.includes(form.toString()), `${form.toString()} in ${out}${err}`);
}

/** What is stored of sealed values but those of somebody else: their ciphertexts, and the shares of their keys. */
function sealedBut(data: string, other: string): Buffer[] {
  const database = new DatabaseSync(join(data, 'ledger.db'), { readOnly: true });
  const bodies = database.prepare('SELECT ciphertext AS bytes FROM bodies WHERE call <> ?').all(other);
  const shares = database.prepare('SELECT wrapped AS bytes FROM shares WHERE call <> ?').all(other);
  database.close();
  return [...bodies, ...shares].map(({ bytes }) => Buffer.from(bytes as Uint8Array).subarray(0, 60));
}

/** The keys of all subjects, as they are wrapped by that of the epoch. */
function recordsOf(data: string): Map<string, Uint8Array> {
  const database = new DatabaseSync(join(data, 'ledger.db'), { readOnly: true });
  const rows = database.prepare('SELECT subject, record FROM subjects').all();
  database.close();
  return new Map(rows.map(({ subject, record }) => [String(subject), record as Uint8Array]));
}

test('after erasing a person no byte of any file says what was kept of it, while a gateway and readers run [R-erasure]', async () => {
  using scratch = new Scratch();
  const data = scratch.at('data');
  const command = (...args: readonly string[]): Promise<Ended> =>
    run([...args, '--data', data], { directory: scratch.path });
  await using recording = await openRecording(data, true, RULES);
  const { noted, parked, other } = await sing(recording);
  const commands = [
    ['log'],
    ['log', '--json'],
    ['subjects'],
    ['verify', '--json'],
    ['export', '-o', scratch.at('before')],
  ];
  for (const args of commands) assertSilent(await command(...args));
  assertNowhere(filesIn(scratch.at('before')));
  assertNowhere(filesIn(data));
  const records = recordsOf(data);
  const subject = openVault(data, systemWorld).subject('id', CANARY.id);
  assert(records.has(subject));
  const sealed = sealedBut(data, other);
  for (const bytes of sealed) assert(filesIn(data).some((file) => readFileSync(file).indexOf(bytes) !== -1));

  const reader = new DatabaseSync(join(data, 'ledger.db'), { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM bodies').get();
  // As long as this reader sees the log as it was, pages of then must stay.
  let now = 0;
  const hurried = { ...systemWorld, monotonic: () => (now += 1_000) };
  const order = { subject, reason: 'ticket 17', by: 'os:me', backupDays: 30 };
  const pending = await eraseSubject(recording.ledger, hurried, order);
  assert.deepEqual([pending.ok, pending.ok ? '' : pending.code], [false, 'pending']);
  assert.equal(await finishErasures(recording.ledger, systemWorld, 30), 0);
  assert.equal(leaves(data).filter((leaf) => leaf.includes('erasure.executed')).length, 0);
  reader.close();

  const first = await command('erase', CANARY.id, ...WHY, '--json');
  assert.equal(first.code, 0, first.err);
  assertSilent(first);
  // A list that names somebody else as well was found under the address alone; the number was only ever with the person.
  const second = await command('erase', '--value', CANARY.email.toUpperCase(), ...WHY, '--json');
  assert.deepEqual([second.code, json(second.out)['values']], [0, 1], second.err);
  const third = await command('erase', '--value', CANARY.phone.replaceAll(' ', ''), ...WHY, '--json');
  assert.deepEqual([third.code, json(third.out)['code']], [1, 'nothing-kept']);
  assert.equal((await command('export', '-o', scratch.at('after'))).code, 0);
  const gone = [...records].filter(([id]) => id !== openVault(data, systemWorld).subject('id', 'c_2'));
  const destroyed = gone.filter(
    ([id]) =>
      recordsOf(data)
        .get(id)
        ?.every((byte) => byte === 0) === true,
  );
  // Whose name stood in nothing else goes along: nothing lies under that key any more.
  assert.equal(destroyed.length, 4);
  assertNowhere(
    [...filesIn(data), ...filesIn(scratch.at('after')), ...filesIn(CHECKPOINTS)],
    [...sealed, ...destroyed.map(([, bytes]) => Buffer.from(bytes.subarray(4)))],
  );

  assert.equal((await recording.ledger.call(parked))?.state, 'refused');
  assert.equal((await recording.ledger.call(noted))?.state, 'succeeded');
  assert.equal(await recording.ledger.body(noted, 'output'), undefined);
  assert.deepEqual(await recording.ledger.body(other, 'output'), textual('Bo Other'));
  const verified = json((await command('verify', '--json')).out);
  assert.equal(verified['verdict'], 'ok');
  assert(Number(verified['erased']) > 10);
  for (const args of [['log'], ['log', '--json'], ['subjects'], ['approvals']]) assertSilent(await command(...args));
});

test('the receipt is an entry that the signed log includes, and says what was destroyed', async () => {
  using scratch = new Scratch();
  const command = (...args: readonly string[]): Promise<Ended> => run([...args, '--data', scratch.path]);
  {
    await using recording = await openRecording(scratch.path, true, RULES);
    await sing(recording);
  }
  const { code, out } = await command('erase', CANARY.id, ...WHY, '--json');
  const told = json(out);
  assert.deepEqual([code, told['ok'], told['again'], told['backupDays']], [0, true, false, 30]);
  const receipt = told['receipt'] as JsonObject & { readonly entries: readonly { readonly leaf: string }[] };
  const entry = JSON.parse(receipt.entries.at(-1)?.leaf ?? '') as JsonObject;
  assert.deepEqual(
    [entry['type'], entry['subject'], entry['calls']],
    ['erasure.executed', told['subject'], told['calls']],
  );
  scratch.write('receipt.json', JSON.stringify(receipt));
  const verify = () => run(['verify', 'receipt.json', '--json'], { directory: scratch.path });
  const verified = json((await verify()).out);
  assert.deepEqual([verified['verdict'], verified['entries']], ['ok', 2]);
  scratch.write('receipt.json', JSON.stringify(receipt).replace('backupDays', 'backupDayz'));
  assert.equal((await verify()).code, 1);
  const again = json((await command('erase', CANARY.id, ...WHY, '--json')).out);
  const leafOf = ({ receipt: told }: Record<string, unknown>): unknown => (told as typeof receipt).entries.at(-1)?.leaf;
  assert.deepEqual([again['again'], leafOf(again)], [true, receipt.entries.at(-1)?.leaf]);
  const person = await command('erase', 'nobody', ...WHY);
  assert.deepEqual([person.code, person.out], [1, '']);
  assert.match(person.err, /^interlock: nothing is kept of `s_[\w-]{43}` \[nothing-kept\]\n$/u);
});

test('what is on hold is not erased, by the person or by one of its calls, until that is lifted', async () => {
  using scratch = new Scratch();
  const command = (...args: readonly string[]): Promise<Ended> => run([...args, '--data', scratch.path]);
  await using recording = await openRecording(scratch.path, true, RULES);
  const { noted } = await sing(recording);
  for (const target of [CANARY.id, noted]) {
    assert.equal((await command('hold', 'add', target, ...WHY)).code, 0);
    assert.deepEqual((await command('hold', 'add', target, ...WHY)).code, 1);
    const held = await command('erase', CANARY.id, ...WHY, '--json');
    assert.deepEqual([held.code, json(held.out)['code']], [1, 'held']);
    assert.notEqual(await recording.ledger.body(noted, 'output'), undefined);
    await recording.ledger.expire(systemWorld.now() + 60_000, '');
    assert.notEqual(await recording.ledger.body(noted, 'output'), undefined);
    if (target === noted) break;
    assert.equal((await command('hold', 'lift', target, ...WHY)).code, 0);
    assert.equal((await command('hold', 'lift', target, ...WHY)).code, 1);
  }
  assert.equal((await command('hold', 'lift', noted, ...WHY)).code, 0);
  assert.equal((await command('erase', CANARY.id, ...WHY)).code, 0);
  assert.equal(await recording.ledger.body(noted, 'output'), undefined);
});

test('a call that runs while it is erased ends as it does, its key protects, and nothing of it is kept', async () => {
  using scratch = new Scratch();
  await using recording = await openRecording(scratch.path, true, RULES);
  const args = { ...ABOUT, ref: 'r1' };
  const call = await recording.call('crm.note', args, async () => {
    const erased = await run(['erase', CANARY.id, ...WHY, '--data', scratch.path]);
    assert.equal(erased.code, 0, erased.err);
    return done(textual(CANARY.name));
  });
  assert.equal((await recording.ledger.call(call))?.state, 'succeeded');
  assert.deepEqual(
    [await recording.ledger.body(call, 'output'), await recording.ledger.subjectsOf(call)],
    [undefined, []],
  );
  let ran = 0;
  const repeated = await recording.call('crm.note', args, async () => {
    ran += 1;
    return done({});
  });
  assert.deepEqual([repeated, ran], [call, 0]);
  await recording.ledger.emptyWal();
  assertNowhere(filesIn(scratch.path));
});

test('a call of unknown outcome that is erased is not made again by an equal one, until somebody settles it', async () => {
  using scratch = new Scratch();
  const command = (...args: readonly string[]): Promise<Ended> => run([...args, '--data', scratch.path]);
  const args = { customer: CANARY.id, text: 'hello' };
  let call = '';
  {
    await using recording = await openRecording(scratch.path, true, RULES);
    call = await recording.call('crm.send', args, { kind: 'unknown', reason: 'it ended' });
    assert.equal((await command('erase', CANARY.id, ...WHY)).code, 0);
  }
  await using recording = await openRecording(scratch.path, true, RULES);
  const state = async (more: JsonObject): Promise<string | undefined> => {
    const proposed = await recording.call('crm.send', { ...args, ...more }, done({}));
    return proposed === call ? 'the same' : (await recording.ledger.call(proposed))?.state;
  };
  for (const more of [{}, { text: 'other' }]) assert.equal(await state(more), 'the same');
  assert.equal((await command('settle', call, 'executed', ...WHY)).code, 0);
  assert.equal(await state({}), 'succeeded');
  assert.deepEqual(await recording.ledger.subjectsOf(call), []);
});

test('what is disclosed proves itself against the log, is recorded before, and is named by the receipt', async () => {
  using scratch = new Scratch();
  const command = (...args: readonly string[]): Promise<Ended> => run([...args, '--data', scratch.path]);
  await using recording = await openRecording(scratch.path, true, RULES);
  const { noted } = await sing(recording);
  const given = await command('disclose', noted, '/args/name', '--to', 'the court', ...WHY, '--json');
  const [one] = json(given.out)['disclosures'] as {
    position: number;
    disclosure: string;
    commitment: string;
    value: string;
  }[];
  assert(one !== undefined);
  assert.deepEqual([given.code, one.value], [0, CANARY.name]);
  assert.equal(createHash('sha256').update(one.disclosure).digest('base64url'), one.commitment);
  assert(leaves(scratch.path)[one.position]?.includes(one.commitment));
  assert.equal((await command('disclose', noted, '/args/none', '--to', 'x', ...WHY)).code, 1);
  assert.equal((await command('disclose', 'no-call', '--to', 'x', ...WHY)).code, 2);
  const erased = json((await command('erase', CANARY.id, ...WHY, '--json')).out);
  const [position] = erased['disclosures'] as number[];
  assert(leaves(scratch.path)[position ?? 0]?.includes('"to":"the court"'));
  assert.equal((await command('disclose', noted, '--to', 'x', ...WHY)).code, 1);
});

test('an approver is shown what is sealed, signs it, and is told when it is gone', async () => {
  using desk = new Desk();
  await desk.add('finance');
  desk.configure();
  const args = { amount: 9_000, mail: CANARY.email };
  const [signed, erased] = [
    await park(desk.data, { args }),
    await park(desk.data, { args: { ...args, amount: 9_001 } }),
  ];
  const shown = await desk.command(['approve', signed, '--as', 'finance']);
  assert.equal(shown.code, 0, shown.err);
  assert(`${shown.out}${shown.err}`.includes(CANARY.email));
  assert(leaves(desk.data).every((leaf) => !leaf.includes(CANARY.email)));
  assert.equal((await desk.command(['erase', erased, ...WHY])).code, 0);
  const gone = await desk.command(['approve', erased, '--as', 'finance', '--json']);
  assert.deepEqual([gone.code, json(gone.out)['code']], [1, 'not-parked']);
  assert.equal((await desk.command(['erase', '--value', CANARY.email, ...WHY])).code, 0);
  assert.equal((await desk.command(['verify'])).code, 0);
});

test('arguments that name nobody, or two, and reasons that name somebody, are refused before anything is opened', async () => {
  using scratch = new Scratch();
  const wrong = [
    ['erase', ...WHY],
    ['erase', 'x', '--value', 'a@b.example', ...WHY],
    ['erase', '--value', 'no identifier', ...WHY],
    ['erase', 'Ada Lovelace', '--reason', 'Ada Lovelace asked'],
    ['erase', '', ...WHY],
    ['erase', 'x'],
    ['hold', 'keep', 'x', ...WHY],
    ['key', 'turn'],
    ['key', 'revoke'],
    ['key', 'list', 'x'],
  ];
  await (await openRecording(scratch.path, true, RULES))[Symbol.asyncDispose]();
  const before = leaves(scratch.path).length;
  for (const args of wrong) {
    const { code, out } = await run([...args, '--data', scratch.path]);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
  }
  assert(
    leaves(scratch.path)
      .slice(before)
      .every((leaf) => leaf.includes('"ledger.')),
  );
});
