/** An approver's desk: keys, a configuration that names them, and calls that wait as the authority parks them. */

import assert from 'node:assert/strict';
import { approvalDigest, boundArgs } from '../../src/authority/approval.ts';
import { draft, newId } from '../../src/authority/draft.ts';
import { recordArgs } from '../../src/authority/personal.ts';
import { openLedger } from '../../src/ledger/sqlite/store.ts';
import { openVault } from '../../src/ledger/vault.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { formatInstant } from '../../src/value/time.ts';
import { systemWorld } from '../../src/world/system.ts';
import { type Around, type Ended, Scratch, json, run } from './command.ts';
import { HOSTILE, leaves } from './recorded.ts';
import { CHECKPOINTS } from '../state-home.ts';

export const PASSPHRASE = 'correct horse';
export const ARGS: JsonObject = { amount: 9_000, note: HOSTILE, $body: 'forged', deep: [{ $lit: { $sealed: 1 } }] };

interface Parking {
  readonly args?: JsonObject;
  /** An hour ago, for ten minutes, as the first call of the log. */
  readonly past?: boolean;
  readonly quorum?: number;
  readonly notRequester?: boolean;
}

/** Parks a call as the authority does. */
export async function park(data: string, parking: Parking = {}): Promise<string> {
  const { args = ARGS, past = false, quorum = 1, notRequester = false } = parking;
  const world = { ...systemWorld, now: () => systemWorld.now() - (past ? 3_600_000 : 0) };
  const vault = openVault(data, world);
  await using ledger = await openLedger({
    dataDirectory: data,
    world,
    vault,
    outside: { kind: 'default', directory: CHECKPOINTS },
  });
  const call = newId(world);
  const expires = world.now() + 600_000;
  const named = { log: ledger.log, call, tool: 'bank.pay', definition: '', principal: 'local', expires };
  const asked = { approvers: ['finance'], quorum, notRequester, requester: 'local' };
  const recorded = recordArgs(vault, call, args);
  const salt = world.random(16);
  const bound = recorded.bodies.length === 0 ? args : boundArgs(salt, named.principal, named.tool, args);
  const approval = { digest: approvalDigest({ ...named, args: bound }), ...asked, expires: formatInstant(expires) };
  const fields = { call, principal: 'local', run: { id: 's' }, keys: [], tool: { name: 'bank.pay' }, policy: {} };
  const entry = draft(world, 'call.parked', { ...fields, args: recorded.value, approval });
  await ledger.transact({}, () => ({
    writes: { entries: [entry], bodies: recorded.bodies, fingerprints: [{ call, salt, mac: new Uint8Array(32) }] },
    result: undefined,
  }));
  return call;
}

/** A home with the keys of `ids`, and a configuration that names them. */
export class Desk extends Scratch {
  readonly environment: Readonly<Record<string, string>> = {
    XDG_CONFIG_HOME: this.at('config'),
    INTERLOCK_PASSPHRASE: PASSPHRASE,
  };
  readonly data: string = this.at('.interlock');
  readonly keys: Map<string, string> = new Map();

  command(args: readonly string[], around: Around = {}): Promise<Ended> {
    return run(args, { directory: this.path, environment: this.environment, ...around });
  }

  async add(id: string): Promise<void> {
    const { code, out, err } = await this.command(['approver', 'add', id, '--json']);
    assert.equal(code, 0, err);
    this.keys.set(id, String(json(out)['key']));
  }

  configure(more = ''): void {
    const principals = [...this.keys].map(([id, key]) => `  ${id}: { roles: [finance], key: "${key}" }\n`).join('');
    this.write('interlock.yaml', `interlock: 1\nprincipals:\n  local: {}\n${principals}${more}`);
  }

  entries(type: string): Record<string, unknown>[] {
    return leaves(this.data)
      .map((leaf) => JSON.parse(leaf) as Record<string, unknown>)
      .filter((entry) => entry['type'] === type);
  }
}

export async function desk(...ids: readonly string[]): Promise<Desk> {
  const made = new Desk();
  for (const id of ids) await made.add(id);
  made.configure();
  return made;
}
