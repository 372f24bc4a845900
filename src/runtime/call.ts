/** Carries out a command by a call through the authority, under the key of its run: however often it is asked for, it is one call. */

import type { Answer } from '../authority/answer.ts';
import type { RuntimeOptions } from './deps.ts';
import type { RecordedEvent } from './entry.ts';
import type { LoadedRun } from './load.ts';
import { type Calling, callOf, eventOf } from './outcome.ts';

/** The pause before a call that was denied for the moment is proposed again, milliseconds; it doubles each time. */
const FIRST_PAUSE_MS = 200;
/** How often a call that another process runs is looked at again, milliseconds. */
const RUNNING_EVERY_MS = 200;

/** What became of it. Rejects only for a bug. */
export async function callThrough(
  options: RuntimeOptions,
  { started, linked, capability, standing }: LoadedRun,
  command: Calling,
  signal: AbortSignal,
): Promise<RecordedEvent | undefined> {
  const { authority, ledger, reach, world } = options;
  const { tool, args } = callOf(command);
  const attemptsMax = 'attempts' in command ? command.attempts : 1;
  const until = world.monotonic() + command.timeoutMs;
  for (let denied = 0; ;) {
    const timeoutMs = command.kind === 'ask' ? command.timeoutMs : Math.max(1, Math.ceil(until - world.monotonic()));
    const reached = reach(tool, timeoutMs);
    const answer = await authority.call({
      principal: started.principal,
      session: started.id,
      program: {
        program: linked.program.digest,
        seq: standing.seq,
        step: stepOf(command.id),
        command: command.id,
        depth: started.depth,
        capability,
      },
      tool,
      args,
      timeoutMs,
      attemptsMax,
      available: command.kind === 'ask' || reached !== undefined,
      perform: command.kind === 'ask' ? answered : withCopies(reached?.perform ?? unreachable),
      signal,
    });
    const isPassing = answer.state === 'denied' && answer.decision?.retryable === true;
    const pause = FIRST_PAUSE_MS * 2 ** denied;
    if (isPassing && denied + 1 < attemptsMax && world.monotonic() + pause < until && !signal.aborted) {
      denied += 1;
      await world.sleep(pause, signal);
      continue;
    }
    if (answer.state === 'running' && !signal.aborted) {
      await world.sleep(RUNNING_EVERY_MS, signal);
      continue;
    }
    const { policy } = authority;
    const attempts = denied + (await attemptsOf(ledger, answer, attemptsMax));
    return eventOf(policy, command, answer, attempts);
  }
}

/** Of calls that could make more than one. */
async function attemptsOf(ledger: RuntimeOptions['ledger'], answer: Answer, attemptsMax: number): Promise<number> {
  if (attemptsMax === 1 || answer.state === 'denied') return 1;
  return (await ledger.call(answer.call))?.attempts ?? 1;
}

/** `pay` of `pay/1`, `pay/1/branch`, `undo/pay/1` and `pay/1#1.0`. */
export function stepOf(command: string): string {
  const [first = '', second = ''] = command.split('/');
  return first === 'undo' ? second : first;
}

/** Nobody is asked anything any more: the approval was the answer. */
const answered: Parameters<RuntimeOptions['authority']['call']>[0]['perform'] = async () => ({
  kind: 'succeeded',
  output: { structuredContent: { answer: 'yes' } },
});

/** What a tool of this process does to what it is given changes neither what the run remembers nor the next attempt. */
function withCopies(perform: typeof answered): typeof answered {
  return (args, meta) => perform(structuredClone(args), meta);
}

const unreachable: typeof answered = async () => ({ kind: 'not-started', reason: 'its server cannot be reached now' });
