/** Invariants of the end: once the world is quiet and recovered, everything is known, and the log proves it. */

import { isDeepStrictEqual } from 'node:util';
import { DeepVerifier } from '../../../src/audit/deep.ts';
import { verifyEd25519 } from '../../../src/ledger/ed25519.ts';
import type { CallRow } from '../../../src/ledger/ledger.ts';
import { type Tables, foldLog } from '../../../src/ledger/tables.ts';
import { verifyLog } from '../../../src/ledger/verify/verify.ts';
import type { Invariant } from './invariant.ts';

/** How many of a log's last checkpoints are verified: a signature takes as long as half a call. */
const CHECKPOINTS = 2;

/** The rows but for what no entry says. */
function derived(tables: Tables): readonly Omit<CallRow, 'salt' | 'fingerprint'>[] {
  return [...tables.rows()].map(({ salt: _salt, fingerprint: _fingerprint, ...row }) => row);
}

function contentOf(tables: Tables): Readonly<Record<string, unknown>> {
  const leases = [...tables.leases()].sort((left, right) => (left.attempt < right.attempt ? -1 : 1));
  return {
    rows: derived(tables),
    counters: new Map(tables.counters()),
    leases,
    kills: new Map([...tables.kills()].map((kill) => [kill.target, kill])),
  };
}

export const END: readonly Invariant[] = [
  {
    name: 'every-call-ends',
    promise: 'once processes have restarted, every call is over, parked or unknown',
    end: ({ history }) => {
      for (const { id, state } of history.calls.values())
        if (state === 'intent') return `call ${id} is still an intent`;
      return undefined;
    },
  },
  {
    name: 'tables-are-fold',
    promise: 'rows, counters, leases and kill switches are what folding the entries gives',
    end: ({ history, disk }) => {
      const folded = foldLog(history.entries);
      if (!folded.ok) return `the log does not fold at ${folded.position}: ${folded.message}`;
      const [kept, again] = [contentOf(disk.tables), contentOf(folded.tables)];
      return Object.keys(kept).find((name) => !isDeepStrictEqual(kept[name], again[name]));
    },
  },
  {
    name: 'onlooker-agrees',
    promise: 'the state of every call is the one that an independent reading of the entries gives',
    end: ({ history, disk }) => {
      for (const { id, state } of history.calls.values()) {
        const row = disk.tables.call(id);
        if (row?.state !== state) return `call ${id} is ${row?.state ?? 'gone'} in the store and ${state} in the log`;
      }
      return undefined;
    },
  },
  {
    name: 'log-verifies',
    promise: 'the log is dense, in order, canonical, and the last checkpoints sign its tree',
    end: async ({ disk }) => {
      const entries = disk.leaves.map((leaf, position) => ({ position, leaf }));
      const checkpoints = disk.checkpoints.slice(-CHECKPOINTS);
      const report = await verifyLog({ entries, checkpoints }, { checkSignature: verifyEd25519 });
      // Forgers are at work in these worlds: what they wrote is found, and decided nothing.
      return report.problems.find(({ code }) => code !== 'entry-signature')?.message;
    },
  },
  {
    name: 'decided-again',
    promise: 'every call of the log is decided again as it was, from the log alone',
    end: ({ history }) => {
      const deep = new DeepVerifier();
      for (const [position, entry] of history.entries.entries()) deep.take(entry, position);
      // As above.
      const problem = deep
        .report()
        .problems.find(({ code }) => !code.startsWith('approval-') && code !== 'policy-signer');
      return problem === undefined ? undefined : `entry ${problem.entry}: ${problem.message} [${problem.code}]`;
    },
  },
];
