/** `interlock verify --deep`, `replay`, `diff` and `learn` over what is sealed, and over what was erased. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approve } from '../../src/authority/approve.ts';
import { SUBJECTS_MAX } from '../../src/authority/personal.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';
import { entriesOf } from '../tampered-log.ts';
import { Scratch, json, run } from './command.ts';
import { copyData, openRecording, tamper } from './recorded.ts';

const TOOLS = `interlock: 1
tools:
  crm.note: { input: { type: object }, personal: [args.name], subject: args.customer }
  crm.look: { effect: read, input: { type: object } }
approvals: { signed: false }
`;
const RULES = `${TOOLS}rules:
  - allow: crm.note
    when: args.name != "Nobody" && !("to" in args && args.to.startsWith("x"))
  - allow: crm.look
  - { ask: crm.note, when: args.customer == "c_asked" }
`;
const WHY = ['--reason', 'ticket 17'];
const scratch = new Scratch();
const data = scratch.at('.interlock');

/** Small and large, allowed and denied, asked and approved, about one, two and too many people. */
before(async () => {
  await using recording = await openRecording(data, true, RULES);
  const done = { kind: 'succeeded', output: { content: [{ type: 'text', text: 'to ada@example.com' }] } } as const;
  const call = (args: JsonObject, tool = 'crm.note'): Promise<string> => recording.call(tool, args, done);
  await call({ customer: 'c_1', name: 'Ada', to: 'ada@example.com', deep: [{ 'a/b~': '+49 30 901820' }] });
  await call({ customer: 'c_2', name: 'Bob', text: 'Bob '.repeat(20_000) });
  await call({ customer: 'c_1', name: 'Nobody' });
  await call({ customer: 'c_2', name: 'Bob', to: 'x@example.com' });
  const asked = { customer: 'c_asked', name: 'Cy' };
  const parked = await call(asked);
  const answered = await approve(recording.ledger, systemWorld, { call: parked, by: 'os:me', unsigned: true });
  assert.ok(answered.ok);
  assert.equal(await call(asked), parked);
  await call({ customer: 'c_asked', name: 'Di' });
  await call({ list: Array.from({ length: SUBJECTS_MAX + 1 }, (_, n) => `p${n}@example.com`) }, 'crm.look');
});
after(() => scratch[Symbol.dispose]());

interface Report {
  readonly code: number | null;
  readonly problems: readonly { readonly code: string; readonly entry?: number; readonly message: string }[];
  readonly attestations: readonly { readonly entry: number; readonly why: string }[];
  readonly erased: number;
  readonly decided: number;
}

async function deep(directory: string): Promise<Report> {
  const { code, out, err } = await run(['verify', directory, '--deep', '--json'], { directory: scratch.path });
  assert.equal(err, '');
  return { ...(json(out) as unknown as Report), code };
}

async function erase(copy: string, ...subject: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(['erase', ...subject, ...WHY, '--data', copy, '--json']);
  assert.equal(code, 0, err);
  return json(out);
}

test('calls with sealed arguments are decided again from what the vault opens, their approvals too [R-deep]', async () => {
  const found = await deep('.interlock');
  assert.deepEqual([found.code, found.problems, found.erased], [0, [], 0]);
  const decisions = entriesOf(data).filter(({ type }) => /call\.(?:denied|parked|intent)/u.test(type));
  const unkept = decisions.findIndex(({ args }) => JSON.stringify(args).includes('"kept":false'));
  assert.ok(unkept >= 0, 'one is about too many people');
  assert.equal(found.decided, decisions.length);
  const exported = scratch.at('export');
  assert.equal((await run(['export', '-o', exported], { directory: scratch.path })).code, 0);
  const shown = await deep('export');
  assert.deepEqual([shown.code, shown.problems], [0, []]);
  assert.ok(shown.attestations.length > 0);
});

test('what was erased is counted, decisions on it are taken as recorded, and nothing else is [R-deep] [R-erasure]', async () => {
  const copy = copyData(data, scratch.at('copy'));
  let gone = 0;
  for (const subject of [['c_1'], ['--value', 'x@example.com'], ['c_asked']]) {
    gone += Number((await erase(copy, ...subject))['values']);
    const found = await deep('copy');
    assert.deepEqual([found.code, found.problems, found.erased], [0, [], gone]);
  }
  const found = await deep('copy');
  assert.ok(found.attestations.length > 1);
  assert.deepEqual((await deep('.interlock')).erased, 0);
});

test('a sealed value that is gone beyond what was erased is found, and so is one that is another [R-deep]', async () => {
  const copy = copyData(data, scratch.at('copy'));
  await erase(copy, 'c_1');
  tamper(copy, "DELETE FROM bodies WHERE rowid = (SELECT max(rowid) FROM bodies WHERE role = 'output')");
  const missing = await deep('copy');
  assert.deepEqual([missing.code, missing.problems.map(({ code }) => code)], [1, ['body-missing']]);
  const other = copyData(data, scratch.at('copy'));
  tamper(other, "UPDATE bodies SET ciphertext = zeroblob(99) WHERE role = 'args/to' AND position < 9");
  const wrong = await deep('copy');
  assert.ok(wrong.problems.some(({ code }) => code === 'body-wrong'));
});

test('a recorded session with erased values is replayed, compared and learned from as far as it is known [R-replay] [R-learn]', async () => {
  const copy = copyData(data, scratch.at('copy'));
  const whole = json((await run(['replay', 'session', '--data', copy, '--json'])).out) as unknown as Told;
  assert.equal(whole.differing, 0);
  assert.ok(JSON.stringify(whole.steps).includes('ada@example.com'));
  for (const subject of [['c_1'], ['c_asked'], ['--value', 'ada@example.com']]) await erase(copy, ...subject);
  const { code, out, err } = await run(['replay', 'session', '--data', copy, '--json']);
  assert.deepEqual([code, err], [1, ''], 'outcomes are missing');
  const told = json(out) as unknown as Told;
  assert.deepEqual([told.differing, told.steps.length], [0, whole.steps.length]);
  assert.ok(!out.includes('ada@example.com') && !out.includes('+49 30'));
  const file = scratch.write('next.yaml', RULES);
  for (const args of [
    ['replay', 'session', '--policy', file],
    ['diff', file, file, '--replay'],
    ['learn', '-c', file],
  ]) {
    const ended = await run([...args, '--data', copy, '--json'], { directory: scratch.path });
    assert.notEqual(ended.code, 70, `${args.join(' ')}: ${ended.err}`);
    assert.equal(ended.err, '', args.join(' '));
  }
});

interface Told {
  readonly differing: number;
  readonly steps: readonly JsonObject[];
}
