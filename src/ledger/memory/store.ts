/** The ledger in memory: the same entries, tables and answers as on disk, durable as long as its `MemoryDisk`. */

import { formatVerifierKey } from '../../tlog/note.ts';
import { appendLeaf, leafHash } from '../../tlog/tree.ts';
import { utf8 } from '../../value/encoding.ts';
import { uuidV7 } from '../../value/id.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { formatInstant } from '../../value/time.ts';
import type { World } from '../../world/world.ts';
import type { BatchJob, Composed } from '../batch.ts';
import { composeBatch } from '../batch.ts';
import { openedFields } from '../clock.ts';
import { EXPIRE_CALLS_MAX, idBound, isErased, isOver, positionOf } from '../ended.ts';
import { bodyCommitment, datedText } from '../entry.ts';
import type { Entry, EntryType } from '../entry.ts';
import type { IdleTimer } from '../idle.ts';
import { createIdleTimer } from '../idle.ts';
import type {
  BodyRole,
  CallRow,
  CallState,
  Composition,
  Expired,
  Facts,
  Kill,
  Ledger,
  Reads,
  TrustedTool,
  Writes,
} from '../ledger.ts';
import { LedgerError } from '../ledger.ts';
import type { KeptBody } from '../keep.ts';
import { keepBody } from '../keep.ts';
import { epochInForce } from '../keyring.ts';
import { commitmentsIn } from '../recorded.ts';
import { EPOCH_KEY, holdKey } from '../vault-step.ts';
import type { PreparedWrites } from '../prepare.ts';
import { prepareExpiry, prepareWrites } from '../prepare.ts';
import { CHECKPOINT_EVERY_MS, isCheckpointDue, signCheckpoint, signerFromSeed, verifierKeyOf } from '../signer.ts';
import type { Signer } from '../signer.ts';
import { ownerIn } from '../run.ts';
import { ownerOf } from '../step.ts';
import { storedEntry } from '../stored-entry.ts';
import type { Vault } from '../vault.ts';
import type { MemoryDisk } from './disk.ts';
import { bodyName, createMemoryDisk } from './disk.ts';

export interface MemoryLedgerOptions {
  readonly world: World;
  readonly vault: Vault;
  /** A new one if not given. */
  readonly disk?: MemoryDisk;
  /** Has `commit` run later, once, with all that was written until then; by default at the end of this turn. */
  readonly later?: (commit: () => void) => void;
}

interface Pending {
  readonly job: BatchJob;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the ledger on `disk`, creating it at the first opening. */
export async function openMemoryLedger(options: MemoryLedgerOptions): Promise<Ledger> {
  const { world } = options;
  const disk = options.disk ?? createMemoryDisk();
  const instance = uuidV7(world.now(), world.random(10));
  disk.alive.add(instance);
  const isNew = disk.identity === undefined;
  const lastAt = isNew ? undefined : disk.at;
  disk.identity ??= {
    log: `interlock/${uuidV7(world.now(), world.random(10))}`,
    signer: signerFromSeed(world.random(32)),
  };
  const ledger = new MemoryLedger(disk, disk.identity, instance, options);
  const key = formatVerifierKey(verifierKeyOf(disk.identity.signer, disk.identity.log));
  if (isNew) await ledger.record('ledger.created', { key });
  await ledger.record('ledger.opened', openedFields(instance, world.now(), lastAt));
  return ledger;
}

class MemoryLedger implements Ledger {
  readonly log: string;
  readonly instance: string;
  readonly #disk: MemoryDisk;
  readonly #signer: Signer;
  readonly #world: World;
  readonly #vault: Vault;
  readonly #idle: IdleTimer;
  readonly #later: (commit: () => void) => void;
  #queue: Pending[] = [];
  #closing: Promise<void> | undefined;

  constructor(
    disk: MemoryDisk,
    { log, signer }: { readonly log: string; readonly signer: Signer },
    instance: string,
    { world, vault, later = setImmediate }: MemoryLedgerOptions,
  ) {
    this.log = log;
    this.instance = instance;
    this.#disk = disk;
    this.#signer = signer;
    this.#world = world;
    this.#vault = vault;
    this.#later = later;
    this.#idle = createIdleTimer(world, CHECKPOINT_EVERY_MS, () => this.#signIdle());
  }

  transact<T>(reads: Reads, compose: (facts: Facts) => Composition<T>): Promise<T> {
    return this.#submit({ kind: 'transact', reads, compose }) as Promise<T>;
  }

  async append(writes: Writes): Promise<void> {
    await this.#submit({ kind: 'append', prepared: prepareWrites(writes, this.log) });
  }

  async checkpoint(): Promise<string> {
    return String(await this.#submit({ kind: 'checkpoint' }));
  }

  /** Writes one entry of the ledger about itself. */
  async record(type: EntryType, fields: JsonObject): Promise<void> {
    const id = uuidV7(this.#world.now(), this.#world.random(10));
    await this.append({ entries: [{ id, type, fields }] });
  }

  async call(id: string): Promise<CallRow | undefined> {
    return this.#disk.tables.call(id);
  }

  async entry(position: number): Promise<Entry | undefined> {
    return storedEntry(this.#disk.leaves[position], position);
  }

  async body(call: string, role: BodyRole): Promise<JsonValue | undefined> {
    const stored = this.#disk.bodies.get(bodyName(call, role))?.at(-1);
    const leaf = stored && this.#disk.leaves[stored.position];
    if (stored === undefined || leaf === undefined) return undefined;
    return this.#open(stored.body, bodyCommitment(leaf, role) ?? '');
  }

  async argument(position: number, pointer: string): Promise<JsonValue | undefined> {
    const entry = storedEntry(this.#disk.leaves[position], position);
    const commitment = commitmentsIn(entry?.['args'] ?? null).get(pointer);
    const stored = this.#disk.bodies.get(bodyName((entry && ownerIn(entry)) ?? '', `args${pointer}`));
    const found = stored?.find((one) => one.position === position);
    return found === undefined || commitment === undefined ? undefined : this.#open(found.body, commitment);
  }

  async subjectsOf(call: string): Promise<readonly string[]> {
    const kept = [...this.#disk.bodies].filter(([name]) => name.startsWith(`${call}/`)).flatMap(([, bodies]) => bodies);
    return [...new Set(kept.flatMap(({ body }) => body.shares.map(({ subject }) => subject)))].toSorted();
  }

  #open(body: KeptBody, commitment: string): JsonValue | undefined {
    const shares = body.shares.map((share) => ({ ...share, record: this.#disk.subjects.get(share.subject) }));
    return this.#vault.open({ ...body, shares }, commitment);
  }

  async unsettled(state: 'intent' | 'unknown'): Promise<readonly CallRow[]> {
    return this.#inState(state);
  }

  async parked(principal?: string): Promise<readonly CallRow[]> {
    return this.#inState('parked').filter((row) => principal === undefined || row.principal === principal);
  }

  async expire(before: number, from: string): Promise<Expired> {
    const { leaves, tables, bodies } = this.#disk;
    const position = positionOf((index) => leaves[index], leaves.length, before);
    const rows = [...tables.rows()].filter(({ id }) => id > from && id < idBound(before));
    const page = rows.sort((left, right) => (left.id < right.id ? -1 : 1)).slice(0, EXPIRE_CALLS_MAX);
    const isHeld = (id: string): boolean => tables.counter(holdKey(id)) !== 0;
    const isKept = ({ id, salt }: CallRow): boolean =>
      salt !== undefined || [...bodies.keys()].some((name) => name.startsWith(`${id}/`));
    const ended = page.filter((row) => isOver(row) && !isHeld(row.id) && row.position < position && isKept(row));
    const calls = ended.map((row) => ({ call: row.id, position: row.position }));
    const id = uuidV7(this.#world.now(), this.#world.random(10));
    if (calls.length > 0) await this.#submit({ kind: 'append', prepared: prepareExpiry(id, before, calls, this.log) });
    const last = page.length === EXPIRE_CALLS_MAX ? page.at(-1) : undefined;
    return { calls: calls.length, ...(last === undefined ? {} : { next: last.id }) };
  }

  async expireLive(before: number): Promise<number> {
    const { leaves, tables } = this.#disk;
    const position = positionOf((index) => leaves[index], leaves.length, before);
    const ended = [...tables.rows()].filter(({ state }) => state !== 'parked');
    return ended.reduce((sum, { id }) => sum + this.#forgetLive(id, position), 0);
  }

  async counters(folder: string): Promise<ReadonlyMap<string, number>> {
    const found = [...this.#disk.tables.counters()].filter(([key]) => key.startsWith(folder));
    return new Map(found.sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  async kills(): Promise<readonly Kill[]> {
    return [...this.#disk.tables.kills()].sort((left, right) => (left.target < right.target ? -1 : 1));
  }

  async free(): Promise<undefined> {
    return undefined;
  }

  async trusted(): Promise<readonly TrustedTool[]> {
    return [...this.#disk.tables.allTrusted()].sort((left, right) => (left.tool < right.tool ? -1 : 1));
  }

  async isAlive(instance: string): Promise<boolean> {
    return this.#disk.alive.has(instance);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#idle.end();
    if (!this.#disk.alive.has(this.instance)) return;
    const last = this.record('ledger.closed', { instance: this.instance });
    const signed = last.then(() => this.checkpoint());
    await signed;
    this.#disk.alive.delete(this.instance);
  }

  #inState(state: CallState): CallRow[] {
    const open = this.#disk.tables.open().filter((row) => row.state === state);
    return open.sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  #submit(job: BatchJob): Promise<unknown> {
    if (!this.#disk.alive.has(this.instance)) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject });
      // All jobs of one turn make one batch, as on disk.
      if (this.#queue.length === 1) this.#later(() => this.#commit());
    });
  }

  #commit(): void {
    const batch = this.#queue;
    this.#queue = [];
    if (!this.#disk.alive.has(this.instance)) {
      for (const { reject } of batch) reject(closed());
      return;
    }
    const disk = this.#disk;
    const at = Math.max(this.#world.now(), disk.at);
    const jobs = batch.map(({ job }) => job);
    this.#sign(
      at,
      jobs.some(({ kind }) => kind === 'checkpoint'),
    );
    const start = { log: this.log, at, position: disk.leaves.length };
    const composed = composeBatch(jobs, disk.tables, start);
    for (const answer of composed) if (answer.kind === 'fits' && answer.prepared) this.#write(answer.prepared, at);
    for (const [index, answer] of composed.entries()) this.#answer(batch[index], answer);
    if (disk.leaves.length > (disk.checkpoints.at(-1)?.size ?? 0)) this.#idle.arm();
  }

  #sign(at: number, always: boolean): void {
    const { frontier, checkpoints } = this.#disk;
    const last = checkpoints.at(-1);
    const unsigned = frontier.size - (last?.size ?? 0);
    if (unsigned === 0 || !(always || isCheckpointDue(unsigned, at - (last?.at ?? 0)))) return;
    checkpoints.push({ size: frontier.size, note: signCheckpoint(this.#signer, this.log, frontier), at });
  }

  #write({ encoded, steps }: PreparedWrites, at: number): void {
    const disk = this.#disk;
    const first = disk.leaves.length;
    for (const leaf of encoded.leaves) {
      const bytes = utf8(datedText(leaf, formatInstant(at)));
      disk.leaves.push(bytes);
      disk.frontier = appendLeaf(disk.frontier, leafHash(bytes));
    }
    const epoch = epochInForce(this.#vault.keyring, disk.tables.counter(EPOCH_KEY));
    for (const sealed of encoded.bodies) {
      const { call, role } = sealed;
      const position = first + steps.findLastIndex((step) => ownerOf(step) === call);
      const row = disk.tables.call(call);
      if (row !== undefined && isErased(row)) continue;
      const body = keepBody(sealed, epoch, this.#vault.keyring, disk.subjects);
      disk.bodies.set(bodyName(call, role), [...(disk.bodies.get(bodyName(call, role)) ?? []), { body, position }]);
    }
    for (const call of new Set(steps.map((step) => step?.call))) {
      const row = call === undefined ? undefined : disk.tables.call(call);
      if (row !== undefined && row.position >= first) this.#forgetLive(row.id, row.position);
    }
    for (const { call, position } of encoded.ended ?? []) this.#forget(call, position);
    disk.at = at;
  }

  #forgetLive(call: string, position: number): number {
    const name = bodyName(call, 'live');
    const kept = this.#disk.bodies.get(name) ?? [];
    const left = kept.filter((one) => one.position >= position);
    if (left.length === 0) this.#disk.bodies.delete(name);
    else this.#disk.bodies.set(name, left);
    return kept.length - left.length;
  }

  #forget(call: string, position: number): void {
    const { bodies, tables } = this.#disk;
    const row = tables.call(call);
    if (row?.position !== position) return;
    const { salt: _salt, fingerprint: _fingerprint, ...rest } = row;
    tables.apply({ row: rest, counters: [] });
    for (const name of bodies.keys()) if (name.startsWith(`${call}/`)) bodies.delete(name);
  }

  #answer(pending: Pending | undefined, answer: Composed): void {
    switch (answer.kind) {
      case 'fits':
        pending?.resolve(pending.job.kind === 'checkpoint' ? this.#disk.checkpoints.at(-1)?.note : answer.result);
        break;
      case 'conflict':
        pending?.reject(new LedgerError('conflict', answer.message));
        break;
      case 'threw':
        pending?.reject(answer.error);
        break;
    }
  }

  #signIdle(): void {
    // A ledger that died meanwhile says so to those who write.
    this.checkpoint().catch(() => undefined);
  }
}

function closed(): LedgerError {
  return new LedgerError('stopped', 'the ledger is closed');
}
