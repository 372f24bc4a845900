/** What programs mean, once more: a slow and obvious interpreter, which shares nothing with `transition` but the types. */

import type { Bindings } from '../src/expression/compile.ts';
import { toCel } from '../src/expression/value.ts';
import type { Command, RunEvent } from '../src/program/event.ts';
import type { Action, Program, Step } from '../src/program/program.ts';
import { fill, fillObject, fillText } from '../src/program/template.ts';
import { canonicalText } from '../src/value/canonical.ts';
import type { JsonObject, JsonValue } from '../src/value/json.ts';

/** What is open now, and how the run ended once it did. */
export interface Stand {
  readonly open: readonly Command[];
  readonly status?: string;
  readonly notUndone?: readonly string[];
}

const FAILED = Symbol('failed');

/** Steps that are gone to in place of the next one. */
interface Elsewhere {
  readonly to: string;
}

/** The end of a run, thrown from wherever it is decided. */
class End extends Error {
  readonly status: string;
  constructor(status: string) {
    super(status);
    this.status = status;
  }
}

/** Each `next(event)` answers what stands open after the event; the first one takes none. */
export function interpret(program: Program, input: JsonObject): Generator<Stand, Stand, RunEvent> {
  return new Interpreter(program, input).run();
}

/** Straight on from step to step, as a person would with a pencil. It knows no parallel steps. */
class Interpreter {
  readonly #program: Program;
  readonly #input: JsonObject;
  readonly #outputs: Record<string, JsonValue> = {};
  readonly #visits: Record<string, number> = {};
  readonly #seen: Record<string, { readonly era: number; readonly text: string; readonly times: number }> = {};
  readonly #done: { readonly name: string; readonly tool: string; readonly args: JsonObject | undefined }[] = [];
  readonly #spent = { steps: 0, tokens: 0, microUsd: 0, activeMs: 0 };
  #era = 0;
  #cancelled = false;

  constructor(program: Program, input: JsonObject) {
    this.#program = program;
    this.#input = input;
  }

  *run(): Generator<Stand, Stand, RunEvent> {
    let status: string;
    try {
      status = yield* this.#walk();
    } catch (error) {
      if (!(error instanceof End)) throw error;
      status = error.status;
    }
    return { open: [], status, notUndone: status === 'success' ? [] : yield* this.#undo() };
  }

  *#walk(): Generator<Stand, string, RunEvent> {
    let at = this.#program.start;
    for (;;) {
      const id = this.#enter(at);
      const step = this.#program.steps.get(at);
      if (step === undefined) throw new Error(`no step ${at}`);
      const next = yield* this.#perform(step, id);
      if (this.#cancelled) return 'cancelled';
      if (typeof next !== 'string') return next.status;
      at = next;
    }
  }

  #enter(at: string): string {
    const { steps, tokens, microUsd, timeMs, stalled } = this.#program.limits;
    const spent = this.#spent;
    if (spent.steps >= steps || spent.tokens >= tokens) throw new End('budget-exceeded');
    if (spent.microUsd >= microUsd || spent.activeMs >= timeMs) throw new End('budget-exceeded');
    spent.steps += 1;
    this.#visits[at] = (this.#visits[at] ?? 0) + 1;
    const text = canonicalText(this.#outputs);
    const before = this.#seen[at];
    const times = before !== undefined && before.era === this.#era && before.text === text ? before.times + 1 : 0;
    this.#seen[at] = { era: this.#era, text, times };
    if (times >= stalled) throw new End('stalled');
    return `${at}/${this.#visits[at]}`;
  }

  *#perform(step: Step, id: string): Generator<Stand, string | { readonly status: string }, RunEvent> {
    const failed = 'onError' in step && step.onError !== undefined ? step.onError : { status: 'failed' };
    switch (step.kind) {
      case 'choose':
        for (const { when, next } of step.branches) {
          const value = when?.evaluate(this.#bindings());
          if (value?.ok === false) return failed;
          if (value === undefined || value.value === true) return next;
        }
        return failed;
      case 'tool':
      case 'llm':
      case 'call': {
        const result = yield* this.#act(step, id);
        if (result === FAILED) return failed;
        if (isElsewhere(result)) return result.to;
        this.#outputs[step.id] = result.output;
        this.#remember(step, id);
        return step.next;
      }
      case 'ask': {
        const show = fillText(step.show, this.#bindings());
        if (!show.ok) return failed;
        const { approvers, timeoutMs } = step;
        const event = yield* this.#answerTo({ kind: 'ask', id, approvers, show: show.value, timeoutMs });
        const answer = event.kind === 'answer' ? event.answer : 'expired';
        this.#era += 1;
        this.#outputs[step.id] = { answer };
        return step[answer];
      }
      case 'wait': {
        const event = yield* this.#answerTo({ kind: 'wait', id, event: step.event, timeoutMs: step.timeoutMs });
        this.#era += 1;
        if (event.kind !== 'event') return step.expired;
        this.#outputs[step.id] = event.payload;
        return step.next;
      }
      case 'end': {
        const output = step.output === undefined ? undefined : fill(step.output, this.#bindings());
        return output?.ok === false ? { status: 'failed' } : { status: step.status };
      }
      case 'parallel':
        throw new Error('the model has no parallel steps');
    }
  }

  /** Asks until there is an answer that is one, or nobody is left to ask. */
  *#act(
    action: Action,
    id: string,
  ): Generator<Stand, { readonly output: JsonValue } | Elsewhere | typeof FAILED, RunEvent> {
    let [model, mismatches] = [0, 0];
    const first = this.#commandOf(action, id);
    if (first === undefined) return FAILED;
    for (let command: Command = first; ; command = askedAgain(first, action, model, mismatches)) {
      const output = yield* this.#outputOf(command);
      if (output === undefined) {
        if (action.kind !== 'llm' || action.models[model + 1] === undefined || this.#cancelled) return FAILED;
        model += 1;
        mismatches = 0;
        continue;
      }
      const read = action.kind === 'llm' ? action.read(output) : ({ ok: true, value: output } as const);
      if (read.ok) return { output: read.value };
      mismatches += 1;
      if (action.kind !== 'llm' || (mismatches <= action.mismatch.retry && !this.#cancelled)) continue;
      const { otherwise } = action.mismatch;
      return otherwise === undefined || this.#cancelled ? FAILED : { to: otherwise };
    }
  }

  /** What the command brought, once it is known; nothing when it failed. */
  *#outputOf(command: Command): Generator<Stand, JsonValue | undefined, RunEvent> {
    let event = yield* this.#answerTo(command);
    if (event.kind === 'call') {
      this.#spent.tokens += event.tokens ?? 0;
      this.#spent.microUsd += event.microUsd ?? 0;
      this.#spent.activeMs += event.activeMs ?? 0;
      if (event.end === 'unknown' && command.kind === 'call') {
        do event = yield* this.#answerTo(command);
        while (event.kind !== 'settled');
      }
    }
    return answered(event);
  }

  /** The event of the one command that is open, a cancellation noted on the way. */
  *#answerTo(command: Command): Generator<Stand, RunEvent, RunEvent> {
    for (;;) {
      const event: RunEvent = yield { open: [command] };
      if (event.kind === 'cancel') {
        this.#cancelled = true;
        if (command.kind === 'ask' || command.kind === 'wait') throw new End('cancelled');
      } else if (event.command === command.id) return event;
    }
  }

  *#undo(): Generator<Stand, readonly string[], RunEvent> {
    const left: string[] = [];
    for (const { name, tool, args } of this.#done.toReversed()) {
      const id = `undo/${name}`;
      const output =
        args === undefined
          ? undefined
          : yield* this.#outputOf({ kind: 'call', id, tool, args, attempts: 3, timeoutMs: 60_000 });
      if (output === undefined) left.push(name);
    }
    return left;
  }

  #remember(action: Action, name: string): void {
    if (action.kind !== 'tool' || action.undo === undefined) return;
    const args = fillObject(action.undo.args, this.#bindings());
    this.#done.push({ name, tool: action.undo.tool, args: args.ok ? args.value : undefined });
  }

  #bindings(): Bindings {
    const { types } = this.#program;
    const steps = Object.fromEntries(Object.entries(this.#outputs).map(([id, output]) => [id, { output }]));
    return { input: toCel(this.#input, types.input), steps: toCel(steps, types.steps) };
  }

  #commandOf(action: Action, id: string): Command | undefined {
    switch (action.kind) {
      case 'tool': {
        const args = fillObject(action.args, this.#bindings());
        const { tool, attempts, timeoutMs } = action;
        return args.ok ? { kind: 'call', id, tool, args: args.value, attempts, timeoutMs } : undefined;
      }
      case 'llm': {
        const prompt = fillText(action.prompt, this.#bindings());
        if (!prompt.ok) return undefined;
        const { models, outputs, schema, attempts, timeoutMs } = action;
        const gate = { ...(outputs === undefined ? {} : { outputs }), ...(schema === undefined ? {} : { schema }) };
        return { kind: 'model', id, model: models[0], prompt: prompt.value, ...gate, attempts, timeoutMs };
      }
      case 'call': {
        const input = fillObject(action.input, this.#bindings());
        return input.ok ? { kind: 'child', id, program: action.program, input: input.value } : undefined;
      }
    }
  }
}

function isElsewhere(value: object): value is Elsewhere {
  return 'to' in value;
}

function askedAgain(first: Command, action: Action, model: number, mismatches: number): Command {
  const name = action.kind === 'llm' ? action.models[model] : undefined;
  if (first.kind !== 'model' || name === undefined) return first;
  return { ...first, id: `${first.id}#${model}.${mismatches}`, model: name };
}

function answered(event: RunEvent): JsonValue | undefined {
  if (event.kind === 'call') return event.end === 'succeeded' ? (event.output ?? null) : undefined;
  if (event.kind === 'settled') return event.as === 'executed' ? (event.output ?? null) : undefined;
  if (event.kind === 'child') return event.status === 'success' ? (event.output ?? null) : undefined;
  return null;
}
