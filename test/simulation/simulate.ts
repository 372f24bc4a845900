/** Runs one simulated world from its scenario to its quiet end, and says what broke. */

import { rootOf } from '../../src/tlog/tree.ts';
import { isJsonObject } from '../../src/value/json.ts';
import type { Figures } from './figures.ts';
import { type Machine, createMachine } from './machine.ts';
import { type People, createPeople } from './people.ts';
import { type Place, type Violation, createPlace } from './place.ts';
import { createRandom } from './random.ts';
import type { Act, Scenario } from './scenario.ts';
import { OUTSIDE } from './schedule.ts';

/** How long after its last act a world may take to become quiet, milliseconds. */
const QUIET_MS = 60_000;
/** A world that takes more steps than this does not end. */
const STEPS_MAX = 1_000_000;

export interface Simulated {
  readonly violation: Violation | undefined;
  readonly figures: Figures;
  readonly lines: readonly string[];
  /** Of all that happened and of all that was recorded. */
  readonly digest: string;
}

export async function simulate({ seed, acts }: Scenario): Promise<Simulated> {
  const place = createPlace(seed);
  let steps = 0;
  const runUntil = async (what: string, done: () => boolean): Promise<void> => {
    const until = place.monotonic() + QUIET_MS + (acts.at(-1)?.at ?? 0);
    while (place.violation() === undefined && !done()) {
      steps += 1;
      if (steps <= STEPS_MAX && place.monotonic() <= until && (await place.schedule.step())) continue;
      place.fail({ invariant: 'quiet', promise: 'whatever failed, every world becomes quiet', problem: `not ${what}` });
    }
  };
  const people = createPeople(place);
  // The log is created by the first who opens the disk.
  await runUntil('created', () => place.disk.leaves.length > 0);
  const machine = createMachine(place);
  let performed = 0;
  for (const [index, act] of acts.entries()) {
    place.schedule.after(act.at, OUTSIDE, () => {
      performed += 1;
      perform({ place, people, machine }, act, index);
    });
  }
  await runUntil('through its acts', () => performed === acts.length);
  machine.calm();
  await runUntil('answered', () => machine.isQuiet());
  let closed = false;
  void machine.close().then(() => (closed = true));
  await runUntil('closed', () => closed);
  // The machine is switched off and on again: what was left behind is recovered by a process that finds it.
  const last = machine.restart();
  await runUntil('recovered', () => last.isReady());
  if (place.violation() === undefined) await place.end();
  return finish(place);
}

function finish(place: Place): Simulated {
  const { figures, history, trace } = place;
  const violation = place.violation();
  figures.seeds = 1;
  if (violation !== undefined) figures.violations = 1;
  for (const { attempts } of history.calls.values()) figures.retries += Math.max(0, attempts.length - 1);
  figures.resends = [...history.attempts.values()].filter(({ resends }) => resends !== undefined).length;
  figures['settled by probe'] = history.entries.filter(
    ({ type, by }) => type === 'call.settled' && by === 'probe',
  ).length;
  figures.excepted = history.entries.filter(
    ({ type, policy }) => type === 'call.intent' && isJsonObject(policy) && policy['exceptions'] !== undefined,
  ).length;
  figures.unknowns = history.entries.filter(({ type }) => type === 'call.unknown').length;
  return { violation, figures, lines: trace.lines, digest: trace.digest(rootOf(place.disk.frontier)) };
}

interface Town {
  readonly place: Place;
  readonly people: People;
  readonly machine: Machine;
}

function perform({ place, people, machine }: Town, act: Act, index: number): void {
  switch (act.kind) {
    case 'call':
      return machine.propose(act, `proposal-${index}`, act.seed);
    case 'crash':
      return machine.gateway(act.slot).crash();
    case 'stop':
      return machine.gateway(act.slot).stop();
    case 'pause':
      return machine.gateway(act.slot).pause(act.ms);
    case 'jump':
      place.figures['clock jumps'] += 1;
      place.note(`the clock jumps by ${act.ms} ms`);
      return place.schedule.jump(act.ms);
    case 'fault':
      return machine.gateway(act.slot).fault(act.fault);
    case 'answer':
      return people.answer(act.by, act.answer, createRandom(act.seed));
    case 'settle':
      return people.settle(createRandom(act.seed));
    case 'kill':
      return people.kill(act.target);
    case 'lift':
      return people.lift(act.target);
    case 'reload':
      return machine.load(act.slot, act.policy);
    case 'reload-answer':
      return people.answerReload(act.by, act.answer, createRandom(act.seed));
    case 'break-glass':
      return people.breakGlass(act);
    case 'end-exception':
      return people.endException(createRandom(act.seed));
    case 'flood':
      return machine.flood(act, `flood-${index}`, act.seed);
  }
}
