/** The ledger in a data directory, as the main thread uses it; the writing is done by `worker.ts`. */

import type { Worker } from 'node:worker_threads';
import type { NoteSignature } from '../../tlog/note.ts';
import { uuidV7 } from '../../value/id.ts';
import type { JsonValue } from '../../value/json.ts';
import type { World } from '../../world/world.ts';
import type { BatchJob, Composed } from '../batch.ts';
import { composeBatch } from '../batch.ts';
import type { DataFiles } from '../directory.ts';
import { freeBytes, prepareDirectory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import type { IdleTimer } from '../idle.ts';
import { createIdleTimer } from '../idle.ts';
import type { BodyRole, CallRow, Composition, Expired, Facts, Kill, Reads, TrustedTool, Writes } from '../ledger.ts';
import { LedgerError } from '../ledger.ts';
import type { OutsideKeeper } from '../outside.ts';
import { keepOutside } from '../outside.ts';
import { prepareExpiry, prepareWrites } from '../prepare.ts';
import { storedEntry } from '../stored-entry.ts';
import { CHECKPOINT_EVERY_MS } from '../signer.ts';
import { createTables } from '../tables.ts';
import type { Vault } from '../vault.ts';
import { isHeld } from './instance.ts';
import { composedMessage } from './message.ts';
import type { DoneMessage, FactsMessage, FromWorker, JobAnswer, JobMessage, ToWorker } from './message.ts';
import type { OutsideState, WorkerSettings } from './message.ts';
import type { Reader } from './reader.ts';
import { openReader } from './reader.ts';
import type { LedgerOptions, LedgerStats, StoredLedger } from './stored-ledger.ts';
import type { Opened } from './thread.ts';
import { startThread } from './thread.ts';
import type { ErasedCount, RewrapFrom } from './vault-table.ts';
import type { WitnessedLog } from './witnessed-log.ts';
import { witnessedLog } from './witnessed-log.ts';

const LOCK_WAIT_MS = 5_000;
const QUEUE_MAX = 4_096;
/** Jobs that go to the worker at once; the rest of the turn's jobs follow while it works on them. */
const POST_AT = 32;

export type { LedgerOptions, StoredLedger } from './stored-ledger.ts';

interface Pending {
  readonly job: BatchJob;
  readonly message: JobMessage;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What the job's last composition came to; a retried one comes again. */
  composed?: Composed;
}

/** What an open ledger consists of. */
interface Parts {
  readonly worker: Worker;
  readonly files: DataFiles;
  readonly instance: string;
  readonly opened: Opened;
  readonly reader: Reader;
}

/**
 * Opens the ledger of a data directory, creating it at first start, and checks that it extends what was signed.
 * Rejects with `tampered` when it does not, with `rolled-back` when the checkpoint outside says that it is an older
 * copy, and with `cannot-open`.
 */
export async function openLedger(options: LedgerOptions): Promise<StoredLedger> {
  const { world, vault: _vault, warn: _warn, queueMax: _queueMax, lockWaitMs = LOCK_WAIT_MS, ...told } = options;
  const { dataDirectory } = options;
  const files = prepareDirectory(dataDirectory);
  const instance = uuidV7(world.now(), world.random(10));
  const settings: WorkerSettings = { ...told, instance, now: world.now(), lockWaitMs };
  const { worker, opened } = await startThread(settings);
  try {
    return new SqliteLedger({ worker, files, instance, opened, reader: openReader(dataDirectory) }, options);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

class SqliteLedger implements StoredLedger {
  readonly log: string;
  readonly instance: string;
  readonly key: string;
  readonly outside: OutsideState['state'] | undefined;
  readonly witnessed: WitnessedLog;
  readonly #worker: Worker;
  readonly #world: World;
  readonly #vault: Vault;
  readonly #files: DataFiles;
  readonly #reader: Reader;
  readonly #idle: IdleTimer;
  readonly #queueMax: number;
  readonly #outside: OutsideKeeper | undefined;
  readonly #exited: Promise<void>;
  /** Every job that has no answer yet, by id, in order of submission. */
  readonly #pending = new Map<number, Pending>();
  /** Jobs of this turn that are not with the worker yet. */
  #unposted: JobMessage[] = [];
  #isPosting = false;
  #nextId = 0;
  #transactions = 0;
  #entries = 0;
  #failure: LedgerError | undefined;
  #closing: Promise<void> | undefined;
  #whenDrained: (() => void) | undefined;

  constructor({ worker, files, instance, opened, reader }: Parts, options: LedgerOptions) {
    this.log = opened.log;
    this.key = opened.key;
    this.instance = instance;
    this.#worker = worker;
    this.#world = options.world;
    this.#vault = options.vault;
    this.#files = files;
    this.#queueMax = options.queueMax ?? QUEUE_MAX;
    this.#reader = reader;
    this.witnessed = witnessedLog(reader);
    this.#idle = createIdleTimer(options.world, CHECKPOINT_EVERY_MS, () => this.#signIdle());
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error: Error) => this.#stop('stopped', `the ledger's thread failed: ${error.message}`, 'all'));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#stop('stopped', 'the ledger is closed', 'all');
        resolve();
      });
    });
    // An open ledger keeps no process alive; a write that is under way does.
    worker.unref();
    if (opened.unsigned > 0) this.#idle.arm();
    this.outside = opened.outside?.state;
    this.#outside = opened.outside && this.#keepOutside(opened.outside, options.warn);
    if (opened.signed !== undefined) this.#outside?.keep(opened.signed, this.outside === 'accepted');
  }

  #keepOutside({ file, state }: OutsideState, warn: (message: string) => void = () => undefined): OutsideKeeper {
    const record = (reason: string): void => {
      const id = uuidV7(this.#world.now(), this.#world.random(10));
      const fields = { instance: this.instance, reason };
      // A ledger that stopped meanwhile says so to those who write.
      this.append({ entries: [{ id, type: 'ledger.outside-failed', fields }] }).catch(() => undefined);
    };
    return keepOutside(file, state === 'missing', this.instance, { warn, record });
  }

  transact<T>(reads: Reads, compose: (facts: Facts) => Composition<T>): Promise<T> {
    return this.#submit({ kind: 'transact', reads, compose }, (id) => ({ id, kind: 'transact', reads })) as Promise<T>;
  }

  async append(writes: Writes): Promise<void> {
    const prepared = prepareWrites(writes, this.log);
    await this.#submit({ kind: 'append', prepared }, (id) => ({ id, kind: 'append', writes: prepared.encoded }));
  }

  async checkpoint(): Promise<string> {
    const note = await this.#submit({ kind: 'checkpoint' }, (id) => ({ id, kind: 'checkpoint' }));
    return String(note);
  }

  async call(id: string): Promise<CallRow | undefined> {
    return this.#reader.call(id);
  }

  async entry(position: number): Promise<Entry | undefined> {
    return storedEntry(this.#reader.leaf(position), position);
  }

  async body(call: string, role: BodyRole): Promise<JsonValue | undefined> {
    const stored = this.#reader.body(call, role);
    return stored === undefined ? undefined : this.#vault.open(stored.body, stored.commitment);
  }

  async argument(position: number, pointer: string): Promise<JsonValue | undefined> {
    const stored = this.#reader.argument(position, pointer);
    return stored === undefined ? undefined : this.#vault.open(stored.body, stored.commitment);
  }

  async subjectsOf(call: string): Promise<readonly string[]> {
    return this.#reader.subjectsOf(call);
  }

  async erase(subject: string, values: number, writes: Writes): Promise<ErasedCount> {
    const { encoded, ...rest } = prepareWrites(writes, this.log);
    const prepared = { ...rest, encoded: { ...encoded, erase: { subject, values } } };
    const job = { kind: 'append', prepared } as const;
    const answer = await this.#submit(job, (id) => ({ id, kind: 'append', writes: prepared.encoded }));
    return answer as ErasedCount;
  }

  async emptyWal(): Promise<'done' | 'busy'> {
    return (await this.#submit({ kind: 'upkeep' }, (id) => ({ id, kind: 'truncate' }))) as 'done' | 'busy';
  }

  async rewrap(epoch: number, from: RewrapFrom): Promise<RewrapFrom | undefined> {
    const message = { kind: 'rewrap', epoch, from } as const;
    return (await this.#submit({ kind: 'upkeep' }, (id) => ({ id, ...message }))) as RewrapFrom | undefined;
  }

  async cosign(size: number, signatures: readonly NoteSignature[]): Promise<void> {
    await this.#submit({ kind: 'upkeep' }, (id) => ({ id, kind: 'cosign', size, signatures }));
  }

  get persons(): Reader {
    return this.#reader;
  }

  async unsettled(state: 'intent' | 'unknown'): Promise<readonly CallRow[]> {
    return this.#reader.unsettled(state);
  }

  async parked(principal?: string): Promise<readonly CallRow[]> {
    return this.#reader.parked(principal);
  }

  async expire(before: number, from: string): Promise<Expired> {
    const { calls, next } = this.#reader.ended(before, from);
    if (calls.length > 0) {
      const id = uuidV7(this.#world.now(), this.#world.random(10));
      const prepared = prepareExpiry(id, before, calls, this.log);
      await this.#submit({ kind: 'append', prepared }, (job) => ({
        id: job,
        kind: 'append',
        writes: prepared.encoded,
      }));
    }
    return { calls: calls.length, ...(next === undefined ? {} : { next }) };
  }

  async expireLive(before: number): Promise<number> {
    const calls = this.#reader.livedBefore(before);
    if (calls.length === 0) return 0;
    const message = { kind: 'expire-live', calls } as const;
    return Number(await this.#submit({ kind: 'upkeep' }, (id) => ({ id, ...message })));
  }

  async counters(folder: string): Promise<ReadonlyMap<string, number>> {
    return this.#reader.countersOf(folder);
  }

  async kills(): Promise<readonly Kill[]> {
    return this.#reader.kills();
  }

  async trusted(): Promise<readonly TrustedTool[]> {
    return this.#reader.trusted();
  }

  free(): Promise<number | undefined> {
    return freeBytes(this.#files.instances);
  }

  async isAlive(instance: string): Promise<boolean> {
    return isHeld(this.#files.instances, instance);
  }

  stats(): LedgerStats {
    return { transactions: this.#transactions, entries: this.#entries };
  }

  /** Waits for what is under way, says `ledger.closed`, signs, and gives the data directory back. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#idle.end();
    if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#whenDrained = resolve));
    // First, so that the worker's connection is the last one and leaves one file behind.
    this.#reader[Symbol.dispose]();
    this.#worker.ref();
    this.#post({ kind: 'close', now: this.#world.now() });
    await this.#exited;
    await this.#outside?.settled();
  }

  #submit(job: BatchJob, describe: (id: number) => JobMessage): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) return Promise.reject(new LedgerError('stopped', 'the ledger is closed'));
    if (this.#pending.size >= this.#queueMax) {
      return Promise.reject(new LedgerError('busy', `${this.#queueMax} writes are already waiting`));
    }
    return new Promise((resolve, reject) => {
      const message = describe(this.#nextId++);
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(message.id, { job, message, resolve, reject });
      this.#unposted.push(message);
      if (this.#unposted.length >= POST_AT) this.#postJobs();
      else if (!this.#isPosting) {
        this.#isPosting = true;
        // All jobs of one turn go together: what they wait for is the disk, not each other.
        setImmediate(() => this.#postJobs());
      }
    });
  }

  #postJobs(): void {
    this.#isPosting = false;
    const jobs = this.#unposted;
    if (jobs.length === 0) return;
    this.#unposted = [];
    this.#post({ kind: 'jobs', now: this.#world.now(), jobs });
  }

  #post(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'facts':
        return this.#compose(message);
      case 'done':
        return this.#settle(message);
      case 'stopped':
        return this.#stop(message.code, message.message, new Set(message.unsure));
      case 'closed':
        if (message.signed !== undefined) this.#outside?.keep(message.signed);
        return;
      case 'opened':
      case 'refused':
        return;
    }
  }

  #compose({ ids, known, size, at }: FactsMessage): void {
    const pending = ids.map((id) => this.#pending.get(id)).filter((one) => one !== undefined);
    const start = { log: this.log, at: Math.max(this.#world.now(), at), position: size };
    const composed = composeBatch(
      pending.map(({ job }) => job),
      createTables(known),
      start,
    );
    for (const [index, one] of pending.entries()) {
      const answer = composed[index];
      if (answer !== undefined) one.composed = answer;
    }
    this.#post({ kind: 'composed', at: start.at, jobs: composed.map(composedMessage) });
  }

  #settle({ ids, failed, entries, committed, unsigned, note, signed, answers = [] }: DoneMessage): void {
    if (signed !== undefined) this.#outside?.keep(signed);
    this.#entries += entries;
    if (committed) this.#transactions += 1;
    const answered = new Map<number, JobAnswer>(answers.map(({ id, answer }) => [id, answer]));
    for (const id of ids) {
      const one = this.#take(id);
      if (one === undefined) continue;
      const { job, composed } = one;
      if (composed?.kind === 'threw') one.reject(composed.error);
      else if (job.kind === 'checkpoint') one.resolve(note);
      else one.resolve(answered.has(id) ? answered.get(id) : composed?.result);
    }
    for (const { id, code, message } of failed) this.#take(id)?.reject(new LedgerError(code, message));
    this.#drained();
    if (unsigned > 0) this.#idle.arm();
  }

  #take(id: number): Pending | undefined {
    const one = this.#pending.get(id);
    this.#pending.delete(id);
    return one;
  }

  #drained(): void {
    if (this.#pending.size > 0) return;
    this.#worker.unref();
    this.#whenDrained?.();
  }

  /** Nothing is written from now on. `unsure` are the jobs whose commit may have landed. */
  #stop(code: 'stopped' | 'tampered', message: string, unsure: ReadonlySet<number> | 'all'): void {
    this.#failure ??= new LedgerError(code, message);
    this.#idle.end();
    const unposted = new Set(this.#unposted.map(({ id }) => id));
    this.#unposted = [];
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [id, one] of pending) {
      const isUnsure = unsure === 'all' ? !unposted.has(id) : unsure.has(id);
      one.reject(
        isUnsure ? new LedgerError('outcome-unknown', `the commit may have landed: ${message}`) : this.#failure,
      );
    }
    this.#drained();
  }

  #signIdle(): void {
    // A ledger that stopped meanwhile says so to those who write.
    this.checkpoint().catch(() => undefined);
  }
}
