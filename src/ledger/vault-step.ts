/**
 * What the entries about the vault and about keys do to the tables: erasures, legal holds, epochs, disclosures, and the
 * keys that sign. Only counters move; the private keys and bodies themselves are no part of the log. Pure.
 */

import type { JsonObject, JsonValue } from '../value/json.ts';
import type { EntryType } from './entry.ts';

interface Of {
  readonly type: EntryType;
  /** None: it moves no call. */
  readonly call?: never;
}

export type VaultStep =
  | (Of & { readonly kind: 'erasure-requested' | 'erasure-executed'; readonly subject: string })
  | (Of & { readonly kind: 'hold-added' | 'hold-lifted'; readonly target: string })
  | (Of & { readonly kind: 'key-rotated'; readonly epoch: number })
  | (Of & { readonly kind: 'disclosed'; readonly of: string })
  | (Of & { readonly kind: 'signer-added' | 'signer-revoked'; readonly key: string });

/** The epoch under whose key everything is wrapped from now on; 0 stands for the first. */
export const EPOCH_KEY = 'key/epoch';
/** When it began, milliseconds since the epoch of time; 0 for the first: with the log. */
export const EPOCH_SINCE_KEY = 'key/since';

/** 1 while `target`, a subject or a call, may not be erased. */
export function holdKey(target: string): string {
  return `hold/${target}`;
}

/** Before the subjects whose keys are destroyed and whose last copies may still lie in a file. */
export const ERASURE_FOLDER = 'erasure/';

/** Before the subjects that were erased; the position, plus one, of the last entry that says so. */
export const ERASED_FOLDER = 'erased/';

/** Before the positions, plus one, of the entries that say that something of `call` was handed out. */
export function disclosedFolder(call: string): string {
  return `disclosed/${call}/`;
}

/** Before the keys that were added to sign, and those that were revoked; the position, plus one, of the entry. */
export const SIGNER_FOLDER = 'signer/';

/** Of them, before those that were added. */
export const ADDED_SIGNER_FOLDER: string = `${SIGNER_FOLDER}added/`;

function addedKey(key: string): string {
  return ADDED_SIGNER_FOLDER + key;
}

function revokedKey(key: string): string {
  return `${SIGNER_FOLDER}revoked/${key}`;
}

/** The position, plus one, of the entry that added the key in force; 0 while that is the first. */
export const LAST_SIGNER_KEY: string = `${SIGNER_FOLDER}last`;

const KINDS: ReadonlySet<string> = new Set<VaultStep['kind']>([
  'erasure-requested',
  'erasure-executed',
  'hold-added',
  'hold-lifted',
  'key-rotated',
  'disclosed',
  'signer-added',
  'signer-revoked',
]);

export function isVaultStep(step: { readonly kind: string }): step is VaultStep {
  return KINDS.has(step.kind);
}

/** The counters that `step` looks at or moves, but for those whose names depend on where its entry stands. */
export function vaultKeys(step: VaultStep): readonly string[] {
  switch (step.kind) {
    case 'erasure-requested':
      return [ERASURE_FOLDER + step.subject, holdKey(step.subject)];
    case 'erasure-executed':
      return [ERASURE_FOLDER + step.subject, ERASED_FOLDER + step.subject];
    case 'hold-added':
    case 'hold-lifted':
      return [holdKey(step.target)];
    case 'key-rotated':
      return [EPOCH_KEY, EPOCH_SINCE_KEY];
    case 'disclosed':
      return [];
    case 'signer-added':
    case 'signer-revoked':
      return [addedKey(step.key), revokedKey(step.key), LAST_SIGNER_KEY];
  }
}

type Moved =
  | { readonly ok: true; readonly keys: readonly never[]; readonly counters: readonly (readonly [string, number])[] }
  | { readonly ok: false; readonly code: 'illegal'; readonly message: string };

export function foldVault(
  step: VaultStep,
  { position, at }: { readonly position: number; readonly at: number },
  { counter }: { readonly counter: (key: string) => number },
): Moved {
  switch (step.kind) {
    case 'erasure-requested':
      if (counter(holdKey(step.subject)) !== 0) return illegal(`\`${step.subject}\` is on hold`, step);
      return moved([ERASURE_FOLDER + step.subject, position + 1]);
    case 'erasure-executed':
      if (counter(ERASURE_FOLDER + step.subject) === 0) return illegal('no erasure was requested', step);
      return moved([ERASURE_FOLDER + step.subject, 0], [ERASED_FOLDER + step.subject, position + 1]);
    case 'hold-added':
      if (counter(holdKey(step.target)) !== 0) return illegal(`\`${step.target}\` is on hold`, step);
      return moved([holdKey(step.target), 1]);
    case 'hold-lifted':
      if (counter(holdKey(step.target)) === 0) return illegal(`\`${step.target}\` is not on hold`, step);
      return moved([holdKey(step.target), 0]);
    case 'key-rotated': {
      const last = Math.max(1, counter(EPOCH_KEY));
      if (step.epoch <= last) return illegal(`epoch ${last} has begun`, step);
      return moved([EPOCH_KEY, step.epoch], [EPOCH_SINCE_KEY, at]);
    }
    case 'disclosed':
      return moved([disclosedFolder(step.of) + position, position + 1]);
    case 'signer-added':
      if (counter(addedKey(step.key)) !== 0) return illegal('the key was added before', step);
      return moved([addedKey(step.key), position + 1], [LAST_SIGNER_KEY, position + 1]);
    case 'signer-revoked':
      if (counter(revokedKey(step.key)) !== 0) return illegal('the key was revoked before', step);
      // The first key was added by no entry, and neither was one that the log does not have: only who verifies can tell.
      if (counter(addedKey(step.key)) === counter(LAST_SIGNER_KEY)) return illegal('the key is in force', step);
      return moved([revokedKey(step.key), position + 1]);
  }
}

function moved(...counters: readonly (readonly [string, number])[]): Moved {
  return { ok: true, keys: [], counters };
}

function illegal(why: string, { type }: VaultStep): Moved {
  return { ok: false, code: 'illegal', message: `${why}, so \`${type}\` does not fit` };
}

type ReadVault = { readonly ok: true; readonly step: VaultStep } | { readonly ok: false; readonly message: string };

/** The step of an entry of such a type; nothing for other types. */
export function readVaultStep(type: EntryType, fields: JsonObject): ReadVault | undefined {
  const { subject, target, epoch, call, key } = fields;
  switch (type) {
    case 'erasure.requested':
    case 'erasure.executed':
      if (!isText(subject)) return missing('subject');
      return read({ kind: type === 'erasure.requested' ? 'erasure-requested' : 'erasure-executed', type, subject });
    case 'hold.added':
    case 'hold.lifted':
      if (!isText(target)) return missing('target');
      return read({ kind: type === 'hold.added' ? 'hold-added' : 'hold-lifted', type, target });
    case 'key.rotated':
      if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch)) return missing('epoch');
      return read({ kind: 'key-rotated', type, epoch });
    case 'key.added':
    case 'key.revoked':
      return isText(key)
        ? read({ kind: type === 'key.added' ? 'signer-added' : 'signer-revoked', type, key })
        : missing('key');
    case 'disclosure.made':
      return isText(call) ? read({ kind: 'disclosed', type, of: call }) : missing('call');
    default:
      return undefined;
  }
}

/** Whether entries of this type are read here. */
export function isVaultType(type: EntryType): boolean {
  return /^(?:erasure\.(?:requested|executed)|hold\.(?:added|lifted)|key\.(?:added|revoked|rotated)|disclosure\.made)$/u.test(
    type,
  );
}

function read(step: VaultStep): ReadVault {
  return { ok: true, step };
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function missing(field: string): ReadVault {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}
