/** Whether a run asked for a call that was decided in its name. */

import type { Entry } from '../ledger/entry.ts';
import { hasReferences } from '../authority/reference.ts';
import { stepOf } from '../runtime/call.ts';
import { callOf } from '../runtime/outcome.ts';
import type { JsonValue } from '../value/json.ts';
import type { Asked, FollowedRun } from './followed-run.ts';
import { isSame, member, told } from './problem.ts';

/** A decision of a run, by what its entry says. */
export interface RunDecision {
  readonly entry: Entry;
  readonly call: string;
  readonly command: string;
  /** Absent when some of them are gone, or were secret. */
  readonly args: JsonValue | undefined;
  /** The HMAC under which the run's call is known again; absent without the vault's key. */
  readonly key: string | undefined;
}

/** Why it is no call that `asked` is for; `asked` is absent when the run waits for no such command. */
export function decisionProblem(
  { started, policy, state, standing }: FollowedRun,
  asked: Asked | undefined,
  { entry, call, command, args, key }: RunDecision,
): string | undefined {
  const { run, type, principal, keys } = entry;
  const tool = member(entry['tool'], 'name');
  if (asked === undefined) {
    return state === undefined
      ? undefined
      : `expected a call that a step asks for, got ${told(command)} of ${told(tool)}`;
  }
  const [step, seq, depth = 0] = ['step', 'seq', 'depth'].map((name) => member(run, name));
  const program = member(run, 'program');
  if (program !== started.program || depth !== started.depth || principal !== started.principal) {
    return `expected a call of program ${told(started.program)} at depth ${started.depth} for ${told(started.principal)}`;
  }
  if (step !== stepOf(command)) return `expected step ${told(stepOf(command))}, got ${told(step)}`;
  if (typeof seq !== 'number' || seq < asked.seq || seq > standing.seq) {
    return `expected a call after move ${asked.seq} and no later than ${standing.seq}, got ${told(seq)}`;
  }
  const isHeld = type !== 'call.denied';
  if (isHeld && asked.held !== undefined && asked.held !== call) {
    return `expected one call of ${told(command)}, which is ${told(asked.held)}, got another`;
  }
  if (isHeld && key !== undefined && !(Array.isArray(keys) && keys.includes(key))) {
    return `expected the call to hold the key of ${told(command)}`;
  }
  if (asked.command === undefined || asked.command.kind === 'wait' || asked.command.kind === 'abandon')
    return undefined;
  if (asked.command.kind === 'child') return `expected a run of ${told(asked.command.program)}, got a call`;
  const expected = callOf(asked.command);
  if (tool !== expected.tool) return `expected a call of ${told(expected.tool)}, got one of ${told(tool)}`;
  // Paths that a guard resolved and references that were opened are recorded as they were sent.
  const isChanged = policy.tools.get(expected.tool)?.guard !== undefined || hasReferences(expected.args);
  if (args === undefined || isChanged || isSame(expected.args, args)) return undefined;
  return `expected the arguments that step ${told(step)} gives, got others`;
}
