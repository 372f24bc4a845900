/** What comes to the runs of a case from outside: answers, events, settlements, time and the end of the process. */

import assert from 'node:assert/strict';
import { isOver } from '../src/program/transition.ts';
import { checkValue } from '../src/schema/schema.ts';
import type { Outside } from './program-corpus.ts';
import { type Driving, type Run, again, ask, come, deliver, settle } from './program-runs.ts';
import { durationOf } from './program-script.ts';

/** Whether `event` comes now. */
export function isNow(driving: Driving, event: Outside): boolean {
  const run = driving.runs.get('');
  assert.ok(run !== undefined);
  if (event.late === true) return isOver(run.state) && driving.coming.length === 0;
  if (event.while === undefined) return driving.coming.length === 0 && run.state.status === 'suspended';
  const id = event.while;
  return [...driving.runs.values()].some(({ state }) => state.pending.has(id));
}

/** Whether the event from outside moved a run. */
export function happen(driving: Driving, event: Outside): boolean {
  const run = driving.runs.get(event.in ?? '');
  assert.ok(run !== undefined, `${driving.each.title}: no run was begun by \`${event.in}\``);
  if (event.clock !== undefined) return pass(driving, durationOf(event.clock));
  if (event.cancel === true) return deliver(driving, run, { kind: 'cancel' });
  if (event.crash === true) return crash(driving);
  if (event.signal !== undefined) return signal(driving, run, event.signal, event);
  if (event.answer !== undefined) return respond(driving, run, event.answer, event.to);
  assert.ok(event.settle !== undefined);
  return conclude(driving, run, event.settle, event);
}

/** Time passes: what waits for somebody waits no longer than it may. */
function pass(driving: Driving, durationMs: number): boolean {
  const until = driving.now + durationMs;
  let isMoved = false;
  for (;;) {
    settle(driving, () => false, until);
    const open = [...driving.runs.values()].flatMap((run) =>
      [...run.deadlines].filter(([id]) => run.state.pending.has(id)).map(([id, at]) => ({ run, id, at })),
    );
    const [first] = open.toSorted((one, other) => one.at - other.at);
    if (first === undefined || first.at > until) break;
    const { run, id, at } = first;
    driving.now = Math.max(driving.now, at);
    driving.last = driving.now;
    run.deadlines.delete(id);
    const kind = run.state.pending.get(id)?.command.kind;
    if (run.parked.delete(id)) {
      driving.script.denied.push('approval-expired');
      isMoved =
        deliver(driving, run, { kind: 'call', command: id, end: 'denied', message: 'approval-expired' }) || isMoved;
    } else if (kind === 'ask')
      isMoved = deliver(driving, run, { kind: 'answer', command: id, answer: 'expired' }) || isMoved;
    else isMoved = deliver(driving, run, { kind: 'expired', command: id }) || isMoved;
  }
  driving.now = until;
  driving.last = until;
  return isMoved;
}

/** The process dies, and another one takes the runs up: nobody knows any more how calls that were under way ended. */
function crash(driving: Driving): boolean {
  for (const run of driving.runs.values()) run.state = again(run);
  const lost = driving.coming.splice(0);
  let isMoved = false;
  for (const { run, event, ...rest } of lost) {
    if (event.kind !== 'call' || event.end === 'denied') driving.coming.push({ run, event, ...rest });
    else isMoved = deliver(driving, run, { kind: 'call', command: event.command, end: 'unknown' }) || isMoved;
  }
  return isMoved;
}

/** An event is of a wait that is open, fits the schema of the program, and comes once. */
function signal(driving: Driving, run: Run, name: string, { payload = {}, id }: Outside): boolean {
  const open = [...run.state.pending.values()].find(({ command }) => command.kind === 'wait' && command.event === name);
  const schema = run.program.events.get(name);
  if (open === undefined || schema === undefined || checkValue(schema, payload).length > 0) return false;
  if (id !== undefined && run.taken.has(id)) return false;
  if (id !== undefined) run.taken.add(id);
  return deliver(driving, run, { kind: 'event', command: open.command.id, payload });
}

function respond(driving: Driving, run: Run, answer: 'yes' | 'no', to: string | undefined): boolean {
  const asked = [...run.state.pending.values()]
    .filter(({ command }) => command.kind === 'ask')
    .map(({ command }) => command.id);
  const id = to ?? [...run.parked.keys(), ...asked][0];
  if (id === undefined) return false;
  const parked = run.parked.get(id);
  if (parked === undefined) return deliver(driving, run, { kind: 'answer', command: id, answer });
  run.parked.delete(id);
  run.deadlines.delete(id);
  driving.last = driving.now;
  if (answer === 'yes') ask(driving, run, parked, true);
  else {
    driving.script.denied.push('approval-refused');
    come(driving, run, { kind: 'call', command: id, end: 'denied', message: 'approval-refused' });
  }
  return true;
}

/** What is said to have been executed has an output as its tool gives it. */
function conclude(driving: Driving, run: Run, as: 'executed' | 'not-executed', { to, output }: Outside): boolean {
  const open = [...run.state.pending.values()].find(({ isUnsettled, command }) =>
    to === undefined ? isUnsettled : command.id === to,
  );
  if (open === undefined) return false;
  const { command } = open;
  const schema = command.kind === 'call' ? driving.policy.tools.get(command.tool)?.definition.outputSchema : undefined;
  if (as === 'executed' && schema !== undefined && checkValue(schema, output ?? null).length > 0) return false;
  return deliver(driving, run, {
    kind: 'settled',
    command: command.id,
    as,
    ...(output === undefined ? {} : { output }),
  });
}
