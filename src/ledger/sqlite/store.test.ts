import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ledgerConformance } from '../../../test/ledger-conformance.ts';
import type { Place } from '../../../test/ledger-place.ts';
import type { ManualWorld } from '../../../test/manual-world.ts';
import { openVault } from '../vault.ts';
import { openReader } from './reader.ts';
import { openLedger } from './store.ts';

const root = mkdtempSync(join(tmpdir(), 'interlock-ledger-'));
after(() => rmSync(root, { recursive: true, force: true }));
let places = 0;

function makePlace(world: ManualWorld): Place {
  const dataDirectory = join(root, `${places++}`);
  const vault = openVault(dataDirectory, world);
  return {
    vault,
    open: (world) => openLedger({ dataDirectory, world, vault }),
    leaves: () => {
      using reader = openReader(dataDirectory);
      return [...reader.leaves()].map(({ leaf }) => leaf);
    },
    rows: () => {
      using reader = openReader(dataDirectory);
      return [...reader.calls()];
    },
    tables: () => {
      using reader = openReader(dataDirectory);
      const [leases, kills, trusted] = [reader.leases(), reader.kills(), reader.trusted()];
      return { counters: [...reader.counters()], leases, kills, trusted };
    },
  };
}

ledgerConformance('the ledger in a data directory', makePlace);
