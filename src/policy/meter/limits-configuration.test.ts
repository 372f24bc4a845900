import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled } from '../../../test/sample-policy.ts';
import { parseConfiguration } from '../document/configuration.ts';
import type { Configuration } from '../document/configuration.ts';

function parse(text: string): ReturnType<typeof parseConfiguration> {
  return parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
}

function parsed(text: string): Configuration {
  const result = parse(text);
  assert.ok(result.ok, JSON.stringify(result.issues));
  return result.value;
}

test('budgets, limits, costs and settings are read as written', () => {
  const configuration = parsed(`interlock: 1
approvals: { signed: false, interactive: true }
tools:
  bank.pay:
    cost: { money: args.amount, calls: 1 }
    actualCost: { money: output.paid }
    failed: no-effect
    effectTimeout: 5m
budgets:
  money: { limit: 50000, unit: usd-cents, per: [tool, principal], window: 24h }
  calls: { limit: 0, unit: calls, window: 90s, rolling: true }
limits:
  - { tools: "*", rate: 120/1m, per: [principal] }
  - { tools: "bank.*", concurrency: 1 }
  - { tools: "*", count: 200, per: [run] }
  - { tools: "*", depth: 4 }
`);
  assert.deepEqual(configuration.approvals, { signed: false, interactive: true });
  const [money, calls] = [...configuration.budgets.values()];
  assert.deepEqual(
    [money?.limit, money?.unit, money?.per, money?.windowMs, money?.rolling],
    [50_000, 'usd-cents', ['principal', 'tool'], 86_400_000, false],
  );
  assert.deepEqual([calls?.limit, calls?.per, calls?.windowMs, calls?.rolling], [0, [], 90_000, true]);
  const declared = configuration.tools[0]?.declared;
  assert.deepEqual(
    declared?.cost?.map(({ budget, amount }) => [budget.text, amount.text]),
    [
      ['money', 'args.amount'],
      ['calls', '1'],
    ],
  );
  assert.deepEqual([declared.failed, declared.effectTimeout], ['no-effect', 300_000]);
  assert.deepEqual(
    configuration.limits.map(({ ceiling, per }) => [ceiling, per]),
    [
      [{ kind: 'rate', burst: 120, intervalUs: 500_000 }, ['principal']],
      [{ kind: 'concurrency', max: 1 }, []],
      [{ kind: 'count', max: 200 }, ['run']],
      [{ kind: 'depth', max: 4 }, []],
    ],
  );
});

test('a rate that does not come out even is rounded so that it is never exceeded', () => {
  const [limit] = parsed('interlock: 1\nlimits: [{ tools: "*", rate: 7/1s }]\n').limits;
  assert.deepEqual(limit?.ceiling, { kind: 'rate', burst: 7, intervalUs: 142_858 });
});

test('without settings an approval needs a signature', () => {
  const configuration = parsed('interlock: 1\n');
  assert.deepEqual(configuration.approvals, { signed: true, interactive: false });
  assert.deepEqual([configuration.budgets.size, configuration.limits], [0, []]);
});

/** A budget with one thing written otherwise. */
function budget(change: Readonly<Record<string, string | undefined>>, name = 'x'): string {
  const whole = { limit: '1', unit: 'calls', window: '1h', ...change };
  const fields = Object.entries(whole).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]));
  return `interlock: 1\nbudgets:\n  ${name}: { ${fields.join(', ')} }\n`;
}

const limit = (fields: string): string => `interlock: 1\nlimits:\n  - { ${fields} }\n`;
const cost = (value: string): string =>
  `interlock: 1\ntools: { a.b: { cost: ${value} } }\nbudgets: { x: { limit: 1, unit: calls, window: 1h } }\n`;

const REFUSED: readonly (readonly [what: string, text: string, expected: readonly string[], message?: RegExp])[] = [
  ['a negative limit', budget({ limit: '-1' }), ['3:15 wrong-value'], /whole number of 0 to 9007199254740991/],
  ['a fractional limit', budget({ limit: '1.5' }), ['3:15 wrong-value']],
  ['a limit beyond what is exact', budget({ limit: '9007199254740993' }), ['3:15 wrong-value']],
  ['a limit without end', budget({ limit: '.inf' }), ['3:15 wrong-value']],
  ['a limit that is no number', budget({ limit: '.nan' }), ['3:15 wrong-value']],
  ['a limit as text', budget({ limit: '"100"' }), ['3:15 wrong-type']],
  ['no limit', budget({ limit: undefined }), ['3:3 missing-key']],
  ['no unit', budget({ unit: undefined }), ['3:3 missing-key'], /no `unit`/],
  ['no window', budget({ window: undefined }), ['3:3 missing-key']],
  ['a unit nobody knows', budget({ unit: 'dollars' }), ['3:24 wrong-value'], /is no unit: `dollars`/],
  ['a currency that is none', budget({ unit: 'xyz-cents' }), ['3:24 wrong-value']],
  ['a piece that is none', budget({ unit: 'usd-bits' }), ['3:24 wrong-value']],
  ['a window of zero', budget({ window: '0s' }), ['3:39 wrong-value'], /longer than nothing, got `0s`/],
  ['a negative window', budget({ window: '-1h' }), ['3:39 wrong-value']],
  ['a fractional window', budget({ window: '1.5h' }), ['3:39 wrong-value']],
  ['a window of a century', budget({ window: '36500d' }), ['3:39 wrong-value'], /at most ten years/],
  ['a window of less than a second', budget({ window: '999ms' }), ['3:3 wrong-value'], /at least 1s, got 999ms/],
  [
    'a rolling window of less than a minute',
    budget({ window: '59s', rolling: 'true' }),
    ['3:3 wrong-value'],
    /rolling window of budget `x` to last at least 60s/,
  ],
  ['a window as a number', budget({ window: '3600' }), ['3:39 wrong-type']],
  ['a window in another unit', budget({ window: '2w' }), ['3:39 wrong-value']],
  [
    'a scope nobody knows',
    budget({ per: '[user]' }),
    ['3:49 wrong-value'],
    /`tenant`, `principal`, `agent`, `run`, `tool`/,
  ],
  ['a scope named like a member of objects', budget({ per: '[__proto__]' }), ['3:49 wrong-value']],
  ['a scope twice', budget({ per: '[run, run]' }), ['3:54 wrong-value'], /stands twice/],
  ['a scope as text', budget({ per: 'run' }), ['3:48 wrong-type']],
  ['a budget that conditions could not name', budget({}, 'my-budget'), ['3:3 wrong-value'], /cannot name a budget/],
  ['a budget named by a word of the language', budget({}, 'in'), ['3:3 wrong-value']],
  ['a budget named __proto__', budget({}, '__proto__'), ['3:3 wrong-value']],
  ['a misspelt key of a budget', budget({ windw: '1h' }), ['3:43 unknown-key']],
  ['a budget as a number', 'interlock: 1\nbudgets: { x: 5 }\n', ['2:15 wrong-type']],
  ['a rate without a time', limit('tools: "*", rate: 120'), ['3:25 wrong-value'], /got `120`/],
  ['a rate without a number', limit('tools: "*", rate: 120/m'), ['3:25 wrong-value']],
  ['a rate of no calls', limit('tools: "*", rate: 0/1m'), ['3:25 wrong-value'], /at least one call/],
  ['a rate in no time', limit('tools: "*", rate: 5/0s'), ['3:25 wrong-value']],
  ['a negative rate', limit('tools: "*", rate: -5/1s'), ['3:25 wrong-value']],
  ['a fractional rate', limit('tools: "*", rate: 1.5/1s'), ['3:25 wrong-value']],
  ['a rate of many a microsecond', limit('tools: "*", rate: 2000/1ms'), ['3:25 wrong-value']],
  ['a rate in a century', limit('tools: "*", rate: 1/36500d'), ['3:25 wrong-value']],
  ['a concurrency of none', limit('tools: "*", concurrency: 0'), ['3:32 wrong-value']],
  ['a count of none', limit('tools: "*", count: 0'), ['3:26 wrong-value']],
  ['a negative depth', limit('tools: "*", depth: -1'), ['3:26 wrong-value']],
  ['a fractional count', limit('tools: "*", count: 1.5'), ['3:26 wrong-value']],
  ['a count that never ends', limit('tools: "*", count: 5, per: [principal]'), ['3:34 wrong-value'], /each run/],
  ['a depth for each principal', limit('tools: "*", depth: 5, per: [principal]'), ['3:34 wrong-value']],
  ['two limits in one', limit('tools: "*", depth: 5, count: 5'), ['3:29 two-limits']],
  ['a limit of nothing', limit('tools: "*"'), ['3:5 missing-key']],
  ['a limit of no tools', limit('depth: 3'), ['3:5 missing-key'], /no `tools`/],
  ['a limit of a tool without a server', limit('tools: pay, depth: 3'), ['3:14 pattern-malformed']],
  ['a limit as text', 'interlock: 1\nlimits: [fast]\n', ['2:10 wrong-type']],
  ['limits as a map', 'interlock: 1\nlimits: {}\n', ['2:9 wrong-type']],
  ['a cost of a budget that is not there', cost('{ y: 1 }'), ['2:25 budget-unknown']],
  ['a cost of a budget named like a member of objects', cost('{ constructor: 1 }'), ['2:25 budget-unknown']],
  ['a negative cost', cost('{ x: -1 }'), ['2:28 wrong-value']],
  ['a fractional cost', cost('{ x: 0.5 }'), ['2:28 wrong-value']],
  ['a huge cost', cost('{ x: 1e300 }'), ['2:28 wrong-value']],
  ['a cost that is no number', cost('{ x: .nan }'), ['2:28 wrong-value']],
  ['a cost that is a list', cost('{ x: [1] }'), ['2:28 wrong-type']],
  ['a cost without a budget', cost('args.amount'), ['2:23 wrong-type']],
  ['an empty cost', cost('{}'), ['2:23 wrong-value']],
  ['a failure with an effect', 'interlock: 1\ntools: { a.b: { failed: effect } }\n', ['2:25 wrong-value']],
  ['an effect that takes no time', 'interlock: 1\ntools: { a.b: { effectTimeout: 0s } }\n', ['2:32 wrong-value']],
  ['a signature that is a word', 'interlock: 1\napprovals: { signed: "no" }\n', ['2:22 wrong-type']],
  ['a misspelt setting', 'interlock: 1\napprovals: { sign: true }\n', ['2:14 unknown-key']],
  [
    'a question only for the requester that needs another',
    'interlock: 1\nrules:\n  - { ask: a.b, approvers: [requester], notRequester: true }\n',
    ['3:5 nobody-can-answer'],
  ],
  [
    'a question only for the requester that needs two',
    'interlock: 1\nrules:\n  - { ask: a.b, approvers: [requester], quorum: 2 }\n',
    ['3:5 nobody-can-answer'],
  ],
  ['an expiry in a century', 'interlock: 1\nrules:\n  - { ask: a.b, expires: 36500d }\n', ['3:26 wrong-value']],
];

for (const [what, text, expected, message] of REFUSED) {
  test(`${what} is refused at its place, with a hint where one helps`, () => {
    const { ok, issues } = parse(text);
    assert.equal(ok, false, `expected a refusal of ${text}`);
    assert.deepEqual(
      issues.map((issue) => `${issue.line}:${issue.column} ${issue.code}`),
      expected,
    );
    if (message !== undefined) assert.match(issues[0]?.message ?? '', message);
  });
}

test('what is misspelt is answered with what was meant', () => {
  const hint = (text: string): string | undefined => parse(text).issues[0]?.hint;
  assert.match(hint(budget({ unit: 'usd-cent' })) ?? '', /did you mean `usd-cents`/);
  assert.match(hint(budget({ unit: 'widgets' })) ?? '', /`x-NAME`/);
  assert.match(hint(budget({ window: '1 day' })) ?? '', /`24h`/);
  assert.equal(hint(budget({ per: '[principle]' })), 'did you mean `principal`?');
  assert.equal(hint(limit('tools: "*", rate: fast')), 'write calls and time: `120/1m`');
});

test('a unit is money, a count, or the operator’s own', () => {
  for (const unit of [
    'usd',
    'usd-cents',
    'gbp-pence',
    'jpy',
    'usd-micros',
    'calls',
    'tokens',
    'bytes',
    'x-gpu-hours',
  ]) {
    assert.equal(parse(budget({ unit })).ok, true, unit);
  }
  for (const unit of ['USD', 'usd-', 'x-', 'cents', 'constructor', 'us', 'x-A']) {
    assert.equal(parse(budget({ unit })).ok, false, unit);
  }
});

const BUDGET = 'budgets: { x: { limit: 1, unit: calls, window: 1h } }\n';

test('a cost that is no number, or not of the tool’s arguments, is refused before the first call', () => {
  const codes = (amount: string): readonly string[] => {
    const { issues } = compiled(`${BUDGET}tools:\n  bank.pay:\n    cost:\n      x: ${amount}\n`);
    return issues
      .filter(({ severity }) => severity === 'error')
      .map((each) => `${each.line}:${each.column} ${each.code}`);
  };
  assert.deepEqual(codes('args.amount'), []);
  assert.deepEqual(codes('args.rate'), [], 'a number may be whole when it comes');
  assert.deepEqual(codes('args.any'), []);
  assert.deepEqual(codes('"args.amount * 2"'), []);
  assert.deepEqual(codes('args.name'), ['7:10 not-an-amount']);
  assert.deepEqual(codes('args.amount > 1'), ['7:10 not-an-amount']);
  assert.deepEqual(codes('args.amuont'), ['7:15 unknown-member']);
  assert.deepEqual(codes('budget.x.left'), ['7:10 unknown-name'], 'a cost comes before budgets are read');
  assert.deepEqual(codes('output.paid'), ['7:10 unknown-name'], 'a cost comes before there is an output');
  const { policy } = compiled(`${BUDGET}tools: { bank.pay: { cost: { x: args.name } } }\n`);
  assert.match(policy?.tools.get('bank.pay')?.invalid ?? '', /expected a whole number, got string/);
});

test('what is settled must be reserved first, and is typed against what the tool answers', () => {
  const errors = (fields: string, tool = 'bank.pay'): readonly string[] =>
    compiled(`${BUDGET}tools:\n  ${tool}: { ${fields} }\n`)
      .issues.filter(({ severity }) => severity === 'error')
      .map(({ code, line, column }) => `${line}:${column} ${code}`);
  assert.deepEqual(errors('cost: { x: 1 }, actualCost: { x: output.paid }'), []);
  assert.deepEqual(errors('cost: { x: 1 }, actualCost: { x: output.piad }'), ['5:55 unknown-member']);
  assert.deepEqual(errors('cost: { x: 1 }, actualCost: { x: output.anything }', 'bank.refund'), []);
  assert.deepEqual(errors('actualCost: { x: output.paid }'), ['5:29 cost-not-reserved']);
});

test('a limit over tools that nobody serves is an error, and leaves none of the server’s tools unlimited', () => {
  const { policy, issues } = compiled('rules: [{ allow: "*" }]\nlimits: [{ tools: bank.pya, depth: 1 }]\n');
  assert.deepEqual(
    issues.filter(({ severity }) => severity === 'error').map(({ code, hint }) => [code, hint]),
    [['pattern-matches-nothing', 'did you mean `bank.pay`?']],
  );
  assert.match(policy?.tools.get('bank.pay')?.invalid ?? '', /limits\/0/);
  assert.equal(policy?.tools.get('files.read')?.invalid, undefined);
  assert.equal(compiled('limits: [{ tools: nope.x, depth: 1 }]\n').policy, undefined, 'no such server');
});

test('what a wider pattern charges stays charged, and equals must agree', () => {
  const budgets = 'budgets:\n  x: { limit: 9, unit: calls, window: 1h }\n  y: { limit: 9, unit: calls, window: 1h }\n';
  const costs = (tools: string): readonly string[] | string => {
    const { policy, issues } = compiled(`${budgets}tools:\n${tools}`);
    const error = issues.find(({ severity }) => severity === 'error');
    if (error !== undefined) return error.code;
    return (policy?.tools.get('bank.pay')?.cost ?? []).map(({ budget, amount }) => `${budget.name}=${amount.source}`);
  };
  assert.deepEqual(costs('  "*": { cost: { x: 1 } }\n  bank.pay: { cost: { y: args.amount } }\n'), [
    'x=1',
    'y=args.amount',
  ]);
  assert.deepEqual(costs('  bank.pay: { cost: { x: 0 } }\n  "*": { cost: { x: 1, y: 2 } }\n'), ['x=0', 'y=2']);
  assert.deepEqual(costs('  "bank.*": { cost: { x: 1 } }\n  "*.pay": { cost: { y: 1 } }\n'), ['y=1', 'x=1']);
  assert.equal(costs('  "ban*ay": { cost: { x: 1 } }\n  "bank*y": { cost: { x: 2 } }\n'), 'tools-contradict');
});

test('a limit’s counter has one name wherever it stands and however much it allows, a rate’s its own', () => {
  const ids = (text: string): readonly string[] => parsed(`interlock: 1\nlimits:\n${text}`).limits.map(({ id }) => id);
  const [count, slots, fast, slow] = ids(
    '  - { tools: "*", count: 5 }\n  - { tools: "*", concurrency: 5 }\n  - { tools: "*", rate: 5/1s }\n  - { tools: "*", rate: 50/1m }\n',
  );
  assert.equal(new Set([count, slots, fast, slow]).size, 4);
  assert.deepEqual(ids('  - { tools: "*", concurrency: 9 }\n  - { tools: "*", count: 1, per: [run] }\n'), [
    slots,
    count,
  ]);
  assert.notEqual(ids('  - { tools: "bank.*", count: 5 }\n')[0], count);
  assert.notEqual(ids('  - { tools: "*", count: 5, per: [run, tool] }\n')[0], count);
});

test('a thousand budgets and limits load, one more of either does not', () => {
  const many = (count: number): string =>
    `interlock: 1\nbudgets:\n${Array.from({ length: count }, (_, at) => `  b${at}: { limit: 1, unit: calls, window: 1h }\n`).join('')}`;
  assert.equal(parsed(many(1_000)).budgets.size, 1_000);
  assert.deepEqual(
    parse(many(1_001)).issues.map(({ code }) => code),
    ['too-many'],
  );
  const limits = (count: number): string => `interlock: 1\nlimits:\n${'  - { tools: "*", depth: 1 }\n'.repeat(count)}`;
  assert.equal(parsed(limits(1_000)).limits.length, 1_000);
  assert.deepEqual(
    parse(limits(1_001)).issues.map(({ code }) => code),
    ['too-many'],
  );
});
