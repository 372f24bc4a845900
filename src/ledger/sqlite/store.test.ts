import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ledgerConformance } from '../../../test/ledger-conformance.ts';
import { storedIn } from '../../../test/ledger-directory.ts';
import type { Place } from '../../../test/ledger-place.ts';
import type { ManualWorld } from '../../../test/manual-world.ts';
import { openVault } from '../vault.ts';
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
    ...storedIn(dataDirectory),
  };
}

ledgerConformance('the ledger in a data directory', makePlace);
