/** Properties once more, slow and obvious: a run is driven by the real `transition`, and its trace is read like a sentence. */

import { toCel } from '../src/expression/value.ts';
import type { Bindings, Expression } from '../src/expression/compile.ts';
import type { Command, RunEvent } from '../src/program/event.ts';
import type { Action, Program, Step } from '../src/program/program.ts';
import type { Property, PropertyName } from '../src/program/property.ts';
import type { RunState } from '../src/program/state.ts';
import { begin, isOver, transition, type Moved } from '../src/program/transition.ts';
import type { JsonObject, JsonValue } from '../src/value/json.ts';

/** One thing in the life of a run and of those that it calls. */
export interface Mark {
  readonly kind: 'come' | 'begins' | 'again' | 'done';
  readonly names: readonly string[];
  /** Calls that it may send. */
  readonly sends: number;
  /** What conditions of the run see. */
  readonly seen: Bindings;
}

/** A run with the runs of the programs that it calls. */
export interface Played {
  readonly program: Program;
  readonly state: RunState;
  readonly children: ReadonlyMap<string, Played>;
}

/** An event for a run: of itself, or of one that it called. */
export interface Play {
  readonly path: readonly string[];
  readonly event: RunEvent;
}

/** Where a move led, and what happened in it. */
export interface Turn {
  readonly played: Played;
  readonly marks: readonly Mark[];
}

type Loose = Omit<Mark, 'seen'>;

export function playStart(program: Program, input: JsonObject): Turn {
  const marks: Loose[] = [];
  const moved = begin(program, input);
  const played = settle(
    { program, state: moved.state, children: new Map() },
    moved,
    undefined,
    (limited) => begin(limited, input),
    marks,
  );
  return { played, marks: seenBy(played, marks) };
}

export function play(before: Played, { path, event }: Play): Turn {
  const marks: Loose[] = [];
  const played = playAt(before, path, event, marks);
  return { played, marks: seenBy(played, marks) };
}

function seenBy({ program, state }: Played, marks: readonly Loose[]): readonly Mark[] {
  const seen = bindings(program, state);
  return marks.map((mark) => ({ ...mark, seen }));
}

function bindings(program: Program, state: RunState): Bindings {
  const steps: Record<string, JsonObject> = {};
  for (const step of program.steps.values()) {
    const output = state.outputs.get(step.index);
    if (output !== undefined) steps[step.id] = { output };
  }
  return { input: toCel(state.input, program.types.input), steps: toCel(steps, program.types.steps) };
}

function playAt(before: Played, [inner, ...path]: readonly string[], event: RunEvent, marks: Loose[]): Played {
  if (inner === undefined) {
    const moved = transition(before.program, before.state, event);
    const limited = (program: Program): Moved => transition(program, before.state, event);
    return settle({ ...before, state: moved.state }, moved, { before, event }, limited, marks);
  }
  const child = before.children.get(inner);
  if (child === undefined) throw new Error(`no run ${inner}`);
  const ofChild: Loose[] = [];
  const after = playAt(child, path, event, ofChild);
  marks.push(...foreign(ofChild));
  const played = { ...before, children: new Map([...before.children, [inner, after]]) };
  if (!isOver(after.state)) return played;
  const { status, ending } = after.state;
  const output: { output?: JsonValue } = ending?.output === undefined ? {} : { output: ending.output };
  return playAt(played, [], { kind: 'child', command: inner, status, ...output }, marks);
}

/** Of a run that is called, the steps have no names for the one that calls it. */
function foreign(marks: readonly Loose[]): readonly Loose[] {
  return marks
    .filter(({ kind }) => kind !== 'come')
    .map((mark) => ({ ...mark, names: mark.names.filter((name) => name.includes('.')) }));
}

interface Cause {
  readonly before: Played;
  readonly event: RunEvent;
}

/** The marks of one move, in order, and the runs that it begins. */
function settle(
  played: Played,
  moved: Moved,
  cause: Cause | undefined,
  again: (limited: Program) => Moved,
  marks: Loose[],
): Played {
  const { program } = played;
  if (cause !== undefined) marks.push(...doneBy(cause, moved.state));
  const commands = moved.commands.filter((command) => command.kind !== 'abandon');
  const told = new Set<Command>();
  const tell = (wanted: (command: Command) => boolean): void => {
    for (const command of commands) {
      if (told.has(command) || !wanted(command)) continue;
      told.add(command);
      marks.push(...begunBy(program, command));
    }
  };
  const visits = visitsOf(program, cause?.before.state, moved.state, again);
  // What continues a visit from before: a branch, or a model that is asked again.
  tell(({ id }) => !id.startsWith('undo/') && !visits.some((visit) => isOf(id, visit)));
  for (const [index, visit] of visits.entries()) {
    const step = program.steps.get(visit.step);
    if (step === undefined) continue;
    const isLast = index === visits.length - 1;
    marks.push(...cameTo(step, moved.state, program, isLast));
    tell(({ id }) => isOf(id, visit));
    if (step.kind === 'parallel' && wasLeft(cause?.before.state, moved.state, step)) {
      marks.push(...done([step.id]));
    }
  }
  tell(() => true);
  const children = new Map(played.children);
  let grown: Played = played;
  for (const command of commands) {
    if (command.kind !== 'child') continue;
    const child = childOf(program, command.id);
    const ofChild: Loose[] = [];
    const first = begin(child, command.input);
    const run = settle(
      { program: child, state: first.state, children: new Map() },
      first,
      undefined,
      (limited) => begin(limited, command.input),
      ofChild,
    );
    marks.push(...foreign(ofChild));
    children.set(command.id, run);
    grown = { ...played, children };
    if (isOver(run.state)) {
      return playAt(grown, [], { kind: 'child', command: command.id, status: run.state.status }, marks);
    }
  }
  return grown;
}

function childOf(program: Program, id: string): Program {
  const [step = '', , branch] = id.split('/');
  const action = actionOf(program.steps.get(step), branch);
  if (action?.kind !== 'call') throw new Error(`no program at ${id}`);
  return action.child;
}

function actionOf(step: Step | undefined, branch: string | undefined): Action | undefined {
  if (step?.kind === 'parallel') return step.branches.get(branch ?? '');
  return step?.kind === 'tool' || step?.kind === 'llm' || step?.kind === 'call' ? step : undefined;
}

interface Visit {
  readonly step: string;
  readonly visit: number;
}

function isOf(id: string, { step, visit }: Visit): boolean {
  return id === `${step}/${visit}` || id.startsWith(`${step}/${visit}/`) || id.startsWith(`${step}/${visit}#`);
}

/** The steps that a move came to, in order: with a limit of so many steps, a run stays at the last of them. */
function visitsOf(
  program: Program,
  before: RunState | undefined,
  after: RunState,
  again: (limited: Program) => Moved,
): readonly Visit[] {
  const visits: Visit[] = [];
  let last = before === undefined ? '' : `${before.step}/${before.visit}`;
  for (let steps = (before?.spent.steps ?? 0) + 1; steps <= after.spent.steps; steps += 1) {
    const { state } = again({ ...program, limits: { ...program.limits, steps } });
    const name = `${state.step}/${state.visit}`;
    if (name !== last) visits.push({ step: state.step, visit: state.visit });
    last = name;
  }
  return visits;
}

function cameTo(step: Step, state: RunState, program: Program, isLast: boolean): readonly Loose[] {
  const come: Loose = { kind: 'come', names: [], sends: 0 };
  const begins: Loose = { kind: 'begins', names: [step.id], sends: 1 };
  // A step that finds nothing new too often is not begun.
  if (isLast && state.ending?.status === 'stalled') return [come];
  switch (step.kind) {
    case 'tool':
    case 'llm':
    case 'call':
      return [come];
    case 'end':
      return [come, step.status === 'success' ? { ...begins, names: [step.id, 'end success'] } : begins];
    case 'choose': {
      return passes(step, bindings(program, state)) ? [come, begins, ...done([step.id])] : [come, begins];
    }
    default:
      return [come, begins];
  }
}

function passes(step: Step & { readonly kind: 'choose' }, seen: Bindings): boolean {
  for (const { when } of step.branches) {
    const value = when?.evaluate(seen);
    if (value === undefined) return true;
    if (!value.ok) return false;
    if (value.value === true) return true;
  }
  return false;
}

function begunBy(program: Program, command: Command): readonly Loose[] {
  const [step = '', , branch] = (command.id.split('#')[0] ?? '').split('/');
  const own = branch === undefined ? [step] : [];
  switch (command.kind) {
    case 'call': {
      if (command.id.startsWith('undo/')) return [{ kind: 'begins', names: [command.tool], sends: 1 }];
      const action = actionOf(program.steps.get(step), branch);
      const sends = action?.kind === 'tool' && action.effect === 'read' ? command.attempts : 1;
      return [{ kind: 'begins', names: [...own, command.tool], sends }];
    }
    case 'model': {
      const name = `llm.${command.model}`;
      if (!command.id.includes('#')) return [{ kind: 'begins', names: [...own, name], sends: command.attempts }];
      const again: Loose = { kind: 'again', names: [...own, name], sends: command.attempts };
      return [again];
    }
    case 'child':
      return [{ kind: 'begins', names: own, sends: 1 }];
    default:
      return [];
  }
}

function done(names: readonly string[]): readonly Loose[] {
  return [{ kind: 'done', names, sends: 0 }];
}

/** What an event has brought to its end. */
function doneBy({ before: { program, state }, event }: Cause, after: RunState): readonly Loose[] {
  if (event.kind === 'cancel') return [];
  const pending = state.pending.get(event.command);
  if (pending === undefined || after === state) return [];
  const { command, branch } = pending;
  const step = program.steps.get(state.step);
  const whole = step?.kind === 'parallel' && wasLeft(state, after, step) ? done([step.id]) : [];
  const own = branch === undefined && step !== undefined ? [step.id] : [];
  switch (event.kind) {
    case 'call':
    case 'settled': {
      const isGood = event.kind === 'call' ? event.end === 'succeeded' : event.as === 'executed';
      if (!isGood) return whole;
      if (command.kind === 'model') {
        const isGate = command.outputs === undefined || command.outputs.some((word) => word === event.output);
        return isGate ? [...done([...own, `llm.${command.model}`]), ...whole] : whole;
      }
      if (command.kind !== 'call') return whole;
      return [...done(command.id.startsWith('undo/') ? [command.tool] : [...own, command.tool]), ...whole];
    }
    case 'child':
      return event.status === 'success' ? [...done(own), ...whole] : whole;
    case 'answer':
      return event.answer === 'yes' ? done(own) : [];
    case 'event':
      return done(own);
    case 'expired':
    case 'waits':
      return [];
  }
}

function wasLeft(before: RunState | undefined, after: RunState, { index }: Step): boolean {
  const output = after.outputs.get(index);
  return output !== undefined && output !== before?.outputs.get(index);
}

/** How many steps the run had come to when it broke `property`; nothing while it has not. */
export function breach(property: Property, marks: readonly Mark[]): number | undefined {
  let [steps, count, isReady] = [0, 0, false];
  for (const mark of marks) {
    if (mark.kind === 'come') steps += 1;
    const begins = mark.kind === 'begins' || (mark.kind === 'again' && property.name.kind !== 'step');
    switch (property.kind) {
      case 'only-after':
        if (begins && is(property.name, mark) && !isReady && mayHold(property.when, mark)) return steps;
        if (mark.kind === 'done' && is(property.after, mark)) isReady = true;
        break;
      case 'never':
        if (begins && is(property.name, mark) && mayHold(property.when, mark)) return steps;
        break;
      case 'never-then':
        if (begins && is(property.name, mark) && isReady && mayHold(property.when, mark)) return steps;
        if (mark.kind !== 'done' && is(property.first, mark)) isReady = true;
        break;
      case 'at-most':
        if (mark.kind === 'done' || !is(property.name, mark)) break;
        count += mark.sends;
        if (count > property.times) return steps;
    }
  }
  return undefined;
}

function is(name: PropertyName, { names }: Mark): boolean {
  return names.includes(name.kind === 'step' ? name.id : name.kind === 'tool' ? name.tool : 'end success');
}

function mayHold(when: Expression | undefined, { seen }: Mark): boolean {
  const value = when?.evaluate(seen);
  return value?.ok !== true || value.value === true;
}
