/** The only place from which a call leaves. */

import type { World } from '../world/world.ts';
import type { Performed } from './answer.ts';
import type { Dispatch } from './compose.ts';
import type { Sending } from './projection.ts';
import type { Proposal } from './proposal.ts';

/**
 * Sends a call, once, before its deadline, with what `sending` makes of its arguments. A crash before it leaves an intent,
 * after it an effect and an intent.
 */
export async function dispatchCall(
  world: World,
  sending: Sending,
  perform: Proposal['perform'],
  dispatch: Dispatch,
): Promise<Performed> {
  const sent = await sending(dispatch);
  if (!sent.ok) return { kind: 'not-started', reason: sent.reason };
  world.passing?.('before-send');
  if (world.now() >= dispatch.deadline || world.monotonic() >= dispatch.monotonicDeadline) {
    return { kind: 'not-started', reason: 'its deadline passed before it could be sent' };
  }
  try {
    const performing = perform(sent.args, dispatch.meta);
    world.passing?.('sent');
    const performed = await performing;
    world.passing?.('answered');
    return performed;
  } catch (error) {
    // A transport that throws broke its contract: what it sent before is not known.
    return {
      kind: 'unknown',
      reason: `the transport failed: ${error instanceof Error ? error.message : 'no reason'}`,
    };
  }
}
