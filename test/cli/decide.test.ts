/** `interlock decide`: one decision, its exit code and its JSON, and what it does with wrong input. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Around, type Ended, POLICY, Scratch, drivesTerminal, json, run } from './command.ts';

const EXIT = { allow: 0, deny: 3, ask: 4 } as const;

function place(policy: string = POLICY): Scratch {
  const scratch = new Scratch();
  scratch.write('interlock.yaml', policy);
  return scratch;
}

function decide(scratch: Scratch, call: unknown, ...more: readonly string[]): Promise<Ended> {
  const input = typeof call === 'string' ? call : JSON.stringify(call);
  return run(['decide', '--call', '-', ...more], { directory: scratch.path, input });
}

const pay = (args: unknown): unknown => ({ tool: 'bank.pay', args });

test('each effect has its exit code, and the JSON says code, rules and why', async () => {
  using scratch = place();
  const cases: readonly (readonly [unknown, keyof typeof EXIT, string, readonly string[]])[] = [
    [pay({ charge: 'c', amount: 1 }), 'allow', 'allowed', ['small']],
    [pay({ charge: 'c', amount: 9000 }), 'ask', 'asked', ['rules/1']],
    [pay({ charge: 'stolen', amount: 9000 }), 'deny', 'denied-by-rule', ['rules/2']],
    [pay({ charge: 'c', amount: 90_000 }), 'deny', 'no-rule', []],
    [pay({ charge: 'c', amount: '1' }), 'deny', 'schema-mismatch', []],
    [{ tool: 'bank.pay' }, 'deny', 'schema-mismatch', []],
    [{ tool: 'bank.balance' }, 'deny', 'no-rule', []],
    [{ tool: 'bank.nothing' }, 'deny', 'unknown-tool', []],
  ];
  for (const [call, effect, code, rules] of cases) {
    const answer = await decide(scratch, call, '--json');
    const told = json(answer.out);
    const members = Object.keys(told).filter((name) => name !== 'nearest');
    assert.deepEqual(members, ['effect', 'code', 'rules', 'explanation', 'retryable']);
    assert.deepEqual([told['effect'], told['code'], told['rules']], [effect, code, rules], JSON.stringify(call));
    assert.deepEqual([answer.code, answer.err, told['retryable']], [EXIT[effect], '', false]);
    const text = await decide(scratch, call);
    const by = rules.length === 0 ? '' : ` by ${rules.join(', ')}`;
    assert.equal(text.code, EXIT[effect]);
    assert.ok(text.out.startsWith(`${effect} (${code})${by}\n  ${String(told['explanation'])}\n`), text.out);
  }
});

test('the call is a file or standard input, and nothing is recorded', async () => {
  using scratch = place();
  scratch.write('call.json', JSON.stringify(pay({ charge: 'c', amount: 1 })));
  const fromFile = await run(['decide', '--call', 'call.json'], { directory: scratch.path });
  assert.deepEqual(fromFile, await decide(scratch, pay({ charge: 'c', amount: 1 })));
  assert.equal(fromFile.code, 0);
  assert.deepEqual(readdirSync(scratch.path).sort(), ['call.json', 'interlock.yaml']);
});

test('who asks and when are the call’s to say: `local` and now when it does not', async () => {
  const who = place(`${POLICY}  - allow: bank.balance
    when: principal.id == "alice" && now < timestamp("2020-01-01T00:00:00Z")
  - allow: bank.balance
    when: principal.id == "local" && now > timestamp("2020-01-01T00:00:00Z")
principal: bob
`);
  using scratch = who;
  const effect = async (more: object): Promise<unknown> =>
    json((await decide(scratch, { tool: 'bank.balance', ...more }, '--json')).out)['effect'];
  assert.equal(await effect({}), 'allow');
  assert.equal(await effect({ principal: 'bob' }), 'deny');
  assert.equal(await effect({ principal: 'alice' }), 'deny');
  assert.equal(await effect({ principal: 'alice', now: '2019-12-31T23:00:00-00:30' }), 'allow');
  assert.equal(await effect({ principal: 'alice', now: '2019-12-31T23:00:00-02:00' }), 'deny');
  assert.equal(await effect({ now: '2019-01-01T00:00:00Z' }), 'deny');
});

test('under a policy that does not load every call is denied policy-invalid, exit code 2', async () => {
  const policies: readonly (readonly [string, string | undefined])[] = [
    ['absent', undefined],
    ['empty', ''],
    ['not YAML', 'interlock: [\n'],
    ['another version', 'interlock: 2\n'],
    ['with a key nobody knows', `${POLICY}budget: {}\n`],
    ['with a condition that does not type', POLICY.replace('args.amount <= 20000', 'args.amout <= 20000')],
  ];
  for (const [name, policy] of policies) {
    using scratch = new Scratch();
    if (policy !== undefined) scratch.write('interlock.yaml', policy);
    const call = pay({ charge: 'c', amount: 1 });
    const answer = await decide(scratch, call, '--json');
    const told = json(answer.out);
    const issues = told['issues'] as { readonly severity: string; readonly line: number }[];
    assert.deepEqual([told['effect'], told['code'], told['rules']], ['deny', 'policy-invalid', []], name);
    assert.ok(
      issues.some((issue) => issue.severity === 'error' && issue.line >= 1),
      name,
    );
    const text = await decide(scratch, call);
    assert.match(text.out, /^deny \(policy-invalid\)\n/u);
    assert.match(text.err, /^interlock\.yaml:\d+:\d+: error: /u);
    assert.deepEqual([answer.code, text.code], [2, 2], name);
  }
});

test('what is no call is refused with its place or what was expected, and exit code 2', async () => {
  using scratch = place();
  mkdirSync(scratch.at('folder'));
  const inputs: readonly (readonly [string, RegExp])[] = [
    ['', /<stdin>:1:1: error: expected a value/u],
    ['{"tool":', /<stdin>:1:9: error: /u],
    ['{"tool":"a.b",\n"tool":"a.b"}', /<stdin>:2:1: error: expected each key once/u],
    ['[]', /expected the call to be an object/u],
    ['{}', /expected `tool` to be/u],
    ['{"tool":""}', /expected `tool` to be/u],
    ['{"tool":1}', /expected `tool` to be/u],
    ['{"tool":"a.b","args":[]}', /expected `args` to be an object/u],
    ['{"tool":"a.b","args":null}', /expected `args` to be an object/u],
    ['{"tool":"a.b","principal":null}', /expected `principal` to be text/u],
    ['{"tool":"a.b","now":"yesterday"}', /expected `now` to be an RFC 3339 time/u],
    ['{"tool":"a.b","now":0}', /expected `now` to be an RFC 3339 time/u],
    ['{"tool":"a.b","arguments":{}}', /a call has no member `arguments`/u],
    ['{"tool":"a.b","\\u001b[2J":{}}', /a call has no member `\\u\{1b\}\[2J`/u],
  ];
  for (const [input, expected] of inputs) {
    const { code, out, err } = await decide(scratch, input, '--json');
    assert.deepEqual([code, out], [2, ''], input);
    assert.match(err, expected);
    assert.equal(drivesTerminal(err), false);
  }
  const around: Around = { directory: scratch.path };
  for (const [file, reason] of [
    ['absent.json', 'there is no such file'],
    ['folder', 'it is a directory'],
    ['/dev/zero', 'it is larger than 16777216 bytes'],
  ] as const) {
    const { code, err } = await run(['decide', '--call', file], around);
    assert.deepEqual([code, err], [2, `interlock: \`${file}\` cannot be read: ${reason}\n`]);
  }
});

test('a name or a reason that would drive the terminal is shown harmless', async () => {
  const policy = POLICY.replace('the charge was reported', '"re\\e[31mported\\u202e"');
  using scratch = place(policy);
  for (const call of [pay({ charge: 'stolen', amount: 1 }), { tool: '\u001b[2J\u009b.x' }]) {
    for (const more of [[], ['--json']]) {
      const { code, out, err } = await decide(scratch, call, ...more);
      assert.equal(code, 3);
      assert.equal(drivesTerminal(out + err), false);
    }
  }
});

test('with --data the counters and kill switches of that directory decide too', async () => {
  using scratch = place();
  const call = pay({ charge: 'c', amount: 1 });
  const killed = await run(['kill', 'all', '--reason', 'smoke', '--data', 'd'], { directory: scratch.path });
  assert.equal(killed.code, 0);
  assert.equal(json((await decide(scratch, call, '--json', '--data', 'd')).out)['code'], 'kill-switch');
  assert.equal(json((await decide(scratch, call, '--json')).out)['code'], 'allowed');
});
