import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { interpret } from '../../test/program-model.ts';
import { CATALOG, REFUND, programOf } from '../../test/refund-program.ts';
import type { Command, RunEvent } from './event.ts';
import { linkProgram } from './link.ts';
import type { Program } from './program.ts';
import { readProgram } from './read.ts';
import { begin, isOver, transition, type Moved } from './transition.ts';

const INPUT = { charge: 'ch_1', amount: 100, text: 'please' };

/** What can be said to the open commands, in a fixed order. */
function eventsFor(commands: readonly Command[], unsettled: ReadonlySet<string>): readonly RunEvent[] {
  const events: RunEvent[] = commands.flatMap((command): RunEvent[] => {
    const { id } = command;
    switch (command.kind) {
      case 'call':
        if (unsettled.has(id)) {
          return [
            { kind: 'settled', command: id, as: 'executed', output: { id: 'settled' } },
            { kind: 'settled', command: id, as: 'not-executed' },
          ];
        }
        return [
          { kind: 'call', command: id, end: 'succeeded', output: { id: 'x' } },
          { kind: 'call', command: id, end: 'failed' },
          { kind: 'call', command: id, end: 'unknown' },
        ];
      case 'model':
        return [
          { kind: 'call', command: id, end: 'succeeded', output: 'refund', tokens: 3 },
          { kind: 'call', command: id, end: 'succeeded', output: 'nonsense', tokens: 3 },
          { kind: 'call', command: id, end: 'failed' },
        ];
      case 'ask':
        return (['yes', 'no', 'expired'] as const).map((answer) => ({ kind: 'answer', command: id, answer }));
      case 'wait':
        return [
          { kind: 'event', command: id, payload: { n: 1 } },
          { kind: 'expired', command: id },
        ];
      case 'child':
        return [
          { kind: 'child', command: id, status: 'success', output: { n: 1 } },
          { kind: 'child', command: id, status: 'failed' },
        ];
      case 'abandon':
        return [];
    }
  });
  return [...events, { kind: 'cancel' }];
}

function openOf({ state }: Moved): readonly Command[] {
  return [...state.pending.values()].map(({ command }) => command);
}

function unsettledOf({ state }: Moved): ReadonlySet<string> {
  return new Set([...state.pending.values()].filter(({ isUnsettled }) => isUnsettled).map(({ command }) => command.id));
}

/** Every sequence of events up to a length, in both; answers how many runs came to an end. */
function explore(program: Program, input: typeof INPUT, depth: number): number {
  let ended = 0;
  const visit = (history: readonly RunEvent[]): void => {
    let moved = begin(program, input);
    const model = interpret(program, input);
    let stand = model.next();
    for (const event of history) {
      moved = transition(program, moved.state, event);
      stand = model.next(event);
    }
    const told = history.map((event) => JSON.stringify(event)).join('\n');
    assert.deepEqual(openOf(moved), stand.done === true ? [] : stand.value.open, told);
    if (stand.done === true) {
      ended += 1;
      assert.deepEqual([moved.state.status, moved.state.notUndone], [stand.value.status, stand.value.notUndone], told);
      for (const event of eventsFor(openOf(begin(program, input)), new Set())) {
        assert.equal(transition(program, moved.state, event).state, moved.state);
      }
      return;
    }
    assert.ok(!isOver(moved.state), told);
    if (history.length === depth) return;
    for (const event of eventsFor(openOf(moved), unsettledOf(moved))) visit([...history, event]);
  };
  visit([]);
  return ended;
}

const LINEAR = REFUND.replace(/ {2}notify:[^]*? {2}settled:/, '  settled:').replace('next: notify', 'next: settled');

/** Any step may lead to any other, and read what may not be there. */
const IDS = ['a', 'b', 'c', 'd', 'e'] as const;
const target = fc.constantFrom(...IDS, 'good', 'bad');
const onError = fc.option(target, { nil: undefined });
const reads = fc.constantFrom(
  'input.text',
  'dyn(steps.a.output).id',
  'dyn(steps.b.output).answer',
  'string(dyn(steps.c.output).n)',
);

function withError(step: Readonly<Record<string, unknown>>, error: string | undefined) {
  return error === undefined ? step : { ...step, on_error: error };
}

const TOOL = fc
  .record({ text: reads, undo: reads, next: target, error: onError, isUndone: fc.boolean() })
  .map(({ text, undo, next, error, isUndone }) => {
    const undone = isUndone ? { undo: { tool: 'payments.cancel_refund', args: { id: `\${{ ${undo} }}` } } } : {};
    return withError({ tool: 'crm.find', args: { text: `\${{ ${text} }}` }, ...undone, next }, error);
  });
const MODEL = fc
  .record({ prompt: reads, next: target, error: onError, after: onError })
  .map(({ prompt, next, error, after }) =>
    withError(
      {
        llm: 'one',
        fallback: ['two'],
        prompt: `\${{ ${prompt} }}`,
        outputs: ['refund', 'query'],
        mismatch: JSON.parse(`{"retry":1,"then":"${after ?? 'fail'}"}`) as unknown,
        next,
      },
      error,
    ),
  );
const CHOOSE = fc.record({ first: target, second: target, error: onError }).map(({ first, second, error }) =>
  withError(
    {
      choose: [
        { when: 'dyn(steps.a.output) == "refund"', next: first },
        { when: 'input.amount > 5', next: second },
      ],
    },
    error,
  ),
);
const ASK = fc
  .record({ yes: target, no: target, expired: target })
  .map((ways) => ({ ask: 'finance', show: '${{ input.text }}', ...ways }));
const WAIT = fc.record({ next: target, expired: target }).map((ways) => ({ wait: 'news', ...ways }));
/** What is read has an output, of one kind or another. */
const PROGRAMS = fc
  .tuple(fc.oneof(TOOL, MODEL), ASK, WAIT, fc.oneof(TOOL, MODEL), fc.oneof(TOOL, MODEL, CHOOSE, ASK, WAIT))
  .map((steps) =>
    JSON.stringify({
      program: 'any',
      input: {
        type: 'object',
        properties: { text: { type: 'string' }, amount: { type: 'integer' }, charge: { type: 'string' } },
      },
      events: { news: { type: 'object' } },
      limits: { steps: 12, stalled: 2, tokens: 9 },
      start: 'a',
      steps: {
        ...Object.fromEntries(IDS.map((id, index) => [id, steps[index]])),
        good: { end: 'success', output: '${{ input.amount }}' },
        bad: { end: 'rejected', output: '${{ steps.d.output }}' },
      },
    }),
  );

/** As it would run, whatever is wrong with it as a whole. */
function linked(text: string): Program {
  const read = readProgram(text, 'any.json');
  assert.ok(read.ok, JSON.stringify(read.issues));
  const made = linkProgram(read.value, 'any.json', CATALOG);
  assert.ok(made.ok, JSON.stringify(made.issues));
  return made.value;
}

describe('a program means what the obvious interpreter says', () => {
  test('over every sequence of events, of the refund program [R-program-semantics]', () => {
    const ended = [100, 9_000].map((amount) => explore(programOf(LINEAR), { ...INPUT, amount }, 6));
    assert.ok(
      ended.every((count) => count > 100),
      `${ended.join()} runs came to an end`,
    );
  });

  test('over every short sequence of events, of programs that nobody would write [R-program-semantics]', () => {
    let ended = 0;
    fc.assert(
      fc.property(PROGRAMS, (text) => {
        ended += explore(linked(text), INPUT, 3);
      }),
      { numRuns: 300 },
    );
    assert.ok(ended > 2_000, `${ended} runs came to an end`);
  });
});

const UNDO = 'undo: { tool: payments.cancel_refund, args: { id: "${{ dyn(steps.ID.output).id }}" } }';
const PAY = (id: string, next: string): string =>
  `  ${id}: { tool: payments.create_refund, args: { charge: x, amount: 1 }, ${UNDO.replace('ID', id)}, next: ${next} }\n`;

test('effects are undone in reverse, each once, over every sequence of events [R-program-undo]', () => {
  const text = `program: p\nstart: a\nsteps:\n${PAY('a', 'b')}${PAY('b', 'bad')}  bad: { end: failed }\n`;
  assert.ok(explore(programOf(text), INPUT, 5) > 50);
});

/** Feeds what `choose` picks of what is possible, until the run is over; answers every state on the way. */
function drive(
  program: Program,
  choose: (events: readonly RunEvent[]) => RunEvent,
  stepsMax: number,
): readonly Moved[] {
  const states = [begin(program, INPUT)];
  for (
    let moved = states[0];
    moved !== undefined && !isOver(moved.state) && states.length < stepsMax;
    moved = states.at(-1)
  ) {
    const events = eventsFor(openOf(moved), unsettledOf(moved));
    states.push(transition(program, moved.state, choose(events)));
  }
  return states;
}

test('branches are bounded, none begins after a failure, and what each did is undone [R-program-parallel]', () => {
  const branch = (id: string): string =>
    `      ${id}: { tool: payments.create_refund, args: { charge: x, amount: 1 }, undo: { tool: payments.cancel_refund, args: { id: "\${{ dyn(steps.all.output.${id}).id }}" } } }\n`;
  const text = `program: p\nstart: all\nsteps:\n  all:\n    parallel:\n${['a', 'b', 'c', 'd', 'e'].map(branch).join('')}    max: 2\n    next: bad\n  bad: { end: failed }\n`;
  const program = programOf(text);
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat({ max: 99 })), (numbers) => {
      const picks = numbers[Symbol.iterator]();
      const states = drive(program, (events) => events[(picks.next().value ?? 0) % events.length] ?? assert.fail(), 60);
      const ids = states.flatMap(({ commands }) => commands.flatMap((one) => (one.kind === 'abandon' ? [] : [one.id])));
      assert.equal(new Set(ids).size, ids.length, 'a command is given once');
      let isFailed = false;
      for (const { state, commands } of states) {
        assert.ok(state.pending.size <= 2);
        if (isFailed) assert.ok(commands.every(({ kind, id }) => kind === 'abandon' || id.startsWith('undo/')));
        isFailed ||= state.branching?.failure !== undefined || state.ending !== undefined;
      }
      const done = ids.filter((id) => id.startsWith('undo/'));
      const last = states.at(-1)?.state;
      assert.ok(last !== undefined && (isOver(last) ? last.status !== 'success' : true));
      assert.ok(done.every((id) => ids.indexOf(id.slice('undo/'.length)) < ids.indexOf(id)));
    }),
    { numRuns: 500 },
  );
});

test('a state is changed by nothing that comes later', () => {
  const program = programOf(REFUND);
  const states = drive(program, (events) => events[0] ?? assert.fail(), 40);
  const before = states.map(({ state }) => JSON.stringify([state.spent, state.step, [...state.pending.keys()]]));
  for (const { state } of states) transition(program, state, { kind: 'cancel' });
  assert.deepEqual(
    states.map(({ state }) => JSON.stringify([state.spent, state.step, [...state.pending.keys()]])),
    before,
  );
});
