/** What the tools and models of a case say, and whether the policy lets them be asked: the world around a run. */

import assert from 'node:assert/strict';
import type { Policy } from '../src/policy/compile.ts';
import { decide, questionOf } from '../src/policy/decide/decide.ts';
import type { Approval } from '../src/policy/decide/decide.ts';
import type { Request } from '../src/policy/decide/decision.ts';
import { modelNameOf } from '../src/policy/tool/model.ts';
import { ASK } from '../src/policy/tool/own.ts';
import type { CallEnd, Command, RunEvent } from '../src/program/event.ts';
import { checkValue } from '../src/schema/schema.ts';
import type { JsonObject, JsonValue } from '../src/value/json.ts';
import { parseDuration } from '../src/value/time.ts';
import { PRINCIPAL } from './program-catalog.ts';
import type { ModelAnswer, Outcome, ProgramCase } from './program-corpus.ts';

/** A command that is a call. */
export type Calling = Extract<Command, { readonly kind: 'call' | 'model' | 'ask' }>;

type CallEvent = Extract<RunEvent, { readonly kind: 'call' }>;

/** How a call ended after how many milliseconds, or that it waits for people. */
export type Told =
  | { readonly kind: 'ended'; readonly event: CallEvent; readonly takesMs: number; readonly spoil: () => void }
  | { readonly kind: 'asked'; readonly expiresMs: number };

/** What is known of all calls of a case so far. */
export interface Script {
  readonly calls: (readonly [tool: string, args: JsonObject])[];
  readonly asked: (readonly [model: string, prompt: string])[];
  readonly denied: string[];
  /** Carries a command out at the time `now`, milliseconds, unless the policy denies it or asks people first. */
  tell(command: Calling, now: number, approved?: readonly Approval[]): Told;
}

/** Each attempt is decided, and takes of budgets and rates, by itself. */
export function scriptOf(each: ProgramCase, policy: Policy): Script {
  const facts = new Map<string, number>();
  const next = outcomesOf(each);
  const script: Omit<Script, 'tell'> = { calls: [], asked: [], denied: [] };
  const tell = (command: Calling, now: number, approved?: readonly Approval[]): Told => {
    let takesMs = 0;
    let before: Told | undefined;
    // What leaves is a copy: a state and the commands that it gives are made of the same parts.
    const { tool, args } = structuredClone(callOf(command));
    for (let attempt = 1; ; attempt += 1) {
      const told = { kind: 'call', command: command.id, attempts: attempt } as const;
      const request = requestOf(tool, args, now + takesMs, command.id, attempt);
      const decision = decide(policy, request, facts, approved === undefined ? {} : { approved });
      const { effect, code, retryable, reservation = NOTHING } = decision;
      if (effect === 'deny') {
        // What was made stands, and not that no more was.
        if (before !== undefined) return before;
        if (retryable && 'attempts' in command && attempt < command.attempts) continue;
        script.denied.push(code);
        return { kind: 'ended', event: { ...told, end: 'denied', message: code }, takesMs, spoil: () => undefined };
      }
      if (effect === 'ask') return { kind: 'asked', expiresMs: questionOf(policy, request, decision).expiresMs };
      assert.ok(command.kind !== 'ask', 'nothing but people answers an `ask`');
      if (before === undefined) note(script, command);
      const came = next(command);
      const end = came.takesMs > command.timeoutMs ? 'unknown' : came.end;
      for (const [key, amount] of Object.entries(reservation.reserved)) {
        if (end !== 'not-started') facts.set(key, (facts.get(key) ?? 0) + amount);
      }
      for (const [key, time] of Object.entries(reservation.rates)) facts.set(key, time);
      takesMs += Math.min(came.takesMs, command.timeoutMs);
      const event: CallEvent = { ...told, ...ended(policy, tool, end, came), ...came.usage };
      before = { kind: 'ended', event, takesMs, spoil: () => void (came.mutates && spoil(event.output)) };
      if (attempt < command.attempts && isRepeatable(policy, tool, end)) continue;
      if (came.mutates) spoil(args);
      return before;
    }
  };
  return { ...script, tell };
}

const NOTHING = { reserved: {}, rates: {} };

function note(script: Omit<Script, 'tell'>, command: Extract<Calling, { readonly kind: 'call' | 'model' }>): void {
  if (command.kind === 'call') script.calls.push([command.tool, structuredClone(command.args)]);
  else script.asked.push([command.model, command.prompt]);
}

function callOf(command: Calling): { readonly tool: string; readonly args: JsonObject } {
  if (command.kind === 'call') return { tool: command.tool, args: command.args };
  if (command.kind === 'model') return { tool: `llm.${command.model}`, args: { prompt: command.prompt } };
  const { show, approvers, timeoutMs } = command;
  return { tool: ASK.name, args: { show, approvers, timeoutMs } };
}

function requestOf(tool: string, args: JsonObject, now: number, id: string, attempt: number): Request {
  const [step = ''] = id.replace(/^undo\//u, '').split('/');
  const run = { id: 'run', depth: 0, program: 'program', step };
  return { principal: PRINCIPAL, tool, args, call: { id, attempt, key: id }, run, now };
}

/** What may be attempted again: docs/ledger.md, Retry. */
function isRepeatable(policy: Policy, name: string, end: CallEnd): boolean {
  const tool = policy.tools.get(name);
  if (end === 'not-started') return true;
  if (end === 'failed') return tool?.failedHasNoEffect === true || tool?.downstreamKey !== undefined;
  return end === 'unknown' && tool?.effect === 'read';
}

/** What a tool answers that its schema does not take is no output; what a model says is for its gate. */
function ended(
  policy: Policy,
  tool: string,
  end: CallEnd,
  { output, message }: Came,
): Pick<CallEvent, 'end' | 'output' | 'message'> {
  const { outputSchema } = (modelNameOf(tool) === undefined ? policy.tools.get(tool)?.definition : undefined) ?? {};
  if (end !== 'succeeded') return { end, ...(message === undefined ? {} : { message }) };
  const isRefused = outputSchema !== undefined && checkValue(outputSchema, output ?? null).length > 0;
  return isRefused ? { end: 'failed' } : { end, ...(output === undefined ? {} : { output }) };
}

export interface Came {
  readonly end: CallEnd;
  readonly output?: JsonValue;
  readonly message?: string;
  readonly takesMs: number;
  readonly mutates: boolean;
  readonly usage: Pick<CallEvent, 'tokens' | 'microUsd'>;
}

/** What a call of a tool or a model is about. */
type Asked = { readonly kind: 'call'; readonly tool: string } | { readonly kind: 'model'; readonly model: string };

/** Gives the next outcome of each tool and model. */
export type Said = (asked: Asked) => Came;

export function outcomesOf({ title, calls, answers }: ProgramCase): Said {
  const taken = new Map<string, number>();
  const pick = <T>(name: string, script: T | readonly T[] | undefined): T => {
    const at = taken.get(name) ?? 0;
    taken.set(name, at + 1);
    const found = Array.isArray(script) ? (script as readonly T[])[at] : (script as T | undefined);
    assert.ok(found !== undefined, `${title}: nothing is scripted for call ${at + 1} of \`${name}\``);
    return found;
  };
  return (asked) =>
    asked.kind === 'call'
      ? outcome(pick(asked.tool, calls[asked.tool]))
      : answer(pick(asked.model, answers[asked.model]));
}

function outcome(scripted: Outcome): Came {
  const { succeeded, failed, unknown, takes, mutates = false } = scripted;
  const common = { takesMs: durationOf(takes), mutates, usage: {} };
  if (succeeded !== undefined) return { end: 'succeeded', output: structuredClone<JsonValue>(succeeded), ...common };
  const end = failed !== undefined ? 'failed' : unknown !== undefined ? 'unknown' : 'not-started';
  return { end, message: failed ?? unknown ?? scripted['not-started'] ?? '', ...common };
}

function answer(scripted: ModelAnswer): Came {
  const { says, failed, tokens = 0, usd = 0, takes } = scripted;
  const usage = { tokens, microUsd: Math.round(usd * 1_000_000) };
  const common = { takesMs: durationOf(takes), mutates: false, usage };
  if (says !== undefined) {
    return { end: 'succeeded', output: typeof says === 'string' ? says : says.repeat.repeat(says.times), ...common };
  }
  return { end: failed === undefined ? 'not-started' : 'failed', message: failed ?? '', ...common };
}

export function durationOf(text: string | undefined): number {
  return text === undefined ? 0 : (parseDuration(text) ?? assert.fail(`\`${text}\` is no duration`));
}

/** Writes into everything that is within reach of `value`. */
export function spoil(value: JsonValue | undefined): void {
  if (typeof value !== 'object' || value === null) return;
  for (const member of Object.values(value)) spoil(member);
  for (const name of Object.keys(value)) Reflect.set(value, name, 'spoiled');
  Reflect.set(value, 'spoiled', true);
}
