import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { compilePolicy } from '../compile.ts';
import type { Policy } from '../compile.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { admit, admitCaller, charge, couldAllow, couldServe, decide, explain, judge, keyOf } from './decide.ts';
import type { Decision, Request } from './decision.ts';
import { defineTool } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

const REFUND: JsonObject = {
  type: 'object',
  required: ['charge', 'amount'],
  properties: {
    charge: { type: 'string' },
    amount: { type: 'integer' },
    currency: { type: 'string' },
    email: { type: 'string' },
    meta: { type: 'object' },
  },
  additionalProperties: false,
};
const PATH: JsonObject = { type: 'object', required: ['path'], properties: { path: { type: 'string' } } };

function tools(): ReadonlyMap<string, ToolDefinition> {
  const list = [
    ['pay', 'refund', REFUND],
    ['files', 'read', PATH],
    ['files', 'write', PATH],
  ] as const;
  return new Map(
    list.map(([server, name, inputSchema]) => {
      const defined = defineTool(server, { name, inputSchema });
      assert.ok(defined.ok);
      return [defined.tool.name, defined.tool];
    }),
  );
}

function policyOf(body: string): Policy {
  const text = `interlock: 1\nservers: { files: { command: x }, pay: { command: x } }\n${body}`;
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const { policy, issues } = compilePolicy(parsed.value, tools(), { complete: new Set(['files', 'pay']) });
  assert.ok(policy !== undefined, JSON.stringify(issues));
  assert.deepEqual(
    issues.filter((issue) => issue.severity === 'error'),
    [],
  );
  return policy;
}

function request(tool: string, args: JsonObject, more: Partial<Request> = {}): Request {
  return {
    principal: 'local',
    tool,
    args,
    call: { id: 'c', attempt: 1, key: '' },
    run: { id: 'r', depth: 0 },
    now: 0,
    ...more,
  };
}

/** `effect code [rules]` */
function brief({ effect, code, rules }: Decision): string {
  return `${effect} ${code} [${rules.join(' ')}]`;
}

test('without a rule everything is denied', () => {
  assert.equal(brief(decide(policyOf(''), request('files.read', { path: 'a' }))), 'deny no-rule []');
});

test('an allow that matches allows, and names the rules that did', () => {
  const policy = policyOf(
    'rules:\n  - allow: files.*\n  - allow: files.read\n    when: args.path == "a"\n  - allow: files.read\n    when: args.path == "b"\n',
  );
  assert.equal(brief(decide(policy, request('files.read', { path: 'a' }))), 'allow allowed [rules/0 rules/1]');
});

test('any deny that matches wins, and all of them are named in the order of the file', () => {
  const policy = policyOf(
    'rules:\n  - deny: files.write\n  - allow: "*"\n  - deny: "*.write"\n    when: args.path == ".env"\n    because: agents do not write secrets\n',
  );
  assert.equal(
    brief(decide(policy, request('files.write', { path: '.env' }))),
    'deny denied-by-rule [rules/0 rules/2]',
  );
  assert.equal(brief(decide(policy, request('files.read', { path: '.env' }))), 'allow allowed [rules/1]');
});

test('an ask turns an allow into a question, and gives nothing by itself', () => {
  const policy = policyOf(
    'rules:\n  - allow: pay.refund\n    when: args.amount <= 100\n  - ask: pay.refund\n    when: args.amount > 50\n',
  );
  assert.equal(brief(decide(policy, request('pay.refund', { charge: 'c', amount: 10 }))), 'allow allowed [rules/0]');
  assert.equal(brief(decide(policy, request('pay.refund', { charge: 'c', amount: 60 }))), 'ask asked [rules/1]');
  assert.equal(brief(decide(policy, request('pay.refund', { charge: 'c', amount: 200 }))), 'deny no-rule []');
});

test('a condition that cannot be evaluated does not allow', () => {
  const policy = policyOf('rules:\n  - allow: pay.refund\n    when: args.currency == "usd"\n');
  const decision = decide(policy, request('pay.refund', { charge: 'c', amount: 1 }));
  assert.equal(brief(decision), 'deny condition-error []');
  assert.match(decision.explanation, /rules\/0, needs `args\.currency == "usd"` \(which cannot be evaluated/);
});

test('a condition that cannot be evaluated denies and asks', () => {
  const deny = policyOf('rules:\n  - allow: "*"\n  - deny: pay.refund\n    when: args.currency == "gbp"\n');
  const denied = decide(deny, request('pay.refund', { charge: 'c', amount: 1 }));
  assert.equal(brief(denied), 'deny condition-error [rules/1]');
  assert.match(denied.explanation, /cannot be evaluated .*, and a deny that errs matches/);
  const both = policyOf(
    'rules:\n  - allow: "*"\n  - deny: pay.refund\n    when: args.currency == "gbp"\n  - deny: pay.refund\n    when: args.amount == 1\n',
  );
  assert.equal(
    brief(decide(both, request('pay.refund', { charge: 'c', amount: 1 }))),
    'deny denied-by-rule [rules/1 rules/2]',
  );
  const ask = policyOf('rules:\n  - allow: "*"\n  - ask: pay.refund\n    when: args.currency == "gbp"\n');
  assert.equal(brief(decide(ask, request('pay.refund', { charge: 'c', amount: 1 }))), 'ask asked [rules/1]');
});

test('an untyped value that is no boolean counts as an error', () => {
  const policy = policyOf('rules:\n  - allow: pay.refund\n    when: args.meta["ok"]\n');
  assert.equal(
    brief(decide(policy, request('pay.refund', { charge: 'c', amount: 1, meta: { ok: true } }))),
    'allow allowed [rules/0]',
  );
  for (const ok of ['true', 1, null, [true]] satisfies readonly JsonValue[]) {
    assert.equal(
      decide(policy, request('pay.refund', { charge: 'c', amount: 1, meta: { ok } })).code,
      'condition-error',
    );
  }
});

test('the explanation names the nearest rule that the arguments could still satisfy', () => {
  const policy = policyOf(`rules:
  - allow: pay.refund
    when: principal.id == "ann"
  - allow: pay.refund
    when: args.amount <= 20000 && args.charge != "x" && args.charge != "y"
  - allow: pay.refund
    when: args.amount <= 1 && args.charge == "z"
`);
  assert.equal(
    decide(policy, request('pay.refund', { charge: 'c', amount: 70_000 })).explanation,
    'pay.refund is denied: no rule allows it; the closest, rules/1, needs `args.amount <= 20000`',
  );
});

test('an explanation is one line, gives the reason of the rule, and never a value of the call', () => {
  const policy = policyOf(`rules:
  - allow: files.read
  - deny: files.*
    when: args.path.contains("secret")
    because: |
      agents do not
      write secrets
  - deny: files.write
    when: args.path.endsWith("7")
`);
  const because = decide(policy, request('files.read', { path: 'my-secret-hunter2' }));
  assert.equal(because.explanation, 'files.read is denied by rules/1: agents do not write secrets');
  const clause = decide(policy, request('files.write', { path: 'hunter27' }));
  assert.equal(clause.explanation, 'files.write is denied by rules/2: `args.path.endsWith("7")` holds');
  const schema = decide(policy, request('files.read', { path: 12_345_678 }));
  assert.doesNotMatch(because.explanation + clause.explanation + schema.explanation, /hunter2|12345678|\n/);
});

test('a hostile tool name cannot write into an explanation', () => {
  const { explanation } = decide(policyOf(''), request(`a.b\n\u001B[31m\u202E${'x'.repeat(500)}`, {}));
  assert.doesNotMatch(explanation, /[\p{Cc}\p{Cf}]/u);
  assert.ok(explanation.length < 300);
});

test('the gates come in their order, and the first that fails names the code', () => {
  const policy = policyOf(
    'principals: { ann: {} }\nrules:\n  - allow: files.read\n    when: args.path == "a"\n  - allow: files.write\n    when: principal.id == "ann"\n',
  );
  const bad = { path: 1 };
  assert.equal(decide(policy, request('nope.x', bad, { principal: 'eve' })).code, 'unknown-principal');
  assert.equal(decide(policy, request('nope.x', bad)).code, 'unknown-tool');
  assert.equal(decide(policy, request('files.write', bad)).code, 'no-rule', 'not visible to this principal');
  assert.equal(decide(policy, request('files.write', bad, { principal: 'ann' })).code, 'schema-mismatch');
  assert.equal(decide(policy, request('files.read', bad)).code, 'schema-mismatch');
  assert.equal(decide(policy, request('files.read', { path: 'b' })).code, 'no-rule');
  assert.equal(decide(policy, request('files.read', { path: 'a' })).code, 'allowed');
});

test('admit and charge are the two halves of decide', () => {
  const policy = policyOf('rules:\n  - allow: files.read\n    when: args.path == "a"\n');
  for (const each of [
    request('files.read', { path: 'a' }),
    request('files.read', { path: 'b' }),
    request('files.read', {}),
    request('files.write', {}),
    request('x.y', {}),
  ]) {
    assert.deepEqual(decide(policy, each), admit(policy, each) ?? charge(policy, each));
  }
  assert.equal(admitCaller(policy, request('files.read', {})), undefined, 'arguments are not looked at yet');
  assert.equal(judge(policy, request('x.y', {})).code, 'unknown-tool', 'judging alone is total too');
});

test('without `principals:` everybody is known and has no roles; with it only those listed and `local`', () => {
  const rules =
    'rules:\n  - allow: files.read\n    when: "\'reader\' in principal.roles || principal.labels.size() > 0"\n  - allow: files.write\n';
  const open = policyOf(rules);
  assert.equal(decide(open, request('files.read', { path: 'a' }, { principal: 'constructor' })).code, 'no-rule');
  assert.equal(decide(open, request('files.write', { path: 'a' }, { principal: 'anybody' })).code, 'allowed');
  const closed = policyOf(`principals: { ann: { roles: [reader] }, bob: { labels: [staff] }, cid: {} }\n${rules}`);
  const codes = ['ann', 'bob', 'cid', 'local', 'eve', 'constructor', '__proto__', ''].map(
    (principal) => decide(closed, request('files.read', { path: 'a' }, { principal })).code,
  );
  assert.deepEqual(codes, [
    'allowed',
    'allowed',
    'no-rule',
    'no-rule',
    ...Array.from({ length: 4 }, () => 'unknown-principal'),
  ]);
});

test('conditions see the tool, the call, the run and the time of the request', () => {
  const policy = policyOf(`tools: { files.read: { effect: read, labels: [internal] } }
rules:
  - allow: files.read
    when: tool.name == "files.read" && tool.server == "files" && tool.effect == "read" && "internal" in tool.labels
  - deny: files.read
    when: call.attempt > 1 || call.key == "stop" || call.id == "bad"
  - deny: files.read
    when: run.depth > 3 || run.id == "bad" || run.program != "" || run.step != "" || run.labels.size() > 0
  - deny: files.read
    when: now >= timestamp("2026-01-01T00:00:00Z")
`);
  const ask = (more: Partial<Request>): string => brief(decide(policy, request('files.read', { path: 'a' }, more)));
  assert.equal(ask({}), 'allow allowed [rules/0]');
  assert.equal(ask({ call: { id: 'c', attempt: 2, key: '' } }), 'deny denied-by-rule [rules/1]');
  assert.equal(ask({ call: { id: 'c', attempt: 1, key: 'stop' } }), 'deny denied-by-rule [rules/1]');
  assert.equal(ask({ run: { id: 'r', depth: 4 } }), 'deny denied-by-rule [rules/2]');
  assert.equal(ask({ now: Date.UTC(2025, 11, 31, 23, 59, 59, 999) }), 'allow allowed [rules/0]');
  assert.equal(ask({ now: Date.UTC(2026, 0, 1) }), 'deny denied-by-rule [rules/3]');
});

test('whose data a call is about must be told, and rules come first', () => {
  const rules =
    'rules:\n  - allow: pay.refund\n    when: args.amount < 100\n  - ask: pay.refund\n    when: args.amount > 50\n';
  const of = (declared: string, args: JsonObject): string =>
    brief(decide(policyOf(`tools: { pay.refund: { ${declared} } }\n${rules}`), request('pay.refund', args)));
  for (const declared of ['personal: [args.email]', 'subject: args.charge', 'subject: args.amount']) {
    assert.equal(of(declared, { charge: 'c', amount: 1 }), 'allow allowed [rules/0]');
    assert.equal(of(declared, { charge: 'c', amount: 60 }), 'ask asked [rules/1]');
  }
  for (const declared of ['subject: args.email', 'subject: args.charge', 'personal: [args.email + "x"]']) {
    assert.equal(of(declared, { charge: '', amount: 1 }), 'deny obligation-failed []');
    assert.equal(of(declared, { charge: '', amount: 60 }), 'deny obligation-failed []');
    assert.equal(of(declared, { charge: '', amount: 500 }), 'deny no-rule []', 'rules come first');
  }
});

test('a tool is visible exactly where some arguments could be allowed', () => {
  const policy = policyOf(`principals: { ann: { roles: [finance] } }
rules:
  - allow: pay.refund
    when: '"finance" in principal.roles && args.amount < 5'
  - allow: files.*
    when: args.path == "never" && args.path == "ever"
  - deny: files.write
    when: principal.id != "ann"
  - deny: files.read
    when: args.path == "x"
`);
  const visible = (principal: string): readonly string[] =>
    ['pay.refund', 'files.read', 'files.write', 'nope.x', 'files.resources/read'].filter((tool) =>
      couldAllow(policy, principal, tool),
    );
  assert.deepEqual(visible('ann'), ['pay.refund', 'files.read', 'files.write']);
  assert.deepEqual(visible('local'), ['files.read']);
  assert.deepEqual(visible('eve'), []);
  assert.deepEqual(visible('local'), ['files.read'], 'the same from memory');
});

test('a condition on the principal that errs hides under a deny and does not show under an allow', () => {
  const policy = policyOf(`rules:
  - allow: files.read
    when: principal.roles[0] == "x" && args.path == "a"
  - allow: files.write
  - deny: files.write
    when: principal.roles[0] == "x"
`);
  assert.equal(couldAllow(policy, 'local', 'files.read'), false);
  assert.equal(couldAllow(policy, 'local', 'files.write'), false);
  assert.equal(decide(policy, request('files.write', { path: 'a' })).code, 'condition-error');
});

test('a key is the canonical JSON of its expression, and a refusal where it errs or is empty', () => {
  const keyed = (key: string): Policy => policyOf(`tools: { pay.refund: { key: '${key}' } }\nrules:\n  - allow: "*"\n`);
  const args = { charge: 'ch_1', amount: 12, meta: { b: 1, a: [true] }, email: '' };
  const keyFor = (key: string): ReturnType<typeof keyOf> => keyOf(keyed(key), request('pay.refund', args));
  assert.deepEqual(keyFor('args.charge'), { ok: true, key: '"ch_1"' });
  assert.deepEqual(keyFor('args.amount'), { ok: true, key: '12' });
  assert.deepEqual(keyFor('[args.charge, string(args.amount)]'), { ok: true, key: '["ch_1","12"]' });
  assert.deepEqual(keyFor('args.meta'), { ok: true, key: '{"a":[true],"b":1}' });
  for (const key of ['args.currency', 'args.email', 'args.meta["none"]', '[]', '{}', 'null', '""', 'args.amount / 0']) {
    const refused = keyFor(key);
    assert.equal(refused.ok, false, key);
    assert.ok(!refused.ok && refused.reason.startsWith('`'));
  }
  assert.deepEqual(keyOf(keyed('args.charge'), request('files.read', { path: 'a' })), { ok: true, key: undefined });
  assert.equal(keyOf(keyed('args.charge'), request('no.such', {})).ok, false);
});

test('an explanation of all rules shows each clause, what it gave and which rules matched', () => {
  const policy = policyOf(`rules:
  - allow: pay.refund
    when: args.amount < 100 && args.currency == "usd"
  - deny: files.*
  - id: big
    ask: pay.refund
    when: args.amount > 5
    because: it is much
  - allow: "*"
`);
  const { decision, rules } = explain(policy, request('pay.refund', { charge: 'c', amount: 10 }));
  assert.equal(brief(decision), 'ask asked [big]');
  assert.deepEqual(
    rules.map(({ rule, effect, matched }) => [rule, effect, matched]),
    [
      ['rules/0', 'allow', false],
      ['big', 'ask', true],
      ['rules/3', 'allow', true],
    ],
  );
  assert.deepEqual(
    rules[0]?.clauses.map(({ text, result }) => [text, result]),
    [
      ['args.amount < 100', true],
      ['args.currency == "usd"', 'error'],
    ],
  );
  assert.match(rules[0]?.error ?? '', /args\.currency/);
  assert.equal(rules[1]?.because, 'it is much');
  assert.deepEqual(rules[2]?.clauses, []);
});

test('deeply nested and oddly named arguments are decided like any other', () => {
  const policy = policyOf(
    'rules:\n  - allow: pay.refund\n    when: has(args.meta) && !("__proto__" in args.meta) && args.meta.size() < 3\n',
  );
  const deep = parseJson(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`);
  const proto = parseJson('{"__proto__": {"polluted": true}}');
  assert.ok(deep.ok && proto.ok);
  assert.equal(decide(policy, request('pay.refund', { charge: 'c', amount: 1, meta: deep.value })).code, 'allowed');
  assert.equal(decide(policy, request('pay.refund', { charge: 'c', amount: 1, meta: proto.value })).code, 'no-rule');
  assert.equal(decide(policy, request('pay.refund', proto.value as JsonObject)).code, 'schema-mismatch');
});

test('ten thousand rules on other tools do not slow a decision', () => {
  const own = Array.from(
    { length: 20 },
    (_, index) => `  - allow: pay.refund\n    when: args.amount == ${index}\n`,
  ).join('');
  const timed = (policy: Policy): number => {
    const each = request('pay.refund', { charge: 'c', amount: 19 });
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round += 1) {
      const started = performance.now();
      for (let count = 0; count < 500; count += 1) judge(policy, each);
      best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  const few = timed(policyOf(`rules:\n${own}`));
  const others = Array.from(
    { length: 9_900 },
    (_, index) => `  - deny: files.${index % 2 === 0 ? 'read' : 'write'}\n    when: args.path == "${index}"\n`,
  );
  const many = timed(policyOf(`rules:\n${own}${others.join('')}`));
  // Scanning them would take some five hundred times as long; the factor leaves room for a busy machine.
  assert.ok(many < few * 10, `${few} ms without them, ${many} ms with them`);
});

test('a tool of a server that lists nothing yet may be served later, one of a server that lists its tools may not', () => {
  const text =
    'interlock: 1\nservers: { files: { command: x }, pay: { command: x } }\nrules:\n  - allow: files.*\n  - allow: pay.refund\n';
  const parsed = parseConfiguration(text, { file: 'f', environment: {} });
  assert.ok(parsed.ok);
  const listed = new Map([...tools()].filter(([name]) => name.startsWith('pay.')));
  const { policy } = compilePolicy(parsed.value, listed, { complete: new Set(['pay']) });
  assert.ok(policy !== undefined);
  const later = ['files.read', 'pay.refund', 'pay.other', 'nope.read', 'files', 'files.resources/read'];
  assert.deepEqual(
    later.filter((name) => couldServe(policy, name)),
    ['files.read'],
  );
});
