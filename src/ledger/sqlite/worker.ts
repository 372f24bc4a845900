/** The thread that owns the writing connection: drains its queue into one transaction a turn (group commit). */

import { parentPort, workerData } from 'node:worker_threads';
import { formatVerifierKey } from '../../tlog/note.ts';
import { dyingAt } from '../../world/fault-point.ts';
import { systemWorld } from '../../world/system.ts';
import { prepareDirectory } from '../directory.ts';
import { LedgerError } from '../ledger.ts';
import type { Step } from '../step.ts';
import type { Known } from '../tables.ts';
import { isFull, reasonOf } from './failure.ts';
import type { HeldInstance } from './instance.ts';
import { holdInstance, isHeld, otherInstances, removeDead } from './instance.ts';
import type {
  ComposedMessage,
  DoneMessage,
  FromWorker,
  JobAnswer,
  JobMessage,
  ToWorker,
  WorkerSettings,
} from './message.ts';
import type { OutsideState } from './message.ts';
import { openWriter } from './opening.ts';
import type { RewrapFrom } from './vault-table.ts';
import type { Writer } from './writer.ts';
import { stepsOf } from './writer.ts';

const BATCH_JOBS_MAX = 1_024;
/** How long one turn tries to take the lock before the queue is looked at again, milliseconds. */
const LOCK_TURN_MS = 10;
/** How long closing waits for other processes before it leaves its last entry out, as a crash would. */
const LOCK_CLOSE_MS = 1_000;
/** Shorter than a sibling's pause, so that it is not missed. */
const LOCK_POLL_MS = 0.3;
const YIELD_MS_MAX = 2;
const SIBLINGS_KNOWN_MS = 50;

/** A job and what it does to the tables, once that was read. */
interface QueuedJob {
  readonly message: JobMessage;
  steps?: readonly (Step | undefined)[];
}

interface Batch {
  readonly jobs: readonly QueuedJob[];
  /** When the write lock was taken, on the monotonic clock. */
  readonly lockedAt: number;
}

/**
 * Where the thread stands: `idle` — no transaction is open; `waiting` — one is, until the main thread has composed
 * what goes into it; `over` — stopped or closed, nothing is written any more.
 */
type State = { readonly kind: 'idle' | 'over' } | { readonly kind: 'waiting'; readonly batch: Batch };

const port = ((): NonNullable<typeof parentPort> => {
  if (parentPort === null) throw new Error('this file is the main file of a worker thread');
  return parentPort;
})();
const settings = workerData as WorkerSettings;
const files = prepareDirectory(settings.dataDirectory);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

let state: State = { kind: 'idle' };
let queue: QueuedJob[] = [];
let now: number = settings.now;
let isClosing = false;
/** Since when the queue waits for the lock of another process. */
let lockedOutSince: number | undefined;
/** Whether the WAL still holds what was destroyed. */
let hasLeftovers = false;
let toldNote = '';
let siblings = { alive: false, knownAt: Number.NEGATIVE_INFINITY };

function post(message: FromWorker): void {
  port.postMessage(message);
}

/** Stops the thread, not only its turn: for waits shorter than a timer's. */
function pause(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

interface Open {
  readonly writer: Writer;
  readonly held: HeldInstance;
  readonly outside?: OutsideState;
}

function open(): Open | undefined {
  let held: HeldInstance | undefined;
  try {
    removeDead(files.instances, settings.instance);
    held = holdInstance(files.instances, settings.instance);
    const { dieAt } = settings;
    const passing = dieAt === undefined ? {} : { passing: dyingAt(dieAt) };
    const opening = { ...settings, ...passing, random: (length: number) => systemWorld.random(length) };
    return { held, ...openWriter(files, opening) };
  } catch (error) {
    held?.release();
    const code = error instanceof LedgerError ? error.code : 'cannot-open';
    post({ kind: 'refused', code, message: messageOf(error) });
    port.close();
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Takes the write lock, politely polling; SQLite's own wait sleeps too long to meet a sibling's pause. */
function lock(writer: Writer, waitMs: number): boolean {
  const until = systemWorld.monotonic() + waitMs;
  while (!writer.begin()) {
    if (systemWorld.monotonic() >= until) return false;
    pause(LOCK_POLL_MS);
  }
  return true;
}

/** Ends everything: no further write is tried, because what a failed one left on disk is not known. */
function stop(writer: Writer, error: unknown, unsure: readonly QueuedJob[]): void {
  state = { kind: 'over' };
  queue = [];
  const code = error instanceof LedgerError && error.code === 'tampered' ? 'tampered' : 'stopped';
  const message = code === 'tampered' ? messageOf(error) : `the ledger stopped, a write failed: ${reasonOf(error)}`;
  try {
    writer.rollback();
  } catch {
    // The connection is beyond use; closing it gives the lock back, and the next start finds what is on disk.
    writer.close();
  }
  post({ kind: 'stopped', code, message, unsure: unsure.map((job) => job.message.id) });
}

function begin(writer: Writer): void {
  if (state.kind !== 'idle' || queue.length === 0) return;
  if (queue[0]?.message.kind === 'truncate') return truncate(writer, queue[0].message.id);
  const startedAt = systemWorld.monotonic();
  if (!lock(writer, LOCK_TURN_MS)) {
    lockedOutSince ??= startedAt;
    if (systemWorld.monotonic() - lockedOutSince >= settings.lockWaitMs) giveUp(writer);
    return;
  }
  lockedOutSince = undefined;
  const batch: Batch = { jobs: nextJobs(), lockedAt: systemWorld.monotonic() };
  queue = queue.slice(batch.jobs.length);
  try {
    prepare(writer, batch);
  } catch (error) {
    fail(writer, batch, error, []);
  }
}

function prepare(writer: Writer, batch: Batch): void {
  writer.sign(
    Math.max(now, writer.at),
    batch.jobs.some(({ message }) => message.kind === 'checkpoint'),
  );
  if (!batch.jobs.some(({ message }) => message.kind === 'transact')) {
    finish(writer, batch, Math.max(now, writer.at));
    return;
  }
  state = { kind: 'waiting', batch };
  const ids = batch.jobs.map(({ message }) => message.id);
  post({ kind: 'facts', ids, known: knownFor(writer, batch.jobs), size: writer.size, at: writer.at });
}

/**
 * Nothing of the batch is answered yet. Where there was no room SQLite has written no commit, so that all of it is
 * undone and the next batch may be tried; anything else stops the ledger. `unsure` are the jobs whose commit failed.
 */
function fail(writer: Writer, batch: Batch, error: unknown, unsure: readonly QueuedJob[]): void {
  if (!isFull(error, files.ledger)) {
    stop(writer, error, unsure);
    return;
  }
  try {
    writer.rollback();
  } catch (second) {
    stop(writer, second, unsure);
    return;
  }
  state = { kind: 'idle' };
  const later = new Set(queue.map(({ message }) => message.id));
  const message = 'nothing was written, the disk is full, or its quota is used up: make room';
  const failed = batch.jobs
    .filter((job) => !later.has(job.message.id))
    .map((job) => ({ id: job.message.id, code: 'disk-full' as const, message }));
  post({ kind: 'done', ids: [], failed, entries: 0, committed: false, unsigned: writer.unsigned });
}

/** Up to the next one that must stand outside of a transaction. */
function nextJobs(): readonly QueuedJob[] {
  const end = queue.findIndex(({ message }) => message.kind === 'truncate');
  return queue.slice(0, Math.min(end === -1 ? queue.length : end, BATCH_JOBS_MAX));
}

function truncate(writer: Writer, id: number): void {
  queue = queue.slice(1);
  const answers = [{ id, answer: truncated(writer) }];
  post({ kind: 'done', ids: [id], failed: [], entries: 0, committed: false, unsigned: writer.unsigned, answers });
}

/** What found no room in the database stays in the WAL, and is moved another time. */
function truncated(writer: Writer): 'done' | 'busy' {
  try {
    return writer.checkpointWal();
  } catch (error) {
    if (!isFull(error, files.ledger)) throw error;
    return 'busy';
  }
}

/** Answers everything that waits with `busy`: nothing of it was written. */
function giveUp(writer: Writer): void {
  lockedOutSince = undefined;
  const message = `another process held the ledger for ${settings.lockWaitMs} ms`;
  const failed = queue.map((job) => ({ id: job.message.id, code: 'busy' as const, message }));
  queue = [];
  post({ kind: 'done', ids: [], failed, entries: 0, committed: false, unsigned: writer.unsigned });
}

function knownFor(writer: Writer, jobs: readonly QueuedJob[]): Known {
  const gathering = writer.gather();
  for (const job of jobs) {
    const { message } = job;
    if (message.kind === 'transact') gathering.read(message.reads);
    else if (message.kind === 'append') gathering.touch((job.steps ??= stepsOf(message.writes)));
  }
  return gathering.known();
}

/** Writes and commits `batch`; with `composed` answers for it when the main thread took part. */
function finish(writer: Writer, batch: Batch, at: number, composed?: readonly ComposedMessage[]): void {
  state = { kind: 'idle' };
  const before = writer.size;
  const written: QueuedJob[] = [];
  const ids: number[] = [];
  const failed: { id: number; code: 'conflict'; message: string }[] = [];
  const answers: { id: number; answer: JobAnswer }[] = [];
  for (const [index, job] of batch.jobs.entries()) {
    const { message } = job;
    const answer = composed?.[index];
    const writes = message.kind === 'append' ? message.writes : answer?.writes;
    const found =
      writes === undefined ? upkeep(writer, message) : writer.write(writes, (job.steps ??= stepsOf(writes)), at);
    const conflict = typeof found === 'string' ? found : undefined;
    if (typeof found === 'object' || typeof found === 'number') answers.push({ id: message.id, answer: found });
    if (conflict === undefined) ids.push(message.id);
    else failed.push({ id: message.id, code: 'conflict', message: conflict });
    if (conflict === undefined && writes !== undefined) written.push(job);
    if (answer !== undefined && answer.fits !== (conflict === undefined)) {
      // The main thread lacked a row and took the job for something else: later ones saw what is not so.
      queue = [...batch.jobs.slice(index + 1).map((later) => ({ message: later.message })), ...queue];
      break;
    }
  }
  const entries = writer.size - before;
  let committed: boolean;
  try {
    committed = writer.commit();
  } catch (error) {
    fail(writer, batch, error, written);
    return;
  }
  const wantsNote = batch.jobs.some(({ message }) => message.kind === 'checkpoint');
  const { unsigned } = writer;
  const done: DoneMessage = { kind: 'done', ids, failed, entries, committed, unsigned, answers, ...signedBy(writer) };
  post(wantsNote ? { ...done, note: writer.note } : done);
  hasLeftovers = writer.takeLeftovers() || hasLeftovers;
  // Of what was secret no copy stays behind: a reader in its way, or a crash, leaves that to the next commit or start.
  if (hasLeftovers) hasLeftovers = truncated(writer) === 'busy';
  yieldTo(systemWorld.monotonic() - batch.lockedAt);
}

function upkeep(writer: Writer, message: JobMessage): RewrapFrom | number | undefined {
  if (message.kind === 'cosign') writer.cosign(message.size, message.signatures);
  if (message.kind === 'expire-live') return writer.expireLive(message.calls);
  return message.kind === 'rewrap' ? writer.rewrap(message.epoch, message.from) : undefined;
}

/** The last checkpoint, unless it was told before. */
function signedBy({ note }: Writer): { readonly signed?: string } {
  if (note === toldNote || note === '') return {};
  toldNote = note;
  return { signed: note };
}

/** Leaves the lock free for as long as it was held: whoever waits for it polls and would never get it otherwise. */
function yieldTo(heldMs: number): void {
  const time = systemWorld.monotonic();
  if (time - siblings.knownAt >= SIBLINGS_KNOWN_MS) {
    siblings = { alive: hasSibling(), knownAt: time };
  }
  if (siblings.alive) pause(Math.min(heldMs, YIELD_MS_MAX));
}

function hasSibling(): boolean {
  try {
    return otherInstances(files.instances, settings.instance).some((id) => isHeld(files.instances, id));
  } catch {
    // Somebody removed the folder. The log needs it only for this courtesy.
    return true;
  }
}

function turn(): void {
  if (opened === undefined || state.kind !== 'idle') return;
  const { writer } = opened;
  try {
    begin(writer);
  } catch (error) {
    // Nothing of the batch was committed, so its jobs are only not done.
    stop(writer, error, []);
  }
  if (state.kind !== 'idle') return;
  if (queue.length > 0) setImmediate(turn);
  else if (isClosing) close();
}

/** Says that this instance ends, signs what is committed, and gives everything back. */
function close(): void {
  if (opened === undefined) return;
  const { writer, held } = opened;
  if (state.kind !== 'over') {
    state = { kind: 'over' };
    try {
      // Two commits, because only what is committed is signed. A crash between them leaves a log that says it was
      // closed and is signed at the next start.
      farewell(writer);
      if (lock(writer, LOCK_CLOSE_MS)) {
        writer.sign(Math.max(now, writer.at), true);
        writer.commit();
      }
      writer.checkpointWal();
    } catch {
      // Everything promised is on disk; what is missing is done at the next start.
    }
  }
  writer.close();
  held.release();
  post({ kind: 'closed', ...signedBy(writer) });
  port.close();
}

function farewell(writer: Writer): void {
  if (!lock(writer, LOCK_CLOSE_MS)) return;
  const at = Math.max(now, writer.at);
  writer.record('ledger.closed', { instance: settings.instance }, at, systemWorld.random(10));
  writer.commit();
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case 'jobs':
      now = message.now;
      if (state.kind !== 'over') queue.push(...message.jobs.map((job) => ({ message: job })));
      break;
    case 'composed':
      if (opened !== undefined && state.kind === 'waiting') resume(opened.writer, state.batch, message);
      break;
    case 'close':
      now = message.now;
      isClosing = true;
      if (state.kind === 'over') close();
      break;
  }
  setImmediate(turn);
}

function resume(writer: Writer, batch: Batch, { at, jobs }: ToWorker & { readonly kind: 'composed' }): void {
  try {
    finish(writer, batch, at, jobs);
  } catch (error) {
    fail(writer, batch, error, []);
  }
}

const opened = open();
if (opened !== undefined) {
  const { writer, outside } = opened;
  const { log, key, unsigned } = writer;
  port.on('message', receive);
  const about = outside === undefined ? {} : { outside };
  post({ kind: 'opened', log, key: formatVerifierKey(key), unsigned, ...about, ...signedBy(writer) });
}
