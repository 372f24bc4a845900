/** `interlock eval` and `interlock canonical`: they read no configuration, and answer with values or places. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch, drivesTerminal, json, run } from './command.ts';

const evaluate = async (source: string, ...more: readonly string[]): ReturnType<typeof run> =>
  run(['eval', source, ...more]);

test('a value is printed as JSON, and with --json beside its type', async () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['1 + 1', 2, 'int'],
    ['-1', -1, 'int'],
    ['1.5', 1.5, 'double'],
    ['9223372036854775807', '9223372036854775807', 'int'],
    ['"a" + "\\u001b"', 'a\u001b', 'string'],
    ['b"abc"', 'YWJj', 'bytes'],
    ['[1, "x", null]', [1, 'x', null], 'list'],
    ['{"a": 1}', { a: 1 }, 'map'],
    ['timestamp("2026-01-01T00:00:00Z")', '2026-01-01T00:00:00Z', 'google.protobuf.Timestamp'],
    ['duration("1h")', '3600s', 'google.protobuf.Duration'],
    ['args', {}, 'map'],
  ];
  for (const [source, value, type] of cases) {
    const text = await run(['eval', '--', source]);
    assert.deepEqual([text.code, JSON.parse(text.out), text.err], [0, value, ''], source);
    const told = await run(['eval', '--json', '--', source]);
    assert.deepEqual([told.code, json(told.out), told.err], [0, { value, type }, ''], source);
  }
});

test('the arguments are what --args says', async () => {
  const args = '{"amount": 12, "to": ["a", "b"]}';
  assert.equal((await evaluate('args.amount > 10 && "b" in args.to', '--args', args)).out, 'true\n');
  assert.equal((await run(['eval', '--args', args, 'args.to[0]'])).out, '"a"\n');
});

test('an expression that cannot be read or typed exits 2, one that cannot be evaluated 1, each with its column', async () => {
  const cases: readonly (readonly [string, number, string, number])[] = [
    ['1 +', 2, 'expression-syntax', 4],
    ['', 2, 'expression-syntax', 1],
    ['"😀" + foo', 2, 'unknown-name', 7],
    ['1 + "a"', 2, 'type-mismatch', 1],
    ['args.x > 1', 1, 'no-such-member', 6],
    ['1 / 0', 1, 'division-by-zero', 1],
  ];
  for (const [source, exit, code, column] of cases) {
    const told = await evaluate(source, '--json');
    const { error } = json(told.out) as { error: Record<string, unknown> };
    assert.deepEqual(Object.keys(error), ['code', 'message', 'column']);
    assert.deepEqual([told.code, told.err, error['code'], error['column']], [exit, '', code, column], source);
    const text = await evaluate(source);
    assert.deepEqual([text.code, text.out], [exit, '']);
    assert.match(text.err, new RegExp(`^<expression>:1:${column}: error: .* \\[${code}\\]\n {2}\\| `, 'u'));
  }
});

test('arguments that are no JSON are refused with their place', async () => {
  for (const [args, column] of [
    ['{x}', 2],
    ['{"x": 9007199254740993}', 7],
    ['{"a":1,"a":2}', 8],
  ] as const) {
    const told = await evaluate('args', '--args', args, '--json');
    const { error } = json(told.out) as { error: Record<string, unknown> };
    assert.deepEqual([told.code, error['column']], [2, column], args);
    const text = await evaluate('args', '--args', args);
    assert.match(text.err, new RegExp(`^--args:1:${column}: error: `, 'u'));
  }
});

test('a value that would drive the terminal is printed escaped and is the same value', async () => {
  const args = JSON.stringify({ x: '\u001b[2J\u009b31m\u202e\u{e0001}\u2028' });
  for (const more of [[], ['--json']]) {
    const { code, out } = await evaluate('args.x', '--args', args, ...more);
    assert.equal(code, 0);
    assert.equal(drivesTerminal(out), false);
    assert.ok(out.includes('\\u001b[2J\\u009b31m\\u202e\\udb40\\udc01\\u2028'));
  }
});

test('neither reads a configuration, but one that is named must be there', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', 'nonsense');
  const around = { directory: scratch.path, input: '1' };
  assert.equal((await run(['eval', '1'], around)).code, 0);
  assert.equal((await run(['canonical'], around)).code, 0);
  for (const name of ['eval', 'canonical']) {
    const operands = name === 'eval' ? ['1'] : [];
    const { code, out, err } = await run([name, ...operands, '-c', 'absent.yaml'], around);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /^interlock: the configuration `absent\.yaml` does not exist\n {2}hint: /u);
  }
});

test('canonical prints the canonical bytes and no newline', async () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"b": [1.0, 1e3],\n "a": "\\u00e9"}', '{"a":"é","b":[1,1000]}'],
    [' null ', 'null'],
    ['"\\u001f/"', '"\\u001f/"'],
  ];
  for (const [input, out] of cases) assert.deepEqual(await run(['canonical'], { input }), { code: 0, out, err: '' });
});

test('canonical refuses what is not strict JSON with line and column, exit code 2 and no output', async () => {
  const cases: readonly (readonly [string | Uint8Array, number, number, string])[] = [
    ['', 1, 1, 'json-syntax'],
    ['{\n"a":1,\n"a":2}', 3, 1, 'json-duplicate-key'],
    ['[1,\n 9007199254740993]', 2, 2, 'json-unsafe-integer'],
    ['"\\ud800"', 1, 2, 'json-lone-surrogate'],
    ['\ufeff1', 1, 1, 'json-bom'],
    ['1 2', 1, 3, 'json-trailing'],
    [Uint8Array.of(0x22, 0xff, 0x22), 1, 2, 'json-utf8'],
  ];
  for (const [input, line, column, code] of cases) {
    const text = await run(['canonical'], { input });
    assert.deepEqual([text.code, text.out], [2, '']);
    assert.match(text.err, new RegExp(`^<stdin>:${line}:${column}: error: .* \\[${code}\\]\n`, 'u'));
    const told = await run(['canonical', '--json'], { input });
    const [issue] = json(told.out)['issues'] as Record<string, unknown>[];
    assert.deepEqual([told.code, issue?.['code'], issue?.['line'], issue?.['column']], [2, code, line, column]);
  }
});

test('canonical takes no more than a document may have', async () => {
  const { code, out, err } = await run(['canonical'], { input: Buffer.alloc(16 * 1024 * 1024 + 1, ' ') });
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^<stdin>:1:1: error: standard input cannot be read: it is larger than 16777216 bytes/u);
});
