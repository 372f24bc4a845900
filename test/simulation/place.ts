/** One simulated world: its clock, its chance, its disk, and the onlooker who checks every step. */

import type { Answer } from '../../src/authority/answer.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import { type MemoryDisk, createMemoryDisk } from '../../src/ledger/memory/disk.ts';
import { type Vault, createVault } from '../../src/ledger/vault.ts';
import { fromUtf8 } from '../../src/value/encoding.ts';
import type { JsonObject } from '../../src/value/json.ts';
import type { World } from '../../src/world/world.ts';
import { type Figures, createFigures } from './figures.ts';
import { TERMS } from './bank.ts';
import { type Attempt, type History, type Proposed, createHistory, denialsOf } from './history.ts';
import { INVARIANTS } from './invariant/all.ts';
import type { Change, Invariant, Sight } from './invariant/invariant.ts';
import { onlook } from './onlook.ts';
import { objectOf } from './reading.ts';
import { type Random, createRandom } from './random.ts';
import { OUTSIDE, type Owner, type Schedule, createSchedule } from './schedule.ts';
import { type Trace, createTrace } from './trace.ts';

/** Codes that only a proposal is answered with, so that each answer is an entry or counted. */
const DENIALS: ReadonlySet<string> = new Set(['denied-by-rule', 'unknown-tool']);

const VAULT_KEY = new Uint8Array(32).fill(7);

export interface Violation {
  readonly invariant: string;
  readonly promise: string;
  readonly problem: string;
}

export interface Place extends Sight {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly disk: MemoryDisk;
  readonly history: History;
  readonly figures: Figures;
  readonly trace: Trace;
  /** The disk's, in every process. */
  readonly vault: Vault;
  /** The first promise that was broken. */
  readonly violation: () => Violation | undefined;
  note(text: string): void;
  /** The clocks, ids and sleep that the processes of `owner` get. */
  worldOf(owner: Owner): World;
  /** Runs `commit` of the opening `writer`, and looks at what became durable. */
  commit(writer: string, commit: () => void): void;
  dispatched(proposed: Proposed, instance: string, sent: JsonObject): Attempt | undefined;
  /** A probe is asked, under the last intent of `instance` for it. */
  probed(instance: string, charge: string): Attempt | undefined;
  effected(attempt: Attempt): void;
  answered(proposed: Proposed, answer: Answer): void;
  /** A line that is no message was answered, in a session of its own. */
  refused(instance: string, principal: string, session: string): void;
  /** The process decides under another policy from now on. */
  enforces(instance: string, change: Change): void;
  /** Checks what must hold once everything is quiet. */
  end(): Promise<void>;
  /** Breaks off: something happened that no invariant names. */
  fail(violation: Violation): void;
}

export function createPlace(seed: number): Place {
  const random = createRandom(seed);
  const schedule = createSchedule(random);
  const [history, disk, figures, trace] = [createHistory(), createMemoryDisk(), createFigures(), createTrace()];
  let violation: Violation | undefined;
  const now = (): number => schedule.now();
  const monotonic = (): number => schedule.monotonic();
  const sight: Sight = { history, disk, now, monotonic };
  const note = (text: string): void => trace.add(monotonic(), text);
  const fail = (found: Violation): void => {
    violation ??= found;
    note(`broken: ${found.invariant}: ${found.problem}`);
  };
  const check = (look: (invariant: Invariant) => string | undefined): void => {
    for (const invariant of INVARIANTS) {
      const problem = look(invariant);
      if (problem !== undefined) fail({ invariant: invariant.name, promise: invariant.promise, problem });
    }
  };

  return {
    ...sight,
    schedule,
    random,
    figures,
    trace,
    vault: createVault(VAULT_KEY, worldOf(schedule, random, OUTSIDE)),
    note,
    fail,
    violation: () => violation,
    worldOf: (owner) => worldOf(schedule, random, owner),
    commit: (writer, commit) => {
      const before = disk.leaves.length;
      commit();
      const entries = disk.leaves.slice(before).map((leaf) => JSON.parse(fromUtf8(leaf) ?? '') as Entry);
      for (const entry of entries) {
        note(sentenceOf(entry));
        check((invariant) => invariant.entry?.(sight, entry, writer));
        onlook(history, entry, monotonic());
      }
      for (const entry of entries) check((invariant) => invariant.recorded?.(sight, entry));
    },
    ...watching({ sight, figures, note, check }),
    end: async () => {
      for (const invariant of INVARIANTS) {
        const problem = await invariant.end?.(sight);
        if (problem !== undefined) fail({ invariant: invariant.name, promise: invariant.promise, problem });
      }
    },
  };
}

interface Watching extends Pick<Place, 'figures' | 'note'> {
  readonly sight: Sight;
  readonly check: (look: (invariant: Invariant) => string | undefined) => void;
}

/** What is checked as it happens outside of the log. */
function watching({
  sight,
  figures,
  note,
  check,
}: Watching): Pick<Place, 'probed' | 'dispatched' | 'effected' | 'answered' | 'refused' | 'enforces'> {
  const denied = (instance: string, principal: string, code: string, session: string): void => {
    if (sight.history.denied.has(session)) return;
    denialsOf(sight.history, instance, principal, code).told += 1;
    figures['counted denials'] += 1;
  };
  return {
    probed: (instance, charge) => {
      figures.probes += 1;
      const attempt = probeBy(sight.history, instance, charge);
      note(`a probe looks after ${charge}`);
      check((invariant) => invariant.probe?.(sight, attempt));
      if (attempt !== undefined) attempt.dispatches += 1;
      return attempt;
    },
    dispatched: (proposed, instance, sent) => {
      const attempt = sight.history.intents.get(proposed.session)?.at(-1);
      if (attempt !== undefined && typeof sent['key'] === 'string') attempt.key = sent['key'];
      note(`${proposed.session} is sent by ${instance}`);
      check((invariant) => invariant.dispatch?.(sight, proposed, attempt, instance));
      if (attempt !== undefined) attempt.dispatches += 1;
      return attempt;
    },
    effected: (attempt) => {
      figures.effects += 1;
      attempt.effects += 1;
      note(`${attempt.session} has its effect`);
      check((invariant) => invariant.effect?.(sight, attempt));
    },
    answered: (proposed, answer) => {
      proposed.answer = answer;
      if (answer.replayed) figures.replays += 1;
      note(`${proposed.session} is answered ${answer.state} ${answer.decision?.code ?? ''} ${answer.call}`);
      check((invariant) => invariant.answer?.(sight, proposed, answer));
      const code = answer.decision?.code ?? '';
      if (DENIALS.has(code)) denied(proposed.instance, proposed.principal, code, proposed.session);
    },
    refused: (instance, principal, session) => denied(instance, principal, 'malformed', session),
    enforces: (instance, change) => {
      note(`${instance} decides under ${change.after} now, ${change.approved ?? 'without an approval'}`);
      check((invariant) => invariant.enforced?.(sight, instance, change));
      const { enforced, taken } = sight.history;
      const { digest } = TERMS[change.after].policy;
      enforced.set(instance, [...(enforced.get(instance) ?? []), { digest, since: sight.monotonic() }]);
      if (change.approved !== undefined) taken.add(`${instance} ${change.approved}`);
    },
  };
}

/** The intent of a probe that `instance` has not sent yet. */
function probeBy({ attempts }: History, instance: string, charge: string): Attempt | undefined {
  return [...attempts.values()].findLast(
    ({ entry, dispatches, ...attempt }) =>
      entry['probes'] !== undefined &&
      dispatches === 0 &&
      attempt.instance === instance &&
      objectOf(entry, 'args')['charge'] === charge,
  );
}

function worldOf(schedule: Schedule, random: Random, owner: Owner): World {
  return {
    now: () => schedule.now(),
    monotonic: () => schedule.monotonic(),
    uptime: () => schedule.monotonic(),
    random: (length) => random.bytes(length),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
        schedule.after(Math.ceil(ms), owner, resolve);
      }),
  };
}

function sentenceOf(entry: Entry): string {
  const { type, call, attempt, run, reload, exception, count } = entry;
  const names = { call, attempt, run, reload, exception, count };
  return `${type} ${Object.values(names).every((name) => name === undefined) ? '' : JSON.stringify(names)}`;
}
