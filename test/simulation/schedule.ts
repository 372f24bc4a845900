/** Time and order of a simulated world: what happens next, decided by its seed, and never by the machine. */

import { START_MS } from '../manual-world.ts';
import type { Random } from './random.ts';

/** Whose event it is. Events of the dead never happen, those of the paused happen once it goes on. */
export interface Owner {
  readonly name: string;
  state: 'running' | 'paused' | 'dead';
}

/** The world outside: nobody kills or pauses it. */
export const OUTSIDE: Owner = { name: 'outside', state: 'running' };

interface Event {
  readonly owner: Owner;
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

export interface Schedule {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since the world began. */
  monotonic(): number;
  /** Moves the wall clock alone. */
  jump(ms: number): void;
  /** Has `run` happen `ms` milliseconds from now at the earliest. */
  after(ms: number, owner: Owner, run: () => void): void;
  pause(owner: Owner): void;
  resume(owner: Owner): void;
  kill(owner: Owner): void;
  /** Runs one event and all that follows from it without another event; false when there is none. */
  step(): Promise<boolean>;
}

export function createSchedule(random: Random): Schedule {
  const timers = createHeap();
  const ready: Event[] = [];
  const held = new Map<Owner, Event[]>();
  let monotonic = 0;
  let ahead = START_MS;
  let order = 0;

  /** A random one of the events that are due. */
  const next = (): Event | undefined => {
    for (;;) {
      while ((timers.first()?.due ?? Number.POSITIVE_INFINITY) <= monotonic) ready.push(timers.take());
      if (ready.length === 0) {
        const first = timers.first();
        if (first === undefined) return undefined;
        monotonic = first.due;
        continue;
      }
      const index = random.below(ready.length);
      const event = ready[index] as Event;
      ready[index] = ready.at(-1) as Event;
      ready.pop();
      if (event.owner.state === 'running') return event;
      if (event.owner.state === 'paused') held.set(event.owner, [...(held.get(event.owner) ?? []), event]);
    }
  };

  return {
    now: () => ahead + monotonic,
    monotonic: () => monotonic,
    jump: (ms) => {
      ahead += ms;
    },
    after: (ms, owner, run) => {
      order += 1;
      timers.put({ owner, due: monotonic + ms, order, run });
    },
    pause: (owner) => {
      if (owner.state === 'running') owner.state = 'paused';
    },
    resume: (owner) => {
      if (owner.state !== 'paused') return;
      owner.state = 'running';
      ready.push(...(held.get(owner) ?? []));
      held.delete(owner);
    },
    kill: (owner) => {
      owner.state = 'dead';
      held.delete(owner);
    },
    step: async () => {
      const event = next();
      if (event === undefined) return false;
      event.run();
      // Everything that only waits for promises is done when the machine comes to its next immediate.
      await new Promise(setImmediate);
      return true;
    },
  };
}

/** A binary heap: the event that is due first, and of those the one that was put first. */
function createHeap() {
  const events: Event[] = [];
  const isBefore = (left: Event | undefined, right: Event | undefined): boolean =>
    left !== undefined &&
    (right === undefined || left.due < right.due || (left.due === right.due && left.order < right.order));
  const swap = (one: number, other: number): void => {
    [events[one], events[other]] = [events[other] as Event, events[one] as Event];
  };
  return {
    first: (): Event | undefined => events[0],
    put: (event: Event): void => {
      events.push(event);
      for (let at = events.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!isBefore(events[at], events[parent])) break;
        swap(at, parent);
        at = parent;
      }
    },
    /** The first one, which there must be. */
    take: (): Event => {
      swap(0, events.length - 1);
      const taken = events.pop() as Event;
      for (let at = 0; ;) {
        const left = 2 * at + 1;
        const child = isBefore(events[left + 1], events[left]) ? left + 1 : left;
        if (!isBefore(events[child], events[at])) break;
        swap(at, child);
        at = child;
      }
      return taken;
    },
  };
}
