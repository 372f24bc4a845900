/** A data directory with a bit of everything in it, and what somebody who holds its keys can make of it. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { textOf } from '../src/audit/problem.ts';
import { approve } from '../src/authority/approve.ts';
import { Authority } from '../src/authority/authority.ts';
import type { Answer, Performed } from '../src/authority/answer.ts';
import { breakGlass } from '../src/authority/exception.ts';
import { liftKill, setKill } from '../src/authority/kill.ts';
import { dataFiles } from '../src/ledger/directory.ts';
import { type Entry, parseEntry } from '../src/ledger/entry.ts';
import { fold } from '../src/ledger/fold.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { type Signer, readSigner, signCheckpoint } from '../src/ledger/signer.ts';
import { CALL_COLUMNS, callColumns } from '../src/ledger/sqlite/row.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import { readStep } from '../src/ledger/step.ts';
import { type Tables, createTables } from '../src/ledger/tables.ts';
import { openVault } from '../src/ledger/vault.ts';
import { compilePolicy, type Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { ruleDigest } from '../src/policy/approval/exception.ts';
import { defineTool } from '../src/policy/tool/tool.ts';
import { appendLeaf, EMPTY_FRONTIER, type Frontier, frontierToBytes, leafHash } from '../src/tlog/tree.ts';
import { canonicalBytes } from '../src/value/canonical.ts';
import type { JsonObject } from '../src/value/json.ts';
import { parseInstant } from '../src/value/time.ts';
import { systemWorld } from '../src/world/system.ts';

/** Somebody with an Ed25519 key. */
export interface Approver {
  /** As a configuration names it. */
  readonly key: string;
  readonly sign: (text: string) => string;
}

export function approver(): Approver {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url');
  return {
    key: `ed25519:${raw.toString('base64')}`,
    sign: (text) => signBytes(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

const PAY = {
  name: 'pay',
  description: 'pays',
  inputSchema: {
    type: 'object',
    required: ['charge', 'amount'],
    properties: { charge: { type: 'string' }, amount: { type: 'integer' }, note: { type: 'string' } },
  },
};

/** The policy of the log, over a server with the tool `bank.pay`. */
export function recordedPolicy(ann: string, more = ''): Policy {
  const text = `interlock: 1
servers: { bank: { command: bank-server, args: [--secret-path] } }
tools:
  bank.pay: { effect: irreversible, key: args.charge, cost: { money: args.amount } }
  bank.balance: { effect: read, input: { type: object, properties: {} } }
principals:
  local: {}
  ann: { roles: [finance], key: "${ann}" }
budgets:
  money: { limit: 100000, unit: usd-cents, per: [principal], window: 24h }
limits:
  - { tools: bank.pay, concurrency: 5 }
rules:
  - { id: small, allow: bank.pay, when: args.amount <= 20000 }
  - { allow: bank.balance }
  - { ask: bank.pay, when: args.amount > 5000, approvers: [finance] }
  - { id: stolen, deny: bank.pay, when: args.charge == "stolen" }
${more}`;
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  const defined = defineTool('bank', PAY);
  assert.ok(parsed.ok && defined.ok, JSON.stringify(parsed.issues));
  const { policy } = compilePolicy(parsed.value, new Map([[defined.tool.name, defined.tool]]), {
    complete: new Set(['bank']),
  });
  assert.ok(policy !== undefined);
  return policy;
}

/** A call of `bank.pay` whose tool answers. */
export type Call = (args: JsonObject, performed?: Performed, tool?: string) => Promise<Answer>;

/** An authority on a data directory. */
export async function openTampered(
  directory: string,
  policy: Policy,
): Promise<{ readonly ledger: Ledger; readonly authority: Authority; readonly call: Call }> {
  const vault = openVault(directory, systemWorld);
  const ledger = await openLedger({ dataDirectory: directory, world: systemWorld, vault });
  const around = { vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [] };
  const authority = new Authority(ledger, around);
  await authority.load(policy);
  const call: Call = (args, performed = { kind: 'succeeded', output: { content: [] } }, tool = 'bank.pay') =>
    authority.call({
      principal: 'local',
      session: 'session',
      tool,
      args,
      timeoutMs: 60_000,
      available: true,
      perform: () => Promise.resolve(performed),
      signal: new AbortController().signal,
    });
  return { ledger, authority, call };
}

/** Calls that are allowed, denied, asked about, approved, unknown and too large; a kill switch and an exception. */
export async function recordEverything(directory: string, ann: Approver): Promise<void> {
  const { ledger, call } = await openTampered(directory, recordedPolicy(ann.key));
  await using _ = ledger;
  const world = systemWorld;
  await call({ charge: 'a', amount: 1_000 });
  await call({ charge: 'b', amount: 2_000 });
  await call({ charge: 'c', amount: 50_000 });
  await call({ charge: 'stolen', amount: 10 });
  await call({ charge: 7 });
  const asked = { charge: 'd', amount: 6_000 };
  const parked = await call(asked);
  const approved = await approve(ledger, world, { call: parked.call, by: 'ann', sign: ann.sign });
  assert.ok(approved.ok);
  assert.equal((await call(asked)).state, 'succeeded');
  await call({ charge: 'e', amount: 7_000 });
  await setKill(ledger, world, { target: 'tool:bank.pay', reason: 'stop', by: 'ann' });
  await call({ charge: 'f', amount: 1 });
  await liftKill(ledger, world, { target: 'tool:bank.pay', reason: 'go on', by: 'ann' });
  await setKill(ledger, world, { target: 'tool:bank.other', reason: 'stop', by: 'ann' });
  await call({ charge: 'g', amount: 5 }, { kind: 'unknown', reason: 'it fell silent' });
  await call({ charge: 'h', amount: 5, note: 'x'.repeat(60_000) });
  await call({}, undefined, 'bank.balance');
  const rule = recordedPolicy(ann.key).configuration.rules.find(({ id }) => id === 'stolen');
  assert.ok(rule !== undefined);
  const rules = [{ id: 'stolen', digest: ruleDigest(rule) }];
  const order = { by: 'ann', key: ann.key, rules, reason: 'the bank said so', sign: ann.sign };
  await breakGlass(ledger, world, { ...order, expires: world.now() + 3_600_000 });
  assert.equal((await call({ charge: 'stolen', amount: 10 })).state, 'succeeded');
}

/** The entries of a data directory. */
export function entriesOf(directory: string): Entry[] {
  using database = closing(directory);
  const rows = database.all('SELECT leaf FROM entries ORDER BY position');
  return rows.map(({ leaf }) => {
    const parsed = parseEntry(leaf as Uint8Array);
    assert.ok(parsed.ok);
    return parsed.value;
  });
}

function closing(directory: string) {
  const database = new DatabaseSync(dataFiles(directory).ledger);
  return {
    all: (sql: string) => database.prepare(sql).all(),
    run: (sql: string, ...values: readonly (string | number | null | Uint8Array)[]) =>
      database.prepare(sql).run(...values),
    [Symbol.dispose]: () => database.close(),
  };
}

/**
 * How far the traces are covered up. `hashed`: the tree's head is made right. `signed`: checkpoints too, under the
 * log's own key, or `signer`'s. `all`: every table besides, and sealed values follow their entries.
 */
export type Repair = 'none' | 'hashed' | 'signed' | 'all';

/** Writes other entries into a stopped log, and covers that up. Values that are no entries are written as they are. */
export function rewrite(
  directory: string,
  entries: readonly (JsonObject | Uint8Array)[],
  repair: Repair,
  signer: Signer | undefined = readSigner(dataFiles(directory).signer),
): void {
  using database = closing(directory);
  const leaves = entries.map((entry) => (entry instanceof Uint8Array ? entry : canonicalBytes(entry)));
  database.run('DELETE FROM entries');
  for (const [position, leaf] of leaves.entries()) {
    database.run('INSERT INTO entries(position, leaf) VALUES (?, ?)', position, leaf);
  }
  if (repair === 'none') return;
  let frontier: Frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) frontier = appendLeaf(frontier, leafHash(leaf));
  const last = parsedOf(leaves.at(-1));
  const at = parseInstant(last?.at ?? '') ?? 0;
  database.run('UPDATE head SET size = ?, frontier = ?, at = ?', frontier.size, frontierToBytes(frontier), at);
  if (repair === 'hashed') return;
  assert.ok(signer !== undefined && last !== undefined);
  database.run('DELETE FROM checkpoints');
  const note = signCheckpoint(signer, last.log, frontier);
  database.run(
    'INSERT INTO checkpoints(size, note, frontier, at) VALUES (?, ?, ?, ?)',
    frontier.size,
    note,
    frontierToBytes(frontier),
    at,
  );
  if (repair === 'all') rebuild(database, leaves.map(parsedOf));
}

function parsedOf(leaf: Uint8Array | undefined): Entry | undefined {
  const parsed = leaf === undefined ? undefined : parseEntry(leaf);
  return parsed?.ok === true ? parsed.value : undefined;
}

type Database = ReturnType<typeof closing>;

function rebuild(database: Database, entries: readonly (Entry | undefined)[]): void {
  const tables = createTables();
  for (const [position, entry] of entries.entries()) {
    const read = entry === undefined ? undefined : readStep(entry.type, entry);
    if (read?.ok !== true || read.step === undefined || entry === undefined) continue;
    const folded = fold(read.step, { position, at: parseInstant(entry.at) ?? 0 }, tables);
    if (folded.ok) tables.apply(folded);
  }
  writeTables(database, tables);
  for (const [position, entry] of entries.entries()) {
    for (const role of ['args', 'output']) {
      const field = entry?.[role];
      if (typeof field !== 'object' || field === null || !Object.hasOwn(field, '$body')) continue;
      database.run(
        'UPDATE bodies SET position = ? WHERE call = ? AND role = ?',
        position,
        textOf(entry?.['call']),
        role,
      );
    }
  }
}

function writeTables(database: Database, tables: Tables): void {
  for (const table of ['calls', 'keys', 'counters', 'leases', 'kills', 'trusted']) database.run(`DELETE FROM ${table}`);
  const holes = CALL_COLUMNS.map(() => '?').join(', ');
  for (const row of tables.rows()) {
    database.run(`INSERT INTO calls VALUES (${holes})`, ...(callColumns(row) as (string | number | null)[]));
    for (const key of row.keys) {
      if (tables.holder(key)?.id === row.id) database.run('INSERT INTO keys VALUES (?, ?)', key, row.id);
    }
  }
  for (const [key, value] of tables.counters()) database.run('INSERT INTO counters VALUES (?, ?)', key, value);
  for (const { key, attempt, until } of tables.leases()) {
    database.run('INSERT INTO leases VALUES (?, ?, ?)', key, attempt, until ?? null);
  }
  for (const { target, reason, by, at } of tables.kills()) {
    database.run('INSERT INTO kills VALUES (?, ?, ?, ?)', target, reason, by, at);
  }
  for (const { tool, digest, position } of tables.allTrusted()) {
    database.run('INSERT INTO trusted VALUES (?, ?, ?)', tool, digest, position);
  }
}
