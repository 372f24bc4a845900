/** Break-glass exceptions as the ledger has them: which are genuine under the policy in force, and until when. */

import { verifyEd25519 } from '../ledger/ed25519.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { isSigned, signedDigest, signedText } from '../ledger/signed-text.ts';
import { type ExceptedRule, exceptedRules, standingFolder, versionKey } from '../ledger/standing.ts';
import type { Policy } from '../policy/compile.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import { type Exception, withExceptions } from '../policy/approval/exception.ts';
import { toHex } from '../value/encoding.ts';
import { formatInstant, parseInstant } from '../value/time.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

const ID_BYTES = 8;

/** What every decision reads: whether exceptions were made or ended since the last look at them. */
export const EXCEPTION_VERSION: string = versionKey('exception');

/** The exceptions that stood when `version` was read, those that expired included; whose they are is not checked. */
export interface StandingExceptions {
  readonly version: number;
  readonly entries: readonly Entry[];
}

export const NO_EXCEPTIONS: StandingExceptions = { version: 0, entries: [] };

/** Reads them from the log itself: the tables only say where. Throws `LedgerError`. */
export async function standingExceptions(ledger: Ledger): Promise<StandingExceptions> {
  // The version first: what is made meanwhile then shows as newer than it.
  const version = await ledger.transact({ facts: [EXCEPTION_VERSION] }, ({ values }) => ({
    result: values.get(EXCEPTION_VERSION) ?? 0,
  }));
  return { version, entries: await exceptionEntries(ledger) };
}

/** The entries of the exceptions that stand, oldest first, those that expired included. Throws `LedgerError`. */
export async function exceptionEntries(ledger: Pick<Ledger, 'counters' | 'entry'>): Promise<readonly Entry[]> {
  const positions = [...(await ledger.counters(standingFolder('exception'))).values()].toSorted((a, b) => a - b);
  const entries = await Promise.all(positions.map((position) => ledger.entry(position - 1)));
  return entries.filter((entry) => entry !== undefined);
}

/** A policy with the exceptions that are in force, and from when on it is another; milliseconds since the epoch. */
export interface Excepted {
  readonly policy: Policy;
  readonly exceptions: readonly Exception[];
  readonly until: number;
}

interface Known {
  readonly standing: StandingExceptions;
  readonly signers: Configuration;
  /** Of those entries that were not over yet when they were asked about. */
  readonly genuine: Map<Entry, Exception | undefined>;
  readonly made: Map<string, Policy>;
}

const memory = new WeakMap<Policy, Known>();

/** What `policy` is at `at`, with what stands in `log`. Signatures count under the keys of `signers`. */
export function exceptedAt(
  policy: Policy,
  {
    standing,
    signers,
    log,
  }: { readonly standing: StandingExceptions; readonly signers: Configuration; readonly log: string },
  at: number,
): Excepted {
  if (standing.entries.length === 0) return { policy, exceptions: [], until: Number.POSITIVE_INFINITY };
  let known = memory.get(policy);
  if (known?.standing !== standing || known.signers !== signers) {
    memory.set(policy, (known = { standing, signers, genuine: new Map(), made: new Map() }));
  }
  const exceptions = inForceAt(known, log, at);
  const ids = exceptions.map(({ id }) => id).join(' ');
  const made = known.made.get(ids) ?? withExceptions(policy, exceptions);
  known.made.set(ids, made);
  return {
    policy: made,
    exceptions,
    until: Math.min(...exceptions.map(({ expires }) => expires), Number.POSITIVE_INFINITY),
  };
}

/** What has expired stands for ever: its signature is not looked at any more. */
function inForceAt({ standing, signers, genuine }: Known, log: string, at: number): readonly Exception[] {
  return standing.entries.flatMap((entry) => {
    if (at >= expiryOf(entry)) return [];
    if (!genuine.has(entry)) genuine.set(entry, genuineOf(entry, signers, log));
    return genuine.get(entry) ?? [];
  });
}

function expiryOf({ expires }: Entry): number {
  return (typeof expires === 'string' ? parseInstant(expires) : undefined) ?? Number.NEGATIVE_INFINITY;
}

/** The exception of an entry, when somebody who may has signed all of it for this log. */
function genuineOf(entry: Entry, signers: Configuration, log: string): Exception | undefined {
  const { type, exception: id, by, rules } = entry;
  const excepted = rules === undefined ? undefined : exceptedRules(rules);
  if (type !== 'policy.exception' || typeof id !== 'string' || typeof by !== 'string') return undefined;
  if (excepted === undefined) return undefined;
  // The key that counts is the one in the policy in force, not the one that the entry names.
  const key = signers.principals?.get(by)?.key ?? '';
  if (!isSigned({ type, log, fields: entry }, key, verifyEd25519)) return undefined;
  return { id, by, rules: excepted, expires: expiryOf(entry), digest: signedDigest(type, log, entry) ?? '' };
}

export interface ExceptionOrder {
  readonly by: string;
  /** `ed25519:` and base64. */
  readonly key: string;
  readonly rules: readonly ExceptedRule[];
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  /** The base64 Ed25519 signature of a text. */
  readonly sign: (text: string) => string;
}

/** Records an exception, in force from the next decision on in every process; answers with its id. Throws `LedgerError`. */
export async function breakGlass(ledger: Ledger, world: World, order: ExceptionOrder): Promise<string> {
  const { by, key, reason, sign } = order;
  const exception = `exception-${toHex(world.random(ID_BYTES))}`;
  const rules = order.rules.map(({ id, digest }) => ({ id, digest }));
  const fields = { exception, rules, expires: formatInstant(order.expires), reason, by, key };
  const signature = sign(signedText('policy.exception', ledger.log, fields) ?? '');
  // A crash leaves the exception or none.
  await ledger.append({ entries: [draft(world, 'policy.exception', { ...fields, signature })] });
  return exception;
}

/** Ends an exception early. False when it does not stand, or not any more. Throws `LedgerError`. */
export async function endException(
  ledger: Ledger,
  world: World,
  { id, by, reason }: { readonly id: string; readonly by: string; readonly reason: string },
): Promise<boolean> {
  try {
    // A crash leaves it in force or ended.
    await ledger.append({ entries: [draft(world, 'policy.exception-ended', { exception: id, by, reason })] });
    return true;
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'conflict') return false;
    throw error;
  }
}
