/** The one connection of a process that writes: transactions over the log, its tree and its tables. */

import type { DatabaseSync } from 'node:sqlite';
import { formatNote, parseNote, withSignatures } from '../../tlog/note.ts';
import type { NoteSignature, VerifierKey } from '../../tlog/note.ts';
import { appendLeaf, frontierToBytes, leafHash } from '../../tlog/tree.ts';
import { utf8 } from '../../value/encoding.ts';
import { uuidV7 } from '../../value/id.ts';
import type { JsonObject } from '../../value/json.ts';
import { formatInstant } from '../../value/time.ts';
import { SIDES } from '../../world/fault-point.ts';
import type { World } from '../../world/world.ts';
import type { Changes } from '../batch.ts';
import { foldWrites } from '../batch.ts';
import type { EndedCall } from '../ended.ts';
import type { EntryType } from '../entry.ts';
import { datedText } from '../entry.ts';
import type { Lookups } from '../fold.ts';
import type { Keyring } from '../keyring.ts';
import type { CallRow } from '../ledger.ts';
import { epochInForce } from '../keyring.ts';
import type { EncodedWrites } from '../prepare.ts';
import { prepareWrites } from '../prepare.ts';
import type { Signer } from '../signer.ts';
import { isCheckpointDue, signCheckpoint } from '../signer.ts';
import type { Step } from '../step.ts';
import { isStep, ownerOf, readStep } from '../step.ts';
import { isErased } from '../ended.ts';
import { EPOCH_KEY, LAST_SIGNER_KEY, holdKey } from '../vault-step.ts';
import { isBusy } from './failure.ts';
import type { Gathering } from './gather.ts';
import { gather, lookupsOf } from './gather.ts';
import type { Extent } from './restart.ts';
import { checkGrowth } from './restart.ts';
import type { Queries } from './row.ts';
import { callColumns, checkpointOf, integer } from './row.ts';
import type { StoredSigners } from './stored-signers.ts';
import { storedSigners } from './stored-signers.ts';
import type { ErasedCount, RewrapFrom, VaultTable } from './vault-table.ts';
import { openVaultTable } from './vault-table.ts';
import { type WriterStatements, prepareWriter } from './writer-statements.ts';

/** The log as its opening found it. */
export interface Found {
  readonly log: string;
  readonly keys: StoredSigners;
  /** Of the key in force. */
  readonly signer: Signer;
  readonly extent: Extent;
}

/** What a writer is made of, inside the transaction that opened the log. */
export interface WriterParts extends Found {
  readonly database: DatabaseSync;
  readonly queries: Queries;
  /** The signer of another key that came into force. Throws `cannot-open` when it is not there. */
  readonly signerOf: (key: VerifierKey) => Signer;
  /** The keys that wrap what is sealed. */
  readonly ring: Keyring;
  readonly random: (length: number) => Uint8Array;
  readonly passing?: World['passing'];
}

/** What the entries of `writes` do to the tables, read from the text that becomes their leaves. */
export function stepsOf(writes: EncodedWrites): readonly (Step | undefined)[] {
  return writes.leaves.map((leaf) => {
    if (!isStep(leaf.type)) return undefined;
    const read = readStep(leaf.type, JSON.parse(datedText(leaf, '')) as JsonObject);
    if (!read.ok) throw new Error(`an entry passed its check and cannot be folded: ${read.message}`);
    return read.step;
  });
}

/** Whether a live form may have been kept of what the call was before: it was parked, or an attempt of it had ended. */
function mayHaveLived({ approval, attempts, state }: CallRow): boolean {
  return approval !== undefined || attempts > 1 || state === 'settled-executed' || state === 'settled-not-executed';
}

/**
 * Between `begin` and `commit` it holds the write lock. What it knows of the log is what is committed; a `rollback`
 * returns to that. Whatever a method throws but `tampered` and `cannot-open` is SQLite's own error.
 */
export class Writer {
  readonly log: string;
  /** The key the log was created with. */
  readonly key: VerifierKey;
  readonly #database: DatabaseSync;
  readonly #queries: Queries;
  readonly #statements: WriterStatements;
  #signer: Signer;
  /** The counter of the entry that brought the key of `#signer`. */
  #signerSince: number;
  readonly #signerOf: WriterParts['signerOf'];
  readonly #lookups: Lookups;
  readonly #ring: Keyring;
  readonly #vault: VaultTable;
  #committed: Extent;
  #extent: Extent;
  #dataVersion: number;
  /** Whether the open transaction changed what no entry says. */
  #unsaid = false;
  #leftovers = false;
  /** The last instant that was written, and its text: a batch has one for all its entries. */
  #time = { at: 0, text: formatInstant(0) };
  readonly #passing: World['passing'];
  /** What the open transaction writes, by type; kept only where somebody is told. */
  #unwritten: string[] = [];

  constructor({ database, queries, log, keys, signer, signerOf, extent, ring, random, passing }: WriterParts) {
    this.log = log;
    this.key = keys.signers.all()[0]?.key ?? keys.inForce;
    this.#database = database;
    this.#queries = queries;
    this.#statements = prepareWriter(database);
    this.#signer = signer;
    this.#committed = extent;
    this.#extent = extent;
    this.#dataVersion = this.#readDataVersion();
    this.#lookups = lookupsOf(queries);
    this.#signerOf = signerOf;
    this.#signerSince = this.#lookups.counter(LAST_SIGNER_KEY);
    this.#ring = ring;
    this.#vault = openVaultTable(database, ring, random);
    this.#passing = passing;
  }

  /** Number of entries, those of the open transaction included. */
  get size(): number {
    return this.#extent.head.frontier.size;
  }

  /** The time of the last entry, milliseconds since the epoch. */
  get at(): number {
    return this.#extent.head.at;
  }

  /** The last checkpoint's note. */
  get note(): string {
    return this.#extent.signed?.note ?? '';
  }

  /** Leaves that no checkpoint signs. */
  get unsigned(): number {
    return this.size - (this.#extent.signed?.frontier.size ?? 0);
  }

  /** Takes the write lock; false when another connection has it. Throws `tampered` when that one broke the log. */
  begin(): boolean {
    try {
      this.#statements.begin.run();
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
    const version = this.#readDataVersion();
    if (version === this.#dataVersion) return true;
    const head = checkGrowth(this.#queries, this.#committed.head.frontier);
    const signed = this.#queries.lastCheckpoint.get();
    this.#committed = { head, signed: signed === undefined ? undefined : checkpointOf(signed) };
    this.#extent = this.#committed;
    this.#dataVersion = version;
    this.#followSigner();
    return true;
  }

  /**
   * From the entry on that brought another key it signs, in every process. Throws `cannot-open` when it is not there: a
   * checkpoint that an earlier key signs would be taken for the work of whoever stole that.
   */
  #followSigner(): void {
    const since = this.#lookups.counter(LAST_SIGNER_KEY);
    if (since === this.#signerSince) return;
    this.#signer = this.#signerOf(storedSigners(this.#queries, this.log).inForce);
    this.#signerSince = since;
  }

  /**
   * Signs what was committed before this transaction, if a checkpoint is due or `always`. It is shown to nobody before
   * `commit`: a crash before that leaves no trace of it, and the same size is signed again, with the same root.
   */
  sign(at: number, always: boolean): void {
    const { head, signed } = this.#committed;
    const unsigned = head.frontier.size - (signed?.frontier.size ?? 0);
    if (unsigned === 0 || !(always || isCheckpointDue(unsigned, at - (signed?.at ?? 0)))) return;
    const note = signCheckpoint(this.#signer, this.log, head.frontier);
    this.#statements.checkpoint.run(head.frontier.size, note, frontierToBytes(head.frontier), at);
    this.#extent = { ...this.#extent, signed: { note, frontier: head.frontier, at } };
    if (this.#passing !== undefined) this.#unwritten.push('checkpoint');
  }

  /** Adds what witnesses signed to the checkpoint of `size`, once each. A crash before `commit` leaves it as it was. */
  cosign(size: number, signatures: readonly NoteSignature[]): void {
    const row = this.#queries.checkpointUpTo.get(size);
    const stored = row === undefined ? undefined : checkpointOf(row);
    const read = stored?.frontier.size === size ? parseNote(stored.note) : undefined;
    if (read?.ok !== true) return;
    const isNew = ({ name, keyId }: NoteSignature): boolean =>
      !read.value.signatures.some((line) => line.name === name && line.keyId === keyId);
    const fresh = signatures.filter(isNew);
    if (fresh.length === 0) return;
    const note = formatNote(withSignatures(read.value, fresh));
    this.#statements.cosigned.run(note, size);
    const { signed } = this.#extent;
    if (signed?.frontier.size === size) this.#extent = { ...this.#extent, signed: { ...signed, note } };
    this.#unsaid = true;
  }

  /** Gathers what a batch must know, under the lock that `begin` took. */
  gather(): Gathering {
    return gather(this.#queries, this.at);
  }

  /**
   * Writes all of `writes`, or nothing and answers why they do not fit. They are durable only after `commit`: a crash
   * before leaves nothing of them, a crash after leaves all of them. Answers what was erased, where something was to be.
   */
  write(writes: EncodedWrites, steps: readonly (Step | undefined)[], at: number): string | ErasedCount | undefined {
    // Folded to the end before the first statement, so that a conflict has nothing to undo.
    const changes = foldWrites(steps, writes.fingerprints, this.#lookups, { position: this.size, at });
    if (typeof changes === 'string') return changes;
    const misfit = writes.erase === undefined ? undefined : this.#eraseMisfit(writes.erase);
    if (misfit !== undefined) return misfit;
    const first = this.size;
    if (this.#time.at !== at) this.#time = { at, text: formatInstant(at) };
    let { frontier } = this.#extent.head;
    for (const leaf of writes.leaves) {
      const bytes = utf8(datedText(leaf, this.#time.text));
      this.#statements.entry.run(frontier.size, bytes);
      frontier = appendLeaf(frontier, leafHash(bytes));
    }
    this.#extent = { ...this.#extent, head: { frontier, at } };
    if (this.#passing !== undefined) this.#unwritten.push(...writes.leaves.map(({ type }) => type));
    this.#writeChanges(changes);
    for (const step of steps) {
      if (step?.kind !== 'intent' && step?.kind !== 'parked') continue;
      for (const key of step.keys) this.#statements.key.run(key, step.call);
    }
    this.#keep(writes, steps, first, changes);
    for (const row of changes.rows)
      if (mayHaveLived(row) && row.position >= first) this.#forgetLive(row.id, row.position);
    for (const { call, position } of writes.ended ?? []) this.#vault.forget(call, position);
    return writes.erase === undefined ? undefined : this.#vault.erase(writes.erase.subject);
  }

  /** Destroys live forms of results that are past their time, those that are still there; answers how many. */
  expireLive(calls: readonly EndedCall[]): number {
    let expired = 0;
    for (const { call, position } of calls) expired += this.#forgetLive(call, position + 1);
    this.#unsaid ||= expired > 0;
    return expired;
  }

  /** Whether the WAL may still hold what was destroyed; told once. */
  takeLeftovers(): boolean {
    const left = this.#leftovers;
    this.#leftovers = false;
    return left;
  }

  #forgetLive(call: string, position: number): number {
    const forgotten = this.#vault.forgetLive(call, position);
    this.#leftovers ||= forgotten > 0;
    return forgotten;
  }

  /** Of a call of which something was erased nothing is kept any more: its entry stands, and commits to what is gone. */
  #keep(writes: EncodedWrites, steps: readonly (Step | undefined)[], first: number, { rows }: Changes): void {
    if (writes.bodies.length === 0) return;
    const erased = new Set(rows.filter(isErased).map(({ id }) => id));
    const epoch = epochInForce(this.#ring, this.#lookups.counter(EPOCH_KEY));
    for (const body of writes.bodies) {
      const position = first + steps.findLastIndex((step) => ownerOf(step) === body.call);
      if (!erased.has(body.call)) this.#vault.keep(body, position, epoch);
    }
  }

  /** Whoever verifies the log counts what is gone: an entry must say how much that is. */
  #eraseMisfit({ subject, values }: NonNullable<EncodedWrites['erase']>): string | undefined {
    const held = this.#vault.callsOf(subject).find((call) => this.#lookups.counter(holdKey(call)) !== 0);
    if (held !== undefined) return `call ${held} is on hold`;
    const kept = this.#vault.valuesOf(subject);
    return kept === values ? undefined : `${kept} sealed values are kept of \`${subject}\`, not ${values}`;
  }

  /** Wraps some more keys by that of `epoch`; answers where to go on, nothing at the end. A crash leaves the rest. */
  rewrap(epoch: number, from: RewrapFrom): RewrapFrom | undefined {
    const next = this.#vault.rewrap(epoch, from);
    this.#unsaid ||= next !== undefined;
    return next;
  }

  /** Writes one entry of the ledger about itself, which always fits; `random` is 10 bytes for its id. */
  record(type: EntryType, fields: JsonObject, at: number, random: Uint8Array): void {
    const { encoded, steps } = prepareWrites({ entries: [{ id: uuidV7(at, random), type, fields }] }, this.log);
    this.write(encoded, steps, at);
  }

  /** Makes the transaction durable; answers whether there was anything to. When it throws, it may have landed. */
  commit(): boolean {
    const { head, signed } = this.#extent;
    const grown = head !== this.#committed.head;
    if (!grown && signed === this.#committed.signed && !this.#unsaid) {
      this.rollback();
      return false;
    }
    if (grown) this.#statements.head.run(head.frontier.size, frontierToBytes(head.frontier), head.at);
    // Until this returns a crash leaves the log as it was; from then on as it is: WAL, synchronous = FULL.
    const [lost, landed] = SIDES;
    this.#pass(lost);
    this.#statements.commit.run();
    this.#pass(landed);
    this.#unwritten = [];
    this.#committed = this.#extent;
    this.#unsaid = false;
    if (grown) this.#followSigner();
    return true;
  }

  rollback(): void {
    this.#unwritten = [];
    this.#unsaid = false;
    this.#extent = this.#committed;
    if (this.#database.isTransaction) this.#statements.rollback.run();
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /**
   * Moves everything from the WAL to the database and empties it; answers whether readers or writers kept it from that.
   * A crash here loses nothing.
   */
  checkpointWal(): 'done' | 'busy' {
    const row = this.#statements.checkpointWal.get();
    return row !== undefined && integer(row, 'busy') === 0 ? 'done' : 'busy';
  }

  #writeChanges({ rows, counters, ended, taken, kills, trusted }: Changes): void {
    const { call, counter, noCounter, lease, noLease, kill, noKill } = this.#statements;
    for (const row of rows) call.run(...callColumns(row));
    for (const [key, value] of counters) {
      if (value === 0) noCounter.run(key);
      else counter.run(key, value);
    }
    for (const { key, attempt } of ended) noLease.run(key, attempt);
    for (const { key, attempt, until } of taken) lease.run(key, attempt, until ?? null);
    for (const { target, now } of kills) {
      if (now === undefined) noKill.run(target);
      else kill.run(target, now.reason, now.by, now.at);
    }
    for (const { tool, digest, position } of trusted) this.#statements.trusted.run(tool, digest, position);
  }

  #pass(side: (typeof SIDES)[number]): void {
    for (const type of this.#unwritten) this.#passing?.(`${type}/${side}`);
  }

  #readDataVersion(): number {
    const row = this.#statements.dataVersion.get();
    return row === undefined ? 0 : integer(row, 'data_version');
  }
}
