/** Opens a data directory for a command that writes to it, and for one that only reads calls. */

import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dataFiles, errorCodeOf } from '../ledger/directory.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { OutsidePlace } from '../ledger/outside.ts';
import { type CommittedBody, openReader } from '../ledger/sqlite/reader.ts';
import { type LedgerOptions, type StoredLedger, openLedger } from '../ledger/sqlite/store.ts';
import { storedEntry } from '../ledger/stored-entry.ts';
import type { FactValues } from '../policy/decide/decide.ts';
import { type Vault, openVault, readVault } from '../ledger/vault.ts';
import type { JsonValue } from '../value/json.ts';
import { dyingAt } from '../world/fault-point.ts';
import { systemWorld } from '../world/system.ts';
import type { World } from '../world/world.ts';
import { type CommonOptions, type Loaded, dataDirectory, loadConfiguration } from './configuration.ts';
import { dieAtOf } from './die-at.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

export interface OpenData extends AsyncDisposable {
  /** The machine's, with its fault points where a test asked for one. */
  readonly world: World;
  readonly ledger: StoredLedger;
  readonly vault: Vault;
}

export interface DataOptions extends Pick<LedgerOptions, 'acceptRollback'> {
  /** With `false` a directory without a ledger is refused instead of made. */
  readonly create: boolean;
  /** The configuration, if it was read already. */
  readonly loaded?: Loaded;
}

/**
 * Opens the data directory that `common` names. Throws `cannot-open`, `tampered`, `rolled-back` and whatever else keeps
 * the ledger from being opened as a `LedgerError`.
 */
export async function openData(terminal: Terminal, common: CommonOptions, options: DataOptions): Promise<OpenData> {
  const directory = dataDirectory(terminal, common);
  const { create, loaded, ...more } = options;
  const files = dataFiles(directory);
  try {
    // A database that is none of ours is told by its own error, and nothing is made beside it.
    const isStrange = existsSync(files.ledger) && !existsSync(files.vaultKey);
    if (!create || isStrange) openReader(directory)[Symbol.dispose]();
    const dieAt = dieAtOf(terminal);
    const world = dieAt === undefined ? systemWorld : { ...systemWorld, passing: dyingAt(dieAt) };
    const outside = await outsidePlace(terminal, common, loaded);
    const vault = openVault(directory, world);
    const warn = (line: string): void => writeLine(terminal.errors, `interlock: ${inert(line)}`);
    const dying = dieAt === undefined ? {} : { dieAt };
    const ledger = await openLedger({ dataDirectory: directory, world, vault, outside, warn, ...dying, ...more });
    return { ledger, vault, world, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() };
  } catch (error) {
    const code = errorCodeOf(error);
    if (error instanceof LedgerError || code === undefined) throw error;
    const message = `\`${directory}\` cannot be used as data directory: the system says ${code}`;
    throw new LedgerError('cannot-open', message, { cause: error });
  }
}

/** What is stored of calls, read without the lock and without leave to write: beside a gateway however busy it is. */
export interface ReadData
  extends Pick<Ledger, 'log' | 'entry' | 'body' | 'argument' | 'subjectsOf' | 'parked' | 'counters'>, Disposable {
  /** The facts under these keys, as a decision at `at` would read them; milliseconds since the epoch. */
  values(keys: readonly string[], at: number): FactValues;
}

/** Throws `cannot-open` when there is no ledger, and without the vault's key at the first value that is sealed. */
export function readData(directory: string): ReadData {
  const reader = openReader(directory);
  let vault: Vault | undefined;
  const open = (stored: CommittedBody | undefined): JsonValue | undefined => {
    if (stored === undefined) return undefined;
    vault ??= readVault(directory, systemWorld);
    return vault.open(stored.body, stored.commitment);
  };
  return {
    log: reader.log,
    entry: async (position) => storedEntry(reader.leaf(position), position),
    body: async (call, role) => open(reader.body(call, role)),
    argument: async (position, pointer) => open(reader.argument(position, pointer)),
    subjectsOf: async (call) => reader.subjectsOf(call),
    parked: async (principal) => reader.parked(principal),
    counters: async (folder) => reader.countersOf(folder),
    values: (keys, at) => reader.values(keys, at),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}

/**
 * Where the checkpoint outside is. A configuration in this directory is not the one of a data directory that was named
 * alone; and one that cannot be used says nothing: then it is where the last opening kept it.
 */
export async function outsidePlace(
  terminal: Terminal,
  common: CommonOptions,
  loaded?: Pick<Loaded, 'configuration' | 'directory'>,
): Promise<OutsidePlace> {
  const directory = path.join(stateHome(terminal), 'interlock', 'checkpoints');
  const isAlone = common.data !== undefined && common.config === undefined;
  const read = loaded ?? (isAlone ? undefined : await loadConfiguration(terminal, common));
  if (read?.configuration === undefined) return { kind: 'remembered', directory };
  const { file } = read.configuration.checkpoints;
  return file === undefined
    ? { kind: 'default', directory }
    : { kind: 'file', file: path.resolve(read.directory, file) };
}

/** The user's state directory (XDG Base Directory). */
function stateHome({ environment }: Terminal): string {
  const named = environment['XDG_STATE_HOME'] ?? '';
  const home = environment['HOME'] ?? '';
  return path.isAbsolute(named) ? named : path.join(home === '' ? os.homedir() : home, '.local', 'state');
}
