/** `interlock program plan`: drafts of models that are good, wrong, hostile or missing. Nothing of them is run. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { modelServer } from '../model-server.ts';
import { type Ended, Scratch, drivesTerminal, json, run } from './command.ts';
import { leaves } from './recorded.ts';

const POLICY = `interlock: 1
models:
  planner: { provider: scripted, file: answers.yaml, price: { input: 1, output: 1 } }
tools:
  crm.find: { effect: read, input: { type: object, properties: { id: {type: string} }, required: [id] } }
  mail.send: { effect: write, input: { type: object, properties: { to: {type: string} }, required: [to] } }
  bank.wire: { input: { type: object } }
rules:
  - allow: crm.*
  - allow: mail.send
  - allow: llm.planner
`;

const GOOD = `program: greet
input: { type: object, required: [id], properties: { id: {type: string}, to: {type: string} } }
start: find
steps:
  find: { tool: crm.find, args: { id: "\${{ input.id }}" }, next: done, on_error: lost }
  done: { end: success, output: "\${{ steps.find.output }}" }
  lost: { end: not-found }
`;
const WRONG = GOOD.replace('next: done', 'next: dnoe');
const DENIED = GOOD.replace('tool: crm.find', 'tool: bank.wire');

interface Place extends Disposable {
  readonly scratch: Scratch;
  readonly plan: (...args: readonly string[]) => Promise<Ended>;
}

function place(answers: readonly object[], policy = POLICY): Place {
  const scratch = new Scratch();
  scratch.write('interlock.yaml', policy);
  writeFileSync(scratch.at('answers.yaml'), JSON.stringify({ answers }));
  const plan = (...args: readonly string[]): Promise<Ended> =>
    run(['program', 'plan', 'greet whoever it is', ...args], { directory: scratch.path });
  return { scratch, plan, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

const fenced = (draft: string): string => `Here it is:\n\n\`\`\`yaml\n${draft}\`\`\`\n\nAnything else?`;

test('a draft that can be used is drawn and printed, and nothing is run or written', async () => {
  using here = place([{ text: fenced(GOOD), tokens: { input: 900, output: 80 } }]);
  const { code, out, err } = await here.plan();
  assert.equal(code, 0, err);
  assert.match(out, /^▶ find .*crm\.find/u);
  assert.ok(out.endsWith(`\n\n${GOOD}`), out);
  assert.match(err, /drafted in 1 attempt, not written to a file, and not run: read it first\n$/u);
  const types = leaves(here.scratch.at('.interlock')).map((leaf) => (JSON.parse(leaf) as { type: string }).type);
  assert.deepEqual(
    types.filter((type) => type.startsWith('call.')),
    ['call.intent', 'call.succeeded'],
    'the question is a call like any other',
  );
});

test('what is wrong with a draft goes back to the model, twice at most [R-plan-checked]', async () => {
  using here = place([
    { prompt: 'there is no such step', text: fenced(DENIED), times: 1 },
    { prompt: 'no call of it is ever allowed', text: GOOD },
    { text: WRONG, times: 1 },
  ]);
  const { code, out } = await here.plan('--json', '-o', 'greet.yaml');
  const told = json(out);
  assert.deepEqual([code, told['ok'], told['program'], told['attempts'], told['text']], [0, true, 'greet', 3, GOOD]);
  assert.equal(readFileSync(here.scratch.at('greet.yaml'), 'utf8'), GOOD);
  const checked = await run(['program', 'check', 'greet.yaml', '--json'], { directory: here.scratch.path });
  assert.deepEqual([checked.code, json(checked.out)['digest']], [0, told['digest']]);

  using stubborn = place([{ text: fenced(WRONG) }]);
  const given = await stubborn.plan('-o', 'greet.yaml');
  assert.equal(given.code, 1);
  assert.match(given.err, /greet\.yaml:5:\d+: error: .*\[step-unknown\][^]*no draft of 3 drafts can be used/u);
  assert.equal(existsSync(stubborn.scratch.at('greet.yaml')), false);
  const many = json((await stubborn.plan('--json')).out);
  assert.deepEqual([many['ok'], many['attempts'], many['digest']], [false, 3, null]);
});

test('a model that does not answer, or may not be asked, is told', async () => {
  using failing = place([{ error: 'failed', reason: 'it is down' }]);
  const failed = await failing.plan();
  assert.deepEqual([failed.code, failed.err], [1, 'interlock: the model did not answer: it is down\n']);
  assert.deepEqual(json((await failing.plan('--json')).out), { ok: false, attempts: 1, reason: 'it is down' });

  const usage: readonly (readonly [policy: string, args: readonly string[], expected: RegExp])[] = [
    [POLICY.replace('  - allow: llm.planner\n', ''), [], /no rule allows `local` to ask `llm\.planner`/u],
    [POLICY, ['--model', 'other'], /there is no model `other`\n {2}hint: there are planner/u],
    [
      POLICY.replace('tools:', '  second: { provider: scripted, file: b }\ntools:'),
      [],
      /hint: there are planner, second/u,
    ],
    ['interlock: 1\n', [], /declare one under `models`/u],
    ['interlock: 2\n', [], /the policy cannot be used/u],
  ];
  for (const [policy, args, expected] of usage) {
    using here = place([], policy);
    const { code, err } = await here.plan(...args);
    assert.equal(code, 2);
    assert.match(err, expected);
    assert.equal(existsSync(here.scratch.at('.interlock')), false);
  }
  using empty = place([]);
  assert.equal((await run(['program', 'plan', '  '], { directory: empty.scratch.path })).code, 2);
});

test('a hostile draft drives no terminal, and says nothing of personal values that only the question had', async () => {
  using here = place([{ text: GOOD.replace('not-found', 'not-found, because: "\u001b]0;x\u0007\u202e"') }]);
  const { code, out, err } = await here.plan();
  assert.deepEqual([code, drivesTerminal(out + err)], [0, false]);
  using huge = place([{ text: 'x: &a [*a]\n'.repeat(200) }]);
  assert.equal((await huge.plan()).code, 1);
});

test('the model sees the tools that may be allowed, and a reference is no part of a program', async () => {
  const drafts: string[] = [];
  await using server = await modelServer(({ text }) => {
    const [reference = ''] = /vault:\/\/s_[\w-]+\/\d+/u.exec(text) ?? [];
    drafts.push(text);
    const draft = drafts.length === 1 ? GOOD.replace('input.id }}', `input.id }}${reference}`) : GOOD;
    return { text: draft, input: 1, output: 1 };
  });
  const policy = POLICY.replace(
    '{ provider: scripted, file: answers.yaml, price: { input: 1, output: 1 } }',
    `{ provider: openai-compatible, model: x, url: "${server.url}" }`,
  );
  using here = place([], policy);
  const { code, out, err } = await run(['program', 'plan', 'write to bob@example.com', '--json'], {
    directory: here.scratch.path,
  });
  assert.equal(code, 0, err);
  assert.equal(json(out)['attempts'], 2);
  const [first = '', second = ''] = drafts;
  assert.match(first, /- crm\.find \(read\)[^]*- mail\.send \(write\)[^]*The models: planner\./u);
  assert.doesNotMatch(first, /bank\.wire|bob@|interlock\.get_call|resources/u);
  assert.match(second, /\[reference-in-program\]/u);
});

test('a property of a draft that is not proved goes back with how it may be broken', async () => {
  const broken = `${GOOD}properties: ["end success only after lost"]\n`;
  using here = place([
    { prompt: 'is not proved', text: `${GOOD}properties: ["end success only after find"]\n` },
    { text: broken },
  ]);
  const { code, out, err } = await here.plan('--json');
  assert.deepEqual([code, json(out)['attempts']], [0, 2], err);
});
