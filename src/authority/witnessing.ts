/** Keeps witnesses up to date while a gateway runs, and asks them at its start whether this is the log they know. */

import { seenByWitness } from '../ledger/fold.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { StoredLedger } from '../ledger/sqlite/stored-ledger.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';
import { askWitness } from './witness.ts';
import type { Seen, Witness, WitnessAnswer } from './witness.ts';

/** How often checkpoints are looked for, milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** How long a witness may take while nobody waits for it, milliseconds. */
const ANSWER_MS = 10_000;
/** How long one that failed is left alone, milliseconds: doubled each time. */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 300_000;
const REASON_CHARACTERS_MAX = 300;

export interface Witnessing {
  readonly ledger: StoredLedger;
  readonly world: World;
  /** Those of the configuration in force. */
  readonly witnesses: () => readonly Witness[];
  /** Takes one line. */
  readonly log: (line: string) => void;
}

/** The name and id of a witness's key: what entries and counters call it. */
function idOf({ key, url }: Witness): string {
  return key === undefined ? url : `${key.name}+${key.keyId}`;
}

/** What a witness knows that this log does not say: it is an older copy, or went on differently, unless the witness lies. */
interface Contradiction {
  readonly witness: string;
  /** How many entries it saw. */
  readonly size: number;
  readonly message: string;
}

/**
 * Asks all witnesses at once, and answers what those say that contradict the log, leaving out what was accepted before.
 * One that cannot be asked contradicts nothing; it is told to `log`. Takes `waitMs` at most for each request.
 */
async function contradictions(
  { ledger, world, witnesses, log }: Witnessing,
  waitMs: number,
): Promise<readonly Contradiction[]> {
  const found: Contradiction[] = [];
  const ask = async (witness: Witness): Promise<void> => {
    const answer = await askWitness(witness, { size: 0 }, { log: ledger.witnessed, world, timeoutMs: waitMs });
    if (answer.kind === 'cosigned') return ledger.cosign(answer.checkpoint.checkpoint.size, answer.signatures);
    const message = `the witness \`${idOf(witness)}\` ${toldOf(answer)}`;
    const isAccepted = answer.kind !== 'failed' && (await acceptedSize(ledger, witness)) >= answer.size;
    if (answer.kind === 'failed' || isAccepted) return log(message);
    found.push({ witness: idOf(witness), size: answer.size, message });
  };
  await Promise.all(witnesses().map(ask));
  return found;
}

/** Throws `rolled-back` when a witness knows more of this log than is here, or something else. */
export async function requireWitnessed(witnessing: Witnessing, waitMs: number): Promise<void> {
  const [first] = await contradictions(witnessing, waitMs);
  if (first === undefined) return;
  const advice = 'bring the newer one back, or run interlock recover --accept-rollback --reason TEXT';
  throw new LedgerError(
    'rolled-back',
    `${first.message}: the data directory is a restored backup or another one; ${advice}`,
  );
}

/**
 * A person takes this log for the log from now on, whatever witnesses saw of a newer one; answers whether any saw more. A
 * crash leaves the entry, with what it lets pass, or nothing.
 */
export async function acceptSeen(
  witnessing: Witnessing,
  said: { readonly by: string; readonly reason: string },
): Promise<boolean> {
  const { ledger, world } = witnessing;
  const found = await contradictions(witnessing, ANSWER_MS);
  if (found.length === 0) return false;
  const witnesses = Object.fromEntries(found.map(({ witness, size }) => [witness, size]));
  await ledger.append({ entries: [draft(world, 'ledger.rollback-accepted', { ...said, witnesses })] });
  return true;
}

/** How much of the log a witness may have seen, as far as a person accepted that it is gone. */
async function acceptedSize(ledger: StoredLedger, witness: Witness): Promise<number> {
  const key = seenByWitness(idOf(witness));
  return (await ledger.counters('rollback/')).get(key) ?? 0;
}

function toldOf(answer: Exclude<WitnessAnswer, { kind: 'cosigned' }>): string {
  switch (answer.kind) {
    case 'failed':
      return `did not cosign: ${answer.message}`;
    case 'ahead':
      return `has seen ${answer.size} entries of this log, more than it has`;
    case 'differs':
      return `has seen other entries among the first ${answer.size} of this log`;
  }
}

/** Where things stand with one witness. */
interface Course {
  readonly seen: Seen;
  /** The largest size that it cosigned for this process. */
  cosigned: number;
  isAsked: boolean;
  pauseMs: number;
  /** Not before then, on the monotonic clock. */
  next: number;
  hasFailed: boolean;
}

/**
 * Shows each new checkpoint to every witness, until `signal` aborts. A witness is asked one thing at a time; one that fails is left alone for a while, told once and recorded once.
 */
export async function keepWitnesses(witnessing: Witnessing, signal: AbortSignal): Promise<void> {
  const { ledger, world, witnesses } = witnessing;
  const courses = new Map<string, Course>();
  const recorded = new Set<string>();
  const asked = new Set<Promise<void>>();
  while (!signal.aborted) {
    const size = sizeOf(ledger);
    for (const witness of witnesses()) {
      const name = `${idOf(witness)} ${witness.url}`;
      const course = courses.get(name) ?? freshCourse();
      courses.set(name, course);
      if (course.isAsked || size <= course.cosigned || world.monotonic() < course.next) continue;
      course.isAsked = true;
      const one = ask(witnessing, witness, course, recorded, signal).finally(() => {
        course.isAsked = false;
        asked.delete(one);
      });
      asked.add(one);
    }
    await world.sleep(LOOK_EVERY_MS, signal);
  }
  await Promise.all(asked);
}

/** Of the last checkpoint; 0 while the ledger cannot be read, which it says to those who call. */
function sizeOf(ledger: StoredLedger): number {
  try {
    return ledger.witnessed.last()?.checkpoint.size ?? 0;
  } catch (error) {
    if (error instanceof LedgerError) return 0;
    throw error;
  }
}

function freshCourse(): Course {
  return { seen: { size: 0 }, cosigned: 0, isAsked: false, pauseMs: PAUSE_MS_MIN, next: 0, hasFailed: false };
}

async function ask(
  witnessing: Witnessing,
  witness: Witness,
  course: Course,
  recorded: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, world, log } = witnessing;
  const asking = { log: ledger.witnessed, world, timeoutMs: ANSWER_MS, signal };
  try {
    const answer = await askWitness(witness, course.seen, asking);
    if (signal.aborted) return;
    if (answer.kind === 'cosigned') {
      const { size } = answer.checkpoint.checkpoint;
      await ledger.cosign(size, answer.signatures);
      if (course.hasFailed) log(`the witness \`${idOf(witness)}\` cosigns again`);
      Object.assign(course, { cosigned: size, pauseMs: PAUSE_MS_MIN, hasFailed: false });
      return;
    }
    // What it is said to have seen is asked for again: it may have been a lie, or it is mended.
    course.seen.size = 0;
    course.next = world.monotonic() + course.pauseMs;
    course.pauseMs = Math.min(course.pauseMs * 2, PAUSE_MS_MAX);
    if (course.hasFailed) return;
    course.hasFailed = true;
    const reason = toldOf(answer);
    log(`the witness \`${idOf(witness)}\` ${reason}; calls go on`);
    if (recorded.has(idOf(witness))) return;
    recorded.add(idOf(witness));
    const fields = {
      instance: ledger.instance,
      witness: idOf(witness),
      reason: reason.slice(0, REASON_CHARACTERS_MAX),
    };
    await ledger.append({ entries: [draft(world, 'ledger.witness-failed', fields)] });
  } catch (error) {
    // A ledger that is busy or has stopped says so to those who write; the next turn asks again.
    if (!(error instanceof LedgerError)) throw error;
  }
}
