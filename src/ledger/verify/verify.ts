/** The structural verifier: whether a log is what its key signed. Needs no store and nothing above it. */

import { equalBytes } from '../../value/digest.ts';
import { toBase64 } from '../../value/encoding.ts';
import type { WitnessKey } from '../../tlog/cosignature.ts';
import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import type { SignedCheckpoint } from '../../tlog/checkpoint.ts';
import { formatVerifierKey, parseVerifierKey } from '../../tlog/note.ts';
import type { SignatureCheck, SignedNote, VerifierKey } from '../../tlog/note.ts';
import { appendLeaf, EMPTY_FRONTIER, EMPTY_ROOT, leafHash, rootOf } from '../../tlog/tree.ts';
import type { Frontier } from '../../tlog/tree.ts';
import { authorFault } from './author.ts';
import { collectCosignatures } from './cosignatures.ts';
import type { Cosignatures } from './cosignatures.ts';
import { checkLeaf, shown } from './leaf.ts';
import type { Envelope } from './leaf.ts';
import { PROBLEMS_MAX } from './report.ts';
import type { Problem, ProblemCode, VerifyReport } from './report.ts';
import { signatureFault, signersOf, tellSigners } from './signers.ts';
import type { Signers } from './signers.ts';

export interface LogEntry {
  readonly position: number;
  readonly leaf: Uint8Array;
}

/** A signed note as it was stored, under the size it was stored for. */
export interface LogCheckpoint {
  readonly size: number;
  readonly note: string | Uint8Array;
}

/** A log to read once, front to back: entries by position, checkpoints by size, both ascending. */
export interface LogSource {
  readonly entries: AsyncIterable<LogEntry> | Iterable<LogEntry>;
  readonly checkpoints: AsyncIterable<LogCheckpoint> | Iterable<LogCheckpoint>;
}

export interface VerifyOptions {
  readonly checkSignature: SignatureCheck;
  /**
   * A key the log must be signed with: its first, or one that came later; the keys that follow from it count as well.
   * Without it the key of entry 0 is taken on first sight, and the report says so.
   */
  readonly key?: VerifierKey;
  /** Signed notes kept outside the log's own place, in any order. */
  readonly outside?: readonly (string | Uint8Array)[];
  /** The witnesses whose cosignatures are checked; those of others are told and prove nothing. */
  readonly witnesses?: readonly WitnessKey[];
  /** Sees every entry that is sound by itself, in the order in which they are read. */
  readonly visit?: (envelope: Envelope, position: number) => void;
}

/** The words of the two kinds of checkpoint. */
type Kind = 'checkpoint' | 'outside';

interface Run {
  readonly options: VerifyOptions;
  readonly problems: Problem[];
  omitted: number;
  frontier: Frontier;
  /** The position the next entry must have: the size of the tree, unless entries are missing. */
  next: number;
  last: Envelope | undefined;
  log: string | undefined;
  readonly signers: Signers;
  /** Checkpoints that are right, by keys of which nothing leads from the given one. */
  untrusted: number;
  /** The largest size whose root is signed and right. */
  signed: number;
  checkpoints: number;
  readonly cosignatures: Cosignatures;
  /** Entries are missing or out of order, so that no later root can be compared. */
  gap: boolean;
  /** The last kept root was not the tree's: what follows from that is not reported again. */
  mismatch: boolean;
  /** The size of the last kept checkpoint. */
  kept: number;
  /** Values that were erased, as their entries say. */
  erased: number;
  /** The largest size that was signed beyond the end of the log. */
  beyond: number;
}

/**
 * Reads `source` once and reports everything found wrong, in memory that does not grow with the log.
 * Rejects only with what reading `source` rejects with; a log in whatever state is a report, never an error.
 */
export async function verifyLog(source: LogSource, options: VerifyOptions): Promise<VerifyReport> {
  const run = begin(options);
  const outside = readOutside(run);
  const kept = iterate(source.checkpoints);
  let pending = await kept.next();
  try {
    for await (const entry of source.entries) {
      checkEntry(run, entry);
      while (outside[0] !== undefined && outside[0].checkpoint.size <= run.next) checkOutside(run, outside.shift());
      while (pending.done !== true && pending.value.size <= run.next) {
        checkKept(run, pending.value);
        pending = await kept.next();
      }
    }
    if (run.next === 0) problem(run, 'log-not-created', 'expected entry 0 to be `ledger.created`, got an empty log');
    for (const rest of outside) checkOutside(run, rest);
    for (; pending.done !== true; pending = await kept.next()) checkKept(run, pending.value);
    checkGiven(run);
    if (run.beyond > 0) {
      problem(run, 'log-truncated', `expected ${run.beyond} entries as signed, got ${run.next}`, run.next);
    }
  } finally {
    await kept.return(undefined);
  }
  return report(run);
}

/** The key that was given is one of the log's, and says something of it. */
function checkGiven(run: Run): void {
  const { key } = run.options;
  if (key === undefined || (run.signers.isGivenKnown() && (run.signed > 0 || run.untrusted === 0))) return;
  const [first] = run.signers.all();
  if (first === undefined) return;
  const message = `expected the key ${formatVerifierKey(key)}, got ${formatVerifierKey(first.key)}`;
  problem(run, 'key-mismatch', message, 0);
}

function begin(options: VerifyOptions): Run {
  return {
    options,
    problems: [],
    omitted: 0,
    frontier: EMPTY_FRONTIER,
    next: 0,
    last: undefined,
    log: undefined,
    signers: signersOf(options.checkSignature, options.key),
    untrusted: 0,
    signed: 0,
    checkpoints: 0,
    cosignatures: collectCosignatures(options.witnesses ?? [], options.checkSignature),
    gap: false,
    mismatch: false,
    kept: 0,
    erased: 0,
    beyond: 0,
  };
}

async function* iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}

function problem(run: Run, code: ProblemCode, message: string, entry?: number): void {
  if (run.problems.length === PROBLEMS_MAX) run.omitted += 1;
  else run.problems.push(entry === undefined ? { code, message } : { code, message, entry });
}

function report(run: Run): VerifyReport {
  const { size } = run.frontier;
  const root = toBase64(rootOf(run.frontier));
  const trusted = run.options.key === undefined ? 'on-first-sight' : 'given';
  const key = run.options.key ?? run.signers.all()[0]?.key;
  return {
    verdict: run.problems.length === 0 ? 'ok' : 'bad',
    entries: size,
    root,
    attested: 0,
    erased: run.erased,
    unsigned: Math.max(0, size - run.signed),
    checkpoints: run.checkpoints,
    cosigners: run.cosignatures.told(),
    ...(key === undefined ? {} : { key: { vkey: formatVerifierKey(key), trusted } }),
    signers: tellSigners(run.signers),
    problems: run.problems,
    omitted: run.omitted,
  };
}

function checkEntry(run: Run, { position, leaf }: LogEntry): void {
  if (position !== run.next) {
    run.gap = true;
    const [code, entry]: [ProblemCode, number] =
      position > run.next ? ['entry-missing', run.next] : ['entry-order', position];
    problem(run, code, `expected entry ${run.next}, got ${position}`, entry);
  }
  if (position >= run.next) run.next = position + 1;
  run.frontier = appendLeaf(run.frontier, leafHash(leaf));
  const checked = checkLeaf(leaf);
  if (!checked.ok) {
    problem(run, checked.code, checked.message, position);
    if (position === 0) problem(run, 'log-not-created', 'expected entry 0 to be `ledger.created`', 0);
    return;
  }
  if (position === 0) checkCreation(run, checked.envelope);
  checkSequence(run, position, checked.envelope);
  checkAuthor(run, position, checked.envelope);
  checkSigner(run, position, checked.envelope);
  countErased(run, checked.envelope);
  run.options.visit?.(checked.envelope, position);
}

function countErased(run: Run, { type, fields }: Envelope): void {
  const { values } = fields;
  if (type === 'erasure.executed' && typeof values === 'number') run.erased += values;
}

function checkAuthor(run: Run, position: number, envelope: Envelope): void {
  const fault = authorFault(envelope, run.options.checkSignature);
  if (fault !== undefined) problem(run, 'entry-signature', fault, position);
}

function checkSigner(run: Run, position: number, { type, fields }: Envelope): void {
  const fault = run.signers.take(type, fields, position);
  if (fault !== undefined) problem(run, 'entry-key', fault, position);
}

function checkCreation(run: Run, { type, fields }: Envelope): void {
  if (type !== 'ledger.created') {
    return problem(run, 'log-not-created', `expected entry 0 to be \`ledger.created\`, got ${shown(type)}`, 0);
  }
  const key = typeof fields.key === 'string' ? parseVerifierKey(fields.key) : undefined;
  if (key === undefined) {
    return problem(run, 'log-not-created', `expected \`key\` to be a verifier key, got ${shown(fields.key)}`, 0);
  }
  run.signers.create(key);
}

function checkSequence(run: Run, position: number, envelope: Envelope): void {
  run.log ??= envelope.log;
  if (envelope.log !== run.log) {
    problem(run, 'entry-log', `expected an entry of ${shown(run.log)}, got one of ${shown(envelope.log)}`, position);
  }
  if (run.last !== undefined && envelope.at < run.last.at) {
    const { at } = envelope.fields;
    problem(run, 'entry-time', `expected an instant from ${shown(run.last.fields.at)} on, got ${shown(at)}`, position);
  }
  run.last = envelope;
}

/** The outside checkpoints that can be read, by size. */
function readOutside(run: Run): SignedCheckpoint[] {
  const readable: SignedCheckpoint[] = [];
  for (const text of run.options.outside ?? []) {
    const signed = readSigned(run, 'outside', text);
    if (signed !== undefined) readable.push(signed);
  }
  return readable.sort((a, b) => a.checkpoint.size - b.checkpoint.size);
}

function readSigned(run: Run, kind: Kind, text: string | Uint8Array): SignedCheckpoint | undefined {
  const signed = parseSignedCheckpoint(text);
  if (signed.ok) return signed.value;
  problem(run, `${kind}-malformed`, signed.message);
  return undefined;
}

function checkKept(run: Run, { size, note }: LogCheckpoint): void {
  const signed = readSigned(run, 'checkpoint', note);
  if (signed === undefined) return;
  if (signed.checkpoint.size !== size) {
    return problem(run, 'checkpoint-malformed', `expected a checkpoint of size ${size}, got ${signed.checkpoint.size}`);
  }
  if (size < run.kept) {
    return problem(run, 'checkpoint-order', `expected a checkpoint of size ${run.kept} or more, got ${size}`);
  }
  run.kept = size;
  checkSigned(run, 'checkpoint', signed);
}

function checkOutside(run: Run, signed: SignedCheckpoint | undefined): void {
  if (signed !== undefined) checkSigned(run, 'outside', signed);
}

/** Checks a checkpoint of the size reached, or of a larger one when there are no more entries. */
function checkSigned(run: Run, kind: Kind, { note, checkpoint }: SignedCheckpoint): void {
  const { origin, size, root } = checkpoint;
  if (run.log !== undefined && origin !== run.log) {
    return problem(run, `${kind}-origin`, `expected a checkpoint of ${shown(run.log)}, got one of ${shown(origin)}`);
  }
  // What is not signed under a key says nothing about the tree.
  const state = run.signers.signedBy(note, size);
  if (state !== 'valid' && state !== 'untrusted') {
    return problem(run, `${kind}-${state === 'revoked' ? 'revoked' : 'signature'}`, signatureFault(state, size));
  }
  if (size > run.next) run.beyond = Math.max(run.beyond, size);
  else if (isRoot(run, size, root)) countSigned(run, size, note, state);
  else if (kind === 'outside' || !(run.gap || run.mismatch)) {
    run.mismatch ||= kind === 'checkpoint';
    const range = `one of the entries ${run.signed} to ${size - 1} is not what it was`;
    problem(run, `${kind}-root`, `expected the root that was signed for size ${size}: ${range}`, run.signed);
  }
}

function isRoot(run: Run, size: number, root: Uint8Array): boolean {
  if (size === 0) return equalBytes(root, EMPTY_ROOT);
  return !run.gap && size === run.frontier.size && equalBytes(root, rootOf(run.frontier));
}

function countSigned(run: Run, size: number, note: SignedNote, state: 'untrusted' | 'valid'): void {
  run.mismatch = false;
  if (state === 'untrusted') {
    run.untrusted += 1;
    return;
  }
  run.signed = size;
  run.checkpoints += 1;
  const fault = run.cosignatures.see(note, size, (line) => run.signers.isOwn(line));
  if (fault !== undefined) problem(run, 'cosignature-invalid', fault);
}
