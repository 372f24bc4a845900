/** Small programs that nobody would write, with properties that may hold or not, and everything that can be said to them. */

import * as fc from 'fast-check';
import type { Catalog } from '../src/program/catalog.ts';
import type { Command } from '../src/program/event.ts';
import { linkProgram } from '../src/program/link.ts';
import type { Program } from '../src/program/program.ts';
import { readProgram } from '../src/program/read.ts';
import type { RunEvent } from '../src/program/event.ts';
import { isOver } from '../src/program/transition.ts';
import type { JsonObject } from '../src/value/json.ts';
import { CATALOG } from './refund-program.ts';
import type { Play, Played } from './property-oracle.ts';

type Json = Readonly<Record<string, unknown>>;

/** `find` reads, `ask` is answered, `word` is a model's, the others are anything. */
const IDS = ['find', 'ask', 'word', 'd', 'e'] as const;
const target = fc.constantFrom(...IDS, 'good', 'bad');
const maybe = fc.option(target, { nil: undefined });

const CLAUSES = [
  'input.amount > 4',
  'input.amount <= 4',
  'input.amount == 4',
  'input.on',
  'steps.find.output.n > 5',
  'steps.ask.output.answer == "yes"',
  'steps.word.output == "yes"',
  'steps.word.output in ["no", "perhaps"]',
  'has(steps.find)',
];
const clause = fc.constantFrom(...CLAUSES);
const condition = fc.oneof(
  { weight: 3, arbitrary: clause },
  clause.map((one) => `!(${one})`),
  fc
    .tuple(clause, fc.constantFrom('&&', '||'), clause)
    .map(([one, operator, another]) => `${one} ${operator} ${another}`),
);

function onError(step: Json, error: string | undefined): Json {
  return error === undefined ? step : { ...step, on_error: error };
}

const UNDO = { tool: 'payments.cancel_refund', args: { id: 'x' } };
const action: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ undone: fc.boolean(), attempts: fc.constantFrom(1, 2) }).map(({ undone, attempts }) => ({
    tool: 'payments.create_refund',
    args: { charge: 'x', amount: 1 },
    retry: { attempts },
    ...(undone ? { undo: UNDO } : {}),
  })),
  fc.constant({ tool: 'crm.note', args: { text: 'x' } }),
  fc.constant({ call: 'child', input: {} }),
);
const FIND = fc
  .record({ next: target, error: maybe, attempts: fc.constantFrom(1, 2) })
  .map(({ next, error, attempts }) =>
    onError({ tool: 'crm.find', args: { text: 'x' }, retry: { attempts }, next }, error),
  );
const ASK = fc.record({ yes: target, no: target, expired: target }).map((ways): Json => ({ ask: 'finance', ...ways }));
const WORD = fc
  .record({ next: target, error: maybe, after: maybe, isTwo: fc.boolean(), retry: fc.constantFrom(0, 1) })
  .map(({ next, error, after = 'fail', isTwo, retry }) => {
    const mismatch = JSON.parse(`{"retry":${retry},"then":"${after}"}`) as unknown;
    const more = isTwo ? { fallback: ['two'] } : {};
    return onError({ llm: 'one', prompt: '?', outputs: ['yes', 'no'], mismatch, ...more, next }, error);
  });
const ACTION = fc
  .record({ action, next: target, error: maybe })
  .map((one) => onError({ ...one.action, next: one.next }, one.error));
const CHOOSE = fc
  .record({ first: condition, second: condition, a: target, b: target, c: target, error: maybe, isOpen: fc.boolean() })
  .map(({ first, second, a, b, c, error, isOpen }) => {
    const branches: Json[] = [
      { when: first, next: a },
      { when: second, next: b },
    ];
    if (!isOpen) branches.push({ next: c });
    return onError({ choose: branches }, error);
  });
const WAIT = fc.record({ next: target, expired: target }).map((ways): Json => ({ wait: 'news', ...ways }));
const PARALLEL = fc
  .record({
    one: action,
    two: action,
    three: fc.option(action, { nil: undefined }),
    max: fc.constantFrom(1, 2),
    next: target,
    error: maybe,
  })
  .map(({ one, two, three, max, next, error }) =>
    onError({ parallel: { one, two, ...(three === undefined ? {} : { three }) }, max, next }, error),
  );
const OTHER = fc.oneof(ACTION, { weight: 3, arbitrary: CHOOSE }, WAIT, PARALLEL);

/** What has effects is spoken of more often. */
const name = fc.constantFrom(
  ...IDS,
  'crm.note',
  'payments.create_refund',
  'payments.cancel_refund',
  'good',
  'crm.find',
  'crm.note',
  'payments.create_refund',
  'payments.cancel_refund',
  'llm.one',
  'llm.two',
  'end success',
);
const subject = fc.oneof(
  name,
  fc.tuple(name, condition).map(([one, when]) => `${one} with ${when}`),
);
const sentence = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(subject, name).map(([one, another]) => `${one} only after ${another}`) },
  subject.map((one) => `never ${one}`),
  { weight: 2, arbitrary: fc.tuple(name, subject).map(([one, another]) => `never ${one} then ${another}`) },
  fc.tuple(fc.constantFrom(1, 2, 3), name).map(([times, one]) => `at most ${times} ${one}`),
);

const EVENTS = { news: { type: 'object' } };
const CHILD = fc.record({ first: ACTION, isUndone: fc.boolean() }).map(({ first, isUndone }): Json => {
  const tool = { tool: 'payments.create_refund', args: { charge: 'x', amount: 1 }, next: 'second' };
  const {
    call: _,
    input: __,
    ...rest
  } = first['call'] === undefined ? first : { ...tool, ...(isUndone ? { undo: UNDO } : {}) };
  return {
    program: 'child',
    start: 'first',
    steps: {
      first: { ...rest, next: 'second', on_error: 'bad' },
      second: { tool: 'crm.note', args: { text: 'x' }, next: 'good' },
      good: { end: 'success' },
      bad: { end: 'rejected' },
    },
  };
});

/** The text of a program, and of the one that it may call. */
export interface Drawn {
  readonly text: string;
  readonly child: string;
}

export const PROGRAMS: fc.Arbitrary<Drawn> = fc
  .record({
    start: fc.constantFrom(...IDS, 'd', 'd'),
    steps: fc.tuple(FIND, ASK, WORD, fc.oneof(PARALLEL, ACTION), OTHER),
    child: CHILD,
    properties: fc.array(sentence, { minLength: 12, maxLength: 12 }),
  })
  .map(({ start, steps, child, properties }) => {
    const text = JSON.stringify({
      program: 'any',
      input: {
        type: 'object',
        required: ['amount', 'on'],
        properties: { amount: { type: 'integer' }, on: { type: 'boolean' } },
      },
      // Neither ends a run before the exploration does, branches counted.
      limits: { steps: 40, stalled: 9 },
      events: EVENTS,
      start,
      steps: {
        ...Object.fromEntries(IDS.map((id, index) => [id, steps[index]])),
        good: { end: 'success' },
        bad: { end: 'rejected' },
      },
      properties,
    });
    return { text, child: JSON.stringify(child) };
  });

export function drawnProgram({ text, child }: Drawn): Program {
  const called = linked(child, CATALOG);
  return linked(text, { ...CATALOG, program: () => called });
}

/** Every input that conditions tell apart. */
export const INPUTS: readonly JsonObject[] = [1, 4, 9].flatMap((amount) => [true, false].map((on) => ({ amount, on })));

/** As it would run, whatever is wrong with it as a whole. */
function linked(text: string, catalog: Catalog): Program {
  const read = readProgram(text, 'any.json');
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  const made = linkProgram(read.value, 'any.json', catalog);
  if (!made.ok) throw new Error(JSON.stringify(made.issues));
  return made.value;
}

/** Everything that can be said to a run and to those that it calls; the runs of programs end by themselves. */
export function playsOf({ state, children }: Played): readonly Play[] {
  if (isOver(state)) return [];
  const own = [...state.pending.values()].flatMap(({ command, isUnsettled }) => eventsFor(command, isUnsettled));
  const events: readonly RunEvent[] = state.ending === undefined ? [...own, { kind: 'cancel' }] : own;
  const inner = [...children].flatMap(([id, child]) =>
    playsOf(child).map(({ path, event }): Play => ({ path: [id, ...path], event })),
  );
  return [...events.map((event): Play => ({ path: [], event })), ...inner];
}

function eventsFor(command: Command, isUnsettled: boolean): readonly RunEvent[] {
  const { id } = command;
  const isFind = command.kind === 'call' && command.tool === 'crm.find';
  switch (command.kind) {
    case 'call':
      if (isUnsettled) {
        return [
          { kind: 'settled', command: id, as: 'executed' },
          { kind: 'settled', command: id, as: 'not-executed' },
        ];
      }
      return [
        ...(isFind ? [{ n: 1 }, { n: 9 }, 'x'] : ['x']).map((output): RunEvent => ({
          kind: 'call',
          command: id,
          end: 'succeeded',
          output,
        })),
        { kind: 'call', command: id, end: 'failed' },
        ...(id.startsWith('undo/') || command.tool === 'crm.note'
          ? [{ kind: 'call', command: id, end: 'unknown' } as const]
          : []),
      ];
    case 'model':
      return [
        { kind: 'call', command: id, end: 'succeeded', output: 'yes' },
        { kind: 'call', command: id, end: 'succeeded', output: 'no' },
        { kind: 'call', command: id, end: 'succeeded', output: 'nonsense' },
        { kind: 'call', command: id, end: 'failed' },
      ];
    case 'ask':
      return (['yes', 'no', 'expired'] as const).map((answer) => ({ kind: 'answer', command: id, answer }));
    case 'wait':
      return [
        { kind: 'event', command: id, payload: {} },
        { kind: 'expired', command: id },
      ];
    case 'child':
    case 'abandon':
      return [];
  }
}
