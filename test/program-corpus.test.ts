/** The corpus of programs in test/corpus/program: each case gives what its file says, however its runs are kept. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { begin, isOver, transition } from '../src/program/transition.ts';
import { differences, programCases } from './program-corpus.ts';
import type { Drive, ProgramCase } from './program-corpus.ts';
import { driveRuntime } from './program-drive-runtime.ts';
import { driveTransition } from './program-drive.ts';
import { interpret } from './program-model.ts';
import type { History } from './program-runs.ts';

const CASES = programCases();

const DRIVES: Readonly<Record<string, Drive>> = {
  'in memory': (each) => driveTransition(each, false),
  'made again from all events before each': (each) => driveTransition(each, true),
  "a runtime's": (each) => driveRuntime(each),
  "a runtime's, made again from the ledger before each move": (each) => driveRuntime(each, { alwaysReplay: true }),
  "a runtime's, and another's whenever all waits": (each) => driveRuntime(each, { restarts: true }),
};

for (const [how, drive] of Object.entries(DRIVES)) {
  describe(`a run whose state is ${how}`, () => {
    for (const each of CASES) {
      test(`as its case says [R-program-corpus], ${each.file}: ${each.title}`, async () => {
        const came = await drive(each);
        const found = differences(each, came);
        assert.deepEqual(found, []);
      });
    }
  });
}

test('every run of the corpus without branches goes as the obvious interpreter says [R-program-semantics]', () => {
  let compared = 0;
  for (const each of CASES) {
    for (const history of driveTransition(each, false).histories) {
      if (!isKnownToModel(history)) continue;
      compared += 1;
      compareWithModel(history, each.title);
    }
  }
  assert.ok(compared >= 150, `${compared} runs were compared`);
});

/** The model has no parallel steps, and is not told that something waits. */
function isKnownToModel({ program, events }: History): boolean {
  return (
    [...program.steps.values()].every(({ kind }) => kind !== 'parallel') && events.every(({ kind }) => kind !== 'waits')
  );
}

function compareWithModel({ program, input, events }: History, title: string): void {
  const model = interpret(program, input);
  let moved = begin(program, input);
  let stand = model.next();
  for (const event of [undefined, ...events]) {
    if (event !== undefined) {
      moved = transition(program, moved.state, event);
      stand = model.next(event);
    }
    const open = [...moved.state.pending.values()].map(({ command }) => command);
    assert.deepEqual(open, stand.done === true ? [] : stand.value.open, title);
    assert.equal(stand.done, isOver(moved.state), title);
    if (stand.done)
      assert.deepEqual([moved.state.status, moved.state.notUndone], [stand.value.status, stand.value.notUndone], title);
  }
}

describe('the corpus', () => {
  test('has at least 150 cases, each with a title of its own', () => {
    assert.ok(CASES.length >= 150, `${CASES.length} cases`);
    const titles = CASES.map(({ file, title }) => `${file}: ${title}`);
    assert.deepEqual(titles.length, new Set(titles).size);
  });

  test('has every way in which a run ends, a step fails and a call is denied', () => {
    const count = (pick: (each: ProgramCase) => string | undefined): ReadonlySet<string | undefined> =>
      new Set(CASES.map(pick));
    const ends = count(({ expect }) => expect.status);
    for (const status of ['success', 'failed', 'suspended', 'budget-exceeded', 'stalled', 'cancelled', 'rejected']) {
      assert.ok(ends.has(status), status);
    }
    const failures = count(({ expect }) => expect.failure?.[1]);
    for (const code of ['denied', 'failed', 'not-started', 'mismatch', 'expression', 'cancelled']) {
      assert.ok(failures.has(code), code);
    }
  });

  test('finds whatever is expected otherwise', () => {
    for (const each of CASES) {
      const came = driveTransition(each, false);
      for (const wrong of wrongExpectations(each)) {
        const found = differences({ ...each, ...wrong }, came);
        assert.ok(found.length > 0, `${each.file}: ${each.title}: ${JSON.stringify(wrong)}`);
      }
    }
  });
});

/** Each member of what is expected, changed. */
function wrongExpectations({ expect, outside }: ProgramCase): readonly Partial<ProgramCase>[] {
  const { issues, status, path = [], calls = [], asked = [], denied = [], undone = [], notUndone = [], spent } = expect;
  if (issues !== undefined) return [{ expect: { issues: [...issues, ['x']] } }, { expect: { status: 'success' } }];
  const wrong: readonly Partial<ProgramCase['expect']>[] = [
    { status: `${status}x` },
    { output: 'something else' },
    { path: [...path, 'x'] },
    { calls: [...calls, ['x.y', {}]] },
    { asked: [...asked, 'x'] },
    { denied: [...denied, 'x'] },
    { undone: [...undone, 'x/1'] },
    { notUndone: [...notUndone, 'x/1'] },
    { failure: ['x', 'failed'] },
    ...(calls.length === 0 ? [] : [{ calls: calls.slice(1) }]),
    ...(spent === undefined ? [] : [{ spent: { ...spent, steps: -1 } }]),
  ];
  const [first, ...rest] = outside;
  return [
    ...wrong.map((member) => ({ expect: { ...expect, ...member } })),
    ...(first === undefined ? [] : [{ outside: [{ ...first, moves: !(first.moves ?? true) }, ...rest] }]),
  ];
}
