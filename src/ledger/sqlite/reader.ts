/** Reading a data directory without a key and without a lock: leaves, checkpoints and rows as they are stored. */

import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { existingDirectory } from '../directory.ts';
import type { EndedCall } from '../ended.ts';
import { EXPIRE_CALLS_MAX, idBound, isOver, positionOf } from '../ended.ts';
import { bodyCommitment, parseEntry } from '../entry.ts';
import type { StoredBody } from '../keep.ts';
import type { BodyRole, CallRow, CallState, Kill, TrustedTool } from '../ledger.ts';
import { LedgerError } from '../ledger.ts';
import type { Lease } from '../tables.ts';
import { createTables, factsOf } from '../tables.ts';
import { sqliteCodeOf } from './failure.ts';
import { gather } from './gather.ts';
import type { Head, Queries, StoredCheckpoint } from './row.ts';
import {
  bytes,
  callRow,
  checkpointOf,
  counterOf,
  endOf,
  headOf,
  integer,
  killOf,
  leaseOf,
  prepareQueries,
  text,
  trustedOf,
} from './row.ts';
import { commitmentsIn } from '../recorded.ts';
import { ownerIn } from '../run.ts';
import { openReadOnly } from './schema.ts';
import type { BodyQueries } from './vault-table.ts';
import { prepareBodyQueries, readBody } from './vault-table.ts';

/** Read at once, so that no transaction is held while the caller works on them. */
const ROWS_AT_ONCE = 1_000;
/** A reader is in nobody's way in WAL mode; what it waits for is the recovery after a crash. */
const READ_WAIT_MS = 5_000;

export interface StoredLeaf {
  readonly position: number;
  readonly leaf: Uint8Array;
}

/** A sealed body and the commitment to it in the entry it was written with. */
export interface CommittedBody {
  readonly body: StoredBody;
  readonly commitment: string;
}

/** A person whose data is kept, as far as that is known: by an id that says nothing. */
export interface StoredSubject {
  /** `s_…`, or the id of a call whose values are nobody's. */
  readonly subject: string;
  /** Of how many calls something lies under its key. */
  readonly calls: number;
  /** Sealed arguments and bodies. */
  readonly values: number;
}

/**
 * What is stored, unchecked; each method sees what is committed when it is called. Nothing is held between two
 * steps of an iteration, so a log that grows meanwhile shows its new entries at the end.
 * Every method throws `tampered` when the database is damaged and `stopped` when it cannot be read.
 */
export interface Reader extends Disposable {
  /** The log's origin. */
  readonly log: string;
  /** The file outside of the directory that the last opening kept a checkpoint in; none if it never did. */
  readonly outside: string | undefined;
  head(): Head;
  /** In order of position, from `from` on, as far as there are any; gaps are the caller's to notice. */
  leaves(from?: number): IterableIterator<StoredLeaf>;
  leaf(position: number): Uint8Array | undefined;
  /** Oldest first. */
  checkpoints(): IterableIterator<StoredCheckpoint>;
  /** The last one of at most `size` entries; of any size if not given. */
  checkpointUpTo(size?: number): StoredCheckpoint | undefined;
  /** All calls by id. */
  calls(): IterableIterator<CallRow>;
  call(id: string): CallRow | undefined;
  /** Calls that are `parked`, `intent` or `unknown`. */
  open(): CallRow[];
  /** Calls that are in `state`, by id. */
  unsettled(state: 'intent' | 'unknown'): CallRow[];
  /** Calls that are `parked`, of one principal or of all, by id. */
  parked(principal?: string): CallRow[];
  /** Of the calls by id after `from`, those that ended before `before` and of which something private is kept. */
  ended(before: number, from: string): EndedPage;
  /** Some of the calls that are not parked and of which a live form was recorded before `before`. */
  livedBefore(before: number): readonly EndedCall[];
  /** Who took which key, by key. */
  keys(): IterableIterator<readonly [key: string, call: string]>;
  keyHolder(key: string): string | undefined;
  counter(key: string): number;
  /** All counters but those that are 0, by key. */
  counters(): IterableIterator<readonly [key: string, value: number]>;
  /** The counters under keys that begin with `prefix`. */
  countersOf(prefix: string): ReadonlyMap<string, number>;
  /** All leases, those that no longer count included. */
  leases(): Lease[];
  kills(): Kill[];
  trusted(): TrustedTool[];
  /** What a transaction at `at` would see under these keys; what is 0 is left out. */
  values(keys: readonly string[], at: number): ReadonlyMap<string, number>;
  /** What `read` sees is all of one moment. It must be quick: no checkpoint of the database gets past it. */
  snapshot<T>(read: () => T): T;
  /** The body that was written with the entry at `position`; absent once it is gone. `role` as the vault has it. */
  bodyAt(call: string, role: string, position: number): StoredBody | undefined;
  /** The last body of that role. */
  body(call: string, role: BodyRole): CommittedBody | undefined;
  /** The sealed argument of the entry at `position`, by its JSON pointer. */
  argument(position: number, pointer: string): CommittedBody | undefined;
  /** The subjects under whose keys something of the call lies. */
  subjectsOf(call: string): string[];
  /** The calls of which something lies under the key of `subject`; of a call, itself. */
  callsOf(subject: string): string[];
  /** Whether something lies under the key of `subject`; of a call, whether anything private of it is kept. */
  holds(subject: string): boolean;
  /** How much of `subject` is kept. */
  kept(subject: string): StoredSubject;
  /** What is kept of a call for good: the roles of its sealed values, each with the position of its last entry. */
  rolesOf(call: string): { readonly role: string; readonly position: number }[];
  /** By id, those whose data is kept. */
  subjects(): StoredSubject[];
}

/** One page of calls. */
export interface EndedPage {
  readonly calls: readonly EndedCall[];
  /** The last id that was looked at, when there may be more. */
  readonly next?: string;
}

interface Statements extends Queries {
  readonly ended: StatementSync;
  readonly anyLive: StatementSync;
  readonly lived: StatementSync;
  readonly checkpoints: StatementSync;
  readonly calls: StatementSync;
  readonly counters: StatementSync;
  readonly allLeases: StatementSync;
  readonly bodies: BodyQueries;
  readonly subjectsOf: StatementSync;
  readonly callsOf: StatementSync;
  readonly holds: StatementSync;
  readonly kept: StatementSync;
  readonly rolesOf: StatementSync;
  readonly subjects: StatementSync;
  readonly allKeys: StatementSync;
  readonly key: StatementSync;
}

type Row = Record<string, SQLOutputValue>;

/** Throws `cannot-open` when there is no ledger, or none that this version can read. */
export function openReader(dataDirectory: string): Reader {
  const files = existingDirectory(dataDirectory);
  const database = openReadOnly(files.ledger, READ_WAIT_MS);
  try {
    const statements: Statements = {
      ...prepareQueries(database),
      checkpoints: database.prepare('SELECT note, frontier, at FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?'),
      calls: database.prepare('SELECT * FROM calls WHERE id > ? ORDER BY id LIMIT ?'),
      counters: database.prepare('SELECT key, value FROM counters WHERE key > ? ORDER BY key LIMIT ?'),
      ended: database.prepare(
        `SELECT id, state, position, salt IS NOT NULL OR EXISTS (SELECT 1 FROM bodies WHERE bodies.call = calls.id)
         AS kept FROM calls WHERE id > ? AND id < ?
         AND NOT EXISTS (SELECT 1 FROM counters WHERE key = 'hold/' || calls.id)
         AND NOT EXISTS (SELECT 1 FROM shares JOIN counters ON key = 'hold/' || shares.subject WHERE call = calls.id)
         ORDER BY id LIMIT ?`,
      ),
      anyLive: database.prepare("SELECT 1 FROM bodies WHERE role = 'live' LIMIT 1"),
      lived: database.prepare(
        `SELECT call, bodies.position FROM bodies JOIN calls ON calls.id = call
         WHERE role = 'live' AND bodies.position < ? AND state <> 'parked' ORDER BY bodies.position LIMIT ?`,
      ),
      allKeys: database.prepare('SELECT key, call FROM keys WHERE key > ? ORDER BY key LIMIT ?'),
      key: database.prepare('SELECT call FROM keys WHERE key = ?'),
      allLeases: database.prepare('SELECT key, attempt, until FROM leases ORDER BY key, attempt'),
      bodies: prepareBodyQueries(database),
      subjectsOf: database.prepare('SELECT DISTINCT subject FROM shares WHERE call = ? ORDER BY subject'),
      callsOf: database.prepare(
        'SELECT DISTINCT call FROM shares WHERE subject = ?1 UNION SELECT id FROM calls WHERE id = ?1',
      ),
      holds: database.prepare(
        `SELECT EXISTS (SELECT 1 FROM shares WHERE subject = ?1) OR EXISTS (SELECT 1 FROM bodies WHERE call = ?1)
         OR EXISTS (SELECT 1 FROM calls WHERE id = ?1 AND salt IS NOT NULL) AS n`,
      ),
      kept: database.prepare(
        `SELECT count(DISTINCT call) AS calls, count(*) AS n FROM (SELECT call, role, position FROM shares WHERE subject = ?1
         UNION SELECT call, role, position FROM bodies WHERE call = ?1)`,
      ),
      rolesOf: database.prepare(
        "SELECT role, max(position) AS position FROM bodies WHERE call = ? AND role <> 'live' GROUP BY role",
      ),
      subjects: database.prepare(
        'SELECT subject, count(DISTINCT call) AS calls, count(*) AS n FROM shares GROUP BY subject ORDER BY subject',
      ),
    };
    const meta = statements.meta.get('log');
    if (meta === undefined) throw new LedgerError('tampered', 'the name of the log is missing from its database');
    return readerOf(database, statements, text(meta, 'value'));
  } catch (error) {
    database.close();
    throw failure(error);
  }
}

function readerOf(database: DatabaseSync, statements: Statements, log: string): Reader {
  return {
    log,
    outside: optional(statements.meta.get('outside'), (row) => text(row, 'value')),
    head: () => reading(() => headOf(required(statements.head.get(), 'the head of the log is missing'))),
    leaves: (from = 0) => paged(statements.leaves, from, leafOf, (leaf) => leaf.position + 1),
    leaf: (position) => reading(() => optional(statements.leaf.get(position), (row) => bytes(row, 'leaf'))),
    checkpoints: () => paged(statements.checkpoints, -1, checkpointOf, ({ frontier }) => frontier.size),
    checkpointUpTo: (size = Number.MAX_SAFE_INTEGER) =>
      reading(() => optional(statements.checkpointUpTo.get(size), checkpointOf)),
    calls: () => paged(statements.calls, '', callRow, (row) => row.id),
    call: (id) => reading(() => optional(statements.call.get(id), callRow)),
    open: () => reading(() => statements.allOpen.all().map(callRow)),
    unsettled: (state) => reading(() => statements.inState.all(state).map(callRow)),
    parked: (principal) =>
      reading(() =>
        (principal === undefined ? statements.inState.all('parked') : statements.parkedOf.all(principal)).map(callRow),
      ),
    ended: (before, from) => reading(() => endedOf(statements, before, from)),
    livedBefore: (before) =>
      reading(() => {
        // Most logs have none, and then there is no time to look for.
        if (statements.anyLive.get() === undefined) return [];
        const rows = statements.lived.all(positionBefore(statements, before), EXPIRE_CALLS_MAX);
        return rows.map((row) => ({ call: text(row, 'call'), position: integer(row, 'position') }));
      }),
    keys: () =>
      paged(
        statements.allKeys,
        '',
        (row) => [text(row, 'key'), text(row, 'call')] as const,
        ([key]) => key,
      ),
    keyHolder: (key) => reading(() => optional(statements.key.get(key), (row) => text(row, 'call'))),
    counter: (key) => reading(() => optional(statements.counter.get(key), (row) => integer(row, 'value')) ?? 0),
    counters: () => paged(statements.counters, '', counterOf, ([key]) => key),
    countersOf: (prefix) => reading(() => new Map(statements.countersOf.all(prefix, endOf(prefix)).map(counterOf))),
    leases: () => reading(() => statements.allLeases.all().map(leaseOf)),
    kills: () => reading(() => statements.kills.all().map(killOf)),
    trusted: () => reading(() => statements.allTrusted.all().map(trustedOf)),
    values: (keys, at) =>
      reading(() => {
        const gathering = gather(statements, at);
        gathering.read({ facts: keys });
        return factsOf(createTables(gathering.known()), { facts: keys }, at).values;
      }),
    snapshot: (read) => snapshotOf(database, read),
    bodyAt: (call, role, position) => reading(() => readBody(statements.bodies, call, role, position)?.body),
    body: (call, role) => reading(() => bodyOf(statements, call, role)),
    argument: (position, pointer) => reading(() => argumentOf(statements, position, pointer)),
    subjectsOf: (call) => reading(() => statements.subjectsOf.all(call).map((row) => text(row, 'subject'))),
    callsOf: (subject) => reading(() => statements.callsOf.all(subject).map((row) => text(row, 'call'))),
    holds: (subject) => reading(() => statements.holds.get(subject)?.['n'] === 1),
    kept: (subject) => reading(() => keptOf(required(statements.kept.get(subject), 'nothing was counted'), subject)),
    rolesOf: (call) =>
      reading(() =>
        statements.rolesOf.all(call).map((row) => ({ role: text(row, 'role'), position: integer(row, 'position') })),
      ),
    subjects: () => reading(() => statements.subjects.all().map((row) => keptOf(row, text(row, 'subject')))),
    [Symbol.dispose]: () => {
      if (database.isOpen) database.close();
    },
  };
}

function leafOf(row: Row): StoredLeaf {
  return { position: integer(row, 'position'), leaf: bytes(row, 'leaf') };
}

/** Rows of `statement` page by page; `after` says where the page behind a row begins. */
function* paged<T, K extends string | number>(
  statement: StatementSync,
  start: K,
  read: (row: Row) => T,
  after: (value: T) => K,
): IterableIterator<T> {
  let from = start;
  for (;;) {
    const page = reading(() => statement.all(from, ROWS_AT_ONCE).map(read));
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < ROWS_AT_ONCE) return;
    from = after(last);
  }
}

/** The position of the first entry that is not before `before`. */
function positionBefore(statements: Statements, before: number): number {
  const { size } = headOf(required(statements.head.get(), 'the head of the log is missing')).frontier;
  return positionOf((at) => optional(statements.leaf.get(at), (row) => bytes(row, 'leaf')), size, before);
}

function endedOf(statements: Statements, before: number, from: string): EndedPage {
  const position = positionBefore(statements, before);
  const rows = statements.ended.all(from, idBound(before), EXPIRE_CALLS_MAX);
  const ended = rows.filter((row) => {
    const state = text(row, 'state') as CallState;
    return isOver({ state }) && integer(row, 'position') < position && row['kept'] === 1;
  });
  const calls = ended.map((row) => ({ call: text(row, 'id'), position: integer(row, 'position') }));
  const last = rows.length === EXPIRE_CALLS_MAX ? rows.at(-1) : undefined;
  return { calls, ...(last === undefined ? {} : { next: text(last, 'id') }) };
}

function bodyOf(statements: Statements, call: string, role: BodyRole): CommittedBody | undefined {
  const found = readBody(statements.bodies, call, role);
  if (found === undefined) return undefined;
  const leaf = statements.leaf.get(found.position);
  const commitment = leaf === undefined ? undefined : bodyCommitment(bytes(leaf, 'leaf'), role);
  if (commitment === undefined) {
    throw new LedgerError('tampered', `no entry commits to the stored ${role} of call ${call}`);
  }
  return { body: found.body, commitment };
}

function snapshotOf<T>(database: DatabaseSync, read: () => T): T {
  reading(() => database.exec('BEGIN'));
  try {
    return read();
  } finally {
    database.exec('COMMIT');
  }
}

function argumentOf(statements: Statements, position: number, pointer: string): CommittedBody | undefined {
  const leaf = statements.leaf.get(position);
  const parsed = leaf === undefined ? undefined : parseEntry(bytes(leaf, 'leaf'));
  if (parsed?.ok !== true) return undefined;
  const { args } = parsed.value;
  const owner = ownerIn(parsed.value);
  const commitment = args === undefined ? undefined : commitmentsIn(args).get(pointer);
  const found = owner === undefined ? undefined : readBody(statements.bodies, owner, `args${pointer}`, position);
  return found === undefined || commitment === undefined ? undefined : { body: found.body, commitment };
}

function keptOf(row: Row, subject: string): StoredSubject {
  return { subject, calls: integer(row, 'calls'), values: integer(row, 'n') };
}

function optional<T>(row: Row | undefined, read: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : read(row);
}

function required(row: Row | undefined, problem: string): Row {
  if (row === undefined) throw new LedgerError('tampered', problem);
  return row;
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw failure(error);
  }
}

function failure(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE') {
    return new LedgerError('stopped', 'the ledger is closed', { cause: error });
  }
  const code = sqliteCodeOf(error);
  if (code === undefined) return error;
  const message = error instanceof Error ? error.message : 'unknown reason';
  const isDamaged = code === 'corrupt' || code === 'not-a-database';
  return isDamaged
    ? new LedgerError('tampered', `the database is damaged: ${message}`, { cause: error })
    : new LedgerError('stopped', `the database cannot be read: ${message}`, { cause: error });
}
