import { ledgerConformance } from '../../../test/ledger-conformance.ts';
import type { Place } from '../../../test/ledger-place.ts';
import type { ManualWorld } from '../../../test/manual-world.ts';
import { createVault } from '../vault.ts';
import { createMemoryDisk } from './disk.ts';
import { openMemoryLedger } from './store.ts';

function makePlace(world: ManualWorld): Place {
  const disk = createMemoryDisk();
  const vault = createVault(new Uint8Array(32), world);
  return {
    vault,
    open: (world) => openMemoryLedger({ disk, world, vault }),
    leaves: () => [...disk.leaves],
    rows: () => [...disk.tables.rows()],
    tables: () => ({
      counters: [...disk.tables.counters()],
      leases: [...disk.tables.leases()],
      kills: [...disk.tables.kills()],
      trusted: [...disk.tables.allTrusted()],
    }),
  };
}

ledgerConformance('the ledger in memory', makePlace);
