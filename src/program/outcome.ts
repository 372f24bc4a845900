/** Answers: what a command came to, and how the run goes on from there. */

import type { JsonValue } from '../value/json.ts';
import type { Command, RunEvent } from './event.ts';
import { goOn, isUndo, undone } from './ending.ts';
import { branchOn, failAction, go, leave } from './enter.ts';
import type { Action, ModelAction, Step, ToolAction } from './program.ts';
import type { Failure, Pending } from './state.ts';
import { fillObject } from './template.ts';
import { type Walk, bindingsOf, isPatient, replacePending, request, settle, spend, stepOf } from './walk.ts';

type Of<K extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: K }>;

/** A call or a model has answered, or not. */
export function ended(walk: Walk, pending: Pending, event: Of<'call'>): void {
  const { tokens = 0, microUsd = 0, attempts = 1, activeMs = 0 } = event;
  // The first attempt was counted when it was asked for.
  spend(walk, { tokens, microUsd, activeMs, attempts: Math.max(0, attempts - 1) });
  const { command } = pending;
  if (event.end === 'unknown' && command.kind === 'call') {
    return replacePending(walk, { ...pending, isHeld: false, isUnsettled: true });
  }
  if (isUndo(command.id)) return undone(walk, command.id, event.end === 'succeeded');
  if (event.end === 'succeeded') return succeeded(walk, pending, event.output ?? null);
  const code = event.end === 'unknown' ? 'failed' : event.end;
  const message = event.message ?? `it ended as ${event.end}`;
  if (command.kind === 'model' && askNext(walk, pending, command)) return;
  failed(walk, pending, { code, message });
}

/** What was unknown is known: as if it had ended so, or had not been started. */
export function settled(walk: Walk, pending: Pending, { as, output }: Of<'settled'>): void {
  const isExecuted = as === 'executed';
  if (isUndo(pending.command.id)) return undone(walk, pending.command.id, isExecuted);
  if (isExecuted) return succeeded(walk, pending, output ?? null);
  failed(walk, pending, { code: 'not-started', message: 'it was settled as not executed' });
}

export function childEnded(walk: Walk, pending: Pending, { status, output }: Of<'child'>): void {
  if (status === 'success') return succeeded(walk, pending, output ?? null);
  failed(walk, pending, { code: 'child', message: `the program ended ${status}` });
}

/** People and events begin a new era: what comes after may be the same as before, and is progress. */
export function answered(walk: Walk, { command }: Pending, answer: 'yes' | 'no' | 'expired'): void {
  const step = stepOf(walk);
  settle(walk, command.id);
  walk.state.era += 1;
  if (step.kind !== 'ask' || walk.state.ending !== undefined) return goOn(walk);
  leave(walk, step, { answer });
  go(walk, step[answer]);
}

/** An event with what it brings, or without one the end of the time that was given to it. */
export function arrived(walk: Walk, { command }: Pending, payload?: JsonValue): void {
  const step = stepOf(walk);
  settle(walk, command.id);
  walk.state.era += 1;
  if (step.kind !== 'wait' || walk.state.ending !== undefined) return goOn(walk);
  if (payload === undefined) return go(walk, step.expired);
  leave(walk, step, payload);
  go(walk, step.next);
}

/** From now on nothing is begun; what is on its way is awaited, what was done is undone. */
export function cancel(walk: Walk): void {
  const { state } = walk;
  state.ending = { status: 'cancelled', failure: { step: state.step, code: 'cancelled', message: 'it was cancelled' } };
  for (const { command } of state.pending.values()) {
    if (isPatient(command)) settle(walk, command.id);
    walk.commands.push({ kind: 'abandon', id: command.id });
  }
  goOn(walk);
}

function actionOf(step: Step, branch: string | undefined): Action | undefined {
  if (step.kind === 'parallel') return branch === undefined ? undefined : step.branches.get(branch);
  return step.kind === 'tool' || step.kind === 'llm' || step.kind === 'call' ? step : undefined;
}

function succeeded(walk: Walk, pending: Pending, answer: JsonValue): void {
  const step = stepOf(walk);
  const action = actionOf(step, pending.branch);
  let output = answer;
  if (action?.kind === 'llm') {
    const read = action.read(answer);
    if (!read.ok) return mismatched(walk, pending, action, read.message);
    output = read.value;
  }
  settle(walk, pending.command.id);
  if (pending.branch === undefined) leave(walk, step, output);
  else joined(walk, pending.branch, output);
  if (action?.kind === 'tool') remember(walk, step, action, pending.branch);
  if (pending.branch !== undefined) return onward(walk, step);
  const next = walk.state.ending === undefined ? nextOf(step) : undefined;
  if (next === undefined) goOn(walk);
  else go(walk, next);
}

function nextOf(step: Step): string | undefined {
  return 'next' in step ? step.next : undefined;
}

/** A branch has left its output, which expressions of its own undo may read. */
function joined({ state }: Walk, branch: string, output: JsonValue): void {
  const { branching } = state;
  if (branching !== undefined) state.branching = { ...branching, outputs: { ...branching.outputs, [branch]: output } };
}

/** A branch is over, one way or the other: the next one begins, or the step is over. */
function onward(walk: Walk, step: Step): void {
  if (step.kind !== 'parallel') return;
  const next = branchOn(walk, step);
  if (next !== undefined) go(walk, next);
  else if (walk.state.ending !== undefined) goOn(walk);
}

/** What can be undone is remembered with its arguments: later visits may leave other outputs. */
function remember(walk: Walk, step: Step, { undo }: ToolAction, branch: string | undefined): void {
  if (undo === undefined) return;
  const { state } = walk;
  const { visit, done: before } = state;
  const seen = state.branching === undefined ? walk : withBranches(walk, step, state.branching.outputs);
  const args = fillObject(undo.args, bindingsOf(seen, step));
  const known = args.ok ? { args: args.value } : {};
  const branched = branch === undefined ? {} : { branch };
  state.done = { step: step.id, visit, tool: undo.tool, before, ...known, ...branched };
}

function withBranches(walk: Walk, { index }: Step, outputs: Readonly<Record<string, JsonValue>>): Walk {
  return { ...walk, state: { ...walk.state, outputs: walk.state.outputs.with(index, outputs) } };
}

function failed(walk: Walk, { command, branch }: Pending, failure: Omit<Failure, 'step'>): void {
  const step = stepOf(walk);
  settle(walk, command.id);
  if (walk.state.ending !== undefined) return goOn(walk);
  const next = failAction(walk, step, failure, branch);
  if (branch !== undefined) onward(walk, step);
  else if (next !== undefined) go(walk, next);
}

/** A model's answer that is none: it is asked again, as often as it may be, and then the step goes elsewhere or fails. */
function mismatched(walk: Walk, pending: Pending, { mismatch }: ModelAction, message: string): void {
  const { command, branch } = pending;
  const mismatches = pending.mismatches + 1;
  if (mismatches <= mismatch.retry && walk.state.ending === undefined) {
    return askAgain(walk, { ...pending, mismatches }, `${baseOf(command.id)}#${pending.model}.${mismatches}`);
  }
  if (mismatch.otherwise === undefined || branch !== undefined || walk.state.ending !== undefined) {
    return failed(walk, pending, { code: 'mismatch', message });
  }
  settle(walk, command.id);
  go(walk, mismatch.otherwise);
}

/** The model that is asked when this one could not answer. False when there is none. */
function askNext(walk: Walk, pending: Pending, command: Extract<Command, { kind: 'model' }>): boolean {
  const action = actionOf(stepOf(walk), pending.branch);
  const model = pending.model + 1;
  const name = action?.kind === 'llm' ? action.models[model] : undefined;
  if (name === undefined || walk.state.ending !== undefined) return false;
  const asked = { ...pending, command: { ...command, model: name }, model, mismatches: 0 };
  askAgain(walk, asked, `${baseOf(command.id)}#${model}.0`);
  return true;
}

function askAgain(walk: Walk, pending: Pending, id: string): void {
  settle(walk, pending.command.id);
  spend(walk, { attempts: 1 });
  request(walk, { ...pending, isHeld: false, command: { ...pending.command, id } });
}

function baseOf(id: string): string {
  const at = id.indexOf('#');
  return at === -1 ? id : id.slice(0, at);
}
