/** Data directories with calls in every state, recorded by the real authority, for the commands that read them. */

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Authority } from '../../src/authority/authority.ts';
import type { Performed } from '../../src/authority/answer.ts';
import { outsideFile } from '../../src/ledger/outside.ts';
import { openReader } from '../../src/ledger/sqlite/reader.ts';
import { type StoredLedger, openLedger } from '../../src/ledger/sqlite/store.ts';
import { openVault } from '../../src/ledger/vault.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';
import { policyOf } from '../authority-world.ts';
import { CHECKPOINTS } from '../state-home.ts';

const RULES = `interlock: 1
tools:
  bank.pay: { effect: write, input: { type: object } }
  bank.balance: { input: { type: object } }
rules:
  - allow: bank.pay
`;

/** What would drive a terminal that printed it. */
export const HOSTILE = '\u001b[2J\u009b31m\u202e\n';

type Perform = () => Promise<Performed>;

/** A data directory that is open, as a gateway's is. */
export interface Recording extends AsyncDisposable {
  readonly ledger: StoredLedger;
  /** Proposes a call that ends as `performed`; answers with its id. */
  call(
    tool: string,
    args: JsonObject,
    performed: Performed | Perform,
    principal?: string,
    session?: string,
  ): Promise<string>;
}

/** `outside`: its checkpoint is kept where commands look for it, as that of a log which they wrote themselves. */
export async function openRecording(directory: string, outside = true, rules: string = RULES): Promise<Recording> {
  const vault = openVault(directory, systemWorld);
  const kept = outside ? { outside: { kind: 'default', directory: CHECKPOINTS } as const } : {};
  const ledger = await openLedger({ dataDirectory: directory, world: systemWorld, vault, ...kept });
  const around = { vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [] };
  const authority = new Authority(ledger, around);
  await authority.load(policyOf(rules));
  return {
    ledger,
    call: async (tool, args, performed, principal = 'local', session = 'session') => {
      const answer = await authority.call({
        principal,
        tool,
        args,
        session,
        timeoutMs: 60_000,
        available: true,
        perform: () => (typeof performed === 'function' ? performed() : Promise.resolve(performed)),
        signal: new AbortController().signal,
      });
      return answer.call;
    },
    [Symbol.asyncDispose]: async () => {
      await authority.tally('all');
      await ledger[Symbol.asyncDispose]();
    },
  };
}

/** The ids of the recorded calls by how each ended. */
export interface Calls {
  readonly succeeded: string;
  readonly failed: string;
  readonly notStarted: string;
  readonly unknown: string;
  readonly denied: string;
  /** Denied; its tool and its arguments are hostile text. */
  readonly hostile: string;
}

/** Makes a data directory with one call of each kind; `bob` made the one that failed. */
export async function record(directory: string): Promise<Calls> {
  await using recording = await openRecording(directory);
  const output = { content: [{ type: 'text', text: 'done' }] };
  const unknown: Performed = { kind: 'unknown', reason: `the process ended ${HOSTILE}` };
  return {
    succeeded: await recording.call('bank.pay', { n: 1 }, { kind: 'succeeded', output }),
    failed: await recording.call('bank.pay', { n: 2 }, { kind: 'failed', output }, 'bob'),
    notStarted: await recording.call('bank.pay', { n: 3 }, { kind: 'not-started', reason: 'it was not running' }),
    unknown: await recording.call('bank.pay', { n: 4 }, unknown),
    denied: await recording.call('bank.balance', { n: 5 }, unknown),
    hostile: await recording.call(`bank.${HOSTILE}`, { text: HOSTILE, $body: 'forged' }, unknown),
  };
}

/** A copy of the data directory `from`, as a thief or a backup makes one, and of its checkpoint outside. */
export function copyData(from: string, to: string): string {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  using reader = openReader(to);
  const file = outsideFile({ kind: 'default', directory: CHECKPOINTS }, reader.log, undefined);
  mkdirSync(CHECKPOINTS, { recursive: true });
  writeFileSync(file, [...reader.checkpoints()].at(-1)?.note ?? '');
  return to;
}

/** Changes a stopped ledger behind its back. */
export function tamper(directory: string, sql: string, ...values: readonly (string | number | Uint8Array)[]): void {
  const database = new DatabaseSync(`${directory}/ledger.db`);
  database.prepare(sql).run(...values);
  database.close();
}

/** The leaves of a data directory as text. */
export function leaves(directory: string): string[] {
  using reader = openReader(directory);
  return [...reader.leaves()].map(({ leaf }) => Buffer.from(leaf).toString('utf8'));
}
