/** What is stored in a data directory, for the tests that look at it from outside, and whether it is whole. */

import assert from 'node:assert/strict';
import { verifyEd25519 } from '../src/ledger/ed25519.ts';
import { openReader } from '../src/ledger/sqlite/reader.ts';
import { verifyLog } from '../src/ledger/verify/verify.ts';
import { type Stored, assertFolded, entriesOf } from './ledger-place.ts';

export function storedIn(dataDirectory: string): Stored {
  return {
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

/** The log verifies and its tables are the fold of it. Resolves with the digests of its `policy.loaded` entries. */
export async function assertWhole(dataDirectory: string): Promise<string[]> {
  const stored = storedIn(dataDirectory);
  {
    using reader = openReader(dataDirectory);
    const checkpoints = [...reader.checkpoints()].map(({ note, frontier: { size } }) => ({ note, size }));
    const report = await verifyLog({ entries: reader.leaves(), checkpoints }, { checkSignature: verifyEd25519 });
    assert.deepEqual(report.problems, []);
  }
  assertFolded(stored);
  return entriesOf(stored).flatMap(({ type, digest }) =>
    type === 'policy.loaded' && typeof digest === 'string' ? digest : [],
  );
}
