import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { witnessKeyLine } from '../../../test/witness.ts';
import { canonicalText } from '../../value/canonical.ts';
import type { Issue } from '../../value/issue.ts';
import { parseConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { LATER } from './later.ts';

function parse(text: string, environment: Record<string, string> = {}): ReturnType<typeof parseConfiguration> {
  return parseConfiguration(text, { file: 'interlock.yaml', environment });
}

function parsed(text: string, environment: Record<string, string> = {}): Configuration {
  const result = parse(text, environment);
  assert.deepEqual(result.ok ? [] : result.issues, []);
  assert.ok(result.ok);
  return result.value;
}

/** The issues as `line:column code`. */
function placesOf(issues: readonly Issue[]): readonly string[] {
  return issues.map((issue) => `${issue.line}:${issue.column} ${issue.code}`);
}

function refusals(text: string, environment: Record<string, string> = {}): readonly string[] {
  const result = parse(text, environment);
  assert.equal(result.ok, false, `expected a refusal of ${text}`);
  for (const issue of result.issues) {
    assert.equal(issue.file, 'interlock.yaml');
    assert.doesNotMatch(issue.message, /\n/, 'a message is one line');
  }
  return placesOf(result.issues);
}

test('a configuration that only names the version is whole, and denies everything by having no rule', () => {
  const configuration = parsed('interlock: 1\n');
  assert.equal(configuration.principal, 'local');
  assert.deepEqual(
    [configuration.servers.size, configuration.tools, configuration.rules, configuration.principals],
    [0, [], [], undefined],
  );
});

test('everything that is built is read as written', () => {
  const configuration = parsed(
    `interlock: 1
principal: alice
servers:
  files:
    command: node
    args: [server.js, ./workspace]
    env: { TOKEN: "Bearer \${TOKEN}" }
    cwd: ./sub
    sandbox: off
    timeoutMs: 5000
    startTimeoutMs: 700
tools:
  files.read_*: { effect: read, labels: [internal] }
  files.write_file:
    effect: write
    input: { type: object, properties: { path: { type: string } } }
    key: args.path
    personal: [args.email]
    subject: args.customer
    guard: { path: { within: ./workspace, args: [path] } }
principals:
  alice: { roles: [finance], labels: [staff] }
  bob: { key: "ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }
rules:
  - allow: files.*
    when: tool.effect == "read"
  - id: ask-first
    ask: files.write_file
    because: writing is careful work
    approvers: [finance]
    quorum: 2
    notRequester: true
    expires: 30m
  - deny: "*"
`,
    { TOKEN: 'secret' },
  );
  const server = configuration.servers.get('files');
  assert.equal(server?.command, 'node');
  assert.deepEqual(server.args, ['server.js', './workspace']);
  assert.equal(server.cwd, './sub');
  assert.deepEqual([server.timeoutMs, server.startTimeoutMs], [5000, 700]);
  assert.equal(server.env.get('TOKEN')?.value, 'Bearer secret');
  assert.equal(configuration.principals?.get('alice')?.roles[0], 'finance');
  const [, write] = configuration.tools;
  assert.equal(write?.declared.effect, 'write');
  assert.equal(write.declared.key?.text, 'args.path');
  assert.deepEqual(
    write.declared.personal?.map((item) => item.text),
    ['args.email'],
  );
  assert.deepEqual(write.declared.guard, { path: { within: './workspace', args: ['path'] } });
  assert.deepEqual(
    configuration.rules.map((rule) => [rule.id, rule.effect, rule.pattern.text]),
    [
      ['rules/0', 'allow', 'files.*'],
      ['ask-first', 'ask', 'files.write_file'],
      ['rules/2', 'deny', '*'],
    ],
  );
  const ask = configuration.rules[1];
  assert.deepEqual([ask?.approvers, ask?.quorum, ask?.notRequester, ask?.expiresMs], [['finance'], 2, true, 1_800_000]);
  assert.ok(Object.isFrozen(configuration) && Object.isFrozen(ask));
});

const REFUSED: readonly (readonly [what: string, text: string, expected: readonly string[]])[] = [
  ['an empty file', '', ['1:1 policy-empty']],
  ['a file of comments', '# nothing\n', ['1:1 policy-empty']],
  ['a file that says null', '~\n', ['1:1 policy-empty']],
  ['a list', '- a\n', ['1:1 wrong-type']],
  ['plain text', 'allow everything\n', ['1:1 wrong-type']],
  ['no version', 'rules: []\n', ['1:1 missing-key']],
  ['another version', 'rules: []\ninterlock: 2\n', ['2:12 version-unsupported']],
  ['a version as text', 'interlock: "1"\n', ['1:12 wrong-type']],
  ['a misspelt key', 'interlock: 1\nrule: []\n', ['2:1 unknown-key']],
  ['a key twice', 'interlock: 1\nrules: []\nrules: []\n', ['3:1 duplicate-key']],
  ['a key twice deep inside', 'interlock: 1\ntools: {a.b: {effect: read, effect: read}}\n', ['2:29 duplicate-key']],
  ['a key that is a number', 'interlock: 1\n1: x\n', ['2:1 key-not-text']],
  ['a key that is a list', 'interlock: 1\n? [a]\n: x\n', ['2:3 key-not-text']],
  ['broken YAML', 'interlock: 1\nrules: [\n', ['3:1 yaml-malformed']],
  ['a tab as indentation', 'interlock: 1\nrules:\n\t- allow: a.b\n', ['3:1 yaml-malformed']],
  ['a bare star', 'interlock: 1\nrules:\n  - allow: *\n', ['3:12 yaml-malformed']],
  ['a star that reads as an alias', 'interlock: 1\nrules:\n  - allow: *.read\n', ['3:12 alias-unresolved']],
  ['an alias inside its own anchor', 'interlock: 1\nrules: &a [*a]\n', ['2:12 alias-unresolved']],
  ['a tag', 'interlock: 1\nrules: !!seq []\n', ['2:14 yaml-tag']],
  ['a tag of its own', 'interlock: 1\nprincipal: !env X\n', ['2:12 yaml-tag']],
  ['two documents', 'interlock: 1\n---\ninterlock: 1\n', ['2:1 yaml-malformed']],
  ['a merge key', 'interlock: 1\n<<: {rules: []}\n', ['2:1 unknown-key']],
  ['a server as text', 'interlock: 1\nservers: {a: node}\n', ['2:14 wrong-type']],
  ['a server without a command', 'interlock: 1\nservers: {a: {args: [x]}}\n', ['2:11 missing-key']],
  ['a server id in capitals', 'interlock: 1\nservers: {Files: {command: x}}\n', ['2:11 server-id-malformed']],
  [
    'a server id that is too long',
    `interlock: 1\nservers: {${'a'.repeat(33)}: {command: x}}\n`,
    ['2:11 server-id-malformed'],
  ],
  ['a server called interlock', 'interlock: 1\nservers: {interlock: {command: x}}\n', ['2:11 server-id-reserved']],
  ['a server called llm', 'interlock: 1\nservers: {llm: {command: x}}\n', ['2:11 server-id-reserved']],
  ['arguments that are numbers', 'interlock: 1\nservers: {a: {command: x, args: [8080]}}\n', ['2:34 wrong-type']],
  ['a time-out of zero', 'interlock: 1\nservers: {a: {command: x, timeoutMs: 0}}\n', ['2:38 wrong-value']],
  ['a time-out as text', 'interlock: 1\nservers: {a: {command: x, timeoutMs: 5s}}\n', ['2:38 wrong-type']],
  ['a sandbox by another word', 'interlock: 1\nservers: {a: {command: x, sandbox: none}}\n', ['2:36 wrong-value']],
  [
    'an unset variable',
    'interlock: 1\nservers: {a: {command: x, env: {A: "k=${NOPE}"}}}\n',
    ['2:39 environment-unset'],
  ],
  [
    'a variable named like a method of objects',
    'interlock: 1\nservers: {a: {command: x, env: {A: "${toString}"}}}\n',
    ['2:37 environment-unset'],
  ],
  [
    'a variable without an end',
    'interlock: 1\nservers: {a: {command: x, env: {A: "${NOPE"}}}\n',
    ['2:37 environment-malformed'],
  ],
  ['an effect that does not exist', 'interlock: 1\ntools: {a.b: {effect: reed}}\n', ['2:23 wrong-value']],
  ['a tool without a server', 'interlock: 1\ntools: {read: {effect: read}}\n', ['2:9 pattern-malformed']],
  ['an input of a pattern', 'interlock: 1\ntools: {a.*: {input: {}}}\n', ['2:15 input-of-pattern']],
  [
    'an input that is no schema of an object',
    'interlock: 1\ntools: {a.b: {input: {type: string}}}\n',
    ['2:22 wrong-value'],
  ],
  [
    'an integer no double holds',
    'interlock: 1\ntools: {a.b: {input: {maximum: 9007199254740993}}}\n',
    ['2:32 wrong-value'],
  ],
  [
    'a path guard without a directory',
    'interlock: 1\ntools: {a.b: {guard: {path: {args: [p]}}}}\n',
    ['2:23 missing-key'],
  ],
  [
    'a path guard over nothing',
    'interlock: 1\ntools: {a.b: {guard: {path: {within: ., args: []}}}}\n',
    ['2:47 wrong-value'],
  ],
  ['a public key that is none', 'interlock: 1\nprincipals: {a: {key: "ed25519:abc"}}\n', ['2:23 wrong-value']],
  ['a principal that is not listed', 'interlock: 1\nprincipal: b\nprincipals: {a: {}}\n', ['2:12 principal-unknown']],
  ['a rule without an effect', 'interlock: 1\nrules:\n  - when: "true"\n', ['3:5 missing-key']],
  ['a rule with two effects', 'interlock: 1\nrules:\n  - allow: a.b\n    deny: a.b\n', ['4:5 two-effects']],
  ['a rule that is text', 'interlock: 1\nrules: [allow]\n', ['2:9 wrong-type']],
  ['a rule over a list', 'interlock: 1\nrules: [{allow: [a.b]}]\n', ['2:17 wrong-type']],
  ['a pattern with a space', 'interlock: 1\nrules: [{allow: "a. b"}]\n', ['2:18 pattern-malformed']],
  ['a condition that is a boolean', 'interlock: 1\nrules: [{allow: a.b, when: true}]\n', ['2:28 wrong-type']],
  ['a condition that is empty', 'interlock: 1\nrules: [{allow: a.b, when: ""}]\n', ['2:28 wrong-value']],
  ['approvers on an allow', 'interlock: 1\nrules: [{allow: a.b, approvers: [x]}]\n', ['2:22 key-without-ask']],
  ['an expiry on a deny', 'interlock: 1\nrules: [{deny: a.b, expires: 5m}]\n', ['2:21 key-without-ask']],
  ['a quorum of nobody', 'interlock: 1\nrules: [{ask: a.b, quorum: 0}]\n', ['2:28 wrong-value']],
  ['no approver at all', 'interlock: 1\nrules: [{ask: a.b, approvers: []}]\n', ['2:31 wrong-value']],
  ['an expiry that is no duration', 'interlock: 1\nrules: [{ask: a.b, expires: soon}]\n', ['2:29 wrong-value']],
  ['an id twice', 'interlock: 1\nrules: [{id: x, allow: a.b}, {id: x, deny: a.b}]\n', ['2:38 duplicate-id']],
  ['an id that looks like a position', 'interlock: 1\nrules: [{id: rules/7, allow: a.b}]\n', ['2:14 wrong-value']],
  ['half a surrogate pair', 'interlock: 1\nrules: [{deny: a.b, because: "\\ud83d"}]\n', ['2:30 wrong-value']],
];

for (const [what, text, expected] of REFUSED) {
  test(`${what} is refused at its place`, () => {
    assert.deepEqual(refusals(text), expected);
  });
}

const IN_SECTION: Readonly<Record<keyof typeof LATER, (key: string) => string>> = {
  top: (key) => `interlock: 1\n${key}: {}\n`,
  server: (key) => `interlock: 1\nservers:\n  a:\n    command: x\n    ${key}: y\n`,
  tool: (key) => `interlock: 1\ntools:\n  a.b:\n    ${key}: y\n`,
  guard: (key) => `interlock: 1\ntools:\n  a.b:\n    guard:\n      ${key}: y\n`,
  downstreamKey: (key) => `interlock: 1\ntools:\n  a.b:\n    downstreamKey:\n      ${key}: y\n`,
  guardPath: (key) => key,
  principal: (key) => key,
  rule: (key) => key,
  approvals: (key) => `interlock: 1\napprovals:\n  ${key}: y\n`,
  clock: (key) => key,
  disk: (key) => key,
};

for (const section of ['top', 'server', 'tool', 'downstreamKey', 'guard', 'approvals'] as const) {
  for (const key of LATER[section]) {
    test(`\`${key}\` in ${section} is refused as not available yet, never ignored`, () => {
      const text = IN_SECTION[section](key);
      const line = text.trimEnd().split('\n').length;
      const column = (text.trimEnd().split('\n').at(-1) ?? '').search(/\S/u) + 1;
      assert.deepEqual(refusals(text), [`${line}:${column} not-available-yet`]);
    });
  }
}

test('a sandbox other than `off` is refused as not available yet', () => {
  for (const sandbox of ['preferred', 'required', '{ network: none }']) {
    const text = `interlock: 1\nservers: {a: {command: x, sandbox: ${sandbox}}}\n`;
    assert.deepEqual(refusals(text), ['2:36 not-available-yet']);
  }
});

test('every key of the published list is either read or refused by name', () => {
  const listed: Readonly<Record<string, string>> = {
    top: 'interlock principal servers tools principals models programs rules budgets limits preset shadow pins approvals clock disk retention checkpoints builtin secrets personal',
    tool: 'effect input key downstreamKey cost actualCost failed effectTimeout personal subject subjectCheck secrets labels probe guard output default',
  };
  for (const [section, keys] of Object.entries(listed)) {
    for (const key of keys.split(' ')) {
      const text = section === 'top' ? `${key}: {}\n` : `interlock: 1\ntools: {a.b: {${key}: {}}}\n`;
      const result = parse(text);
      assert.equal(
        result.issues.some((issue) => issue.code === 'unknown-key'),
        false,
        `${section}: ${key}`,
      );
    }
  }
});

test('an unknown key is answered with the one that was meant', () => {
  const result = parse('interlock: 1\nrules: [{alow: a.b}]\n');
  assert.equal(result.issues[0]?.hint, 'did you mean `allow`?');
  assert.equal(parse('interlock: 1\nprincpals: {}\n').issues[0]?.hint, 'did you mean `principals`?');
  assert.match(parse('interlock: 1\nzzz: {}\n').issues[0]?.hint ?? '', /^known keys: interlock, principal/);
});

test('several problems are all told, in the order of the file', () => {
  const text = 'interlock: 3\nrules:\n  - allow: a.b\n    wen: x\n  - deny: nodot\nbuiltin: {}\n';
  assert.deepEqual(refusals(text), [
    '1:12 version-unsupported',
    '4:5 unknown-key',
    '5:11 pattern-malformed',
    '6:1 not-available-yet',
  ]);
});

test('columns count code points, so a place after an emoji is where an editor shows it', () => {
  assert.deepEqual(refusals('interlock: 1\nrules: [{deny: a.b, because: "😀é", wen: x}]\n'), ['2:36 unknown-key']);
});

test('a value from the environment appears in the child alone: not in data, digest, issues or print-outs', () => {
  const text = 'interlock: 1\nservers: {a: {command: x, env: {A: "${S}-${S}"}}}\n';
  const one = parsed(text, { S: 'hunter2' });
  const other = parsed(text, { S: 'other' });
  assert.equal(one.servers.get('a')?.env.get('A')?.value, 'hunter2-hunter2');
  assert.equal(one.digest, other.digest);
  assert.doesNotMatch(canonicalText(one.data), /hunter2/);
  assert.doesNotMatch(JSON.stringify([...(one.servers.get('a')?.env.values() ?? [])]), /hunter2/);
  assert.match(JSON.stringify([...(one.servers.get('a')?.env.values() ?? [])]), /\$\{S\}/);
});

test('a variable outside `env` stays as written, with a warning', () => {
  const result = parse('interlock: 1\nservers: {a: {command: x, args: ["${HOME}"], cwd: "${HOME}"}}\n', { HOME: '/h' });
  assert.ok(result.ok);
  assert.deepEqual(result.value.servers.get('a')?.args, ['${HOME}']);
  assert.deepEqual(placesOf(result.issues), ['2:35 environment-not-replaced', '2:52 environment-not-replaced']);
});

test('the digest is of the document as data: comments, order of keys and style do not count, values do', () => {
  const digest = parsed('interlock: 1\nrules: [{allow: a.b, when: "x"}]\n').digest;
  assert.equal(parsed('# why\nrules:\n  - when: x\n    allow: "a.b"\ninterlock: 1\n').digest, digest);
  assert.notEqual(parsed('interlock: 1\nrules: [{allow: a.b, when: "y"}]\n').digest, digest);
});

test('names from the prototype of objects are ordinary names', () => {
  assert.deepEqual(refusals('interlock: 1\nconstructor: {}\n__proto__: {}\n'), ['2:1 unknown-key', '3:1 unknown-key']);
  const configuration = parsed(
    'interlock: 1\ntools: {a.b: {input: {properties: {__proto__: {type: string}}}}}\nprincipals: {__proto__: {roles: [x]}}\n',
  );
  const properties = configuration.tools[0]?.declared.input?.['properties'];
  assert.deepEqual(Object.keys(properties ?? {}), ['__proto__']);
  assert.equal(configuration.principals?.has('__proto__'), true);
  assert.equal(configuration.principals.has('constructor'), false);
});

test('aliases stand for what they name, and cannot multiply a small file into a large one', () => {
  const shared = parsed(
    'interlock: 1\nrules:\n  - allow: a.b\n    when: &c args.x == 1\n  - deny: a.c\n    when: *c\n',
  );
  assert.equal(shared.rules[1]?.when?.text, 'args.x == 1');
  const levels = Array.from({ length: 9 }, (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]`);
  const bomb = `interlock: 1\ntools:\n  a.b:\n    input:\n      a0: &a0 x\n${levels.map((level) => `      ${level}`).join('\n')}\n`;
  assert.deepEqual(
    refusals(bomb).map((place) => place.split(' ')[1]),
    ['too-large'],
  );
});

test('a document that nests too deep, or is too large, is one problem', () => {
  assert.deepEqual(
    refusals(`interlock: 1\nrules: ${'['.repeat(100)}${']'.repeat(100)}\n`).map((at) => at.split(' ')[1]),
    ['too-deep'],
  );
  assert.deepEqual(
    refusals('['.repeat(20_000)).map((at) => at.split(' ')[1]),
    ['too-deep'],
  );
  assert.deepEqual(refusals(`interlock: 1\n# ${'x'.repeat(1024 * 1024)}`), ['1:1 too-large']);
});

test('more than ten thousand rules are refused', () => {
  const rules = (count: number): string => `interlock: 1\nrules:\n${'  - deny: a.b\n'.repeat(count)}`;
  assert.equal(parsed(rules(10_000)).rules.length, 10_000);
  assert.deepEqual(refusals(rules(10_001)), ['2:1 too-many']);
});

test('a file of nothing but mistakes is answered within bounds', () => {
  const text = `interlock: 1\n${Array.from({ length: 50_000 }, (_, index) => `k${index}: x`).join('\n')}\n`;
  const result = parse(text);
  assert.equal(result.issues.length, 201);
  assert.equal(result.issues.at(-1)?.code, 'too-many-problems');
  assert.equal(result.issues.at(-1)?.severity, 'error');
});

test('no text makes the parser throw, and what it refuses has a place inside the text', () => {
  const piece = fc.constantFrom(
    'interlock: 1',
    '\n',
    '  ',
    '- ',
    'rules:',
    'tools:',
    'servers:',
    'allow: a.b',
    'when: ',
    '>-',
    '|',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ': ',
    ', ',
    '*a',
    '&a ',
    '!t ',
    '#',
    '%',
    '@',
    '`',
    '\t',
    '\\',
    '${X}',
    '😀',
    '\ud800',
    '\u0000',
    'null',
    '1',
    '~',
    '? ',
    '---\n',
    '<<: ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const lines = text.split('\n');
      for (const issue of parse(text).issues) {
        assert.ok(issue.line >= 1 && issue.line <= lines.length, `line ${issue.line} of ${lines.length}`);
        assert.ok(issue.column >= 1 && issue.column <= [...(lines[issue.line - 1] ?? '')].length + 1);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('witnesses are read with their keys, and each mistake in one is told at its place', () => {
  const key = witnessKeyLine(9);
  const read = parsed(`interlock: 1\ncheckpoints: { witnesses: [{ key: "${key}", url: "https://w.example/x" }] }\n`);
  assert.deepEqual(read.checkpoints.witnesses, [{ key, url: 'https://w.example/x' }]);
  const refused = (witness: string): readonly string[] =>
    refusals(`interlock: 1\ncheckpoints:\n  witnesses:\n    - ${witness}\n`).map((told) =>
      told.replace(/^4:\d+ /u, ''),
    );
  const good = `key: "${key}"`;
  assert.deepEqual(refused(`{ ${good} }`), ['wrong-value']);
  assert.deepEqual(refused('{ url: "https://w.example" }'), ['wrong-value']);
  assert.deepEqual(refused(`{ ${good}, url: "w.example" }`), ['wrong-value']);
  assert.deepEqual(refused(`{ ${good}, url: "https://me@w.example" }`), ['wrong-value']);
  assert.deepEqual(refused(`{ key: "${key.replace('test', 'tset')}", url: "https://w.example" }`), ['wrong-value']);
  assert.deepEqual(refused(`{ ${good}, url: "https://w.example", quorum: 2 }`), ['unknown-key']);
  assert.deepEqual(refused('w.example'), ['wrong-type']);
  const twice = `{ ${good}, url: "https://w.example" }`;
  assert.deepEqual(refusals(`interlock: 1\ncheckpoints: { witnesses: [${twice}, ${twice}] }\n`), ['2:27 wrong-value']);
});
