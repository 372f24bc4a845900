/** Puts the question of a parked call to the person at the caller's own host, and records what that person says. */

import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';
import { approve, question, refuse } from './approve.ts';
import type { Proposal } from './proposal.ts';

/** The longest that a person at the host is waited for, milliseconds. */
const ANSWER_WITHIN_MS = 600_000;
const DECLINED = 'declined at the host';

export interface Questions {
  /** The calls that somebody is asked about now. */
  open(): readonly string[];
  /**
   * Asks about `call`, or joins who asks already. Resolves when there is an answer, when none is to come, and when the
   * question was called off. An answer that cannot be recorded was not given: the call stays parked.
   */
  ask(call: string, proposal: Proposal, because: readonly string[]): Promise<void>;
  /** The call waits no more, or was answered otherwise. */
  callOff(call: string): void;
}

interface Asked {
  readonly done: Promise<void>;
  readonly over: AbortController;
}

/** `approved` hears how many answers a call has with the one that is given now: its caller carries it on. */
export function questions(ledger: Ledger, world: World, approved: (call: string, answers: number) => void): Questions {
  const open = new Map<string, Asked>();
  const put = async (call: string, proposal: Proposal, because: readonly string[], off: AbortSignal): Promise<void> => {
    const { principal: by, tool, elicit } = proposal;
    const asked = await question(ledger, { call, by, at: world.now() });
    if (elicit === undefined || !asked.ok) return;
    const { expires } = asked.approval;
    const timeUp = new AbortController();
    void world.sleep(Math.min(ANSWER_WITHIN_MS, expires - world.now()), off).then(() => timeUp.abort());
    const signal = AbortSignal.any([off, proposal.signal, timeUp.signal]);
    const gaveUp = new Promise<'nothing'>((resolve) => {
      signal.addEventListener('abort', () => resolve('nothing'), { once: true });
    });
    const said = signal.aborted
      ? 'nothing'
      : await Promise.race([elicit({ call, tool, args: asked.shown, because, expires, signal }), gaveUp]);
    // Whoever does not wait any more was not asked: what comes then is no answer.
    if (signal.aborted) return;
    if (said === 'accept') {
      approved(call, asked.row.approvals.length + 1);
      await approve(ledger, world, { call, by, unsigned: true, interactive: true });
    } else if (said === 'decline') {
      await refuse(ledger, world, { call, by, reason: DECLINED, interactive: true });
    }
  };
  return {
    open: () => [...open.keys()],
    ask: async (call, proposal, because) => {
      const joined = open.get(call);
      if (joined !== undefined) return joined.done;
      const over = new AbortController();
      const done = put(call, proposal, because, over.signal)
        .catch((error: unknown) => {
          if (!(error instanceof LedgerError)) throw error;
        })
        .finally(() => {
          open.delete(call);
          over.abort();
        });
      open.set(call, { done, over });
      return done;
    },
    callOff: (call) => open.get(call)?.over.abort(),
  };
}
