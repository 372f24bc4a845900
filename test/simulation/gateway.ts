/** A gateway process of a simulated world: the real authority on the shared disk, that can die at any `await`. */

import type { Answer } from '../../src/authority/answer.ts';
import { Authority } from '../../src/authority/authority.ts';
import { LedgerError } from '../../src/ledger/ledger.ts';
import { type Door, ask, babble } from './agent.ts';
import { AGENTS, type PolicyName } from './bank.ts';
import { type Following, follow } from './following.ts';
import { type Opening, openPlace } from './opening.ts';
import type { Place } from './place.ts';
import type { CallAct, Fault } from './scenario.ts';
import { OUTSIDE, type Owner } from './schedule.ts';
import { reachFrom } from './probing.ts';
import { type Fate, faultyStore } from './store.ts';

/** How often it looks for what was approved, and for what siblings left behind or is unknown, milliseconds. */
const CLAIM_EVERY_MS = 200;
const RECOVER_EVERY_MS = 1_000;
/** How long after its file has changed it sees that, milliseconds. */
const LOOK_MS = [250, 300, 500] as const;
/** How often a process that is to end looks whether all of its callers were answered, milliseconds. */
const LEAVE_EVERY_MS = 20;
const AROUND = { resolveRoot: (within: string) => within, protectedPaths: [], attemptsMax: 3 };

export interface Gateway {
  /** Whether it takes proposals: it is open, alive, and not paused. */
  isReady(): boolean;
  isAlive(): boolean;
  /** Its disk failed for good; only a restart helps. */
  isStopped(): boolean;
  propose(act: CallAct, session: string, seed: number, answered: (answer: Answer) => void): void;
  /** Sends a line that is no message. */
  babble(principal: string, session: string): void;
  fault(fault: Fault): void;
  /** Its file has changed. */
  changed(): void;
  pause(ms: number): void;
  resume(): void;
  crash(): void;
  /** Takes no more proposals, answers those it has, records what it only counted, and ends. */
  stop(): void;
  /** Forgets the faults that were to come. */
  calm(): void;
  /** Records what it only counted, as a process does that ends. */
  close(): Promise<void>;
}

/** What runs in a gateway once it is open. */
interface Serving {
  readonly door: Door;
  readonly following: Following;
  /** Records what it only counted; rejects with `LedgerError`. */
  readonly tally: (which: 'over' | 'all') => Promise<void>;
}

/** Starts a gateway; it recovers what dead ones left, before it takes proposals. */
export function startGateway(place: Place, name: string, file: () => PolicyName): Gateway {
  const { schedule, figures } = place;
  const owner: Owner = { name, state: 'running' };
  const opening = openPlace(place, owner);
  let serving: Serving | undefined;
  let isLeaving = false;

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
    instance: () => opening.instance,
    faults: [],
    stopped: false,
    crash,
    pause: () => pause(place.random.pick([10, 400, 4_000, 12_000])),
  };
  const refused = refusing(place);
  serve({ place, owner, opening, fate, file, refused }).then(
    (now) => (serving = now),
    (error: unknown) => {
      refused(error);
      // A gateway that cannot start exits.
      crash();
    },
  );
  const close = async (): Promise<void> => {
    await serving?.tally('all').then(() => place.history.closed.add(opening.instance), refused);
  };
  const leave = async (): Promise<void> => {
    while (isAsked(place, owner)) await opening.world.sleep(LEAVE_EVERY_MS);
    await close();
    if (owner.state === 'dead') return;
    figures.stops += 1;
    opening.kill();
  };

  return {
    isReady: () => serving !== undefined && owner.state === 'running' && !isLeaving,
    isAlive: () => owner.state !== 'dead',
    isStopped: () => fate.stopped,
    propose: (act, session, seed, answered) => {
      if (serving !== undefined) ask(place, serving.door, act, session, seed).then(answered).catch(refused);
    },
    babble: (principal, session) => {
      if (serving !== undefined) babble(place, serving.door, principal, session).catch(refused);
    },
    fault: (fault) => void fate.faults.push(fault),
    changed: () => schedule.after(place.random.pick(LOOK_MS), owner, () => serving?.following.look()),
    pause,
    resume: () => schedule.resume(owner),
    crash,
    stop: () => {
      if (serving === undefined || isLeaving) return;
      isLeaving = true;
      void leave();
    },
    close,
    calm: () => {
      fate.faults.length = 0;
    },
  };
}

/** What the ledger refuses is an answer of the world; anything else is a bug. */
function refusing(place: Place): (error: unknown) => void {
  return (error) => {
    if (error instanceof LedgerError) return;
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    place.fail({ invariant: 'no-bug', promise: 'nothing rejects but for the ledger', problem });
  };
}

interface Starting {
  readonly place: Place;
  readonly owner: Owner;
  readonly opening: Opening;
  readonly fate: Fate;
  /** What its configuration file says. */
  readonly file: () => PolicyName;
  readonly refused: (error: unknown) => void;
}

/** Opens the authority and has it do all that it does by itself. Rejects with `LedgerError`. */
async function serve({ place, owner, opening, fate, file, refused }: Starting): Promise<Serving> {
  const { world, vault, instance } = opening;
  const ledger = faultyStore(place, await opening.ledger, fate);
  const authority = new Authority(ledger, { ...AROUND, vault, world, reach: reachFrom({ place, owner, instance }) });
  const following = follow({ place, instance, world, ledger, authority, read: file, refused });
  await following.start();
  await authority.recover();
  const tally = async (which: 'over' | 'all'): Promise<void> => {
    try {
      await authority.tally(which);
    } catch (error) {
      // It says nothing twice, and so perhaps nothing at all.
      if (error instanceof LedgerError && error.code === 'outcome-unknown') place.history.unsure.add(instance);
      throw error;
    }
  };
  const repeat = async (everyMs: number, work: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      await world.sleep(everyMs);
      await work().catch(refused);
    }
  };
  void repeat(CLAIM_EVERY_MS, async () => Promise.all(await authority.claim(AGENTS)));
  void repeat(CLAIM_EVERY_MS, () => following.answered());
  void repeat(RECOVER_EVERY_MS, () => authority.recover());
  void repeat(RECOVER_EVERY_MS, () => authority.probe());
  void repeat(RECOVER_EVERY_MS, () => authority.refresh());
  void repeat(RECOVER_EVERY_MS, () => tally('over'));
  return { door: { owner, instance, authority }, following, tally };
}

/** Whether somebody still waits for an answer of the process. */
function isAsked({ history }: Place, owner: Owner): boolean {
  for (const each of history.proposals.values()) if (each.owner === owner && each.answer === undefined) return true;
  return [...history.lines.values()].includes(owner);
}
