/** Entering steps: one after the other, until something has to be done that only the world can answer. */

import { canonicalText } from '../value/canonical.ts';
import type { JsonValue } from '../value/json.ts';
import type { Command, CommandId } from './event.ts';
import { finish } from './ending.ts';
import type { Action, AskStep, ChooseStep, EndStep, ParallelStep, Step, WaitStep } from './program.ts';
import type { Ending, Failure, FailureCode } from './state.ts';
import { type Filled, fill, fillObject, fillText } from './template.ts';
import { type Walk, bindingsOf, exhausted, keep, request, spend, stepOf } from './walk.ts';

/** Goes to the step `id`, and on from there. */
export function go(walk: Walk, id: string): void {
  let next: string | undefined = id;
  // The limit of steps bounds it.
  while (next !== undefined) next = enter(walk, next);
}

/** The step that follows at once, if one does. */
function enter(walk: Walk, id: string): string | undefined {
  const over = exhausted(walk);
  if (over !== undefined) return end(walk, { status: 'budget-exceeded', because: over });
  const { state } = walk;
  state.step = id;
  walk.entered.push(id);
  const step = stepOf(walk);
  spend(walk, { steps: 1 });
  if (isStalled(walk, step)) {
    return end(walk, { status: 'stalled', because: `step ${id} finds nothing that it had not found before` });
  }
  return begin(walk, step);
}

/** Counts the visit. A step that finds the same outputs as at its last one, too often running, will find them for ever. */
function isStalled({ program, state }: Walk, { index }: Step): boolean {
  const { outputs, era } = state;
  const last = state.visited.get(index);
  const isSame = last?.era === era && last.outputs.equals(outputs, isEqual);
  const again = isSame ? last.again + 1 : 0;
  state.visit = (last?.times ?? 0) + 1;
  state.visited = state.visited.with(index, { times: state.visit, outputs, era, again });
  return again >= program.limits.stalled;
}

function isEqual(one: JsonValue, another: JsonValue): boolean {
  return canonicalText(one) === canonicalText(another);
}

function begin(walk: Walk, step: Step): string | undefined {
  switch (step.kind) {
    case 'choose':
      return choose(walk, step);
    case 'tool':
    case 'llm':
    case 'call':
      return act(walk, step, step);
    case 'parallel':
      return branch(walk, step);
    case 'ask':
      return ask(walk, step);
    case 'wait':
      return wait(walk, step);
    case 'end':
      return endAt(walk, step);
  }
}

/** A condition that errors fails the step: no later branch is tried, so that nothing falls through into what it guards. */
function choose(walk: Walk, step: ChooseStep): string | undefined {
  const bindings = bindingsOf(walk, step);
  for (const { when, next } of step.branches) {
    if (when === undefined) return next;
    const evaluation = when.evaluate(bindings);
    if (!evaluation.ok) return fail(walk, 'expression', `\`${when.source}\`: ${evaluation.error.message}`);
    if (evaluation.value === true) return next;
  }
  return fail(walk, 'expression', 'no branch is for what it found');
}

/** Asks for `action`, which is the step itself or a branch of it. */
function act(walk: Walk, step: Step, action: Action, name?: string): string | undefined {
  const id = commandId(walk, name);
  const made = commandOf(walk, step, action, id);
  if (!made.ok) return failAction(walk, step, { code: 'expression', message: made.message }, name);
  spend(walk, { attempts: 1 });
  const branched = name === undefined ? {} : { branch: name };
  request(walk, { command: made.value, mismatches: 0, model: 0, isHeld: false, isUnsettled: false, ...branched });
  return undefined;
}

function commandId({ state: { step, visit } }: Walk, name: string | undefined): CommandId {
  return name === undefined ? `${step}/${visit}` : `${step}/${visit}/${name}`;
}

function commandOf(walk: Walk, step: Step, action: Action, id: CommandId): Filled<Command> {
  const bindings = bindingsOf(walk, step);
  switch (action.kind) {
    case 'tool': {
      const { tool, attempts, timeoutMs } = action;
      const args = fillObject(action.args, bindings);
      return args.ok ? { ok: true, value: { kind: 'call', id, tool, args: args.value, attempts, timeoutMs } } : args;
    }
    case 'llm': {
      const { models, outputs, schema, attempts, timeoutMs } = action;
      const prompt = fillText(action.prompt, bindings);
      if (!prompt.ok) return prompt;
      const gate = { ...(outputs === undefined ? {} : { outputs }), ...(schema === undefined ? {} : { schema }) };
      const asked = { kind: 'model', id, model: models[0], prompt: prompt.value, attempts, timeoutMs } as const;
      return { ok: true, value: { ...asked, ...gate } };
    }
    case 'call': {
      const input = fillObject(action.input, bindings);
      return input.ok ? { ok: true, value: { kind: 'child', id, program: action.program, input: input.value } } : input;
    }
  }
}

function branch(walk: Walk, step: ParallelStep): string | undefined {
  walk.state.branching = { waiting: [...step.branches.keys()], outputs: {} };
  return branchOn(walk, step);
}

/** Begins as many branches as there is room for; after a failure none. The step is over when none is on its way. */
export function branchOn(walk: Walk, step: ParallelStep): string | undefined {
  const { state } = walk;
  for (;;) {
    const { branching } = state;
    if (branching === undefined) return undefined;
    const [name, ...waiting] = branching.waiting;
    const isFull = state.pending.size >= step.max;
    if (name === undefined || isFull || branching.failure !== undefined || state.ending !== undefined) break;
    const action = step.branches.get(name);
    state.branching = { ...branching, waiting };
    const over = exhausted(walk);
    if (over !== undefined) {
      end(walk, { status: 'budget-exceeded', because: over });
      break;
    }
    spend(walk, { steps: 1 });
    if (action !== undefined) act(walk, step, action, name);
  }
  if (state.pending.size > 0 || state.branching === undefined) return undefined;
  const { outputs, failure } = state.branching;
  delete state.branching;
  if (state.ending !== undefined) return end(walk, state.ending);
  if (failure !== undefined) return failWith(walk, failure);
  leave(walk, step, outputs);
  return step.next;
}

function ask(walk: Walk, step: AskStep): string | undefined {
  const { approvers, timeoutMs } = step;
  const show = fillText(step.show, bindingsOf(walk, step));
  if (!show.ok) return fail(walk, 'expression', show.message);
  const command = {
    kind: 'ask',
    id: commandId(walk, undefined),
    approvers,
    show: show.value,
    timeoutMs,
  } as const;
  request(walk, { command, mismatches: 0, model: 0, isHeld: false, isUnsettled: false });
  return undefined;
}

function wait(walk: Walk, { event, timeoutMs }: WaitStep): string | undefined {
  const command = { kind: 'wait', id: commandId(walk, undefined), event, timeoutMs } as const;
  request(walk, { command, mismatches: 0, model: 0, isHeld: false, isUnsettled: false });
  return undefined;
}

function endAt(walk: Walk, step: EndStep): string | undefined {
  const bindings = bindingsOf(walk, step);
  const output = step.output === undefined ? undefined : fill(step.output, bindings);
  const because = step.because === undefined ? undefined : fillText(step.because, bindings);
  if (output?.ok === false) return fail(walk, 'expression', output.message);
  return end(walk, {
    status: step.status,
    ...(output === undefined ? {} : { output: output.value }),
    ...(because?.ok === true ? { because: because.value } : {}),
  });
}

/** A step is done: what it left is kept, and no failure before it is told any more. */
export function leave(walk: Walk, step: Step, output: JsonValue): void {
  keep(walk, step, output);
  delete walk.state.failure;
}

function end(walk: Walk, ending: Ending): undefined {
  finish(walk, ending);
}

/** The step that the run is at has failed. */
function fail(walk: Walk, code: FailureCode, message: string): string | undefined {
  return failWith(walk, { step: walk.state.step, code, message });
}

/** Where the run goes on after the failure: `onError` of its step, or nowhere. */
function failWith(walk: Walk, failure: Failure): string | undefined {
  const step = stepOf(walk);
  const onError = 'onError' in step ? step.onError : undefined;
  if (onError === undefined) return end(walk, { status: 'failed', failure });
  walk.state.failure = failure;
  return onError;
}

/** An action has failed: the step, or a branch of it, which fails the step once the other branches are there. */
export function failAction(
  walk: Walk,
  step: Step,
  { code, message }: Omit<Failure, 'step'>,
  name: string | undefined,
): string | undefined {
  const { state } = walk;
  const failure = { step: name === undefined ? step.id : `${step.id}/${name}`, code, message };
  if (name === undefined || state.branching === undefined) return failWith(walk, failure);
  // The first one is told.
  state.branching = { failure, ...state.branching };
  return undefined;
}
