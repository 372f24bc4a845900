/** The keys that wrap all other keys, one an epoch: each in a file of its own, so that destroying it shreds copies. */

import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../value/encoding.ts';
import type { World } from '../world/world.ts';
import { errorCodeOf, syncDirectory } from './directory.ts';
import { LedgerError } from './ledger.ts';
import { openSecretFile, readSecretFile } from './secret-file.ts';

const KEY_BYTES = 32;
/** The epoch of a new ledger. */
export const FIRST_EPOCH = 1;

/** Keys by epoch, counted from 1. */
export interface Keyring {
  /** The key of `epoch`; nothing when it is not there, or was destroyed. */
  key(epoch: number): KeyObject | undefined;
  /** Makes the key of `epoch`, unless there is one. */
  make(epoch: number): void;
  /** Destroys the key of `epoch`: what it wrapped and nothing else wraps is gone, in every copy. */
  destroy(epoch: number): void;
  /** The epochs whose keys are there, ascending. From then on none of another epoch is remembered. */
  epochs(): readonly number[];
}

/** The keys in `directory`, which is made with the first of them. Throws `cannot-open` for files that cannot be used. */
export function openKeyring(directory: string, world: Pick<World, 'random'>): Keyring {
  const known = new Map<number, KeyObject>();
  const fileOf = (epoch: number): string => join(directory, `${epoch}.key`);
  return {
    key: (epoch) => {
      const cached = known.get(epoch);
      if (cached !== undefined) return cached;
      const bytes = readSecretFile(fileOf(epoch));
      if (bytes === undefined) return undefined;
      const key = wholeKey(bytes, fileOf(epoch));
      known.set(epoch, key);
      return key;
    },
    make: (epoch) => {
      try {
        // A crash leaves the directory, or the directory and a key that nothing is wrapped under yet.
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        openSecretFile(fileOf(epoch), toHex(world.random(8)), () => world.random(KEY_BYTES));
      } catch (error) {
        throw operating(error, `the key of epoch ${epoch} cannot be made in \`${directory}\``);
      }
    },
    destroy: (epoch) => {
      known.delete(epoch);
      try {
        destroyFile(fileOf(epoch));
        syncDirectory(directory);
      } catch (error) {
        throw operating(error, `\`${fileOf(epoch)}\` cannot be destroyed by this user`);
      }
    },
    epochs: () => {
      const there = epochsIn(directory);
      // What another process destroyed is not to live on in the memory of this one.
      for (const epoch of known.keys()) if (!there.includes(epoch)) known.delete(epoch);
      return there;
    },
  };
}

/** A keyring that lives as long as its process. */
export function createKeyring(first: Uint8Array, random: World['random']): Keyring {
  const keys = new Map([[FIRST_EPOCH, createSecretKey(first)]]);
  return {
    key: (epoch) => keys.get(epoch),
    make: (epoch) => {
      if (!keys.has(epoch)) keys.set(epoch, createSecretKey(random(KEY_BYTES)));
    },
    destroy: (epoch) => void keys.delete(epoch),
    epochs: () => [...keys.keys()].toSorted((left, right) => left - right),
  };
}

/**
 * The epoch whose key wraps from now on; `recorded` is what the log says, 0 for the first. A log that was restored from
 * before a rotation names an epoch whose key is destroyed: then it is the last one that there is.
 */
export function epochInForce(ring: Keyring, recorded: number): number {
  const epoch = Math.max(FIRST_EPOCH, recorded);
  if (ring.key(epoch) !== undefined) return epoch;
  return ring.epochs().findLast((later) => later > epoch) ?? epoch;
}

function wholeKey(bytes: Uint8Array, file: string): KeyObject {
  if (bytes.length === KEY_BYTES) return createSecretKey(bytes);
  throw new LedgerError('cannot-open', `\`${file}\` is damaged, expected ${KEY_BYTES} bytes: restore it`);
}

/** Overwrites before it unlinks: a crash in between leaves a file that is no key, which is as good as none. */
function destroyFile(file: string): void {
  let fd: number;
  try {
    fd = openSync(file, 'r+');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    writeSync(fd, new Uint8Array(statSync(file).size), 0, undefined, 0);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  unlinkSync(file);
}

/** What the system refuses is tried again by whoever asked. */
function operating(error: unknown, message: string): LedgerError {
  return error instanceof LedgerError ? error : new LedgerError('cannot-open', message, { cause: error });
}

function epochsIn(directory: string): readonly number[] {
  try {
    const names = readdirSync(directory).flatMap((name) => /^([1-9]\d{0,8})\.key$/u.exec(name)?.[1] ?? []);
    return names.map(Number).toSorted((left, right) => left - right);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return [];
    throw new LedgerError('cannot-open', `\`${directory}\` cannot be read by this user`, { cause: error });
  }
}
