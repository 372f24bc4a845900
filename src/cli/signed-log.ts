/** A data directory's log up to its last signature, for commands that hand it, or parts of it, to others. */

import type { Witness } from '../authority/witness.ts';
import { verifyEd25519 } from '../ledger/ed25519.ts';
import { type Reader, openReader } from '../ledger/sqlite/reader.ts';
import { ADDED_SIGNER_FOLDER } from '../ledger/vault-step.ts';
import { type WitnessedLog, witnessedLog } from '../ledger/sqlite/witnessed-log.ts';
import type { SignedCheckpoint } from '../tlog/checkpoint.ts';
import { verifyCosignature } from '../tlog/cosignature.ts';
import { formatNote, parseNote, withSignatures } from '../tlog/note.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { isJsonObject } from '../value/json.ts';
import type { JsonValue } from '../value/json.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, dataDirectory } from './configuration.ts';
import { openData } from './data.ts';
import { CliError } from './exit.ts';
import { withProgress } from './progress.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';
import { type Asked, askAll, configuredWitnesses, refusalOf } from './witnesses.ts';

/** How often a checkpoint is chosen anew because a gateway was faster with a later one. */
const ROUNDS_MAX = 5;
/** How many checkpoints are looked through for one that was cosigned: those of the last hours. */
const LOOKED_MAX = 10_000;

export interface SignedDataLog extends Disposable {
  /** The signed note over everything that was committed when the log was opened, with what witnesses added to it. */
  readonly checkpoint: string;
  /** The witnesses that were asked, in the order of the configuration, and then one that was named. */
  readonly asked: readonly Asked[];
  /** The newest checkpoint that one of them cosigned before, as it was kept; none where nobody did. */
  readonly cosignedBefore: () => string | undefined;
  /** The verifier key that the log was created with, one line. */
  readonly key: string;
  /** That one, and those that came later, as far as the checkpoint covers their entries. */
  readonly keys: readonly string[];
  /** The leaves from position `from` on, with progress on the terminal; there may be more than the checkpoint covers. */
  readonly leaves: (from?: number) => Iterable<Uint8Array>;
}

/**
 * Signs what is committed, then opens it for reading, and has the witnesses of the configuration cosign it, and `named`.
 * One that does not is told on standard error.
 */
export async function openSigned(terminal: Terminal, options: CommonOptions, named?: Witness): Promise<SignedDataLog> {
  const configured = await configuredWitnesses(terminal, options);
  await signLog(terminal, options);
  const reader = openReader(dataDirectory(terminal, options));
  try {
    const key = keyOf(reader.leaf(0));
    const others = configured.filter(({ url }) => url !== named?.url);
    const witnesses = named === undefined ? others : [...others, named];
    const { signed, asked } = await cosigned(witnessedLog(reader), witnesses);
    for (const one of asked) {
      const refusal = refusalOf(one);
      if (refusal !== undefined) writeLine(terminal.errors, `interlock: ${inert(refusal)}`);
    }
    const lines = asked.flatMap(({ answer }) => (answer.kind === 'cosigned' ? answer.signatures : []));
    const checkpoint = formatNote(withSignatures(signed.note, lines));
    const keys = [key, ...laterKeys(reader, signed.checkpoint.size)];
    const total = reader.head().frontier.size;
    const leaves = function* (from = 0): Generator<Uint8Array, void> {
      const rest = withProgress(reader.leaves(from), total - from, terminal, systemWorld);
      for (const { leaf } of rest) yield leaf;
    };
    return {
      checkpoint,
      asked,
      cosignedBefore: () => newestCosigned(reader, witnesses),
      key,
      keys,
      leaves,
      [Symbol.dispose]: () => reader[Symbol.dispose](),
    };
  } catch (error) {
    reader[Symbol.dispose]();
    throw error;
  }
}

/**
 * The last checkpoint, and what witnesses say to it. A gateway may have shown one of them a later one meanwhile, so that
 * it takes no earlier one: then that is the last.
 */
async function cosigned(
  log: WitnessedLog,
  witnesses: readonly Witness[],
): Promise<{ readonly signed: SignedCheckpoint; readonly asked: readonly Asked[] }> {
  for (let round = 1; ; round += 1) {
    const signed = log.last();
    if (signed === undefined) {
      throw new CliError('unreadable', 'the log has no checkpoint', { hint: 'run interlock verify' });
    }
    const asked = await askAll(witnesses, { ...log, last: () => signed });
    const size = log.last()?.checkpoint.size ?? 0;
    const isLate = asked.some(({ answer }) => answer.kind === 'ahead' && answer.size <= size);
    if (!isLate || round === ROUNDS_MAX) return { signed, asked };
  }
}

function newestCosigned(reader: Reader, witnesses: readonly Witness[]): string | undefined {
  let stored = reader.checkpointUpTo();
  for (let looked = 0; stored !== undefined && looked < LOOKED_MAX; looked += 1) {
    const { note, frontier } = stored;
    const read = parseNote(note);
    const isBy = ({ key }: Witness): boolean =>
      read.ok && key !== undefined && verifyCosignature(read.value, key, verifyEd25519).state === 'valid';
    if (witnesses.some(isBy)) return note;
    stored = reader.checkpointUpTo(frontier.size - 1);
  }
  return undefined;
}

/** A writer that leaves signs what is committed. */
export async function signLog(terminal: Terminal, options: CommonOptions): Promise<void> {
  await using opened = await openData(terminal, options, { create: false });
  await opened.ledger.checkpoint();
}

/** The verifier key that an entry names: the first one, or one that adds another. */
function keyOf(leaf: Uint8Array | undefined): string {
  const fields = leaf === undefined ? undefined : (JSON.parse(fromUtf8(leaf) ?? 'null') as JsonValue);
  if (isJsonObject(fields) && typeof fields.key === 'string') return fields.key;
  throw new CliError('unreadable', 'the log does not name its key', { hint: 'run interlock verify' });
}

function laterKeys(reader: Reader, size: number): readonly string[] {
  const positions = [...reader.countersOf(ADDED_SIGNER_FOLDER).values()].map((n) => n - 1);
  return positions
    .filter((position) => position < size)
    .toSorted((a, b) => a - b)
    .map((position) => keyOf(reader.leaf(position)));
}
