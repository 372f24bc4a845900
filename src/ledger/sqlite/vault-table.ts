/** The tables of the vault: sealed bodies, the shares of their keys, and the keys of subjects. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KeptBody, StoredBody, SubjectKeys } from '../keep.ts';
import { boundKey, boundSubject, erasedRecord, isDestroyed, keepBody, rewrap } from '../keep.ts';
import type { Keyring } from '../keyring.ts';
import type { SealedBody } from '../ledger.ts';
import { NONCE_BYTES } from '../cipher.ts';
import { bytes, integer, text } from './row.ts';

/** Records that one step of a rotation wraps again. */
const REWRAP_ROWS_MAX = 512;

/** What was destroyed. */
export interface ErasedCount {
  readonly calls: number;
  /** Sealed arguments and bodies. */
  readonly values: number;
}

/** As `readBody`: the last body of a role, or the one of an entry. */
export interface BodyQueries {
  readonly body: StatementSync;
  readonly bodyAt: StatementSync;
  readonly shares: StatementSync;
}

export function prepareBodyQueries(database: DatabaseSync): BodyQueries {
  const columns = 'SELECT call, role, position, ciphertext, wrapped_key FROM bodies';
  return {
    body: database.prepare(`${columns} WHERE call = ? AND role = ? ORDER BY position DESC LIMIT 1`),
    bodyAt: database.prepare(`${columns} WHERE call = ? AND role = ? AND position = ?`),
    shares: database.prepare(
      `SELECT shares.subject, wrapped, record FROM shares LEFT JOIN subjects ON subjects.subject = shares.subject
       WHERE call = ? AND role = ? AND position = ?`,
    ),
  };
}

/** A body with all that opens it, and the position of its entry; nothing without one. */
export function readBody(
  queries: BodyQueries,
  call: string,
  role: string,
  at?: number,
): { readonly body: StoredBody; readonly position: number } | undefined {
  const row = at === undefined ? queries.body.get(call, role) : queries.bodyAt.get(call, role, at);
  if (row === undefined) return undefined;
  const position = integer(row, 'position');
  const wrappedKey = bytes(row, 'wrapped_key');
  // One without shares is wrapped by the epoch's key alone.
  const shares = wrappedKey.length > 0 ? [] : queries.shares.all(call, role, position);
  const body = {
    call,
    role,
    ciphertext: bytes(row, 'ciphertext'),
    wrappedKey,
    shares: shares.map((share) => ({
      subject: text(share, 'subject'),
      wrapped: bytes(share, 'wrapped'),
      record: share['record'] instanceof Uint8Array ? share['record'] : undefined,
    })),
  };
  return { body, position };
}

/** Writes the tables, inside the transaction that is open. What it throws but `LedgerError` is SQLite's own error. */
export interface VaultTable {
  keep(body: SealedBody, position: number, epoch: number): void;
  /** Destroys what is kept of `call`, if its row still stands at `position`. */
  forget(call: string, position: number): void;
  /** Destroys the live forms of `call` that were written with entries before `position`; answers how many. */
  forgetLive(call: string, position: number): number;
  /** The calls of which something lies under the key of `subject`; of a call, itself. */
  callsOf(subject: string): readonly string[];
  /** How many sealed values lie under the key of `subject`; of a call, how many it has. */
  valuesOf(subject: string): number;
  /**
   * Destroys the key of `subject`, everything that it is needed for, and the fingerprints of these calls, which from now
   * on are known to have been erased.
   */
  erase(subject: string): ErasedCount;
  /** Wraps some more records of earlier epochs by the key of `epoch`; answers where to go on, nothing at the end. */
  rewrap(epoch: number, from: RewrapFrom): RewrapFrom | undefined;
}

/** Rows up to these are wrapped by the key of the epoch. */
export interface RewrapFrom {
  readonly subjects: number;
  readonly bodies: number;
}

export function openVaultTable(
  database: DatabaseSync,
  ring: Keyring,
  random: (length: number) => Uint8Array,
): VaultTable {
  const sql = statements(database);
  const keys: SubjectKeys = {
    get: (subject) => {
      const row = sql.record.get(subject);
      return row === undefined ? undefined : bytes(row, 'record');
    },
    set: (subject, record) => {
      // A key that was shredded with its epoch: what lies under it opens no more, and is not to be taken for what comes.
      if (!isDestroyed(keys.get(subject) ?? erasedRecord())) erase(subject);
      sql.setRecord.run(subject, record);
    },
  };
  const insert = ({ call, role, ciphertext, wrappedKey, shares }: KeptBody, position: number): void => {
    sql.body.run(call, role, position, ciphertext, wrappedKey);
    for (const { subject, wrapped } of shares) sql.share.run(call, role, position, subject, wrapped);
  };
  const callsOf = (subject: string): readonly string[] => [
    ...new Set([...sql.callsOf.all(subject), ...sql.callOf.all(subject)].map((row) => text(row, 'call'))),
  ];
  return {
    keep: (body, position, epoch) => insert(keepBody(body, epoch, ring, keys), position),
    forget: (call, position) => {
      const known = subjectsOf(call);
      // In this order: the row says whether the call is still where it was.
      sql.forgetShares.run(call, call, position);
      sql.forgetBodies.run(call, call, position);
      sql.forgetFingerprint.run(call, position);
      destroyIdle(known);
    },
    forgetLive: (call, position) => {
      if (sql.anyLive.get(call, position) === undefined) return 0;
      const known = subjectsOf(call);
      sql.forgetLiveShares.run(call, position);
      const { changes } = sql.forgetLive.run(call, position);
      destroyIdle(known);
      return Number(changes);
    },
    callsOf,
    valuesOf: (subject) => {
      const row = sql.valuesOf.get(subject);
      return row === undefined ? 0 : integer(row, 'n');
    },
    erase,
    rewrap: (epoch, from) => rewrapSome(sql, { ring, random }, epoch, from),
  };

  function subjectsOf(call: string): readonly string[] {
    return sql.subjectsOf.all(call).map((row) => text(row, 'subject'));
  }

  function erase(subject: string): ErasedCount {
    const calls = callsOf(subject);
    const known = new Set([subject, ...calls.flatMap(subjectsOf)]);
    let values = 0;
    for (const call of calls) {
      values += Number(sql.eraseBodies.run(call, subject, subject).changes);
      sql.eraseShares.run(call, call);
      sql.eraseFingerprint.run(call);
    }
    destroyIdle(known);
    return { calls: calls.length, values };
  }

  /** The keys under which nothing lies any more. A row is overwritten by one as long: nothing in this table ever moves. */
  function destroyIdle(known: Iterable<string>): void {
    for (const subject of known) {
      const record = sql.anyShare.get(subject) === undefined ? keys.get(subject) : undefined;
      if (record !== undefined && !isDestroyed(record)) sql.replaceRecord.run(erasedRecord(), subject);
    }
  }
}

function rewrapSome(
  sql: ReturnType<typeof statements>,
  { ring, random }: { readonly ring: Keyring; readonly random: (length: number) => Uint8Array },
  epoch: number,
  from: RewrapFrom,
): RewrapFrom | undefined {
  const subjects = sql.oldRecords.all(from.subjects, epochPrefix(epoch), REWRAP_ROWS_MAX);
  for (const row of subjects) {
    const subject = text(row, 'subject');
    sql.replaceRecord.run(
      rewrap(bytes(row, 'record'), epoch, ring, boundSubject(subject), random(NONCE_BYTES)),
      subject,
    );
  }
  const bodies = sql.oldKeys.all(from.bodies, epochPrefix(epoch), REWRAP_ROWS_MAX);
  for (const row of bodies) {
    const bound = boundKey({ call: text(row, 'call'), role: text(row, 'role') });
    const wrapped = rewrap(bytes(row, 'wrapped_key'), epoch, ring, bound, random(NONCE_BYTES));
    sql.replaceKey.run(wrapped, integer(row, 'id'));
  }
  const [subject, body] = [subjects.at(-1), bodies.at(-1)];
  if (subject === undefined && body === undefined) return undefined;
  return {
    subjects: subject === undefined ? from.subjects : integer(subject, 'id'),
    bodies: body === undefined ? from.bodies : integer(body, 'id'),
  };
}

/** What records of earlier epochs, but those that are destroyed, compare below. */
function epochPrefix(epoch: number): Uint8Array {
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, epoch);
  return prefix;
}

function statements(database: DatabaseSync) {
  const stands = 'EXISTS (SELECT 1 FROM calls WHERE id = ? AND calls.position = ?)';
  return {
    body: database.prepare('INSERT INTO bodies(call, role, position, ciphertext, wrapped_key) VALUES (?, ?, ?, ?, ?)'),
    share: database.prepare('INSERT INTO shares(call, role, position, subject, wrapped) VALUES (?, ?, ?, ?, ?)'),
    record: database.prepare('SELECT record FROM subjects WHERE subject = ?'),
    setRecord: database.prepare(
      `INSERT INTO subjects(subject, record) VALUES (?, ?)
       ON CONFLICT(subject) DO UPDATE SET record = excluded.record`,
    ),
    replaceRecord: database.prepare('UPDATE subjects SET record = ? WHERE subject = ?'),
    forgetShares: database.prepare(`DELETE FROM shares WHERE call = ? AND ${stands}`),
    forgetBodies: database.prepare(`DELETE FROM bodies WHERE call = ? AND ${stands}`),
    forgetFingerprint: database.prepare(
      'UPDATE calls SET salt = NULL, fingerprint = NULL WHERE id = ? AND position = ?',
    ),
    anyLive: database.prepare("SELECT 1 FROM bodies WHERE call = ? AND role = 'live' AND position < ? LIMIT 1"),
    forgetLive: database.prepare("DELETE FROM bodies WHERE call = ? AND role = 'live' AND position < ?"),
    forgetLiveShares: database.prepare("DELETE FROM shares WHERE call = ? AND role = 'live' AND position < ?"),
    subjectsOf: database.prepare('SELECT DISTINCT subject FROM shares WHERE call = ?'),
    anyShare: database.prepare('SELECT 1 FROM shares WHERE subject = ? LIMIT 1'),
    callsOf: database.prepare('SELECT DISTINCT call FROM shares WHERE subject = ?'),
    valuesOf: database.prepare(
      `SELECT count(*) AS n FROM (SELECT call, role, position FROM shares WHERE subject = ?1
       UNION SELECT call, role, position FROM bodies WHERE call = ?1)`,
    ),
    callOf: database.prepare('SELECT id AS call FROM calls WHERE id = ?'),
    eraseBodies: database.prepare(
      `DELETE FROM bodies WHERE call = ? AND (call = ? OR EXISTS (SELECT 1 FROM shares WHERE shares.call = bodies.call
       AND shares.role = bodies.role AND shares.position = bodies.position AND shares.subject = ?))`,
    ),
    eraseShares: database.prepare(
      `DELETE FROM shares WHERE call = ? AND NOT EXISTS (SELECT 1 FROM bodies WHERE bodies.call = ?
       AND bodies.role = shares.role AND bodies.position = shares.position)`,
    ),
    eraseFingerprint: database.prepare("UPDATE calls SET salt = NULL, fingerprint = x'' WHERE id = ?"),
    oldRecords: database.prepare(
      `SELECT id, subject, record FROM subjects
       WHERE id > ? AND substr(record, 1, 4) < ? AND substr(record, 1, 4) > x'00000000' ORDER BY id LIMIT ?`,
    ),
    oldKeys: database.prepare(
      `SELECT rowid AS id, call, role, wrapped_key FROM bodies
       WHERE rowid > ? AND length(wrapped_key) > 0 AND substr(wrapped_key, 1, 4) < ? ORDER BY rowid LIMIT ?`,
    ),
    replaceKey: database.prepare('UPDATE bodies SET wrapped_key = ? WHERE rowid = ?'),
  };
}
