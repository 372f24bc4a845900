import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../../value/json.ts';
import type { Issue } from '../../value/issue.ts';
import { compilePolicy } from '../compile.ts';
import type { Policy } from '../compile.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { judge } from '../decide/decide.ts';
import { defineTool } from '../tool/tool.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  required: ['n', 'to'],
  properties: {
    n: { type: 'integer', minimum: 1, maximum: 100 },
    rate: { type: 'number', exclusiveMinimum: 0 },
    path: { type: 'string' },
    kind: { type: 'string', enum: ['a', 'b'] },
    fixed: { type: 'string', const: 'x' },
    to: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, cc: { type: 'string' } } },
    tags: { type: 'array', items: { type: 'string' } },
    extra: {},
  },
};

function compiled(rules: readonly JsonObject[]): { readonly policy: Policy; readonly issues: readonly Issue[] } {
  const defined = defineTool('t', { name: 'a', inputSchema: SCHEMA });
  assert.ok(defined.ok);
  const data = { interlock: 1, servers: { t: { command: 'x' } }, tools: { 't.a': { effect: 'read' } }, rules };
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const { policy, issues } = compilePolicy(parsed.value, new Map([['t.a', defined.tool]]));
  assert.ok(policy !== undefined, JSON.stringify(issues));
  return { policy, issues };
}

/** The warnings of one condition, by code, in a policy that is fine but for it. */
function codes(effect: string, when: string): readonly string[] {
  const rules = effect === 'allow' ? [] : [{ allow: 't.*' }];
  return compiled([...rules, { [effect]: 't.a', when }])
    .issues.map(({ code }) => code)
    .filter((code) => code !== 'optional-unguarded' && code !== 'optional-argument');
}

function messages(rules: readonly JsonObject[], code: string): readonly string[] {
  return compiled(rules)
    .issues.filter((issue) => issue.code === code)
    .map(({ message }) => message);
}

test('a presence test that lets an omission through is told, and one that does not is not', () => {
  const deny = ['has(args.path) && args.path == "x"', '"path" in args && true == (args.n > 1)', 'size(args) > 3'];
  deny.push('args == {"n": 1}', 'args.to == {"name": "x", "cc": "y"}', 'args.?path.orValue("") == "x"');
  deny.push(
    'args.exists(k, k == "path")',
    'has(args.to.cc)',
    'has(args.extra.x)',
    '(has(args.path) ? args.n : 2) == 2',
  );
  for (const when of deny) {
    assert.deepEqual([when, ...codes('deny', when)], [when, 'presence-in-deny']);
    assert.deepEqual([when, ...codes('ask', when)], [when, 'presence-in-ask']);
  }
  const safe = ['!has(args.path) || args.path == "x"', 'args.path == "x"', 'args.tags.exists(t, t == "x")'];
  safe.push('has(args.to.name) && args.n > 3', 'args.tags.size() > 3', '!("path" in args)', 'args.n in [1, 2]');
  for (const when of safe) assert.deepEqual([when, ...codes('deny', when)], [when]);
  for (const when of ['!has(args.path) || args.path == "x"', '!(has(args.path) && args.path == "x")']) {
    assert.deepEqual([when, ...codes('allow', when)], [when, 'presence-in-allow']);
  }
  assert.deepEqual(codes('allow', 'has(args.path) && args.path == "x"'), []);
});

test('the omission is named, with its place', () => {
  const { issues } = compiled([{ allow: 't.*' }, { deny: 't.a', when: 'args.n > 3 && has(args.path)' }]);
  const found = issues.find(({ code }) => code === 'presence-in-deny');
  assert.equal(found?.message, '`when` of rules/1: a call that leaves out `args.path` is let through by this deny');
  assert.equal(found?.hint, 'without the test, a deny matches where `args.path` is missing');
  assert.equal(found?.severity, 'warning');
});

test('a condition that says nothing of the call is told', () => {
  assert.deepEqual(messages([{ allow: 't.a', when: '1 + 1 == 2' }], 'condition-constant'), [
    '`when` of rules/0: it is always true',
  ]);
  assert.deepEqual(messages([{ allow: 't.a', when: '[1][2] == 0' }], 'condition-constant'), [
    '`when` of rules/0: it can never be evaluated',
  ]);
});

test('a condition that no value of the schema can make true is told', () => {
  const never = ['args.n > 100', 'args.n < 1', 'args.n > 5 && args.n < 6', 'args.kind == "c"', 'args.rate <= 0.0'];
  never.push('args.fixed == "y"', 'args.path == "a" && args.path == "b"', 'args.n in [0, 101]', '!(args.n <= 100)');
  never.push('args.kind.startsWith("z")', 'args.kind != "a" && args.kind != "b" && args.n > 3');
  for (const when of never) assert.deepEqual([when, ...codes('deny', when)], [when, 'condition-never']);
  const may = ['args.n > 99', 'args.kind == "b"', 'args.rate < 0.001', 'args.path.startsWith("z")', 'args.n != 5'];
  for (const when of may) assert.deepEqual([when, ...codes('deny', when)], [when]);
});

test('a rule that a deny covers, and an allow that another allow covers, are told', () => {
  const limit = { allow: 't.a', when: 'args.n > 50 && args.path == "x"' };
  assert.deepEqual(messages([limit, { deny: 't.*', when: 'args.n >= 20' }], 'rule-unreachable'), [
    'rules/0 never matters: rules/1 denies what it matches',
  ]);
  assert.deepEqual(messages([limit, { deny: 't.*', when: 'args.n >= 60' }], 'rule-unreachable'), []);
  assert.deepEqual(messages([limit, { deny: 't.*', when: 'args.kind != "c"' }], 'rule-unreachable'), []);
  assert.deepEqual(messages([limit, { allow: 't.*', when: 'args.path == "x"' }], 'rule-shadowed'), [
    'rules/0 never matters: rules/1 allows all that it matches',
  ]);
  const same = [
    { allow: 't.*', when: 'args.n > 4 && args.path == "x"' },
    { allow: 't.a', when: 'args.path ==  "x" && args.n >= 5' },
  ];
  assert.deepEqual(messages(same, 'rule-shadowed'), ['rules/1 never matters: rules/0 allows all that it matches']);
});

const CLAUSES = [
  ...['<', '<=', '>', '>=', '==', '!='].flatMap((op) => [2, 3, 99].map((n) => `args.n ${op} ${n}`)),
  'args.path == "x"',
  'args.path != "x"',
  'args.kind in ["a"]',
  'args.kind == "b"',
  'args.rate > 1.5',
  'args.rate < 2',
  'has(args.path)',
  '!has(args.kind)',
  'args.fixed == "x"',
  'args.n % 2 == 0',
  'args.to.cc == "x"',
  'args.n / 0 == 1',
];
const WHEN = fc.subarray(CLAUSES, { minLength: 1, maxLength: 3 }).map((clauses) => clauses.join(' && '));
const ARGS: fc.Arbitrary<JsonObject> = fc.record(
  {
    n: fc.constantFrom(1, 2, 3, 4, 98, 99, 100),
    rate: fc.constantFrom(0.5, 1.5, 1.7, 2, 50),
    path: fc.constantFrom('x', 'y'),
    kind: fc.constantFrom('a', 'b'),
    fixed: fc.constant('x'),
    to: fc.constantFrom<JsonObject>({ name: '' }, { name: '', cc: 'x' }),
  },
  { requiredKeys: ['n', 'to'] },
) as fc.Arbitrary<JsonObject>;

test('what is called dead is dead: without it every call is decided as before', () => {
  let dead = 0;
  const rule = fc.tuple(fc.constantFrom('allow', 'allow', 'deny', 'ask'), WHEN);
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 2, maxLength: 5 }),
      fc.array(ARGS, { minLength: 8, maxLength: 8 }),
      (all, calls) => {
        const rules = all.map(([effect, when], i) => ({ id: `r${i}`, [effect]: 't.a', when }));
        const { policy, issues } = compiled(rules);
        const told = issues.find(({ code }) => code === 'rule-unreachable' || code === 'rule-shadowed');
        if (told === undefined) return;
        dead += 1;
        const id = told.message.slice(0, told.message.indexOf(' '));
        const without = compiled(rules.filter((each) => each.id !== id)).policy;
        for (const args of calls) {
          const call = { id: 'c', attempt: 1, key: '' };
          const request = { principal: 'local', tool: 't.a', args, call, run: { id: 'r', depth: 0 }, now: 0 };
          assert.equal(
            judge(without, request).effect,
            judge(policy, request).effect,
            `${id} mattered: ${told.message}`,
          );
        }
      },
    ),
    { numRuns: 800 },
  );
  assert.ok(dead > 30, `${dead} rules were dead`);
});
