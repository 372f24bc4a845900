import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCases } from './case.ts';
import type { CaseFile } from './case.ts';
import { runCase } from './case-outcome.ts';
import { compilePolicy } from '../compile.ts';

function parse(text: string): ReturnType<typeof parseCases> {
  return parseCases(text, { file: 'interlock.test.yaml', environment: {} });
}

function parsed(text: string): CaseFile {
  const result = parse(text);
  assert.ok(result.ok, JSON.stringify(result.issues));
  return result.value;
}

/** `line:column code` of every problem. */
function issues(text: string): readonly string[] {
  const result = parse(text);
  assert.equal(result.ok, false, text);
  for (const { file, severity } of result.issues) assert.deepEqual([file, severity], ['interlock.test.yaml', 'error']);
  return result.issues.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

test('a case is read with its defaults: the local user, no arguments, the first attempt, an instant of its own', () => {
  const [least] = parsed(
    'interlock: 1\ncases:\n  - { name: a, request: { tool: b.c }, expect: { effect: deny } }\n',
  ).cases;
  assert.deepEqual(least?.request, {
    principal: 'local',
    tool: 'b.c',
    args: {},
    call: { id: '', attempt: 1, key: '' },
    run: { id: '', depth: 0 },
    now: Date.UTC(2026, 0, 1),
  });
  assert.deepEqual([least.policy, [...least.facts], least.approved], [{ kind: 'beside' }, [], undefined]);
  assert.deepEqual(least.place, { line: 3, column: 5 });
});

test('everything that can be written is read, in YAML and in JSON alike', () => {
  const whole = {
    interlock: 1,
    about: 'all of it',
    policy: 'other.yaml',
    tools: { bank: [{ name: 'pay', inputSchema: { type: 'object' } }] },
    pinned: { bank: [{ name: 'ask', inputSchema: { type: 'object' } }], none: [] },
    cases: [
      {
        name: 'a',
        why: 'because',
        request: {
          principal: '',
          agent: 'helper',
          tenant: 'acme',
          tool: '',
          args: { n: [1, -0, 1e300, null, { __proto__x: true }] },
          call: { id: 'c', attempt: 2, key: 'k' },
          run: { id: 'r', depth: 3 },
          now: '2026-11-20T19:00:00+01:00',
        },
        facts: { 'kill/all': 1, x: -0.5 },
        approved: [{ by: 'ann' }, { by: 'bob', how: 'unsigned', expires: '2026-11-20T18:00:00Z' }],
        expect: {
          effect: 'ask',
          code: 'asked',
          rules: ['r'],
          retryable: false,
          nearest: null,
          reservation: { reserved: {} },
          shadowed: null,
          needs: ['kill/all'],
          issues: [],
        },
      },
    ],
  };
  const { cases, tools, complete, lock } = parsed(JSON.stringify(whole).replace('__proto__x', '__proto__'));
  assert.deepEqual(
    [...(lock?.servers ?? [])].map(([id, server]) => [id, [...server.tools.keys()]]),
    [
      ['bank', ['ask']],
      ['none', []],
    ],
  );
  const [each] = cases;
  assert.ok(each?.policy.kind === 'file');
  assert.equal(each.policy.path.text, 'other.yaml');
  assert.deepEqual([[...(tools ?? new Map()).keys()], [...complete]], [['bank.pay'], ['bank']]);
  const { now, agent, tenant, call, run, args } = each.request;
  assert.deepEqual([now, agent, tenant], [Date.UTC(2026, 10, 20, 18), 'helper', 'acme']);
  assert.deepEqual(
    [call, run],
    [
      { id: 'c', attempt: 2, key: 'k' },
      { id: 'r', depth: 3 },
    ],
  );
  assert.equal(JSON.stringify(args), '{"n":[1,0,1e+300,null,{"__proto__":true}]}');
  assert.deepEqual(
    [...each.facts],
    [
      ['kill/all', 1],
      ['x', -0.5],
    ],
  );
  assert.deepEqual(each.approved, [
    { by: 'ann', how: 'signed', expires: Date.UTC(9999, 11, 31, 23, 59, 59, 999) },
    { by: 'bob', how: 'unsigned', expires: Date.UTC(2026, 10, 20, 18) },
  ]);
  assert.deepEqual(each.expect, whole.cases[0]?.expect);
});

test('what is wrong is refused at its place', () => {
  const one = (inside: string): string => `interlock: 1\ncases:\n  - name: a\n${inside}`;
  const fine = '    request: { tool: b.c }\n    expect: { effect: deny }\n';
  const wrong: readonly (readonly [string, ...string[]])[] = [
    ['', '1:1 cases-missing'],
    ['interlock: 1\n', '1:1 missing-key'],
    ['interlock: 1\ncases: []\n', '2:8 cases-missing'],
    [`cases:\n  - name: a\n${fine}`, '1:1 missing-key'],
    [`interlock: 2\ncases:\n  - name: a\n${fine}`, '1:12 version-unsupported'],
    [`interlock: 1\ncase: []\ncases:\n  - name: a\n${fine}`, '2:1 unknown-key'],
    [one('    request: { tool: b.c }\n'), '3:5 missing-key'],
    [one('    expect: { effect: deny }\n'), '3:5 missing-key'],
    [one('    request: {}\n    expect: { effect: deny }\n'), '4:14 missing-key'],
    [one('    request: { tool: b.c }\n    expect: { code: no-rule }\n'), '5:13 missing-key'],
    [one('    request: { tool: b.c }\n    expect: { effect: denied }\n'), '5:23 wrong-value'],
    [one('    request: { tool: b.c }\n    expect: { effect: deny, codes: x }\n'), '5:29 unknown-key'],
    [one('    request: { tool: b.c }\n    expect: { effect: deny, nearest: { pth: x } }\n'), '5:40 unknown-key'],
    [one('    request: { tool: b.c, arg: {} }\n    expect: { effect: deny }\n'), '4:27 unknown-key'],
    [one('    request: { tool: b.c, args: [] }\n    expect: { effect: deny }\n'), '4:33 wrong-type'],
    [one('    request: { tool: b.c, now: noon }\n    expect: { effect: deny }\n'), '4:32 wrong-value'],
    [one('    request: { tool: b.c, run: { depth: -1 } }\n    expect: { effect: deny }\n'), '4:41 wrong-value'],
    [one('    request: { tool: b.c, call: { attempt: 0 } }\n    expect: { effect: deny }\n'), '4:44 wrong-value'],
    [
      one('    request: { tool: b.c, args: { a: 9007199254740993 } }\n    expect: { effect: deny }\n'),
      '4:38 wrong-value',
    ],
    [one('    request: { tool: b.c, args: { a: .nan } }\n    expect: { effect: deny }\n'), '4:38 wrong-value'],
    [one(`    facts: { x: one }\n${fine}`), '4:17 wrong-type'],
    [one(`    approved: [{ how: signed }]\n${fine}`), '4:16 missing-key'],
    [one(`    approved: [{ by: ann, how: spoken }]\n${fine}`), '4:32 wrong-value'],
    [one(`    policy: 5\n${fine}`), '4:13 wrong-type'],
    [one(`${fine}  - name: a\n${fine}`), '6:5 duplicate-id'],
    [`interlock: 1\ntools: { Bank: [] }\ncases:\n  - name: a\n${fine}`, '2:10 wrong-value'],
    [`interlock: 1\npinned: { bank: [] }\ncases:\n  - name: a\n${fine}`, '1:1 missing-key'],
    [`interlock: 1\ntools: { bank: [{ name: pay }] }\ncases:\n  - name: a\n${fine}`, '2:17 wrong-value'],
  ];
  for (const [text, ...expected] of wrong) assert.deepEqual(issues(text), expected, text);
});

test('a policy in a case is laid over the one of the file, and its problems stand at their places', () => {
  const { cases, tools, complete } = parsed(`interlock: 1
tools: { bank: [{ name: pay, inputSchema: { type: object, properties: { n: { type: integer } } } }] }
cases:
  - name: allowed by the file
    request: { tool: bank.pay }
    expect: { effect: allow, rules: [rules/0] }
  - name: other rules
    policy: { rules: [{ deny: bank.pay }] }
    request: { tool: bank.pay }
    expect: { effect: deny, rules: [rules/0] }
  - name: the rest stays
    policy: { rules: [{ allow: "*" }] }
    request: { tool: bank.pay, principal: eve }
    expect: { effect: deny, code: unknown-principal }
  - name: broken
    policy: { rulez: [] }
    request: { tool: bank.pay }
    expect: { effect: deny, code: policy-invalid, issues: [unknown-key] }
policy:
  interlock: 1
  principals: { ann: {} }
  rules: [{ allow: bank.pay }]
`);
  for (const each of cases) {
    assert.ok(each.policy.kind === 'inline');
    const { configuration } = each.policy;
    const ready = configuration.ok
      ? compilePolicy(configuration.value, tools ?? new Map(), { complete })
      : { policy: undefined, issues: configuration.issues };
    const { differences, decision } = runCase(ready, each);
    assert.deepEqual(differences, [], each.name);
    if (each.name === 'broken') assert.match(decision.explanation, /interlock\.test\.yaml:16:15: the configuration/u);
  }
});

test('an alias repeats a policy without reading it again', () => {
  const repeated = Array.from(
    { length: 900 },
    (_, at) => `  - { name: c${at}, policy: *p, request: { tool: b.c }, expect: { effect: deny } }\n`,
  );
  const rules = Array.from({ length: 2_000 }, (_, at) => `{ allow: b.t${at} }`).join(', ');
  const text = `interlock: 1\npolicy: &p { interlock: 1, servers: { b: { command: x } }, rules: [${rules}] }\ncases:\n${repeated.join('')}`;
  const { cases } = parsed(text);
  assert.equal(new Set(cases.map(({ policy }) => policy)).size, 1);
});

test('facts that the policy does not need are told', () => {
  const { cases } = parsed(`interlock: 1
policy: { interlock: 1, rules: [] }
cases:
  - { name: a, request: { tool: b.c }, facts: { kill/al: 1, kill/all: 0 }, expect: { effect: deny } }
`);
  const [each] = cases;
  assert.ok(each?.policy.kind === 'inline' && each.policy.configuration.ok);
  const outcome = runCase(compilePolicy(each.policy.configuration.value, new Map()), each);
  assert.deepEqual([outcome.differences, outcome.unread], [[], ['kill/al']]);
});
