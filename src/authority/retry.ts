/** When a call makes another attempt by itself, and how long it waits before: only where nothing can happen twice. */

import type { CallRow, Ledger } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import type { World } from '../world/world.ts';
import type { Performed } from './answer.ts';
import type { Dispatch } from './compose.ts';

/** The pause before the second attempt is about this long, milliseconds; it doubles from attempt to attempt. */
const FIRST_PAUSE_MS = 200;

/**
 * The pause before the next attempt, milliseconds; nothing when there is none: `not-started` may always be repeated, a
 * failure where it is declared to have no effect or the tool knows its key again, what is unknown only of a tool that
 * reads. All attempts share the time of the call.
 */
export function pauseBeforeRetry(
  world: World,
  { policy, request, monotonicDeadline }: Dispatch,
  performed: Performed,
  made: number,
): number | undefined {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined) return undefined;
  const isSafe = {
    succeeded: false,
    'not-started': true,
    failed: tool.failedHasNoEffect || tool.downstreamKey !== undefined,
    unknown: tool.effect === 'read',
  };
  if (!isSafe[performed.kind]) return undefined;
  const [random = 0] = world.random(1);
  const pause = FIRST_PAUSE_MS * 2 ** (made - 1) * (0.5 + random / 256);
  return world.monotonic() + pause < monotonicDeadline ? pause : undefined;
}

/**
 * Whether a call of unknown outcome may be sent again because somebody asks for it: it reads, or the tool knows its key
 * again and nobody waits for the first answer any more.
 */
export async function mayResend(
  ledger: Ledger,
  policy: Policy,
  row: CallRow,
  isOurs: (call: string) => boolean,
): Promise<boolean> {
  const tool = policy.tools.get(row.tool);
  if (tool === undefined || tool.invalid !== undefined) return false;
  if (tool.effect === 'read') return true;
  return tool.downstreamKey !== undefined && (await isAbandoned(ledger, row, isOurs));
}

/** Whether no transport can bring the answer of the attempt any more: its process died, or is this one and gave it up. */
export async function isAbandoned(ledger: Ledger, row: CallRow, isOurs: (call: string) => boolean): Promise<boolean> {
  return row.instance === ledger.instance ? !isOurs(row.id) : !(await ledger.isAlive(row.instance));
}
