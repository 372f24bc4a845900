/** The gateway processes that share one disk, and whoever starts them again. */

import type { AnswerState } from '../../src/authority/answer.ts';
import { NO_TOOL, type PolicyName } from './bank.ts';
import { type Gateway, startGateway } from './gateway.ts';
import type { Place } from './place.ts';
import { deriveSeed } from './random.ts';
import { type CallAct, type FloodAct, SLOTS_OF_PROCESSES } from './scenario.ts';
import { OUTSIDE } from './schedule.ts';

/** How long a dead process stays away, milliseconds. */
const RESTART_MS = [100, 150, 600, 2_000] as const;
/** An agent that finds no process up asks again after so long, milliseconds. */
const ASK_AGAIN_MS = 50;

/** Answers after which an agent may ask again. */
const NOTHING_YET = ['parked', 'not-started', 'running'] as const satisfies AnswerState[];

/** A call that is never allowed. */
const HOPELESS = {
  kind: 'call',
  tool: NO_TOOL,
  args: { amount: 1 },
  timeoutMs: 1_000,
  patienceMs: 10_000,
  persists: 0,
} as const;

export interface Machine {
  gateway(slot: number): Gateway;
  /** The file of the process in this slot, and of its successors, says `policy` from now on. */
  load(slot: number, policy: PolicyName): void;
  /** Hands a proposal to a process that is up, as soon as there is one. */
  propose(act: CallAct, session: string, seed: number): void;
  /** Hands this to a process at once, if that is up. */
  flood(act: FloodAct, session: string, seed: number): void;
  /** Resolves when the processes have recorded what they only counted. */
  close(): Promise<void>;
  /** No more faults: what was paused goes on. */
  calm(): void;
  /** Whether everybody who still can be was answered, and nothing is under way outside. */
  isQuiet(): boolean;
  /** Kills every process and starts one. */
  restart(): Gateway;
}

export function createMachine(place: Place): Machine {
  const { schedule, random } = place;
  let started = 0;
  let waiting = 0;
  const policies = new Map<number, PolicyName>();
  const gateways: Gateway[] = [];
  const start = (slot: number): Gateway => {
    started += 1;
    const gateway = startGateway(place, `gateway-${slot}.${started}`, () => policies.get(slot) ?? 'wide');
    gateways[slot] = gateway;
    return gateway;
  };
  const gatewayOf = (slot: number): Gateway => gateways[slot % SLOTS_OF_PROCESSES] ?? start(slot);
  const watch = (slot: number): void => {
    const gateway = gatewayOf(slot);
    if (gateway.isStopped()) gateway.crash();
    if (!gateway.isAlive()) start(slot);
    schedule.after(random.pick(RESTART_MS), OUTSIDE, () => watch(slot));
  };
  for (let slot = 0; slot < SLOTS_OF_PROCESSES; slot += 1) watch(slot);

  const hand = (act: CallAct, session: string, seed: number): void => {
    const order = Array.from({ length: SLOTS_OF_PROCESSES }, (_, offset) => gatewayOf(act.slot + offset));
    const up = order.find((gateway) => gateway.isReady());
    if (up === undefined) return schedule.after(ASK_AGAIN_MS, OUTSIDE, () => hand(act, session, seed));
    waiting -= 1;
    place.figures.calls += 1;
    return up.propose(act, session, seed, ({ state }) => {
      if (act.persists === 0 || !(NOTHING_YET as readonly string[]).includes(state)) return;
      waiting += 1;
      const again = { ...act, slot: random.below(SLOTS_OF_PROCESSES), persists: act.persists - 1 };
      schedule.after(random.below(1_500), OUTSIDE, () => hand(again, `${session}+`, deriveSeed(seed, act.persists)));
    });
  };

  return {
    gateway: gatewayOf,
    load: (slot, policy) => {
      policies.set(slot, policy);
      gatewayOf(slot).changed();
    },
    propose: (act, session, seed) => {
      waiting += 1;
      hand(act, session, seed);
    },
    flood: ({ slot, principal, of, count }, session, seed) => {
      const gateway = gatewayOf(slot);
      if (!gateway.isReady()) return;
      place.figures.floods += 1;
      for (let each = 0; each < count; each += 1) {
        const one = `${session}.${each}`;
        if (of === 'lines') gateway.babble(principal, one);
        else gateway.propose({ ...HOPELESS, slot, principal }, one, seed + each, () => undefined);
      }
    },
    close: async () => {
      // One that is starting has told nobody anything.
      await Promise.all(gateways.filter((gateway) => gateway.isReady()).map((gateway) => gateway.close()));
    },
    calm: () => {
      place.note('from here on nothing fails any more');
      for (const gateway of gateways) gateway.calm();
    },
    isQuiet: () => waiting === 0 && isAnswered(place),
    restart: () => {
      for (const gateway of gateways) gateway.crash();
      return start(0);
    },
  };
}

function isAnswered({ history }: Place): boolean {
  for (const { answer, owner } of history.proposals.values()) {
    if (answer === undefined && owner.state !== 'dead') return false;
  }
  for (const { inFlight } of history.attempts.values()) if (inFlight) return false;
  for (const { state } of history.lines.values()) if (state !== 'dead') return false;
  return true;
}
