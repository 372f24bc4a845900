/** `interlock explain`: the decision, every rule and every clause, and what would be allowed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch, json, run } from './command.ts';

const POLICY = `interlock: 1
tools:
  bank.pay: { effect: write, key: args.charge, input: { type: object, required: [charge, amount],
    properties: { charge: { type: string }, amount: { type: integer }, note: { type: string } } } }
rules:
  - id: small
    allow: bank.pay
    when: args.amount <= 20000 && args.charge != ""
  - deny: bank.pay
    when: args.note.contains("x")
    because: no notes
  - ask: bank.*
`;

async function explain(scratch: Scratch, args: unknown, ...more: readonly string[]): ReturnType<typeof run> {
  const input = JSON.stringify({ tool: 'bank.pay', args });
  return run(['explain', '--call', '-', ...more], { directory: scratch.path, input });
}

test('every rule and every clause is told, and what would be allowed', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY.replace('  - ask: bank.*\n', ''));
  const { out, code } = await explain(scratch, { charge: 'c', amount: 30_000, note: 'a' });
  assert.equal(code, 3);
  const lines = out.split('\n');
  assert.equal(lines[0], 'deny (no-rule)');
  assert.equal(lines[2], '  `amount` ≤ 20000 would be allowed');
  assert.deepEqual(lines.slice(3), [
    '',
    'small: allow does not match',
    '  false  args.amount <= 20000',
    '  true   args.charge != ""',
    '',
    'rules/1: deny does not match: no notes',
    '  false  args.note.contains("x")',
    '',
  ]);
});

test('a rule without a condition and one that errs are told as such', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  const { out, code } = await explain(scratch, { charge: 'c', amount: 3 });
  assert.equal(code, 3);
  assert.match(out, /rules\/1: deny matches, because it errs: no notes\n {2}error {2}args\.note\.contains\("x"\): /u);
  assert.match(out, /\nrules\/2: ask matches\n {2}always\n/u);
});

test('the JSON has the decision and the results of the rules, and the exit code is that of `decide`', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  const { out, code } = await explain(scratch, { charge: 'c', amount: 3, note: 'a' }, '--json');
  assert.equal(code, 4);
  const told = json(out);
  assert.deepEqual(Object.keys(told), ['decision', 'rules']);
  assert.deepEqual(told['rules'], [
    {
      rule: 'small',
      effect: 'allow',
      matched: true,
      clauses: [
        { text: 'args.amount <= 20000', result: true },
        { text: 'args.charge != ""', result: true },
      ],
    },
    {
      rule: 'rules/1',
      effect: 'deny',
      matched: false,
      because: 'no notes',
      clauses: [{ text: 'args.note.contains("x")', result: false }],
    },
    { rule: 'rules/2', effect: 'ask', matched: true, clauses: [] },
  ]);
});

test('under a policy that does not load everything is denied, with the reason', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', 'interlock: 1\nrulez: []\n');
  const { out, code } = await explain(scratch, {}, '--json');
  const told = json(out);
  assert.equal(code, 2);
  const { decision } = told;
  assert.ok(typeof decision === 'object' && decision !== null && 'code' in decision);
  assert.equal(decision.code, 'policy-invalid');
  assert.ok(Array.isArray(told['issues']));
});
