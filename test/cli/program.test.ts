/** `interlock program`: programs checked against a policy, and drawn; and files that are none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REFUND } from '../refund-program.ts';
import { Scratch, drivesTerminal, json, run } from './command.ts';

const TEXTS = 'input: { type: object, additionalProperties: { type: string } }';
const POLICY = `interlock: 1
models:
  support: { provider: scripted, file: answers.yaml, price: { input: 1, output: 2 } }
tools:
  payments.*: { effect: irreversible }
  payments.create_refund: { input: { type: object, properties: { charge: {type: string}, amount: {type: integer} } } }
  payments.cancel_refund: { ${TEXTS} }
  mail.send: { ${TEXTS} }
  crm.note: { effect: write, ${TEXTS} }
rules:
  - allow: payments.*
  - allow: mail.*
  - allow: crm.*
  - allow: llm.support
`;

function scratch(program: string, policy = POLICY): Scratch {
  const made = new Scratch();
  made.write('interlock.yaml', policy);
  made.write('refund.yaml', program);
  return made;
}

test('a program is checked against the tools of the policy [R-program-check]', async () => {
  using here = scratch(REFUND);
  const { code, out, err } = await run(['program', 'check', 'refund.yaml'], { directory: here.path });
  assert.equal(code, 0, err);
  assert.match(out, /^refund\.yaml: ok, 9 steps, 0 errors, 2 warnings, sha256:[0-9a-f]{64}\n$/u);
  const told = json((await run(['program', 'check', 'refund.yaml', '--json'], { directory: here.path })).out);
  assert.deepEqual([told['ok'], told['program'], told['steps']], [true, 'refund', 9]);
});

test('what is wrong is told with its place, and exits 2', async () => {
  using here = scratch(
    REFUND.replace('input.amount }}" }', 'input.amout }}" }').replace('next: settled', 'next: setled'),
  );
  const { code, out, err } = await run(['program', 'check', 'refund.yaml'], { directory: here.path });
  assert.equal(code, 2);
  assert.match(out, /^refund\.yaml: not usable, 2 errors/u);
  assert.match(err, /`args\.amount` of step `pay`: `input` has no member `amout` \[unknown-member\]/u);
  assert.match(err, /there is no such step \[step-unknown\][^]*hint: did you mean `settled`\?/u);
  assert.equal((await run(['program', 'graph', 'refund.yaml'], { directory: here.path })).code, 2);
});

test('a tool that the policy never allows is an error, whatever its arguments', async () => {
  using here = scratch(REFUND, POLICY.replace('  - allow: mail.*\n', ''));
  const { code, err } = await run(['program', 'check', 'refund.yaml'], { directory: here.path });
  assert.equal(code, 2);
  assert.match(err, /no call of it is ever allowed: no rule allows it \[tool-denied\]/u);
});

test('a model that is not configured, is not allowed, or costs nobody knows what is told at its step', async () => {
  const changed: readonly (readonly [policy: string, expected: RegExp])[] = [
    [POLICY.replace('  support: {', '  other: {').replace('llm.support', 'llm.other'), /\[model-unknown\]/u],
    [
      POLICY.replace('  - allow: llm.support\n', ''),
      /`llm\.support`, and no call of it is ever allowed.*\[tool-denied\]/u,
    ],
    [POLICY.replace(', price: { input: 1, output: 2 }', ''), /has no price, and `limits` has `usd` \[price-missing\]/u],
  ];
  for (const [policy, expected] of changed) {
    using here = scratch(REFUND, policy);
    const { code, err } = await run(['program', 'check', 'refund.yaml'], { directory: here.path });
    assert.equal(code, 2, err);
    assert.match(err, expected);
  }
  const free = POLICY.replace(', price: { input: 1, output: 2 }', '');
  using unlimited = scratch(REFUND.replace(', usd: 0.50', ''), free);
  assert.equal((await run(['program', 'check', 'refund.yaml'], { directory: unlimited.path })).code, 0);
  using called = scratch(
    REFUND.replace('tool: mail.send, args: { to: support@example.com }', 'tool: llm.support, args: { prompt: x }'),
  );
  assert.match((await run(['program', 'check', 'refund.yaml'], { directory: called.path })).err, /\[tool-unknown\]/u);
});

test('a program is drawn as lines, as a flowchart, and as JSON; hostile words drive no terminal', async () => {
  using here = scratch(REFUND.replace('Refund ${{', '\\u001b]0;x\\u0007 ${{'));
  const around = { directory: here.path };
  const lines = await run(['program', 'graph', 'refund.yaml'], around);
  assert.deepEqual([lines.code, lines.out.startsWith('▶ classify  model support\n')], [0, true]);
  const chart = await run(['program', 'graph', 'refund.yaml', '--mermaid'], around);
  assert.ok(chart.out.startsWith('flowchart TD\n'));
  assert.equal(json((await run(['program', 'graph', 'refund.yaml', '--json'], around)).out)['mermaid'], chart.out);
  assert.equal(drivesTerminal(lines.out + lines.err + chart.out), false);
});

test('what is no program, and a policy that cannot be used, are refused', async () => {
  using here = scratch('');
  const around = { directory: here.path };
  here.write('properties.yaml', `${REFUND}properties: [at most one pay]\n`);
  for (const [file, said] of [
    ['refund.yaml', /\[program-empty\]/u],
    ['nowhere.yaml', /`nowhere\.yaml` cannot be read/u],
    ['properties.yaml', /expected a property, got `at most one pay` \[property-malformed\]/u],
  ] as const) {
    const { code, err } = await run(['program', 'check', file], around);
    assert.equal(code, 2, file);
    assert.match(err, said);
  }
  const other = await run(['program', 'draw', 'refund.yaml'], around);
  assert.deepEqual(
    [other.code, other.err],
    [2, 'interlock: expected `check`, `graph`, `prove` or `plan`, got `draw`\n'],
  );
  here.write('interlock.yaml', 'interlock: 2\n');
  const bad = await run(['program', 'check', 'refund.yaml'], around);
  assert.deepEqual([bad.code, /the policy cannot be used/u.test(bad.err)], [2, true]);
});

test('properties are proved, or told with the shortest way to break them [R-prove]', async () => {
  const properties = 'properties:\n  - pay only after check\n  - pay with input.amount > 4000 only after approve\n';
  using here = scratch(`${REFUND}${properties}`);
  const around = { directory: here.path };
  const { code, out, err } = await run(['program', 'prove', 'refund.yaml'], around);
  assert.deepEqual([code, err], [2, '']);
  assert.match(
    out,
    /^proved: pay only after check\nnot proved: pay with .*\n +1\. classify +asks llm\.support\n.*\n +2\. check .*\n +3\. pay +calls payments\.create_refund\nrefund\.yaml: 1 of 2 properties proved, sha256:/u,
  );
  const told = json((await run(['program', 'prove', 'refund.yaml', '--json'], around)).out);
  const [first, second] = told['properties'] as Record<string, unknown>[];
  assert.equal(told['ok'], false);
  assert.deepEqual(first, { property: 'pay only after check', proved: true, line: 45, column: 5 });
  assert.deepEqual((second?.['counterexample'] as unknown[] | undefined)?.at(-1), {
    step: 'pay',
    what: 'calls payments.create_refund',
    isStep: true,
  });
  here.write('refund.yaml', `${REFUND}${properties.replace('4000', '5000')}`);
  const proved = await run(['program', 'prove', 'refund.yaml'], around);
  assert.equal(proved.code, 0, proved.out);
  here.write('refund.yaml', `${REFUND}properties: [pay only after chekc]\n`);
  const wrong = await run(['program', 'prove', 'refund.yaml'], around);
  assert.deepEqual([wrong.code, /did you mean `check`/u.test(wrong.err)], [2, true]);
  assert.equal(json((await run(['program', 'prove', 'refund.yaml', '--json'], around)).out)['digest'], null);
});
