/** The ledger as a process sees it: every answer takes its time, and now and then a write fails as disks do. */

import { type Ledger, LedgerError, type LedgerErrorCode } from '../../src/ledger/ledger.ts';
import type { Place } from './place.ts';
import type { Fault } from './scenario.ts';
import type { Owner } from './schedule.ts';

/** What befalls the process of a store. */
export interface Fate {
  readonly owner: Owner;
  /** Its opening of the disk. */
  readonly instance: () => string;
  /** For its next writes, one each. */
  readonly faults: Fault[];
  /** Its disk failed for good. */
  stopped: boolean;
  /** Ends or pauses the process here and now. */
  crash(): void;
  pause(): void;
}

/** Those by which something may not be written, or not be known to be. */
const TROUBLES: ReadonlySet<Fault> = new Set<Fault>(['lost', 'landed', 'late', 'busy', 'stopped']);

/** Milliseconds that a step of the store takes: mostly none or few. */
function latency({ random }: Place): number {
  return random.chance(0.6) ? 0 : random.below(random.pick([3, 20, 60]));
}

function failed(code: LedgerErrorCode): LedgerError {
  return new LedgerError(code, 'as the simulation wants it');
}

/** `ledger` behind `fate`. What a dead or paused process waits for does not come. */
export function faultyStore(place: Place, ledger: Ledger, fate: Fate): Ledger {
  const later = (run: () => void): void => place.schedule.after(latency(place), fate.owner, run);
  const read = <T>(look: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      later(() => void look().then(resolve, reject));
    });
  const write = writing(place, fate, later);
  const writes: Pick<Ledger, 'transact' | 'append'> = {
    transact: (reads, compose) =>
      write(
        () => ledger.transact(reads, compose),
        () => ledger.transact(reads, (facts) => ({ result: void compose(facts) })),
      ),
    append: (appended) =>
      write(
        () => ledger.append(appended),
        () => Promise.resolve(),
      ),
  };
  return new Proxy(ledger, {
    get: (target, name) => {
      if (name === 'transact' || name === 'append') return writes[name];
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const method = value as (...given: unknown[]) => Promise<unknown>;
      return (...given: unknown[]) => read(() => method.apply(target, given));
    },
  });
}

/** `rehearse` composes the transaction in vain, as a store does that loses it or has to begin it again. */
type Write = <T>(commit: () => Promise<T>, rehearse: () => Promise<unknown>) => Promise<T>;

function writing(place: Place, fate: Fate, later: (run: () => void) => void): Write {
  const { schedule, random, figures } = place;
  return (commit, rehearse) =>
    new Promise((resolve, reject) => {
      const refuse = (code: LedgerErrorCode): void => later(() => reject(failed(code)));
      const go = (then: (answer: () => void) => void): void => {
        commit().then(
          (value) => then(() => resolve(value)),
          (error: unknown) => then(() => reject(error)),
        );
      };
      const again = (): void => later(() => go(later));
      const fault = fate.stopped ? 'stopped' : fate.faults.shift();
      if (fault !== undefined && TROUBLES.has(fault)) place.history.troubled.add(fate.instance());
      if (fault !== undefined) place.note(`${fate.owner.name}: its next write meets ${fault}`);
      switch (fault) {
        case undefined:
          return go(later);
        case 'lost':
          figures['lost commits'] += 1;
          return void rehearse().then(
            () => refuse('outcome-unknown'),
            () => refuse('outcome-unknown'),
          );
        case 'landed':
          figures['landed commits'] += 1;
          return go(() => refuse('outcome-unknown'));
        case 'late':
          figures['landed commits'] += 1;
          schedule.after(random.below(200), fate.owner, () => go(() => undefined));
          return refuse('outcome-unknown');
        case 'busy':
          return refuse('busy');
        case 'stopped':
          if (!fate.stopped) figures['stopped ledgers'] += 1;
          fate.stopped = true;
          return refuse('stopped');
        case 'twice':
          return void rehearse().then(again, again);
        case 'crash':
          return go(() => fate.crash());
        case 'pause':
          return go((answer) => {
            fate.pause();
            later(answer);
          });
      }
    });
}
