/** Whether the event that moved a run is what the entries of its call, of the run it called, or its own say. */

import type { Entry } from '../ledger/entry.ts';
import type { CallRow } from '../ledger/ledger.ts';
import { ASK } from '../policy/tool/own.ts';
import type { Policy } from '../policy/compile.ts';
import type { RunEvent } from '../program/event.ts';
import { toolOutput } from '../program/tool-output.ts';
import { bringsResult, withOutput, withPayload, withResult } from '../runtime/brought.ts';
import { runIdOf } from '../runtime/child.ts';
import type { RecordedEvent } from '../runtime/entry.ts';
import { type Calling, callOf, usageOf } from '../runtime/outcome.ts';
import { NOT_STARTED_CODES } from '../runtime/start.ts';
import { checkValue } from '../schema/schema.ts';
import { isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import type { FollowedRun } from './followed-run.ts';
import { told } from './problem.ts';
import type { OpenedEntry, OpenedOutput } from './recorded-call.ts';

/** A call of a run, as its entries say it so far. */
export interface RunCall {
  readonly tool: string;
  /** Every state that it has been in: between an answer and the move that it makes others may come. */
  readonly states: ReadonlySet<CallRow['state']>;
  readonly output?: OpenedOutput | undefined;
}

/** What is known beside the run. */
export interface Beside {
  readonly entry: Entry;
  readonly opened: OpenedEntry;
  /** A call that a run asked for and that is not answered yet. */
  readonly runCall: (id: string) => RunCall | undefined;
  /** The row of a call, as the entries so far fold to it. */
  readonly row: (id: string) => CallRow | undefined;
}

export type Brought =
  | { readonly kind: 'event'; readonly event: RunEvent }
  /** What it brought is gone; or nobody but the world knew. */
  | { readonly kind: 'gone'; readonly why: string }
  | { readonly kind: 'wrong'; readonly message: string };

type Of<K extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: K }>;

/** The event with what it brought. */
export function broughtEvent(run: FollowedRun, recorded: RecordedEvent, beside: Beside): Brought {
  const { event, of = '' } = recorded;
  switch (event.kind) {
    case 'call':
    case 'settled':
    case 'answer':
      return ofCall(run, { event, of }, beside);
    case 'waits':
      return waiting(run, { event, of }, beside);
    case 'child':
      return ofChild(run, event, of);
    case 'event':
      return payload(run, event, beside);
    case 'expired':
      return expiry(run, event, beside.entry);
    case 'cancel':
      return { kind: 'event', event };
  }
}

function ofCall(
  run: FollowedRun,
  { event, of }: { readonly event: Of<'call'> | Of<'settled'> | Of<'answer'>; readonly of: string },
  beside: Beside,
): Brought {
  const asked = run.asked.get(event.command);
  const call = beside.runCall(of);
  const row = beside.row(of);
  const isOwn = asked?.calls.has(of) === true;
  if (!isOwn && isDenial(event) && row === undefined) {
    const isKnown = run.state !== undefined;
    return isKnown ? { kind: 'event', event } : gone('its denial was counted, and not recorded');
  }
  if (!isOwn && !isShared(run, asked?.command, row))
    return wrong(`expected an event of a call of this command, got ${told(of)}`);
  const states = call?.states ?? new Set(row === undefined ? [] : [row.state]);
  const isOver = row !== undefined && states.has('parked') && (parseInstant(beside.entry.at) ?? 0) >= row.deadline;
  const known = isOver ? new Set([...states, 'expired' as const]) : states;
  if (event.kind === 'answer') return answer(event, call?.tool ?? row?.tool, known);
  if (event.kind === 'settled') {
    if (!known.has(`settled-${event.as}`)) return wrong(`expected a call that was settled as ${told(event.as)}`);
  } else {
    const problem = endProblem(run.policy, event, {
      states: known,
      ...(call?.output === undefined ? {} : { output: call.output }),
      tool: row?.tool ?? '',
    });
    if (problem !== undefined) return wrong(problem);
  }
  if (!bringsResult(event)) return { kind: 'event', event };
  if (call?.output === 'gone' || (call === undefined && row !== undefined))
    return gone('what its call brought is gone');
  const result = withResult(event, row?.tool ?? '', call?.output);
  if (result === undefined) return gone('what its call brought is gone, or was secret');
  const usage = usageProblem(asked?.command, event, call?.output);
  return usage === undefined ? { kind: 'event', event: result } : wrong(usage);
}

/** What needs no entry of a call: too many alike are only counted, and what the ledger refuses is not recorded. */
function isDenial(event: Of<'call'> | Of<'settled'> | Of<'answer'>): boolean {
  return (event.kind === 'call' && event.end === 'denied') || (event.kind === 'answer' && event.answer === 'no');
}

/** A tool with a key of its own may answer with a call that was made elsewhere. */
function isShared({ policy, started }: FollowedRun, command: unknown, row: CallRow | undefined): boolean {
  if (row === undefined || policy.tools.get(row.tool)?.key === undefined) return false;
  const tool = isCalling(command) ? callOf(command).tool : row.tool;
  return row.principal === started.principal && row.tool === tool;
}

function isCalling(command: unknown): command is Calling {
  const { kind } = (command ?? {}) as { readonly kind?: string };
  return kind === 'call' || kind === 'model' || kind === 'ask';
}

function endProblem(policy: Policy, { end }: Of<'call'>, { states, output, tool }: RunCall): string | undefined {
  const may: Readonly<Record<typeof end, readonly CallRow['state'][]>> = {
    succeeded: ['succeeded', 'settled-executed'],
    failed: ['failed'],
    'not-started': ['not-started', 'settled-not-executed'],
    denied: ['denied', 'refused', 'expired'],
    unknown: ['unknown'],
  };
  if (may[end].some((state) => states.has(state))) return undefined;
  const isMisfit =
    end === 'failed' && may.succeeded.some((state) => states.has(state)) && doesNotFit(policy, tool, output);
  if (isMisfit) return undefined;
  return `expected a call that ended ${told(end)}, got one that is ${told([...states].at(-1))}`;
}

/** What a tool answered against its own output schema is a failure of the step. */
function doesNotFit(policy: Policy, tool: string, output: OpenedOutput | undefined): boolean {
  const schema = policy.tools.get(tool)?.definition.outputSchema;
  if (schema === undefined) return false;
  return output === undefined || output === 'gone' || output.redacted || !toolOutput(output.value, schema).ok;
}

/** A limit on tokens or money counts what the model's answer says that it took. */
function usageProblem(command: unknown, event: RunEvent, output: OpenedOutput | undefined): string | undefined {
  if (event.kind !== 'call' || !isCalling(command) || output === undefined || output === 'gone') return undefined;
  const { tokens = 0, microUsd = 0 } = usageOf(command, isJsonObject(output.value) ? output.value : {});
  if (tokens === (event.tokens ?? 0) && microUsd === (event.microUsd ?? 0)) return undefined;
  return `expected ${tokens} tokens and ${microUsd} millionths of a dollar, got ${told([event.tokens ?? 0, event.microUsd ?? 0])}`;
}

function answer(event: Of<'answer'>, tool: string | undefined, states: ReadonlySet<CallRow['state']>): Brought {
  if (tool !== ASK.name) return wrong(`expected an answer to ${told(ASK.name)}, got one to ${told(tool)}`);
  const isYes = states.has('succeeded') || states.has('settled-executed');
  const isSo = event.answer === 'yes' ? isYes : event.answer === 'no' ? !isYes : states.has('expired');
  if (isSo) return { kind: 'event', event };
  return wrong(`expected the answer that the call has, got ${told(event.answer)}`);
}

function waiting(
  run: FollowedRun,
  { event, of }: { readonly event: Of<'waits'>; readonly of: string },
  { row }: Beside,
): Brought {
  const { command, calls } = run.asked.get(event.command) ?? {};
  const isChild = of === runIdOf(run.started.id, event.command) && run.children.has(of);
  const found = row(of);
  const isParked = found?.approval !== undefined && (calls?.has(of) === true || isShared(run, command, found));
  if (isChild || isParked) return { kind: 'event', event };
  return wrong(`expected a call that waits for its approval, or a run that it called, got ${told(of)}`);
}

function ofChild(run: FollowedRun, event: Of<'child'>, of: string): Brought {
  if (of !== runIdOf(run.started.id, event.command)) return wrong(`expected the run of this command, got ${told(of)}`);
  const isStarted = run.children.has(of);
  const end = run.children.get(of);
  if (!isStarted) {
    if (NOT_STARTED_CODES.some((code) => code === event.status)) return { kind: 'event', event };
    return wrong(`expected why the program did not start, got ${told(event.status)}`);
  }
  if (end?.status !== event.status)
    return wrong(`expected the run to have ended ${told(end?.status)}, got ${told(event.status)}`);
  if (end.output === 'gone') return gone('the output of the program that it called is gone');
  return { kind: 'event', event: withOutput(event, end.output?.value) };
}

function payload({ linked, standing }: FollowedRun, event: Of<'event'>, { opened }: Beside): Brought {
  const wait = standing.waits.find(({ command }) => command === event.command);
  if (wait?.kind !== 'event')
    return wrong(`expected an event that the run waits for, got one for ${told(event.command)}`);
  const filled = withPayload(event, opened.args);
  if (filled?.kind !== 'event') return gone('what its event brought is gone');
  const [misfit] = checkValue(linked.program.events.get(wait.of) ?? {}, filled.payload);
  if (misfit !== undefined)
    return wrong(`expected what ${told(wait.of)} brings to fit its schema: it ${misfit.message}`);
  return { kind: 'event', event: filled };
}

function expiry({ standing }: FollowedRun, event: Of<'expired'>, { at }: Entry): Brought {
  const wait = standing.waits.find(({ command }) => command === event.command);
  if (wait?.expires !== undefined && wait.expires <= (parseInstant(at) ?? 0)) return { kind: 'event', event };
  return wrong('expected a wait whose time is over');
}

function gone(why: string): Brought {
  return { kind: 'gone', why };
}

function wrong(message: string): Brought {
  return { kind: 'wrong', message };
}
