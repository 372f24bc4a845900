/** The command line itself: its commands, its options wherever they stand, its help, and how it refuses. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { UNAVAILABLE } from '../../src/cli/unavailable.ts';
import { POLICY, Scratch, drivesTerminal, json, run } from './command.ts';

const BUILT =
  'gateway check decide explain test eval canonical log verify export receipt settle approvals approve refuse breakglass approver kill revive pin init recover replay diff learn erase subjects disclose hold key report program run runs signal cancel'.split(
    ' ',
  );
/** Every further command of the contract. */
const LATER = 'connect doctor guard'.split(' ');
const EXIT_CODES = /Exit codes: 0 ok, 1 looked and found it wrong, 2 bad argument.*70 a bug\.\n$/su;

test('every command of the contract is there, built or not', async () => {
  const { code, out, err } = await run(['--help']);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, EXIT_CODES);
  for (const name of [...BUILT, ...LATER]) assert.match(out, new RegExp(`^  ${name}(?: |$)`, 'mu'), name);
  assert.deepEqual(UNAVAILABLE.map(([name]) => name).sort(), LATER.toSorted());
});

test('a command that is not built says so on one line and exits 2, whatever follows its name', async () => {
  const given: readonly (readonly string[])[] = [
    ...LATER.map((name) => [name]),
    ['guard', 'net'],
    ['guard', 'net', '--input', '{}'],
    ['-c', 'interlock.yaml', '--json', 'doctor'],
  ];
  for (const args of given) {
    const { code, out, err } = await run(args);
    const name = args.find((one) => LATER.includes(one)) ?? '';
    assert.deepEqual([code, out, err], [2, '', `interlock: \`${name}\` is not available yet\n`]);
  }
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['gateway --http', ['gateway', '--http', 'localhost:8080']],
  ];
  for (const [name, args] of parts) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out, err], [2, '', `interlock: \`${name}\` is not available yet\n`]);
  }
});

test('each command explains itself with its options and exits 0', async () => {
  for (const name of [...BUILT, ...LATER]) {
    for (const args of [
      [name, '--help'],
      [name, '-h'],
      ['help', name],
    ]) {
      const { code, out, err } = await run(args);
      assert.deepEqual([code, err], [0, ''], args.join(' '));
      assert.ok(out.startsWith(`Usage: interlock ${name} `), args.join(' '));
      assert.match(out, EXIT_CODES);
      if (BUILT.includes(name)) assert.match(out, /-c, --config <file>.*--data <dir>.*--json/su);
      else assert.match(out, /\(not available yet\)/u);
    }
  }
});

test('without a command the help is an error', async () => {
  for (const args of [[], ['-c', 'interlock.yaml'], ['--json']]) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /^Usage: interlock /u);
  }
});

test('the version is the one of the package, alone on its line', async () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  for (const option of ['--version', '-V']) {
    assert.deepEqual(await run([option]), { code: 0, out: `${version}\n`, err: '' });
  }
});

test('wrong arguments get one line that names them, a hint, and exit code 2', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['nonsense'], /unknown command `nonsense`\n {2}hint: see `interlock --help`/u],
    [['chekc'], /unknown command `chekc`\n {2}hint: did you mean check\?/u],
    [['--nope', 'check'], /unknown option `--nope`/u],
    [['check', '--nope'], /unknown option `--nope`/u],
    [['check', '--jsno'], /unknown option `--jsno`\n {2}hint: did you mean --json\?/u],
    [['check', 'extra'], /too many arguments for `check`/u],
    [['check', '-c'], /option `-c, --config <file>` argument missing/u],
    [['eval'], /missing required argument `expression`/u],
    [['eval', 'a', 'b'], /too many arguments for `eval`/u],
    [['decide'], /required option `--call <file>` not specified\n {2}hint: see `interlock decide --help`/u],
    [['settle', 'x', 'executed'], /required option `--reason <text>` not specified/u],
    [['settle', '--reason', 'x'], /missing required argument `call`/u],
    [['settle', 'x', '--reason', 'x'], /missing required argument `outcome`/u],
    [['verify', 'a', 'b'], /too many arguments for `verify`/u],
    [['verify', ''], /the path is empty/u],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, expected);
    assert.match(err, /^interlock: /u);
  }
});

test('an empty option is refused, because an unset variable must not name this directory', async () => {
  const empty: readonly (readonly string[])[] = [
    ['check', '-c', ''],
    ['--config', '', 'check'],
    ['log', '--data', ''],
    ['decide', '--call', ''],
    ['verify', '--key', ''],
    ['settle', 'x', 'executed', '--reason', ''],
  ];
  for (const args of empty) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, /^interlock: `--\w+` is empty\n$/u);
  }
});

test('common options stand before the command or after it, and after it they count', async () => {
  using scratch = new Scratch();
  scratch.write('good.yaml', POLICY);
  scratch.write('bad.yaml', 'nonsense: 1\n');
  const directory = scratch.path;
  const after = await run(['check', '-c', 'good.yaml', '--json'], { directory });
  const before = await run(['-c', 'good.yaml', '--json', 'check'], { directory });
  const mixed = await run(['--json', 'check', '--config=good.yaml'], { directory });
  const both = await run(['-c', 'bad.yaml', '--json', 'check', '-c', 'good.yaml'], { directory });
  assert.equal(json(after.out)['ok'], true);
  for (const one of [before, mixed, both]) assert.deepEqual(one, after);
});

test('the value of an option may look like an option', async () => {
  using scratch = new Scratch();
  const { code, err } = await run(['settle', 'x', 'executed', '--reason', '--json', '--data', scratch.path]);
  assert.equal(code, 7);
  assert.match(err, /holds no ledger/u);
});

test('what a person typed never reaches the terminal raw', async () => {
  const hostile = '\u001b[2J\u202e\u009b31m\u0007';
  const cases: readonly (readonly string[])[] = [
    [hostile],
    [`--${hostile}`],
    ['check', hostile],
    ['check', '-c', hostile],
    ['gateway', '-c', hostile, '--data', `${import.meta.filename}/${hostile}`],
    ['log', '-c', hostile],
    ['log', '--data', hostile],
    ['log', '--since', hostile],
    ['log', '--effect', hostile],
    ['verify', hostile],
    ['verify', '--key', hostile],
    ['verify', '--checkpoint', hostile],
    ['decide', '--call', hostile],
    ['eval', hostile],
    ['eval', '1', '--args', hostile],
    ['settle', 'x', hostile, '--reason', 'y'],
    ['settle', 'x', 'executed', '--reason', 'y', '--data', hostile],
    ['settle', 'x', 'executed', '--reason', 'y', '--output', hostile],
  ];
  for (const args of cases) {
    const { code, out, err } = await run(args);
    assert.ok(code === 2 || code === 7, args[0]);
    assert.notEqual(out + err, '');
    assert.equal(drivesTerminal(out + err), false, JSON.stringify([args, out + err]));
  }
});

test('a bug says that it is one, shows where, and exits 70', async () => {
  const input = new Readable({
    read() {
      this.destroy(new TypeError('a \u001b[31mbug'));
    },
  });
  const { code, out, err } = await run(['canonical'], { input });
  assert.deepEqual([code, out], [70, '']);
  assert.match(err, /^interlock: this is a bug, please report it\nTypeError: a \\u\{1b\}\[31mbug\n/u);
  assert.match(err, /^ {4}at canonicalCommand /mu);
  assert.equal(drivesTerminal(err), false);
});
