/** `interlock test`: the cases beside the policy, how a failure is told, and what the policy has besides. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { POLICY, Scratch, drivesTerminal, json, run } from './command.ts';

const PASSING = `interlock: 1
cases:
  - name: a small payment
    request: { tool: bank.pay, args: { charge: c, amount: 50 } }
    expect: { effect: allow, rules: [small] }
  - name: a large one is asked about
    request: { tool: bank.pay, args: { charge: c, amount: 6000 } }
    expect: { effect: ask, code: asked, rules: [rules/1] }
  - name: a stolen charge
    request: { tool: bank.pay, args: { charge: stolen, amount: 50000 } }
    expect: { effect: deny, code: denied-by-rule }
`;

const FAILING = `interlock: 1
cases:
  - name: too much
    why: nobody pays so much
    request: { tool: bank.pay, args: { charge: c, amount: 30000 } }
    facts: { kill/al: 1 }
    expect: { effect: allow, rules: [small] }
`;

test('cases beside the policy that all pass exit 0, and what they leave uncovered is told', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('interlock.test.yaml', PASSING);
  const { code, out, err } = await run(['test'], { directory: scratch.path });
  assert.deepEqual([code, out, err], [0, 'ok, 3 cases passed, coverage 100 %\n', '']);
  scratch.write('interlock.test.yaml', PASSING.split('  - name: a large')[0] ?? '');
  const fewer = await run(['test'], { directory: scratch.path });
  assert.deepEqual(
    [fewer.code, fewer.out.split('\n')],
    [
      0,
      [
        'interlock.yaml:14:5: small always matches',
        'interlock.yaml:16:5: rules/1 never matches',
        'interlock.yaml:18:5: rules/2 never matches',
        'ok, 1 case passed, coverage 50 %',
        '',
      ],
    ],
  );
});

test('a case that fails is told with its place, what was expected, what came and why, and exits 1', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('interlock.test.yaml', FAILING);
  const { code, out } = await run(['test'], { directory: scratch.path });
  assert.equal(code, 1);
  assert.deepEqual(out.split('\n').slice(0, 12), [
    'interlock.test.yaml:3:5: failed: too much',
    '  nobody pays so much',
    '  effect: expected allow, came deny',
    '  rules: expected ["small"], came []',
    '  bank.pay is denied: no rule allows it; the closest, small, needs `args.amount <= 20000`',
    '  `amount` ≤ 5000 would be allowed',
    '  the policy needs no fact `kill/al` for this request',
    '    small: allow does not match',
    '      false  args.amount <= 20000',
    '    rules/1: ask matches',
    '      true   args.amount > 5000',
    '',
  ]);
  assert.match(out, /\nfailed, 0 cases passed, 1 failed, coverage 50 %\n$/u);
});

test('--coverage fails what exercises too little', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('interlock.test.yaml', PASSING.split('  - name: a large')[0] ?? '');
  const of = async (percent: string): ReturnType<typeof run> =>
    run(['test', '--coverage', percent], { directory: scratch.path });
  assert.equal((await of('50')).code, 0);
  const short = await of('51');
  assert.equal(short.code, 1);
  assert.match(short.out, /\nfailed, 1 case passed, coverage 50 %, less than the 51 % that were asked for\n$/u);
  for (const wrong of ['101', '-1', '5.5', 'most']) {
    const { code, err } = await of(wrong);
    assert.equal(code, 2, wrong);
    assert.match(err, /expected `--coverage` to be a whole percent/u);
  }
});

test('the JSON has every case with its place and its differences, and the coverage of rules and clauses', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('interlock.test.yaml', FAILING);
  const { code, out, err } = await run(['test', '--json'], { directory: scratch.path });
  assert.deepEqual([code, err], [1, '']);
  const told = json(out);
  assert.deepEqual(Object.keys(told), ['ok', 'passed', 'failed', 'cases', 'coverage']);
  assert.deepEqual([told['ok'], told['passed'], told['failed']], [false, 0, 1]);
  assert.deepEqual(told['cases'], [
    {
      file: 'interlock.test.yaml',
      line: 3,
      column: 5,
      name: 'too much',
      ok: false,
      effect: 'deny',
      code: 'no-rule',
      rules: [],
      differences: [
        { member: 'effect', expected: 'allow', came: 'deny' },
        { member: 'rules', expected: ['small'], came: [] },
      ],
    },
  ]);
  const { percent, least, policies } = told['coverage'] as Record<string, unknown>;
  assert.deepEqual([percent, least], [50, null]);
  const [policy] = policies as readonly Record<string, unknown>[];
  assert.ok(policy !== undefined);
  assert.deepEqual(Object.keys(policy), ['file', 'percent', 'rules']);
  assert.deepEqual((policy['rules'] as readonly unknown[])[0], {
    rule: 'small',
    effect: 'allow',
    line: 14,
    column: 5,
    matched: 0,
    unmatched: 1,
    clauses: [{ text: 'args.amount <= 20000', line: 15, column: 11, true: 0, false: 1, error: 0 }],
  });
});

test('the files beside the configuration are those of its name, several of them in the order of their names', async () => {
  using scratch = new Scratch();
  scratch.write('p/bank.yaml', POLICY);
  const one = (name: string): string =>
    `interlock: 1\ncases:\n  - { name: ${name}, request: { tool: x.y }, expect: { effect: deny } }\n`;
  for (const name of ['bank.test.yaml', 'bank.b.test.json', 'bank.a.test.yml']) {
    scratch.write(
      `p/${name}`,
      name.endsWith('json')
        ? JSON.stringify({ interlock: 1, cases: [{ name, request: { tool: 'x.y' }, expect: { effect: 'deny' } }] })
        : one(name),
    );
  }
  for (const other of [
    'interlock.test.yaml',
    'banking.test.yaml',
    'bank.tests.yaml',
    'bank.test.yaml.bak',
    'test.yaml',
  ])
    scratch.write(`p/${other}`, 'nonsense');
  const { code, out } = await run(['test', '-c', 'p/bank.yaml', '--json'], { directory: scratch.path });
  assert.equal(code, 0);
  const cases = json(out)['cases'] as readonly { readonly file: string; readonly name: string }[];
  assert.deepEqual(
    cases.map(({ file, name }) => [file, name]),
    ['bank.a.test.yml', 'bank.b.test.json', 'bank.test.yaml'].map((name) => [join('p', name), name]),
  );
});

test('without cases there is nothing to test, which is an error', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  const { code, out, err } = await run(['test'], { directory: scratch.path });
  assert.deepEqual([code, out], [2, '']);
  assert.equal(
    err,
    'interlock: there are no cases beside `interlock.yaml`\n  hint: write them to interlock.test.yaml\n',
  );
});

test('named files bring their policies with them: in place, or beside them', async () => {
  using scratch = new Scratch();
  scratch.write('policies/bank.yaml', POLICY);
  scratch.write('policies/a.yaml', PASSING.replace('cases:', 'policy: bank.yaml\ncases:'));
  scratch.write(
    'b.json',
    JSON.stringify({
      interlock: 1,
      policy: { interlock: 1, rules: [{ allow: 't.x' }] },
      tools: { t: [{ name: 'x', inputSchema: { type: 'object' } }] },
      cases: [{ name: 'in place', request: { tool: 't.x' }, expect: { effect: 'allow', rules: ['rules/0'] } }],
    }),
  );
  const { code, out } = await run(['test', 'policies/a.yaml', 'b.json', '--json'], { directory: scratch.path });
  assert.equal(code, 0, out);
  const told = json(out);
  assert.equal(told['passed'], 4);
  const { policies } = told['coverage'] as { readonly policies: readonly { readonly file: string }[] };
  assert.deepEqual(
    policies.map(({ file }) => file),
    [join('policies', 'bank.yaml')],
  );
});

test('what the cases say of the tools is taken for what the servers serve, and none is started', async () => {
  using scratch = new Scratch();
  const marker = scratch.at('started');
  scratch.write(
    'interlock.yaml',
    `interlock: 1\nservers: { t: { command: touch, args: [${marker}] } }\nrules: [{ allow: t.x, when: args.n > 1 }]\n`,
  );
  const cases = `cases:\n  - { name: a, request: { tool: t.x, args: { n: 2 } }, expect: { effect: allow } }\n`;
  const tools = 'tools: { t: [{ name: x, inputSchema: { type: object, properties: { n: { type: integer } } } }] }\n';
  scratch.write('interlock.test.yaml', `interlock: 1\n${tools}${cases}`);
  const served = await run(['test'], { directory: scratch.path, environment: { PATH: process.env['PATH'] ?? '' } });
  assert.deepEqual(
    [served.code, served.out],
    [0, 'interlock.yaml:3:11: rules/0 always matches\nok, 1 case passed, coverage 50 %\n'],
  );
  scratch.write('interlock.test.yaml', `interlock: 1\n${tools.replace('n:', 'm:')}${cases}`);
  const mistyped = await run(['test'], { directory: scratch.path });
  assert.equal(mistyped.code, 2);
  assert.match(mistyped.err, /^interlock\.yaml:3:34: error: .*\[unknown-member\]/u);
  const { existsSync } = await import('node:fs');
  assert.equal(existsSync(marker), false);
});

test('a bad file of cases, a bad policy and a file that is not there exit 2 with the place', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('interlock.test.yaml', 'interlock: 1\ncases:\n  - { name: a, expects: { effect: deny } }\n');
  const bad = await run(['test'], { directory: scratch.path });
  assert.deepEqual([bad.code, bad.out], [2, '']);
  assert.match(
    bad.err,
    /^interlock\.test\.yaml:3:16: error: `cases\/0` has no key `expects` \[unknown-key\]\n.*\n.*\^\n/u,
  );
  const told = await run(['test', '--json'], { directory: scratch.path });
  assert.deepEqual([told.code, told.err], [2, '']);
  assert.equal(json(told.out)['ok'], false);
  scratch.write('interlock.test.yaml', PASSING);
  scratch.write('interlock.yaml', POLICY.replace('args.amount > 5000', 'args.amuont > 5000'));
  const policy = await run(['test'], { directory: scratch.path });
  assert.deepEqual([policy.code, policy.out], [2, '']);
  assert.match(policy.err, /^interlock\.yaml:17:16: error: .*\[unknown-member\]/u);
  const gone = await run(['test', 'gone.yaml'], { directory: scratch.path });
  assert.deepEqual([gone.code, gone.err], [2, 'interlock: `gone.yaml` cannot be read: there is no such file\n']);
  assert.equal((await run(['test', ''], { directory: scratch.path })).code, 2);
});

test('nothing that a file of cases holds drives a terminal', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  const hostile = '\u001b[2J\u202e\u009b31m';
  const cases = [
    {
      name: hostile,
      why: hostile,
      request: { tool: hostile },
      facts: { [hostile]: 1 },
      expect: { effect: 'allow', rules: [hostile] },
    },
    { name: 'b', request: { tool: 'bank.pay' }, expect: { effect: 'allow', nearest: { path: hostile } } },
  ];
  scratch.write('interlock.test.json', JSON.stringify({ interlock: 1, cases }));
  for (const more of [[], ['--json'], [hostile], ['--coverage', hostile]]) {
    const { out, err } = await run(['test', ...more], { directory: scratch.path });
    assert.notEqual(out + err, '');
    assert.equal(drivesTerminal(out + err), false, JSON.stringify(out + err));
  }
});

test('the cases of an example pass, and exercise all of its policy', async () => {
  const directory = join(import.meta.dirname, '../../examples/agentdojo');
  const { code, out, err } = await run(['test', '-c', 'banking.yaml', '--coverage', '100'], { directory });
  assert.deepEqual([code, err], [0, ''], out);
  assert.match(out, /^ok, \d+ cases passed, coverage 100 %\n$/u);
});
