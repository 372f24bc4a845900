/** What a run waits for after a move, as its entry says it. Pure. */

import type { CommandId } from '../program/event.ts';
import type { RunState } from '../program/state.ts';
import type { RecordedEvent, Wait } from './entry.ts';

/**
 * By command. What it waited for `before` keeps its time; `now`, milliseconds since the epoch, begins the time of others.
 * Without `recorded`: after its start.
 */
export function waitsAfter(
  before: ReadonlyMap<CommandId, Wait>,
  { pending }: RunState,
  recorded: RecordedEvent | undefined,
  now: number,
): ReadonlyMap<CommandId, Wait> {
  const waits = new Map<CommandId, Wait>();
  const { event, of = '' } = recorded ?? {};
  for (const { command, isHeld, isUnsettled } of pending.values()) {
    const known = before.get(command.id);
    const isNew = event !== undefined && 'command' in event && event.command === command.id;
    if (known !== undefined && !isNew) waits.set(command.id, known);
    else if (command.kind === 'wait') {
      const expires = now + command.timeoutMs;
      waits.set(command.id, { command: command.id, kind: 'event', of: command.event, expires });
    } else if ((isHeld || isUnsettled) && isNew) {
      const kind = isUnsettled ? 'settlement' : command.kind === 'child' ? 'run' : 'approval';
      waits.set(command.id, { command: command.id, kind, of });
    }
  }
  return waits;
}
