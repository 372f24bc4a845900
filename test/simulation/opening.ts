/** One opening of the shared disk by a process that can die: what it writes becomes durable a moment later. */

import type { Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory/store.ts';
import type { Vault } from '../../src/ledger/vault.ts';
import type { World } from '../../src/world/world.ts';
import type { Place } from './place.ts';
import type { Owner } from './schedule.ts';

export interface Opening {
  readonly instance: string;
  readonly world: World;
  readonly vault: Vault;
  /** Never resolves when the process dies before. */
  readonly ledger: Promise<Ledger>;
  /** The process dies: what it has under way may become durable, and nothing of it runs any more. */
  kill(): void;
}

export function openPlace(place: Place, owner: Owner): Opening {
  const { disk, schedule, random } = place;
  const world = place.worldOf(owner);
  const { vault } = place;
  let pending: (() => void) | undefined;
  let instance = '';
  const run = (): void => {
    const commit = pending;
    pending = undefined;
    if (commit !== undefined) place.commit(instance, commit);
  };
  const later = (commit: () => void): void => {
    pending = commit;
    schedule.after(random.chance(0.7) ? 0 : random.below(30), owner, run);
  };
  const siblings = new Set(disk.alive);
  const ledger = openMemoryLedger({ world, vault, disk, later });
  instance = [...disk.alive].find((each) => !siblings.has(each)) ?? '';
  const kill = (): void => {
    if (owner.state === 'dead') return;
    place.note(`${owner.name} dies`);
    // The disk may finish what it was given, also when nobody waits for it.
    if (random.chance(0.5)) run();
    schedule.kill(owner);
    disk.alive.delete(instance);
  };
  return { instance, world, vault, ledger, kill };
}
