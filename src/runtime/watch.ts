/** What runs at rest wait for: looked at from time to time, so that none of them has to be kept in memory. */

import { resultOf } from '../authority/result.ts';
import type { CallRow } from '../ledger/ledger.ts';
import { OPEN_RUN_FOLDER } from '../ledger/run.ts';
import type { RuntimeOptions } from './deps.ts';
import { type RecordedEvent, type Standing, type Wait, readStanding } from './entry.ts';
import { principalOf } from './load.ts';
import { settledEvent, unapprovedEvent } from './outcome.ts';

/** What is done with a run that there is news of. */
export interface News {
  /** The runs that are under way here. */
  readonly live: ReadonlyMap<string, { readonly waits: readonly Wait[] }>;
  readonly deliver: (run: string, recorded: RecordedEvent) => Promise<void>;
  /** Performs a command again: the authority answers from what is recorded, or goes on. */
  readonly again: (run: string, command: string) => Promise<void>;
  /** Loads a run and goes on with it. */
  readonly take: (run: string) => Promise<void>;
}

interface Resting {
  readonly seq: number;
  readonly waits: readonly Wait[];
  /** Of its last entry, plus one. */
  readonly position: number | undefined;
}

/** Calls that are looked at in one pass, so that very many that wait do not keep others waiting. */
const CALLS_A_LOOK = 1_000;

export class Watch {
  readonly #options: RuntimeOptions;
  readonly #news: News;
  readonly #resting = new Map<string, Resting>();
  /** Of runs that others look after. */
  readonly #others = new Map<string, string>();
  /** Answers of a parked call that were looked at. */
  readonly #answers = new Map<string, number>();

  constructor(options: RuntimeOptions, news: News) {
    this.#options = options;
    this.#news = news;
  }

  /** `position` is that of its last entry, where it is known: then it is not read again. */
  keep(run: string, { seq, waits }: Standing, position?: number): void {
    this.#resting.set(run, { seq, waits, position });
  }

  forget(run: string): void {
    this.#resting.delete(run);
  }

  async recover(): Promise<number> {
    const { ledger } = this.#options;
    const open = await ledger.counters(OPEN_RUN_FOLDER);
    for (const runs of [this.#resting, this.#others]) {
      for (const run of runs.keys()) if (!open.has(OPEN_RUN_FOLDER + run)) runs.delete(run);
    }
    let taken = 0;
    for (const [key, position] of open) {
      const run = key.slice(OPEN_RUN_FOLDER.length);
      if (this.#news.live.has(run) || (await this.#isOthers(run))) continue;
      const resting = this.#resting.get(run);
      if (resting?.position === position && runsOver(resting.waits, open).length === 0) continue;
      const entry = await ledger.entry(position - 1);
      const standing = entry && readStanding(entry);
      if (standing === undefined) continue;
      if (resting?.seq === standing.seq && runsOver(standing.waits, open).length === 0) {
        this.keep(run, standing, position);
        continue;
      }
      const isLeft = standing.instance === ledger.instance || !(await ledger.isAlive(standing.instance));
      const over = runsOver(standing.waits, open);
      // What is asked has been asked once the entry names the call: a crash may have come between.
      const isAtRest = standing.status === 'suspended' && standing.waits.length > 0 && over.length === 0;
      if (isAtRest) this.keep(run, standing, position);
      else if (isLeft || over.length > 0) {
        taken += 1;
        await this.#news.take(run);
        for (const { command } of over) await this.#news.again(run, command);
      }
    }
    return taken;
  }

  /** Who a run is of never changes; whom this process looks after may. */
  async #isOthers(run: string): Promise<boolean> {
    const { principals, ledger } = this.#options;
    if (principals === undefined || this.#resting.has(run)) return false;
    const principal = this.#others.get(run) ?? (await principalOf(ledger, run)) ?? '';
    const isOthers = !principals().includes(principal);
    if (isOthers) this.#others.set(run, principal);
    else this.#others.delete(run);
    return isOthers;
  }

  async look(): Promise<void> {
    const now = this.#options.world.now();
    let calls = 0;
    for (const [run, resting] of [...this.#resting, ...this.#news.live]) {
      for (const wait of resting.waits) {
        if (wait.kind === 'event' && wait.expires !== undefined && now >= wait.expires) {
          await this.#news.deliver(run, { event: { kind: 'expired', command: wait.command } });
        } else if ((wait.kind === 'approval' || wait.kind === 'settlement') && calls < CALLS_A_LOOK) {
          calls += 1;
          await this.#lookAt(run, wait, now);
        }
      }
      const still = calls > 0 ? this.#resting.get(run) : undefined;
      if (still !== undefined && still === resting) {
        // Those that were looked at come last the next time.
        this.#resting.delete(run);
        this.#resting.set(run, still);
      }
      if (calls >= CALLS_A_LOOK) return;
    }
  }

  async #lookAt(run: string, { command, kind, of }: Wait, now: number): Promise<void> {
    const row = await this.#options.ledger.call(of);
    if (row === undefined || !this.#isNews(kind, row, now)) return;
    const event = kind === 'settlement' ? await this.#settled(command, row) : unapprovedEvent(command, row);
    if (event === undefined) await this.#news.again(run, command);
    else await this.#news.deliver(run, event);
  }

  async #settled(command: string, row: CallRow): Promise<RecordedEvent> {
    const { ledger, world, authority } = this.#options;
    return settledEvent(command, row, (await resultOf(ledger, row, world.now(), authority.policy))?.value);
  }

  #isNews(kind: Wait['kind'], { id, state, approvals, deadline }: CallRow, now: number): boolean {
    if (kind === 'settlement') return state === 'settled-executed' || state === 'settled-not-executed';
    if (state === 'intent') return false;
    if (state !== 'parked' || now >= deadline) return true;
    if (approvals.length <= (this.#answers.get(id) ?? 0)) return false;
    this.#answers.set(id, approvals.length);
    return true;
  }
}

/** Those of `waits` that are for a run that is over: a crash came between the two entries. */
function runsOver(waits: readonly Wait[], open: ReadonlyMap<string, number>): readonly Wait[] {
  return waits.filter(({ kind, of }) => kind === 'run' && !open.has(OPEN_RUN_FOLDER + of));
}
