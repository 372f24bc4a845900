import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch, json, run } from './command.ts';

const POLICY = `interlock: 1
approvals: { signed: false }
models: { support: { provider: scripted, file: answers.yaml } }
rules:
  - allow: llm.support
`;
const ANSWERS = `answers:
  - { prompt: refund, text: refund }
  - { prompt: nonsense, text: maybe }
`;
const PROGRAM = `
program: sorted
input: { type: object, required: [text], properties: { text: { type: string } } }
events: { go: { type: object, required: [n], properties: { n: { type: integer } } } }
start: ask
steps:
  ask: { llm: support, prompt: "\${{ input.text }}", outputs: [refund, query], mismatch: { retry: 1, then: fail }, next: wait }
  wait: { wait: go, timeout: 1h, next: choose, expired: late }
  choose: { choose: [{ when: steps.wait.output.n > 1, next: done }, { next: late }] }
  done: { end: success, output: { said: "\${{ steps.ask.output }}", n: "\${{ steps.wait.output.n }}" } }
  late: { end: late }
`;

function place(): Scratch {
  const scratch = new Scratch();
  scratch.write('interlock.yaml', POLICY);
  scratch.write('answers.yaml', ANSWERS);
  scratch.write('sorted.yaml', PROGRAM);
  return scratch;
}

test('a program runs until it waits, takes its event, and ends with its output and exit code [R-run-once]', async () => {
  using scratch = place();
  const around = { directory: scratch.at() };
  const started = await run(['run', 'sorted.yaml', '--input', '{"text":"refund me"}', '--json'], around);
  const first = json(started.out);
  assert.deepEqual([started.code, first['status'], first['steps']], [6, 'suspended', ['ask', 'wait']], started.err);
  const id = String(first['run']);
  const listed = await run(['runs'], around);
  assert.match(
    listed.out,
    new RegExp(`^run ${id} of sorted: suspended\\n  steps  ask → wait\\n  waits  wait/1 for the event go until`, 'u'),
  );
  for (const [payload, code] of [
    ['{"n":"x"}', 'event-invalid'],
    ['{', 'is no JSON'],
  ]) {
    const bad = await run(['signal', id, 'go', '--payload', payload ?? ''], around);
    assert.notEqual(bad.code, 0);
    assert.ok(bad.err.includes(code ?? ''), bad.err);
  }
  const other = await run(['signal', id, 'stop'], around);
  assert.match(other.err, /does not wait for `stop` now \[not-waiting\]/u);
  const ended = await run(['signal', id, 'go', '--payload', '{"n":2}', '--id', 'e1', '--json'], around);
  const last = json(ended.out);
  assert.deepEqual([ended.code, last['status'], last['output']], [0, 'success', { said: 'refund', n: 2 }], ended.err);
  const late = await run(['signal', id, 'go', '--payload', '{"n":2}', '--id', 'e1'], around);
  assert.deepEqual([late.code, late.out], [1, '']);
  assert.match(late.err, /is over: success \[over\]/u);
  assert.match((await run(['runs'], around)).out, /no run is open; --all lists those that are over/u);
  assert.match((await run(['runs', '--all'], around)).out, /: success/u);
  assert.equal((await run(['verify', '--deep'], around)).code, 0);
});

test('a run that ends otherwise than in success says so, and one that cannot start is no run [R-run-once]', async () => {
  using scratch = place();
  const around = { directory: scratch.at() };
  const failed = await run(['run', 'sorted.yaml', '--input', '{"text":"nonsense"}', '--json'], around);
  assert.equal(failed.code, 5, failed.err);
  assert.deepEqual((json(failed.out)['failure'] as { code: string }).code, 'mismatch');
  const started = await run(['run', 'sorted.yaml', '--input', '{"text":"refund"}', '--json'], around);
  const id = String(json(started.out)['run']);
  const cancelled = await run(['cancel', id, '--json'], around);
  assert.deepEqual([cancelled.code, json(cancelled.out)['status']], [0, 'cancelled'], cancelled.err);
  assert.equal((await run(['cancel', id], around)).code, 1);
  assert.equal((await run(['cancel', 'none'], around)).code, 1);
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['run', 'sorted.yaml'], /the input must have|input-invalid/u],
    [['run', 'sorted.yaml', '--input', '{"text":1}'], /input-invalid/u],
    [['run', 'sorted.yaml', '--input', '[]'], /expected `--input` to be a JSON object/u],
    [['run', 'none.yaml'], /cannot be read/u],
    [['runs', 'forget'], /expected `recover` or nothing/u],
  ];
  for (const [args, said] of wrong) {
    const { code, err } = await run(args, around);
    assert.deepEqual([code, said.test(err)], [2, true], `${args.join(' ')}: ${err}`);
  }
  scratch.write('bad.yaml', PROGRAM.replace('next: wait', 'next: wiat'));
  const bad = await run(['run', 'bad.yaml', '--input', '{"text":"x"}'], around);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /step-unknown/u);
  scratch.write('unproved.yaml', `${PROGRAM}properties:\n  - done only after late\n`);
  const unproved = await run(['run', 'unproved.yaml', '--input', '{"text":"refund"}'], around);
  assert.deepEqual(
    [unproved.code, /not proved: done only after late \[unproved\]/u.test(unproved.err)],
    [2, true],
    unproved.err,
  );
  const forced = await run(['run', 'unproved.yaml', '--input', '{"text":"refund"}', '--unproved', '--json'], around);
  assert.equal(forced.code, 6, forced.err);
  assert.deepEqual((json(forced.out)['receipt'] as { unproved: string[] }).unproved, ['done only after late']);
});

test('a secret in what a run is given is refused, since a run may wait for days', async () => {
  using scratch = place();
  const around = { directory: scratch.at() };
  const token = `ghp_${'a1B2c3D4e5'.repeat(3)}F6g7h8`;
  const refused = await run(['run', 'sorted.yaml', '--input', JSON.stringify({ text: `refund ${token}` })], around);
  assert.deepEqual(
    [refused.code, refused.err.includes('secret-cannot-wait'), refused.err.includes(token)],
    [2, true, false],
  );
});
