/** Secrets from end to end: no file of a data directory and no command says one, and calls that wait go on with theirs. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Performed } from '../../src/authority/answer.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { type Recording, openRecording } from './recorded.ts';

const RULES = `interlock: 1
approvals: { signed: false }
tools:
  t.login: { effect: write, input: { type: object }, key: 'args.ref', secrets: [args.password, output.session] }
  t.send: { effect: write, input: { type: object }, key: 'args.ref' }
  t.denied: { effect: write, input: { type: object }, secrets: [args.password] }
  t.asked: { effect: write, input: { type: object }, key: 'args.ref', secrets: [args.password] }
  t.strict: { effect: write, input: { type: object }, secrets: never-store }
rules:
  - allow: t.login
  - allow: t.send
  - allow: t.asked
  - ask: t.asked
  - allow: t.strict
  - ask: t.strict
`;

/** Put together here, so that nobody who scans this file takes them for real ones. */
const CANARY = {
  password: 'canary zebra 8121417 öx',
  session: 'sess-canary-4471-zebra',
  github: `ghp_${'cAn4rY8zEbR9'.repeat(3)}`,
  aws: ['AKIA', 'CANARYZEBRA23456'].join(''),
  stripe: `sk_live_${'cAn4rY8zEbR9'.repeat(2)}`,
  uri: ['postgres://canary', 'zEbR9cAn4rY8@db.internal:5432/x'].join(':'),
  pem: `-----BEGIN PRIVATE KEY-----\nMII${'CANARYzebra8'.repeat(20)}\n-----END PRIVATE KEY-----`,
};
const ALL = Object.values(CANARY);
const done = (output: JsonObject): Performed => ({ kind: 'succeeded', output });
const textual = (text: string): JsonObject => ({ content: [{ type: 'text', text }] });

/** Every form in which a canary could lie in a file. */
function forms(): Buffer[] {
  const texts = ALL.flatMap((text) => [text, JSON.stringify(text).slice(1, -1), text.split('\n')[1] ?? text]);
  texts.push('zEbR9cAn4rY8', CANARY.password.replaceAll('ö', '\\u00f6'));
  return [...new Set(texts)].flatMap((text) => {
    const bytes = Buffer.from(text);
    const based = [0, 1, 2].map((shift) => {
      const cut = bytes.subarray((3 - shift) % 3);
      return cut.subarray(0, cut.length - (cut.length % 3)).toString('base64');
    });
    return [bytes, Buffer.from(text, 'utf16le'), ...[bytes.toString('hex'), ...based].map((one) => Buffer.from(one))];
  });
}

function assertNowhere(directory: string): void {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  assert(files.length > 0);
  for (const file of files) {
    const bytes = readFileSync(join(file.parentPath, file.name));
    for (const form of forms()) assert.equal(bytes.indexOf(form), -1, `${file.name} holds ${form.toString()}`);
  }
}

function assertSilent({ out, err }: Ended): void {
  for (const form of forms()) assert(!`${out}${err}`.includes(form.toString()), `${form.toString()} in ${out}${err}`);
}

/** But what is declared of a result alone. */
const everything = ALL.filter((text) => text !== CANARY.session).join(' and ');
const secrets: JsonObject = {
  password: CANARY.password,
  nested: [{ deep: { token: CANARY.github } }, [CANARY.aws, `x=${CANARY.stripe}`], CANARY.uri],
  headers: { [`header ${CANARY.github}`]: 1 },
  key: CANARY.pem,
  text: everything,
};

/** Calls of every kind that say the canaries; answers with the id of one that waits, and of one that succeeded. */
async function sing(recording: Recording): Promise<{ readonly parked: string; readonly succeeded: string }> {
  const output = {
    ...textual(`${everything}, ${CANARY.session}`),
    structuredContent: { session: CANARY.session, all: ALL },
  };
  const succeeded = await recording.call('t.login', { ...secrets, ref: 'r1' }, done(output));
  await recording.call(
    't.login',
    { ...secrets, ref: 'r2' },
    { kind: 'failed', output: { ...textual(everything), isError: true } },
  );
  for (const [ref, kind] of [
    ['r3', 'not-started'],
    ['r4', 'unknown'],
  ] as const) {
    await recording.call('t.login', { ...secrets, ref }, { kind, reason: `it said ${everything}` });
  }
  const { password: _, ...found } = secrets;
  await recording.call('t.send', { ...found, text: CANARY.github, ref: 'r5', much: 'x'.repeat(70_000) }, done({}));
  await recording.call('t.denied', secrets, done({}));
  await recording.call('t.strict', { token: CANARY.github }, done({}));
  await recording.call(`t.${CANARY.github}`, { token: CANARY.github }, done({}));
  const parked = await recording.call('t.asked', { ...secrets, ref: 'r6' }, done({}));
  return { parked, succeeded };
}

test('no byte of a data directory and nothing that a command prints is a secret [R-secrets]', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', RULES);
  const data = scratch.at('.interlock');
  const command = (args: readonly string[]): Promise<Ended> => run(args, { directory: scratch.path });
  const recording = await openRecording(data, true, RULES);
  const { parked, succeeded } = await sing(recording);
  // While it is open, its WAL included; then closed.
  assertNowhere(data);
  await recording.ledger[Symbol.asyncDispose]();
  assertNowhere(data);
  const outputs = [
    ['log'],
    ['log', '--json'],
    ['log', '--call', succeeded],
    ['approvals'],
    ['approvals', '--json'],
    ['verify', '--deep', '--json'],
    ['replay', 'session', '--json'],
    ['replay', 'session'],
    ['subjects', '--json'],
    ['disclose', succeeded, '--to', 'me', '--reason', `because of ${CANARY.github}`],
    ['learn'],
    ['diff', 'interlock.yaml', 'interlock.yaml', '--replay'],
    ['export', '-o', scratch.at('export')],
    ['receipt', succeeded, '-o', scratch.at('receipt.json')],
    ['receipt', parked, '-o', scratch.at('parked.json')],
    ['approve', parked],
    ['kill', 'tool:t.send', '--reason', `leaked ${CANARY.aws}`],
  ];
  for (const args of outputs) {
    const ended = await command(args);
    assert([0, 1].includes(ended.code ?? 2), `${args.join(' ')}: ${ended.err}`);
    if (!args.join(' ').includes(CANARY.github)) assertSilent(ended);
  }
  assertNowhere(scratch.path);
  const verified = json((await command(['verify', '--deep', '--json'])).out);
  assert.deepEqual([verified['verdict'], verified['problems']], ['ok', []]);
  assert.equal((await command(['verify', scratch.at('export')])).code, 0);
});

test('a call that waits is shown without its secrets and leaves none behind when it has gone on', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', RULES);
  const data = scratch.at('.interlock');
  const args = { ref: 'r', password: CANARY.password, to: 'x' };
  const recording = await openRecording(data, true, RULES);
  const call = await recording.call('t.asked', args, done({}));
  await recording.ledger[Symbol.asyncDispose]();
  const command = (words: readonly string[]): Promise<Ended> => run(words, { directory: scratch.path });
  const shown = JSON.stringify(json((await command(['approvals', '--json'])).out));
  assert(shown.includes('"args":{"password":{"$secret":"declared"},"ref":"r","to":"x"}'), shown);
  const standing = await command(['approve', call, '--standing', 'call', '--for', '1d']);
  assert.deepEqual([standing.code, /holds a secret/u.test(standing.err)], [2, true], standing.err);
  assert.equal((await command(['approve', call])).code, 0);
  const again = await openRecording(data, true, RULES);
  const kept = livesIn(data);
  assert.equal(kept.length, 1);
  let given: JsonObject | undefined;
  await again.call('t.asked', args, async () => done((given = { taken: true })));
  assert.deepEqual(given, { taken: true });
  // Neither a row nor a page of any file keeps what the secret lay in.
  assert.deepEqual(livesIn(data), []);
  for (const file of readdirSync(data, { withFileTypes: true }).filter((one) => one.isFile())) {
    const bytes = readFileSync(join(data, file.name));
    for (const one of kept) assert.equal(bytes.indexOf(one), -1, file.name);
  }
  await again.ledger[Symbol.asyncDispose]();
  const verified = json((await command(['verify', '--deep', '--json'])).out);
  assert.deepEqual([verified['verdict'], verified['problems']], ['ok', []]);
});

test('a log with references that led nowhere is decided again as it was', async () => {
  using scratch = new Scratch();
  const rules = `${RULES}personal: { results: hide }\n`;
  scratch.write('interlock.yaml', rules);
  const recording = await openRecording(scratch.at('.interlock'), true, rules);
  const args = { ref: 'r', to: 'vault://s_AAAAAAAAAAAAAAAA/1' };
  await recording.call('t.send', args, () => assert.fail('it must not be sent'));
  await recording.ledger[Symbol.asyncDispose]();
  const verified = json((await run(['verify', '--deep', '--json'], { directory: scratch.path })).out);
  assert.deepEqual([verified['verdict'], verified['problems'], verified['attested']], ['ok', [], 1]);
  const log = await run(['log', '--effect', 'deny'], { directory: scratch.path });
  assert.match(log.out, /guard-refused/u);
});

/** The ciphertexts of live forms. */
function livesIn(data: string): Buffer[] {
  using database = new DatabaseSync(join(data, 'ledger.db'), { readOnly: true });
  const rows = database.prepare("SELECT ciphertext FROM bodies WHERE role = 'live'").all();
  return rows.map(({ ciphertext }) => Buffer.from(ciphertext as Uint8Array).subarray(0, 60));
}
