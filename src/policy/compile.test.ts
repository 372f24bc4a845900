import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../value/json.ts';
import type { Issue } from '../value/issue.ts';
import { compilePolicy } from './compile.ts';
import type { Policy } from './compile.ts';
import { parseConfiguration } from './document/configuration.ts';
import { decide } from './decide/decide.ts';
import type { Request } from './decide/decision.ts';
import { defineTool } from './tool/tool.ts';
import type { ToolDefinition } from './tool/tool.ts';

function tool(
  name: string,
  properties: JsonObject = {},
  required: readonly string[] = Object.keys(properties),
): ToolDefinition {
  const [server = '', upstream = ''] = name.split('.');
  const defined = defineTool(server, { name: upstream, inputSchema: { type: 'object', properties, required } });
  assert.ok(defined.ok);
  return defined.tool;
}

const TEXT: JsonObject = { type: 'string' };
const WHOLE: JsonObject = { type: 'integer' };

const SERVED = [
  tool('files.read', { path: TEXT }),
  tool('files.write', { path: TEXT, content: TEXT }),
  tool('files.list'),
  tool('pay.refund', { charge: TEXT, amount: WHOLE, note: TEXT }, ['charge', 'amount']),
];

interface Outcome {
  readonly policy: Policy | undefined;
  readonly issues: readonly Issue[];
  /** `line:column severity code`, errors only. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

function compileText(
  body: string,
  options: { readonly complete?: readonly string[]; readonly tools?: readonly ToolDefinition[] } = {},
): Outcome {
  const text = `interlock: 1\nservers: { files: { command: x }, pay: { command: x } }\n${body}`;
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const tools = new Map((options.tools ?? SERVED).map((each) => [each.name, each]));
  const complete = new Set(options.complete ?? ['files', 'pay']);
  const { policy, issues } = compilePolicy(parsed.value, tools, { complete });
  const placed = (severity: Issue['severity']): readonly string[] =>
    issues.filter((issue) => issue.severity === severity).map((issue) => `${issue.line}:${issue.column} ${issue.code}`);
  for (const issue of issues) assert.equal(issue.file, 'interlock.yaml');
  return { policy, issues, errors: placed('error'), warnings: placed('warning') };
}

function codeOf(policy: Policy | undefined, name: string, args: JsonObject): string {
  assert.ok(policy !== undefined);
  const call = { id: 'c', attempt: 1, key: '' };
  const request: Request = { principal: 'local', tool: name, args, call, run: { id: 'r', depth: 0 }, now: 0 };
  return decide(policy, request).code;
}

test('a condition that does not parse is refused at its place, and no policy comes out', () => {
  const { policy, errors } = compileText(
    'rules:\n  - allow: files.read\n    when: args.path ==\n  - deny: files.write\n',
  );
  assert.equal(policy, undefined);
  assert.deepEqual(errors, ['5:23 expression-syntax']);
});

test('a name that no tool could have is refused even while its server is absent', () => {
  const { policy, errors } = compileText('rules:\n  - allow: files.read\n    when: arg.path == "x"\n', {
    complete: [],
    tools: [],
  });
  assert.equal(policy, undefined);
  assert.deepEqual(errors, ['5:11 unknown-name']);
});

test('a misspelt argument is located in plain, quoted and block conditions', () => {
  const plain = compileText('rules:\n  - allow: files.read\n    when: args.path != "" && args.pth == "x"\n');
  assert.deepEqual(plain.errors, ['5:35 unknown-member']);
  const quoted = compileText('rules:\n  - allow: files.read\n    when: "args.path != \\"\\" && args.pth == \\"x\\""\n');
  assert.deepEqual(quoted.errors, ['5:38 unknown-member']);
  const block = compileText(
    'rules:\n  - allow: files.read\n    when: >-\n      args.path != "" &&\n      args.pth == "x"\n',
  );
  assert.deepEqual(block.errors, ['7:12 unknown-member']);
});

test('text compared with a number is refused', () => {
  assert.deepEqual(compileText('rules:\n  - allow: pay.refund\n    when: args.amount <= "5"\n').errors, [
    '5:11 type-mismatch',
  ]);
});

test('a rule that fails on one of its tools denies that tool, and the others go on', () => {
  const { policy, issues, errors } = compileText(
    'rules:\n  - allow: files.*\n  - deny: files.*\n    when: args.path.endsWith(".env")\n  - allow: pay.refund\n',
  );
  assert.deepEqual(errors, ['6:16 unknown-member']);
  assert.match(issues.find((issue) => issue.severity === 'error')?.message ?? '', /`files\.list`/);
  assert.equal(codeOf(policy, 'files.list', {}), 'policy-invalid');
  assert.equal(codeOf(policy, 'files.read', { path: 'a' }), 'allowed');
  assert.equal(codeOf(policy, 'files.read', { path: '.env' }), 'denied-by-rule');
  assert.equal(codeOf(policy, 'pay.refund', { charge: 'c', amount: 1 }), 'allowed');
});

test('one mistake over many tools is told once', () => {
  const many = Array.from({ length: 40 }, (_, index) => tool(`files.t${index}`, { [`a${index}`]: TEXT }));
  const { errors, issues } = compileText('rules:\n  - deny: files.t*\n    when: args.path == "x"\n', {
    tools: many,
    complete: ['files'],
  });
  assert.ok(errors.length <= 40);
  const same = compileText('rules:\n  - deny: files.*\n    when: args.size() == "x"\n', {
    tools: many,
    complete: ['files'],
  });
  assert.equal(same.errors.length, 1, JSON.stringify(issues[0]));
});

test('a pattern that matches nothing is an error where the list is known, and a warning where it is not', () => {
  const text = 'rules:\n  - allow: files.reed\n  - allow: pay.*\n    when: args.amount == 1\n';
  const known = compileText(text);
  assert.deepEqual(known.errors, ['4:12 pattern-matches-nothing']);
  assert.equal(known.issues.find((issue) => issue.severity === 'error')?.hint, 'did you mean `files.read`?');
  const unknown = compileText(text, { complete: ['pay'] });
  assert.deepEqual(unknown.errors, []);
  assert.ok(unknown.warnings.includes('4:12 pattern-matches-nothing'));
});

test('a server that is not configured is an error whatever is known, and no policy comes out', () => {
  for (const body of [
    'rules:\n  - deny: pya.refund\n',
    'tools:\n    pya.refund: { effect: read }\n',
    'rules:\n  - allow: llm.support\n',
  ]) {
    const { policy, errors } = compileText(body, { complete: [], tools: [] });
    assert.equal(policy, undefined);
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /pattern-matches-nothing/);
  }
});

test('a misspelt `deny`, `ask` or declaration leaves no tool it may have meant open', () => {
  for (const body of ['  - deny: files.wirte\n', '  - ask: files.wirte\n']) {
    const { policy, errors } = compileText(`rules:\n  - allow: "*"\n${body}`);
    assert.equal(errors.length, 1);
    assert.equal(codeOf(policy, 'files.write', { path: 'a', content: '' }), 'policy-invalid');
    assert.equal(codeOf(policy, 'pay.refund', { charge: 'c', amount: 1 }), 'allowed');
  }
  const guard = compileText('tools: { files.wirte: { guard: { path: { within: . } } } }\nrules:\n  - allow: "*"\n');
  assert.equal(codeOf(guard.policy, 'files.write', { path: 'a', content: '' }), 'policy-invalid');
  const allow = compileText('rules:\n  - allow: files.*\n  - allow: files.wirte\n');
  assert.equal(codeOf(allow.policy, 'files.write', { path: 'a', content: '' }), 'allowed');
});

test('an undeclared tool is irreversible, and declarations are merged with the more specific last', () => {
  const { policy } = compileText(
    'tools:\n  files.read: { labels: [own] }\n  files.*: { labels: [all], subject: args.path }\n  "*": { labels: [any], guard: { path: { within: . } } }\nrules:\n  - allow: "*"\n',
    { tools: SERVED.filter((each) => each.name !== 'files.list' && each.server === 'files'), complete: ['files'] },
  );
  const read = policy?.tools.get('files.read');
  assert.equal(read?.effect, 'irreversible');
  assert.deepEqual(read.labels, ['own']);
  assert.notEqual(read.subject, undefined);
  assert.deepEqual(read.guard, { path: { within: '.' } });
  assert.deepEqual(policy?.tools.get('files.write')?.labels, ['all']);
});

test('patterns that contradict each other on an effect are an error that names both places', () => {
  const { policy, issues, errors } = compileText(
    'tools:\n  files.*: { effect: read }\n  files.write: { effect: write }\nrules:\n  - allow: "*"\n',
  );
  assert.deepEqual(errors, ['5:26 tools-contradict']);
  assert.match(issues.find((issue) => issue.severity === 'error')?.message ?? '', /line 4, column 22/);
  assert.equal(codeOf(policy, 'files.write', { path: 'a', content: '' }), 'policy-invalid');
  assert.equal(codeOf(policy, 'files.read', { path: 'a' }), 'allowed');
});

test('equally specific patterns must agree on every key they share', () => {
  const body = (labels: string): string =>
    `tools:\n  files.rea*: { labels: [a] }\n  files.*ead: { labels: [${labels}] }\nrules:\n  - allow: "*"\n`;
  assert.deepEqual(compileText(body('a')).errors, []);
  assert.deepEqual(compileText(body('b')).errors, ['5:25 tools-contradict']);
});

test('a key, a subject and personal values are typed like conditions', () => {
  const { policy, errors } = compileText(
    'tools:\n  pay.refund: { key: args.chrge, subject: args.customer, personal: [args.note, args.mail] }\nrules:\n  - allow: "*"\n',
  );
  assert.deepEqual(errors, ['4:27 unknown-member', '4:48 unknown-member', '4:85 unknown-member']);
  assert.equal(codeOf(policy, 'pay.refund', { charge: 'c', amount: 1 }), 'policy-invalid');
});

test('an inline schema makes a tool served without its server, and types its rules', () => {
  const body =
    'tools: { crm.note: { input: { type: object, properties: { text: { type: string } } } } }\nrules:\n  - allow: crm.note\n    when: has(args.text) && args.text != "x"\n';
  const { policy, errors } = compileText(body, { complete: [], tools: [] });
  assert.deepEqual(errors, []);
  assert.equal(codeOf(policy, 'crm.note', { text: 'y' }), 'allowed');
  assert.deepEqual(
    compileText(body.replace('args.text !=', 'args.txt !='), { complete: [], tools: [] }).errors.length,
    1,
  );
});

test('an inline schema takes the place of the one the server sends', () => {
  const { policy } = compileText(
    'tools: { pay.refund: { input: { type: object, properties: { amount: { type: integer, maximum: 5 } } } } }\nrules:\n  - allow: pay.*\n',
  );
  assert.equal(codeOf(policy, 'pay.refund', { amount: 5 }), 'allowed');
  assert.equal(codeOf(policy, 'pay.refund', { amount: 6 }), 'schema-mismatch');
});

test('methods are decided by patterns with a slash only', () => {
  const { policy } = compileText(
    'rules:\n  - allow: "*"\n  - allow: files.resources/read\n    when: args.uri.startsWith("file:///a")\n',
  );
  assert.equal(codeOf(policy, 'files.resources/read', { uri: 'file:///a/b' }), 'allowed');
  assert.equal(codeOf(policy, 'files.resources/read', { uri: 'file:///b' }), 'no-rule');
  assert.equal(codeOf(policy, 'pay.prompts/get', { name: 'p' }), 'no-rule');
});

test('a tool that is named like a method is not served in its place', () => {
  const impostor = tool('files.resources/read', { uri: WHOLE });
  const { policy, warnings } = compileText('rules:\n  - allow: files.resources/read\n', { tools: [impostor] });
  assert.deepEqual(
    warnings.filter((at) => at.includes('reserved')),
    ['1:1 tool-name-reserved'],
  );
  assert.equal(codeOf(policy, 'files.resources/read', { uri: 'x' }), 'allowed');
  assert.equal(codeOf(policy, 'files.resources/read', { uri: 1 }), 'schema-mismatch');
});

test('a schema that cannot be used is a warning, and denies each call of its tool', () => {
  const defined = defineTool('files', { name: 'odd', inputSchema: { type: 'object', $ref: 'https://example.com/x' } });
  assert.ok(defined.ok);
  const { policy, warnings } = compileText('rules:\n  - allow: files.*\n', { tools: [defined.tool] });
  assert.ok(warnings.some((at) => at.endsWith('schema-unusable')));
  assert.equal(codeOf(policy, 'files.odd', {}), 'schema-mismatch');
});

const WARNED: readonly (readonly [what: string, body: string, code: string, place: string])[] = [
  ['no rule at all', '', 'no-rules', '1:1'],
  ['a question that nothing allows', 'rules:\n  - ask: files.read\n', 'ask-without-allow', '4:5'],
  ['a rule written twice', 'rules:\n  - deny: files.read\n  - deny: files.read\n', 'rule-duplicate', '5:5'],
  [
    'an allow under a deny of everything',
    'rules:\n  - allow: files.read\n  - deny: files.*\n',
    'rule-unreachable',
    '4:5',
  ],
  [
    'a condition beside an allow without one',
    'rules:\n  - allow: files.*\n  - allow: files.read\n    when: args.path == "a"\n',
    'rule-shadowed',
    '5:5',
  ],
  ['an effect without a key', 'rules:\n  - allow: pay.refund\n', 'effect-without-key', '4:5'],
  [
    'an optional argument read as if it were there',
    'rules:\n  - allow: pay.refund\n    when: args.note == "x"\n',
    'optional-unguarded',
    '5:16',
  ],
  [
    'an approver nobody is',
    'rules:\n  - allow: files.read\n  - ask: files.read\n    approvers: [finance]\n',
    'approver-nobody',
    '5:5',
  ],
];

for (const [what, body, code, place] of WARNED) {
  test(`${what} is a warning, and still a policy`, () => {
    const { policy, errors, warnings } = compileText(body);
    assert.notEqual(policy, undefined);
    assert.deepEqual(errors, []);
    assert.ok(warnings.includes(`${place} ${code}`), warnings.join(', '));
  });
}

test('a policy without weak spots has no warning', () => {
  const { warnings, errors } = compileText(`tools:
  files.read: { effect: read }
  files.list: { effect: read }
  files.write: { effect: write, key: args.path }
  pay.refund: { key: args.charge }
principals: { ann: { roles: [finance] } }
rules:
  - allow: files.*
    when: tool.effect == "read"
  - allow: pay.refund
    when: args.amount < 10
  - ask: pay.refund
    when: args.amount > 5
    approvers: [finance, requester]
`);
  assert.deepEqual([...warnings, ...errors], []);
});

test('an effect without a key is told once, where a condition does not rule the tool out', () => {
  const { issues } = compileText(
    'rules:\n  - allow: files.*\n    when: tool.effect == "read"\n  - allow: files.write\n  - allow: "*"\n',
  );
  const told = issues.filter((issue) => issue.code === 'effect-without-key');
  assert.deepEqual(
    told.map((issue) => issue.line),
    [6, 7],
  );
  assert.match(told[0]?.message ?? '', /allows `files\.write`, /);
  assert.match(told[1]?.message ?? '', /allows `files\.read`, `files\.list`, `pay\.refund`, /);
});

test('a thousand rules are parsed, checked and compiled within a second or so', () => {
  const tools = Array.from({ length: 50 }, (_, index) => tool(`files.t${index}`, { amount: WHOLE, path: TEXT }));
  const rules = Array.from(
    { length: 1_000 },
    (_, index) =>
      `  - ${['allow', 'deny', 'ask'][index % 3]}: files.t${index % 50}\n    when: args.amount <= ${index} && args.path.startsWith("/x${index}")\n`,
  );
  const started = performance.now();
  const { errors } = compileText(`rules:\n${rules.join('')}`, { tools });
  assert.deepEqual(errors, []);
  // The target is one second on a quiet machine; five say that nothing has become quadratic.
  assert.ok(performance.now() - started < 5_000);
});

test('ten thousand mistakes are answered within bounds', () => {
  const tools = Array.from({ length: 500 }, (_, index) => tool(`files.tool_number_${index}`));
  const rules = Array.from({ length: 10_000 }, (_, index) => `  - deny: files.tool_nmber_${index}\n`);
  const started = performance.now();
  const { issues, errors } = compileText(`rules:\n${rules.join('')}`, { tools, complete: ['files'] });
  assert.ok(issues.length <= 201 && errors.some((at) => at.endsWith('too-many-problems')));
  assert.ok(performance.now() - started < 5_000);
});
