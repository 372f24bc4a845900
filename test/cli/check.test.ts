/** `interlock check`, on good policies, bad ones, and files that are none. */

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/value/digest.ts';
import { POLICY, Scratch, drivesTerminal, json, run } from './command.ts';

interface Told {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly hint: string | null;
}

const MEMBERS = ['code', 'severity', 'message', 'file', 'line', 'column', 'hint'];
const PAYMENTS = join(import.meta.dirname, '../../examples/payments-server.ts');

/** Checks the file `name` in both forms; each says the same. */
async function check(
  scratch: Scratch,
  name: string,
  ...more: readonly string[]
): Promise<{
  readonly code: number | null;
  readonly text: string;
  readonly issues: readonly Told[];
  readonly digest: unknown;
}> {
  const args = ['check', '-c', name, ...more];
  const around = { directory: scratch.path, environment: { PATH: process.env['PATH'] ?? '' } };
  const [people, programs] = [await run(args, around), await run([...args, '--json'], around)];
  const answer = json(programs.out);
  const issues = answer['issues'] as Told[];
  assert.deepEqual(Object.keys(answer), ['ok', 'digest', 'issues']);
  assert.deepEqual([answer['ok'], programs.code], people.code === 0 ? [true, 0] : [false, 2]);
  for (const issue of issues) {
    assert.deepEqual(Object.keys(issue), MEMBERS);
    assert.equal(issue.file, name);
    assert.ok(people.err.includes(`${name}:${issue.line}:${issue.column}: ${issue.severity}: `));
    assert.ok(people.err.includes(`[${issue.code}]`));
    if (issue.hint !== null) assert.ok(people.err.includes(`  hint: ${issue.hint}\n`));
  }
  assert.equal(drivesTerminal(people.out + people.err + programs.out), false);
  return { code: people.code, text: people.out + people.err, issues, digest: answer['digest'] };
}

test('a good policy is ok, and named by the digest of its canonical form', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  const { code, text, issues, digest } = await check(scratch, 'interlock.yaml');
  assert.deepEqual([code, issues], [0, []]);
  assert.match(text, /^interlock\.yaml: ok, 0 errors, 0 warnings, sha256:[0-9a-f]{64}\n$/u);
  assert.ok(text.includes(String(digest)));
  assert.deepEqual(await run(['check'], { directory: scratch.path }), { code: 0, out: text, err: '' });
  scratch.write('least.yaml', '# a comment\ninterlock: 1\n');
  assert.equal((await check(scratch, 'least.yaml')).digest, digestOf({ interlock: 1 }));
});

test('a warning does not fail the check', async () => {
  using scratch = new Scratch();
  scratch.write('w.yaml', 'interlock: 1\n');
  const { code, text, issues } = await check(scratch, 'w.yaml');
  assert.deepEqual([code, issues[0]?.code, issues[0]?.severity], [0, 'no-rules', 'warning']);
  assert.match(text, /0 errors, 1 warning, /u);
});

test('a guarded directory that holds what the policy rests on is warned of, however it is written', async () => {
  using scratch = new Scratch();
  mkdirSync(scratch.at('work'));
  symlinkSync(scratch.path, scratch.at('work', 'out'));
  const policy = (within: string, effect: string): string =>
    `interlock: 1\ntools:\n  files.put:\n    effect: ${effect}\n    input: {type: object, properties: {path: {type: string}}}\n` +
    `    guard: { path: { within: ${within} } }\n`;
  for (const [within, effect, warned] of [
    ['.', 'write', true],
    ['..', 'irreversible', true],
    ['./work/../', 'write', true],
    ['work/out', 'write', true],
    ['.interlock', 'write', true],
    ['work', 'write', false],
    ['.', 'read', false],
  ] as const) {
    scratch.write('interlock.yaml', policy(within, effect));
    const { code, out } = await run(['check', '--json'], { directory: scratch.path });
    const found = (json(out)['issues'] as { code: string; line: number }[]).filter(
      (issue) => issue.code === 'guard-root-holds-policy',
    );
    assert.deepEqual([code, found.map(({ line }) => line)], [0, warned ? [6] : []], `${within} ${effect}`);
  }
});

test('each file that cannot be a policy is refused with its place, a reason and a hint', async () => {
  using scratch = new Scratch();
  mkdirSync(scratch.at('directory.yaml'));
  symlinkSync('circle.yaml', scratch.at('circle.yaml'));
  scratch.write('empty.yaml', '');
  scratch.write('blank.yaml', '\n  \n# nothing\n');
  scratch.write('null.yaml', 'null\n');
  scratch.write('bytes.yaml', Buffer.from('interlock: 1\nprincipal: "\ufffd\xff"\n', 'latin1'));
  scratch.write('late.yaml', Buffer.concat([Buffer.from('interlock: 1 # \ufffdé '), Buffer.from([0xc3])]));
  scratch.write('long.yaml', `interlock: 1\n${'# and so on and on\n'.repeat(117_000)}`);
  scratch.write('longer.yaml', Buffer.alloc(4 * 1024 * 1024 + 1, '#'));
  scratch.write('tabs.yaml', 'interlock: 1\nrules:\n\t- allow: "*"\n');
  scratch.write('typo.yaml', 'interlock: 1\nrule: []\n');
  const unreadable = 'configuration-unreadable';
  const cases: readonly (readonly [string, string, number, number, RegExp])[] = [
    ['missing.yaml', unreadable, 1, 1, /there is no such file/u],
    ['typo.yaml/x.yaml', unreadable, 1, 1, /a part of its path is no directory/u],
    ['directory.yaml', unreadable, 1, 1, /it is a directory/u],
    ['circle.yaml', unreadable, 1, 1, /its links lead in a circle/u],
    ['/dev/zero', unreadable, 1, 1, /it is larger than 4194304 bytes/u],
    ['longer.yaml', unreadable, 1, 1, /it is larger than 4194304 bytes/u],
    ['bytes.yaml', unreadable, 2, 13, /expected UTF-8/u],
    ['late.yaml', unreadable, 1, 19, /expected UTF-8/u],
    ['empty.yaml', 'policy-empty', 1, 1, /denies everything/u],
    ['blank.yaml', 'policy-empty', 1, 1, /denies everything/u],
    ['null.yaml', 'policy-empty', 1, 1, /denies everything/u],
    ['/dev/null', 'policy-empty', 1, 1, /denies everything/u],
    ['long.yaml', 'too-large', 1, 1, /expected at most 1048576 characters/u],
    ['tabs.yaml', 'yaml-malformed', 3, 1, /tabs/u],
    ['typo.yaml', 'unknown-key', 2, 1, /`rule`/u],
  ];
  for (const [name, issueCode, line, column, message] of cases) {
    const { code, text, issues, digest } = await check(scratch, name);
    const [first] = issues;
    assert.deepEqual([code, digest, issues.length], [2, null, 1], name);
    assert.deepEqual([first?.code, first?.line, first?.column], [issueCode, line, column], name);
    assert.equal(first?.severity, 'error');
    assert.match(first?.message ?? '', message);
    assert.notEqual(first?.hint, null, name);
    assert.match(text, /: not usable, 1 error, 0 warnings\n/u);
  }
});

test('a file of somebody else is said to be unreadable', async (t) => {
  using scratch = new Scratch();
  scratch.write('closed.yaml', POLICY, 0);
  if (process.geteuid?.() === 0) return t.skip('nothing is closed to root');
  const { code, issues } = await check(scratch, 'closed.yaml');
  assert.equal(code, 2);
  assert.match(issues[0]?.message ?? '', /this user may not read it/u);
});

test('where a byte order mark and Windows line ends are harmless they are no problem', async () => {
  using scratch = new Scratch();
  scratch.write('windows.yaml', `\ufeff${POLICY.replaceAll('\n', '\r\n')}`);
  scratch.write('unix.yaml', POLICY);
  const [windows, unix] = [await check(scratch, 'windows.yaml'), await check(scratch, 'unix.yaml')];
  assert.deepEqual([windows.code, windows.issues, windows.digest], [0, [], unix.digest]);
});

test('what the file holds is shown under a caret and drives no terminal', async () => {
  using scratch = new Scratch();
  scratch.write('x.yaml', 'interlock: 1\nrules:\n  - allow: "*"\n    when: "args.x \u001b[2J"\n"k\u202e\u009b": 1\n');
  const { code, text, issues } = await check(scratch, 'x.yaml');
  assert.equal(code, 2);
  assert.ok(issues.length > 0);
  assert.match(text, /^ {2}\| .*·/mu);
  assert.match(text, /^ {2}\| +\^$/mu);
});

test('a misspelt argument or tool is found in what the server says of itself, and --offline asks nobody', async () => {
  using scratch = new Scratch();
  scratch.write(
    'interlock.yaml',
    `interlock: 1
servers:
  payments: { command: ${JSON.stringify(process.execPath)}, args: [${JSON.stringify(PAYMENTS)}, --file, paid.jsonl] }
rules:
  - allow: payments.get_payment
    when: args.chrge == "x"
  - deny: payments.create_paymet
`,
  );
  const online = await check(scratch, 'interlock.yaml');
  assert.equal(online.code, 2);
  assert.deepEqual(
    online.issues.filter((issue) => issue.severity === 'error').map((issue) => [issue.line, issue.column, issue.hint]),
    [
      [6, 16, 'did you mean `charge`?'],
      [7, 11, 'did you mean `payments.create_payment`?'],
    ],
  );
  const offline = await check(scratch, 'interlock.yaml', '--offline');
  assert.equal(offline.code, 0);
  assert.deepEqual([...new Set(offline.issues.map((issue) => issue.severity))], ['warning']);
});

test('a server that cannot be asked is told, because its rules were not checked', async () => {
  using scratch = new Scratch();
  const dying = "process.stderr.write('dead \\u001b[31m\\u009b\\n'); process.exit(3)";
  scratch.write(
    'interlock.yaml',
    `interlock: 1
servers:
  gone: { command: ./not-there, startTimeoutMs: 500 }
  dies: { command: ${JSON.stringify(process.execPath)}, args: [-e, ${JSON.stringify(dying)}], startTimeoutMs: 5000 }
rules:
  - allow: "*"
`,
  );
  const { issues, text } = await check(scratch, 'interlock.yaml');
  const told = issues.filter((issue) => issue.code === 'server-unavailable');
  const places = told.map(({ line, column, severity }) => `${line}:${column} ${severity}`);
  assert.deepEqual(places, ['3:3 warning', '4:3 warning']);
  assert.match(text, /^\[dies\] dead /mu);
  const offline = await check(scratch, 'interlock.yaml', '--offline');
  assert.equal(
    offline.issues.some((issue) => issue.code === 'server-unavailable'),
    false,
  );
});

test('a shadow is checked as well, each problem in its own file, and a broken one does not pass [R-shadow]', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', `${POLICY}shadow: policies/next.yaml\n`);
  const around = { directory: scratch.path };
  const missing = await run(['check'], around);
  assert.equal(missing.code, 2);
  assert.match(missing.err, /^policies\/next\.yaml:1:1: error: the configuration cannot be read/u);

  scratch.write('policies/next.yaml', POLICY.replace('args.amount <= 20000', 'args.amuont <= 20000'));
  const misspelt = await run(['check', '--json'], around);
  const issues = (json(misspelt.out)['issues'] as Told[]).filter(({ severity }) => severity === 'error');
  assert.deepEqual([misspelt.code, issues.map(({ file, line }) => [file, line])], [2, [['policies/next.yaml', 15]]]);
  const told = await run(['check'], around);
  assert.match(told.err, /when: args\.amuont <= 20000\n/u);

  scratch.write('policies/next.yaml', `${POLICY}servers: { other: { command: nothing } }\nprincipal: somebody\n`);
  assert.equal((await run(['check', '--offline'], around)).code, 0);
  scratch.write('call.json', JSON.stringify({ tool: 'bank.pay', args: { charge: 'x', amount: 1 } }));
  scratch.write('policies/next.yaml', 'interlock: nonsense\n');
  const decided = await run(['decide', '--call', 'call.json', '--json'], around);
  assert.deepEqual([decided.code, json(decided.out)['effect']], [0, 'allow']);
});

test('a program that cannot be used is told at the place that names its file [R-program-files]', async () => {
  using scratch = new Scratch();
  const policy = (programs: string): string => `${POLICY}programs:\n${programs}`;
  const told = async (programs: string): Promise<string[]> => {
    scratch.write('interlock.yaml', policy(programs));
    const { issues } = await check(scratch, 'interlock.yaml');
    return issues.map(
      ({ code, line, column, message }) => `${line - POLICY.split('\n').length}:${column} ${code} ${message}`,
    );
  };
  const tool = (name: string): string =>
    `program: p\nstart: s\nsteps:\n  s: { tool: ${name}, args: {}, on_error: e, next: e }\n  e: { end: success }\n`;
  const pays = tool('bank.pay').replace('{}', '{ charge: a, amount: 1 }');
  scratch.write('good.yaml', pays);
  assert.deepEqual(await told('  p: { file: good.yaml, as: tool }\n'), []);
  scratch.write('bad.yaml', 'program: p\nstart: s\nsteps:\n  s: { end: success, next: s }\n');
  scratch.write('none.yaml', tool('bank.none'));
  assert.deepEqual(await told('  a: { file: missing.yaml }\n  b: { file: bad.yaml }\n  c: { file: none.yaml }\n'), [
    '1:14 program-unusable program `a`: `missing.yaml` cannot be read: there is no such file',
    '2:14 program-unusable program `b`: bad.yaml:4:22: step `s` has no key `next`',
    '3:14 program-unusable program `c`: none.yaml:4:14: step `s` calls `bank.none`, and there is no such tool',
  ]);
  assert.deepEqual(await told('  get_run: { file: good.yaml, as: tool }\n'), [
    "1:20 program-unusable program `get_run`: `interlock.get_run` is a tool of Interlock's own",
  ]);
  assert.deepEqual(await told('  get_run: { file: good.yaml }\n'), []);
  // What rules say of a program is typed by its input.
  const rule = '  - { allow: interlock.p, when: args.amountt > 5 }\n';
  scratch.write('typed.yaml', `input: { type: object, properties: { amount: { type: integer } } }\n${pays}`);
  scratch.write('interlock.yaml', `${POLICY}${rule}programs: { p: { file: typed.yaml, as: tool } }\n`);
  assert.deepEqual(
    (await check(scratch, 'interlock.yaml')).issues.map(({ code }) => code),
    ['unknown-member'],
  );
});
