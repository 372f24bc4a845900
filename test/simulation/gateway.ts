/** A gateway process of a simulated world: the real authority on the shared disk, that can die at any `await`. */

import type { Answer } from '../../src/authority/answer.ts';
import { Authority } from '../../src/authority/authority.ts';
import { LedgerError } from '../../src/ledger/ledger.ts';
import { ask } from './agent.ts';
import { AGENTS, type PolicyName, TERMS } from './bank.ts';
import { openPlace } from './opening.ts';
import type { Place } from './place.ts';
import type { CallAct, Fault } from './scenario.ts';
import { OUTSIDE, type Owner } from './schedule.ts';
import { reachFrom } from './probing.ts';
import { type Fate, faultyStore } from './store.ts';

/** How often it looks for what was approved, and for what siblings left behind or is unknown, milliseconds. */
const CLAIM_EVERY_MS = 200;
const RECOVER_EVERY_MS = 1_000;
const AROUND = { resolveRoot: (within: string) => within, protectedPaths: [], attemptsMax: 3 };

export interface Gateway {
  /** Whether it takes proposals: it is open, alive, and not paused. */
  isReady(): boolean;
  isAlive(): boolean;
  /** Its disk failed for good; only a restart helps. */
  isStopped(): boolean;
  propose(act: CallAct, session: string, seed: number, answered: (answer: Answer) => void): void;
  fault(fault: Fault): void;
  load(policy: PolicyName): void;
  pause(ms: number): void;
  resume(): void;
  crash(): void;
  /** Forgets the faults that were to come. */
  calm(): void;
}

/** Starts a gateway; it recovers what dead ones left, before it takes proposals. */
export function startGateway(place: Place, name: string, policy: PolicyName): Gateway {
  const { schedule, figures } = place;
  const owner: Owner = { name, state: 'running' };
  const opening = openPlace(place, owner);
  let authority: Authority | undefined;

  const crash = (): void => {
    if (owner.state === 'dead') return;
    figures.crashes += 1;
    opening.kill();
  };
  const pause = (ms: number): void => {
    if (owner.state !== 'running') return;
    figures.pauses += 1;
    place.note(`${name} is paused for ${ms} ms`);
    schedule.pause(owner);
    schedule.after(ms, OUTSIDE, () => schedule.resume(owner));
  };
  const fate: Fate = {
    owner,
    faults: [],
    stopped: false,
    crash,
    pause: () => pause(place.random.pick([10, 400, 4_000, 12_000])),
  };
  /** What the ledger refuses is an answer of the world; anything else is a bug. */
  const refused = (error: unknown): void => {
    if (error instanceof LedgerError) return;
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    place.fail({ invariant: 'no-bug', promise: 'nothing rejects but for the ledger', problem });
  };

  const repeat = async (everyMs: number, work: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      await opening.world.sleep(everyMs);
      await work().catch(refused);
    }
  };
  const start = async (): Promise<void> => {
    const { world, vault } = opening;
    const ledger = faultyStore(place, await opening.ledger, fate);
    const reach = reachFrom({ place, owner, instance: opening.instance });
    const starting = new Authority(ledger, { ...AROUND, vault, world, reach });
    await starting.load(TERMS[policy].policy);
    await starting.recover();
    authority = starting;
    void repeat(CLAIM_EVERY_MS, async () => Promise.all(await starting.claim(AGENTS)));
    void repeat(RECOVER_EVERY_MS, () => starting.recover());
    void repeat(RECOVER_EVERY_MS, () => starting.probe());
  };
  start().catch((error: unknown) => {
    refused(error);
    // A gateway that cannot start exits.
    crash();
  });

  return {
    isReady: () => authority !== undefined && owner.state === 'running',
    isAlive: () => owner.state !== 'dead',
    isStopped: () => fate.stopped,
    propose: (act, session, seed, answered) => {
      if (authority === undefined) return;
      ask(place, { owner, instance: opening.instance, authority }, act, session, seed).then(answered).catch(refused);
    },
    fault: (fault) => void fate.faults.push(fault),
    load: (next) => void authority?.load(TERMS[next].policy).catch(refused),
    pause,
    resume: () => schedule.resume(owner),
    crash,
    calm: () => {
      fate.faults.length = 0;
    },
  };
}
