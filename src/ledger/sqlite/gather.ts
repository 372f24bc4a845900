/** What a batch must know of the stored tables, read by primary key. */

import type { StatementSync } from 'node:sqlite';
import { clockReads, isClockStep } from '../clock.ts';
import { contentKeys } from '../content.ts';
import type { Lookups } from '../fold.ts';
import { ROLLBACK_KEY, parkedKey } from '../fold.ts';
import type { CallRow, Kill, Reads, TrustedTool } from '../ledger.ts';
import { isRunStep, runKeys } from '../run.ts';
import { isSavedStep, savedKeys } from '../saved.ts';
import { standingKeys } from '../standing.ts';
import type { Step } from '../step.ts';
import type { Known, Lease } from '../tables.ts';
import { factKind, killTarget, pinParts } from '../tables.ts';
import { isVaultStep, vaultKeys } from '../vault-step.ts';
import type { Queries } from './row.ts';
import { callRow, integer, killOf, leaseOf, trustedOf } from './row.ts';

export interface Gathering {
  /** Everything that `reads` asks for. */
  read(reads: Reads): void;
  /** Everything that `steps` change or stumble over. */
  touch(steps: readonly (Step | undefined)[]): void;
  known(): Known;
}

/** The stored tables as folding sees them. */
export function lookupsOf(queries: Queries): Lookups {
  return {
    call: (id) => rowOf(queries.call, id),
    holder: (key) => rowOf(queries.holder, key),
    counter: (key) => {
      const row = queries.counter.get(key);
      return row === undefined ? 0 : integer(row, 'value');
    },
    kill: (target) => {
      const row = queries.kill.get(target);
      return row === undefined ? undefined : killOf(row);
    },
    trusted: (tool) => {
      const row = queries.trusted.get(tool);
      return row === undefined ? undefined : trustedOf(row);
    },
  };
}

function rowOf(statement: StatementSync, parameter: string): CallRow | undefined {
  const row = statement.get(parameter);
  return row === undefined ? undefined : callRow(row);
}

/** `since` is a time that no entry composed from this comes before: leases that ended until then are left out. */
export function gather(queries: Queries, since: number): Gathering {
  const lookups = lookupsOf(queries);
  const rows = new Map<string, CallRow>();
  const counters = new Map<string, number>();
  const leases = new Map<string, readonly Lease[]>();
  const kills = new Map<string, Kill | undefined>();
  const trust = new Map<string, TrustedTool | undefined>();

  const addFact = (key: string): void => {
    switch (factKind(key)) {
      case 'counter':
        if (!counters.has(key)) counters.set(key, lookups.counter(key));
        break;
      case 'kill':
        addKill(killTarget(key));
        break;
      case 'pin':
        addTrust(pinParts(key).tool);
        break;
      case 'slots':
        if (!leases.has(key)) leases.set(key, queries.leases.all(key, since).map(leaseOf));
        break;
    }
  };
  const addKill = (target: string): void => {
    if (!kills.has(target)) kills.set(target, lookups.kill(target));
  };
  const addTrust = (tool: string): void => {
    if (!trust.has(tool)) trust.set(tool, lookups.trusted(tool));
  };
  const addRow = (row: CallRow | undefined): void => {
    if (row === undefined || rows.has(row.id)) return;
    rows.set(row.id, row);
    // What the next entry of the call would move. Without it the main thread takes a refund for impossible, and the
    // rest of the batch goes round once more.
    for (const key of Object.keys(row.reserved)) addFact(key);
    if (row.state === 'parked') addFact(parkedKey(row.principal));
  };
  const read = ({ keys = [], open, call, facts = [] }: Reads): void => {
    for (const key of keys) addRow(lookups.holder(key));
    if (call !== undefined) addRow(lookups.call(call));
    if (open !== undefined) for (const row of queries.open.all(open.principal, open.tool)) addRow(callRow(row));
    for (const key of facts) addFact(key);
  };
  const touch = (steps: readonly (Step | undefined)[]): void => {
    for (const step of steps) {
      if (step?.call !== undefined) addRow(lookups.call(step.call));
      if (step?.kind === 'intent' || step?.kind === 'parked') for (const key of step.keys) addRow(lookups.holder(key));
      if (step?.kind === 'stands' || step?.kind === 'ends') for (const key of standingKeys(step)) addFact(key);
      if (step?.kind === 'content') for (const key of contentKeys(step)) addFact(key);
      if (step !== undefined && isRunStep(step)) for (const key of runKeys(step)) addFact(key);
      if (step !== undefined && isSavedStep(step)) for (const key of savedKeys(step)) addFact(key);
      if (step?.kind === 'kill-set' || step?.kind === 'kill-lifted') addKill(step.target);
      if (step?.kind === 'pin-trusted') addTrust(step.tool);
      if (step !== undefined && isClockStep(step)) for (const key of clockReads(step)) addFact(key);
      if (step?.kind === 'rollback-lifted') addFact(ROLLBACK_KEY);
      if (step !== undefined && isVaultStep(step)) for (const key of vaultKeys(step)) addFact(key);
    }
  };
  return {
    read,
    touch,
    known: () => ({
      rows: [...rows.values()],
      counters: [...counters].filter(([, value]) => value !== 0),
      leases: [...leases.values()].flat(),
      kills: [...kills.values()].filter((kill) => kill !== undefined),
      trusted: [...trust.values()].filter((one) => one !== undefined),
    }),
  };
}
