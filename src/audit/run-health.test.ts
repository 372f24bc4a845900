import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';
import { type Figures, type Health, readBaseline, runHealth } from './run-health.ts';
import { type RunReceipt, runReceipts } from './run-receipt.ts';

/** A receipt of a path, and of calls as `COMMAND:TOOL:STATE:ATTEMPTS`. */
function receipt(path: string, calls: readonly string[] = [], denials = 0): RunReceipt {
  const steps = path === '' ? [] : path.split(' ');
  return {
    run: 'r',
    program: 'p',
    version: 1,
    digests: { program: '', policy: '', capability: '' },
    principal: 'local',
    status: 'success',
    started: '2026-01-01T00:00:00.000Z',
    path: steps.map((step) => ({ step, entry: 0 })),
    calls: calls.map((text) => {
      const [command = '', tool = '', state = 'succeeded', attempts = '1'] = text.split(':');
      return { call: text, command, step: command, tool, state, attempts: Number(attempts), entry: 0 };
    }),
    denials: Array.from({ length: denials }, () => ({
      entry: 0,
      command: 'a/1',
      step: 'a',
      tool: 't',
      code: 'no-rule',
    })),
    approvals: [],
    children: [],
    snapshot: '',
    notUndone: [],
    unproved: [],
  };
}

const figures = (receipts: readonly RunReceipt[], baseline?: Health): Figures =>
  runHealth(receipts, baseline?.batch).batch.figures;

test('each figure of runs is what its formula gives [R-run-health]', () => {
  const none = { rollbackDensity: 0, toolChurn: 0, pathVariance: 0, transitionEntropy: 0, deniedShare: 0 };
  assert.deepEqual(figures([]), none);
  assert.deepEqual(figures([receipt('a b c', ['a/1:t', 'b/1:t'])]), none);
  // Two of four effects were undone; a model and a question are none.
  const undone = ['a/1:t', 'b/1:t', 'c/1:t', 'd/1:t', 'e/1:llm.m', 'f/1:interlock.ask', 'undo/d/1:u', 'undo/c/1:u'];
  assert.equal(figures([receipt('', undone)]).rollbackDensity, 0.5);
  assert.equal(figures([receipt('', ['a/1:t:failed', 'undo/d/1:u'])]).rollbackDensity, 0);
  // Four attempts of two pairs of step and tool: another visit, and the same call sent again.
  assert.equal(figures([receipt('', ['a/1:t', 'a/2:t', 'b/1:t:succeeded:2'])]).toolChurn, 0.5);
  assert.equal(figures([receipt('', ['m/1:llm.x', 'm/1#0.1:llm.x'])]).toolChurn, 0.5);
  assert.equal(figures([receipt('', ['a/1/one:t', 'a/1/two:t', 'b/1:t:parked:0'])]).toolChurn, 0);
  // From `a` as often to `b` as to `c`, from these always to `d`: one bit for half of the transitions.
  const fork = [receipt('a b d'), receipt('a c d')];
  assert.equal(figures(fork).transitionEntropy, 0.5);
  assert.deepEqual(
    runHealth(fork).runs.map((run) => run.figures.pathVariance),
    [0.5, 0.5],
  );
  assert.equal(figures([receipt('', ['a/1:t', 'b/1:t', 'c/1:t'], 1)]).deniedShare, 0.25);
});

test('a figure above its threshold is flagged, of a run and of the batch, and none that reaches it [R-run-health]', () => {
  const calm = receipt('a b', ['a/1:t']);
  const denied = receipt('a b', ['a/1:t'], 9);
  const { ok, runs, batch } = runHealth([calm, denied]);
  assert.equal(ok, false);
  assert.deepEqual(
    runs.map(({ flags }) => flags),
    [[], ['deniedShare']],
  );
  assert.deepEqual(batch.flags, ['deniedShare']);
  const even = runHealth([receipt('a b', ['a/1:t', 'a/2:t'])]);
  assert.deepEqual([even.batch.figures.toolChurn, even.ok], [0.5, true]);
});

test('a batch is compared with an earlier one, transition by transition', () => {
  const before = runHealth([receipt('a b c'), receipt('a b c')]);
  const saved = readBaseline(JSON.parse(JSON.stringify(before)));
  assert.ok(saved !== undefined);
  const { comparison, batch } = runHealth([receipt('a b c'), receipt('a x c')], saved);
  assert.equal(batch.figures.pathVariance, 0.5);
  assert.deepEqual(
    comparison?.transitions.map(({ from, to, change }) => `${from} ${to} ${change}`),
    ['a b -0.25', 'a x 0.25', 'b c -0.25', 'x c 0.25'],
  );
  assert.equal(comparison?.changes.transitionEntropy, 0.5);
  assert.deepEqual(batch.transitions[0], { from: 'a', to: 'b', count: 1, share: 0.5 });
  for (const bad of [null, 1, {}, { batch: { figures: before.batch.figures, transitions: [{}] } }, { batch: {} }]) {
    assert.equal(readBaseline(bad), undefined);
  }
});

const paths = fc.array(
  fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 }).map((path) => receipt(path.join(' '))),
  { maxLength: 8 },
);

test('entropy lies between nothing and that of equal chances, and no order of runs changes a figure [R-run-health]', () => {
  fc.assert(
    fc.property(paths, paths, fc.nat(), (receipts, others, seed) => {
      const { transitionEntropy, pathVariance } = figures(receipts);
      const targets = new Set(receipts.flatMap(({ path }) => path.slice(1).map(({ step }) => step)));
      assert.ok(transitionEntropy >= 0 && transitionEntropy <= Math.log2(Math.max(1, targets.size)) + 1e-12);
      assert.equal(pathVariance, 0);
      const turned = receipts.toSorted((one, another) => hash(one, seed) - hash(another, seed));
      assert.deepEqual(figures(turned), figures(receipts));
      const [there, back] = [figures(receipts, runHealth(others)), figures(others, runHealth(receipts))];
      assert.equal(there.pathVariance, back.pathVariance);
      assert.ok(there.pathVariance >= 0 && there.pathVariance <= 1);
    }),
  );
});

function hash({ path }: RunReceipt, seed: number): number {
  return path.reduce((sum, { step }) => (sum * 31 + step.charCodeAt(0)) % 9973, seed % 9973);
}

test('a receipt says what its entries say, and nothing else is needed for it [R-run-receipt]', async () => {
  const world = await openRuntimeWorld({
    policy: `
interlock: 1
tools: { t.pay: { input: { type: object } }, t.undo: { input: { type: object } }, t.no: { input: { type: object } }, t.odd: { input: { type: object } } }
rules: [{ allow: t.pay }, { allow: t.undo }, { allow: t.no, when: args.n == 2 }, { allow: t.odd }]
`,
    tools: {
      't.pay': () => succeeded({ id: 1 }),
      't.undo': () => succeeded(),
      't.no': () => succeeded(),
      't.odd': () => ({ kind: 'failed', output: {} }),
    },
  });
  const { run } = await world.run(`
program: paying
start: pay
steps:
  pay: { tool: t.pay, args: { n: 1 }, undo: { tool: t.undo, args: { n: 1 } }, next: no }
  no: { tool: t.no, args: { n: 1 }, next: done, on_error: odd }
  odd: { tool: t.odd, next: done }
  done: { end: success }
`);
  const [own, ...more] = runReceipts(world.entries().entries());
  assert.ok(own !== undefined);
  assert.deepEqual(more, []);
  assert.deepEqual([own.run, own.program, own.status, own.failure?.['step']], [run, 'paying', 'failed', 'odd']);
  assert.deepEqual(
    own.path.map(({ step }) => step),
    ['pay', 'no', 'odd'],
  );
  assert.deepEqual(
    own.calls.map(({ command, tool, state, attempts }) => [command, tool, state, attempts]),
    [
      ['pay/1', 't.pay', 'succeeded', 1],
      ['odd/1', 't.odd', 'failed', 1],
      ['undo/pay/1', 't.undo', 'succeeded', 1],
    ],
  );
  assert.deepEqual(
    own.denials.map(({ command, code }) => [command, code]),
    [['no/1', 'no-rule']],
  );
  assert.equal(own.snapshot, world.entries().at(-1)?.['snapshot']);
  assert.deepEqual(own.spent?.['steps'], 3);
  assert.deepEqual(figures([own]), {
    rollbackDensity: 1,
    toolChurn: 0,
    pathVariance: 0,
    transitionEntropy: 0,
    deniedShare: 0.25,
  });
  assert.deepEqual(
    runReceipts(world.entries().entries(), ({ name }) => name === 'other'),
    [],
  );
});
