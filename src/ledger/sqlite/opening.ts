/** Opening the log to write: creates it at first start, checks it at every other, and records that it was opened. */

import { statSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { formatVerifierKey } from '../../tlog/note.ts';
import type { VerifierKey } from '../../tlog/note.ts';
import { EMPTY_FRONTIER, frontierToBytes } from '../../tlog/tree.ts';
import { sha256 } from '../../value/digest.ts';
import { toHex } from '../../value/encoding.ts';
import { uuidV7 } from '../../value/id.ts';
import { openedFields } from '../clock.ts';
import type { JsonObject } from '../../value/json.ts';
import type { World } from '../../world/world.ts';
import type { DataFiles } from '../directory.ts';
import type { EntryType } from '../entry.ts';
import type { Keyring } from '../keyring.ts';
import { epochInForce, openKeyring } from '../keyring.ts';
import { LedgerError } from '../ledger.ts';
import { EPOCH_KEY } from '../vault-step.ts';
import type { OutsidePlace } from '../outside.ts';
import { outsideFile, readOutside } from '../outside.ts';
import type { Signer } from '../signer.ts';
import { openSigner, signerInForce, verifierKeyOf } from '../signer.ts';
import type { OutsideState, RollbackAcceptance } from './message.ts';
import { checkExtent } from './restart.ts';
import { findRollback, rolledBack } from './rollback.ts';
import type { Queries } from './row.ts';
import { integer, prepareQueries, text } from './row.ts';
import { cannotOpen, createSchema, hasTables, openDatabase } from './schema.ts';
import { firstSigner, storedSigners } from './stored-signers.ts';
import { type Found, Writer } from './writer.ts';

/** As large as the WAL gets before it is copied to the database (`wal_autocheckpoint`). */
const WAL_BYTES = 4000 * 4096;

export interface Opening {
  readonly instance: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  readonly lockWaitMs: number;
  readonly random: (length: number) => Uint8Array;
  readonly outside?: OutsidePlace;
  readonly acceptRollback?: RollbackAcceptance;
  readonly passing?: World['passing'];
}

/** A log that is open. */
interface OpenedLog {
  readonly writer: Writer;
  readonly outside?: OutsideState;
}

/**
 * The writer of the log in `files`, which says `ledger.opened` from now on. All in one transaction: a crash in between
 * leaves what was before, an empty database at first start and beside it the signer's key, which the next start uses.
 * Throws `cannot-open`, `tampered` and `rolled-back`.
 */
export function openWriter(files: DataFiles, opening: Opening): OpenedLog {
  const database = openDatabase(files.ledger, opening.lockWaitMs);
  try {
    database.exec('BEGIN IMMEDIATE');
    const isNew = !hasTables(database);
    const found = isNew ? create(database, files, opening) : check(prepareQueries(database), files);
    const outside = opening.outside && compareOutside(database, files, found, isNew, opening.outside, opening);
    const { random, passing } = opening;
    const ring = openRing(files, prepareQueries(database), opening);
    const told = passing === undefined ? {} : { passing };
    const signerOf = (key: VerifierKey): Signer => signerInForce(files, key);
    const queries = prepareQueries(database);
    const writer = new Writer({ database, queries, ...found, signerOf, ring, random, ...told });
    const lastAt = isNew ? undefined : writer.at;
    const at = Math.max(opening.now, writer.at);
    const record = (type: EntryType, fields: JsonObject): void => writer.record(type, fields, at, opening.random(10));
    writer.sign(at, false);
    if (isNew) record('ledger.created', { key: formatVerifierKey(writer.key) });
    const seen = outside === undefined ? {} : { outside: outside.state };
    record('ledger.opened', { ...openedFields(opening.instance, opening.now, lastAt), ...seen });
    if (outside?.accepted !== undefined) record('ledger.rollback-accepted', outside.accepted);
    writer.commit();
    growWal(files.ledger, database);
    // From now on a taken lock answers at once, and the queue waits instead of the thread.
    database.exec('PRAGMA busy_timeout = 0');
    return { writer, ...(outside === undefined ? {} : { outside: { file: outside.file, state: outside.state } }) };
  } catch (error) {
    database.close();
    throw cannotOpen(files.ledger, error);
  }
}

function create(database: DatabaseSync, files: DataFiles, { now, random }: Opening): Found {
  const signer = openSigner(files.signer, random);
  const log = `interlock/${uuidV7(now, random(10))}`;
  createSchema(database);
  database.prepare('INSERT INTO meta(name, value) VALUES (?, ?)').run('log', log);
  const frontier = frontierToBytes(EMPTY_FRONTIER);
  database.prepare('INSERT INTO head(one, size, frontier, at) VALUES (1, 0, ?, 0)').run(frontier);
  const extent = { head: { frontier: EMPTY_FRONTIER, at: 0 }, signed: undefined };
  return { log, keys: firstSigner(verifierKeyOf(signer, log)), signer, extent };
}

/** The keys that wrap what is sealed; without the one of this epoch nothing could be sealed. */
function openRing(files: DataFiles, queries: Queries, { random }: Opening): Keyring {
  const ring = openKeyring(files.epochs, { random });
  const row = queries.counter.get(EPOCH_KEY);
  const epoch = epochInForce(ring, row === undefined ? 0 : integer(row, 'value'));
  if (ring.key(epoch) !== undefined) return ring;
  const message = `the key of epoch ${epoch} is missing in \`${files.epochs}\`, and without it nothing opens: restore it`;
  throw new LedgerError('cannot-open', message);
}

function check(queries: Queries, files: DataFiles): Found {
  const log = metaOf(queries, 'log');
  if (log === undefined) throw new LedgerError('tampered', 'the name of the log is missing from its database');
  const keys = storedSigners(queries, log);
  return { log, keys, signer: signerInForce(files, keys.inForce), extent: checkExtent(queries, keys) };
}

/** `accepted` is what its entry says, when this opening is the one that accepts an older copy. */
type Compared = OutsideState & { readonly accepted?: JsonObject };

/**
 * Compares the log with the checkpoint outside, under the write lock: nothing is in that file that was not committed
 * before. Throws `rolled-back` when the log is an older copy and nobody accepted that.
 */
function compareOutside(
  database: DatabaseSync,
  files: DataFiles,
  { log, keys, extent: { head } }: Found,
  isNew: boolean,
  place: OutsidePlace,
  { acceptRollback }: Opening,
): Compared {
  const queries = prepareQueries(database);
  const file = outsideFile(place, log, metaOf(queries, 'outside'));
  if (isWithin(dirname(files.ledger), file)) {
    const hint = 'name a file elsewhere, which is not restored with it';
    throw new LedgerError('cannot-open', `\`checkpoints.file\`, \`${file}\`, is in the data directory: ${hint}`);
  }
  remember(database, queries, 'outside', file);
  const found = readOutside(file);
  if (found === undefined) return { file, state: isNew ? 'new' : 'missing' };
  const rollback = findRollback({ queries, keys, head }, file, found);
  if (rollback === undefined) return { file, state: 'consistent' };
  // Accepted already, and the process died before the file was replaced.
  const digest = toHex(sha256(found.bytes));
  if (metaOf(queries, 'accepted') === digest) return { file, state: 'accepted' };
  if (acceptRollback === undefined) throw rolledBack(rollback);
  remember(database, queries, 'accepted', digest);
  const { by, reason } = acceptRollback;
  return { file, state: 'accepted', accepted: { ...rollback.fields, by, reason } };
}

function metaOf(queries: Queries, name: string): string | undefined {
  const row = queries.meta.get(name);
  return row === undefined ? undefined : text(row, 'value');
}

/** Part of the opening's transaction. */
function remember(database: DatabaseSync, queries: Queries, name: string, value: string): void {
  if (metaOf(queries, name) === value) return;
  const sql = 'INSERT INTO meta(name, value) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value';
  database.prepare(sql).run(name, value);
}

function isWithin(directory: string, file: string): boolean {
  const path = relative(directory, file);
  return path === '' || !(path.startsWith('..') || isAbsolute(path));
}

/**
 * Makes the WAL as large as it ever gets, so that commits overwrite and need not grow it. What is written for that is
 * never committed: it spills into the WAL and is rolled back. A crash leaves frames that recovery ignores.
 */
function growWal(path: string, database: DatabaseSync): void {
  if (statSync(`${path}-wal`).size >= WAL_BYTES) return;
  try {
    database.exec('PRAGMA cache_size = 10; BEGIN IMMEDIATE');
    const spill = 'INSERT INTO bodies(call, role, position, ciphertext, wrapped_key) VALUES (?, ?, 0, zeroblob(?), ?)';
    database.prepare(spill).run('', '', WAL_BYTES, new Uint8Array(0));
  } catch {
    // A sibling writes, or there is no room. The log loses nothing by it, and a full disk shows where it counts.
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK');
    // The default, 2 MB.
    database.exec('PRAGMA cache_size = -2000');
  }
}
