/** A simulated process and its configuration file: what it takes of it, and what waits for a signature. */

import type { Authority } from '../../src/authority/authority.ts';
import { recordedWidens } from '../../src/authority/reload.ts';
import { reloading } from '../../src/authority/reloading.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { wideningsOf } from '../../src/policy/approval/widening.ts';
import type { Configuration } from '../../src/policy/document/configuration.ts';
import type { World } from '../../src/world/world.ts';
import { type PolicyName, TERMS } from './bank.ts';
import type { Place } from './place.ts';

export interface FollowOptions {
  readonly place: Place;
  readonly instance: string;
  readonly world: World;
  readonly ledger: Ledger;
  readonly authority: Authority;
  /** What the file says now. */
  readonly read: () => PolicyName;
  /** Takes what a write was refused with. */
  readonly refused: (error: unknown) => void;
}

export interface Following {
  /** Takes the file as a process does that starts. Rejects with `LedgerError`. */
  start(): Promise<void>;
  /** The file may have changed. */
  look(): void;
  /** Looks once for the answer to what waits. */
  answered(): Promise<void>;
}

export function follow({ place, instance, world, ledger, authority, read, refused }: FollowOptions): Following {
  let inForce: PolicyName | undefined;
  const write = (record: () => Promise<void>): Promise<void> => record().catch(refused);
  const log = (line: string): void => place.note(`${instance}: ${line}`);
  const waiting = reloading({ ledger, world, log, write });
  const configuration = (): Configuration | undefined =>
    inForce === undefined ? undefined : TERMS[inForce].policy.configuration;

  const load = (after: PolicyName, how: Parameters<Authority['load']>[2], approved?: string): Promise<void> => {
    place.enforces(instance, { before: inForce, after, ...(approved === undefined ? {} : { approved }) });
    inForce = after;
    return authority.load(TERMS[after].policy, undefined, how);
  };
  const take = (after: PolicyName, approved?: string): void => {
    const { policy } = TERMS[after];
    const widens =
      inForce === undefined ? [] : wideningsOf(TERMS[inForce].policy, policy).map(({ message }) => message);
    if (!waiting.takes({ before: configuration(), after: policy.configuration, widens }, approved)) return;
    const how = approved === undefined ? {} : { reload: approved };
    void write(() => load(after, widens.length === 0 ? how : { ...how, ...recordedWidens(widens) }, approved));
  };

  return {
    start: () => load(read(), {}),
    look: () => take(read()),
    answered: async () => {
      const answered = await waiting.answered(configuration, async () => {
        // Reading a file takes its time, and whoever writes it does not wait for that.
        await world.sleep(place.random.below(100));
        const name = read();
        return { name, configuration: TERMS[name].policy.configuration };
      });
      if (answered !== undefined) take(answered.file.name, answered.approved);
    },
  };
}
