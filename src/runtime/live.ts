/** One run that this process moves: an event after the other, each durable before what follows from it is done. */

import { draft } from '../authority/draft.ts';
import { keptOutput, NO_SECRETS } from '../authority/secret.ts';
import { recordArgs, sealBody } from '../authority/personal.ts';
import type { Facts, SealedBody, Writes } from '../ledger/ledger.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { RUN_FOLDER, runEventKey, runFacts, runSeqKey } from '../ledger/run.ts';
import type { Command, CommandId } from '../program/event.ts';
import type { Pending, RunState } from '../program/state.ts';
import { type Moved, isOver, transition } from '../program/transition.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { RuntimeOptions } from './deps.ts';
import { type RecordedEvent, type Standing, type Wait, endedFields, eventFields, standingFields } from './entry.ts';
import { payloadArgs } from './brought.ts';
import { type LoadedRun, loadRun } from './load.ts';
import { nextSnapshot } from './snapshot.ts';
import { waitsAfter } from './waits.ts';

/** How long a write that finds no room in the queue is tried again, and how often, milliseconds. */
const BUSY_MS = 30_000;
const BUSY_EVERY_MS = 20;

/**
 * `moved`; `ignored`: the run does not wait for it; `taken`: this very event came before; `stale`: somebody else has
 * moved the run meanwhile, so that it has to be loaded again.
 */
export type Delivered = 'moved' | 'ignored' | 'taken' | 'stale';

/** What a run tells whoever drives it. */
export interface Following {
  /** Carries a command out, and delivers what it comes to. The signal aborts when nobody waits for it any more. */
  readonly perform: (run: LiveRun, command: Command, signal: AbortSignal) => Promise<void>;
  /** Nobody waits any more for what the command began outside. */
  readonly withdraw: (wait: Wait) => Promise<void>;
}

/** Guarantees: what a command is performed for is durable; of two that move a run at once only one does. */
export class LiveRun {
  readonly #options: RuntimeOptions;
  readonly #following: Following;
  readonly #performing = new Map<CommandId, AbortController>();
  #moves = 0;
  /** Since when the time of the run counts; nothing while it only waits. Monotonic, milliseconds. */
  #activeSince: number | undefined;
  #run: LoadedRun;
  /** By command, what the run waits for outside. */
  #waits: ReadonlyMap<CommandId, Wait>;
  #tail: Promise<unknown> = Promise.resolve();
  #idle = Promise.withResolvers<void>();
  #failure: Error | undefined;

  constructor(options: RuntimeOptions, following: Following, run: LoadedRun) {
    this.#options = options;
    this.#following = following;
    this.#run = run;
    this.#waits = new Map(run.standing.waits.map((wait) => [wait.command, wait]));
    if (run.state.status === 'running') this.#activeSince = options.world.monotonic();
  }

  get loaded(): LoadedRun {
    return this.#run;
  }

  get id(): string {
    return this.#run.started.id;
  }

  get state(): RunState {
    return this.#run.state;
  }

  get waits(): readonly Wait[] {
    return [...this.#waits.values()];
  }

  /** What a command that is not answered yet waits for; nothing of others. */
  pending(command: CommandId): Pending | undefined {
    return this.state.pending.get(command);
  }

  get isIdle(): boolean {
    return this.#performing.size === 0 && this.#moves === 0;
  }

  /** Resolves once nothing of the run is under way here. Rejects with what stopped it from being moved. */
  async idle(): Promise<void> {
    while (!this.isIdle) {
      if (this.#performing.size > 0) await this.#idle.promise;
      await this.#tail;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Begins again what was begun and has no answer. What was done already under its key is only looked up. */
  resume(): void {
    for (const { command, isHeld, isUnsettled } of this.state.pending.values()) {
      if (!isHeld && !isUnsettled) this.#perform(command);
    }
  }

  /** Performs a command that waited, because there is news of it. */
  again(command: CommandId): void {
    const pending = this.pending(command);
    if (pending !== undefined && !this.#performing.has(command)) this.#perform(pending.command);
  }

  /**
   * Moves the run by `recorded`. `key` makes an event from outside known again. Rejects with `LedgerError`: then nothing
   * was moved, or it is not known whether it was, and the run has to be loaded again.
   */
  deliver(recorded: RecordedEvent, key?: string): Promise<Delivered> {
    this.#moves += 1;
    const moving = this.#tail.then(() => this.#move(recorded, key)).finally(() => (this.#moves -= 1));
    this.#tail = moving.catch(() => undefined);
    return moving;
  }

  async #move(came: RecordedEvent, key: string | undefined): Promise<Delivered> {
    if (this.#options.alwaysReplay === true && !(await this.#replay())) return 'stale';
    const now = this.#options.world.monotonic();
    const recorded = this.#timed(came, now);
    const { event } = recorded;
    const moved = transition(this.#run.linked.program, this.state, event);
    if (moved.state === this.state) return 'ignored';
    const { vault, ledger, world } = this.#options;
    const waits = waitsAfter(this.#waits, moved.state, recorded, world.now());
    const standing: Standing = {
      seq: this.#run.standing.seq + 1,
      status: moved.state.status,
      step: moved.state.step,
      steps: moved.entered,
      waits: [...waits.values()],
      snapshot: nextSnapshot(vault, this.#run.standing.snapshot, event, moved.commands),
      instance: ledger.instance,
    };
    const delivered = await this.#write(recorded, moved, standing, key);
    if (delivered !== 'moved') return delivered;
    const before = this.#waits;
    this.#run = { ...this.#run, state: moved.state, standing };
    this.#waits = waits;
    if (moved.state.status !== 'running') this.#activeSince = undefined;
    else if (event.kind === 'call') this.#activeSince = now;
    else this.#activeSince ??= now;
    for (const command of moved.commands) {
      if (command.kind === 'abandon') this.#abandon(command.id, before.get(command.id));
      else this.#perform(command);
    }
    return 'moved';
  }

  /** With the active time since the last event that told of it: what runs side by side takes it once. */
  #timed(recorded: RecordedEvent, now: number): RecordedEvent {
    const { event } = recorded;
    if (event.kind !== 'call' || this.#activeSince === undefined) return recorded;
    return { ...recorded, event: { ...event, activeMs: Math.round(now - this.#activeSince) } };
  }

  /** A crash before the commit leaves the run as it was, and what the event tells is found again; after it, moved. */
  async #write(
    { event, of }: RecordedEvent,
    { state }: Moved,
    standing: Standing,
    key: string | undefined,
  ): Promise<Delivered> {
    const { world } = this.#options;
    const { id, program } = this.#run.started;
    const [here, seq] = [RUN_FOLDER + id, runSeqKey(id)];
    const facts = runFacts(id, key);
    const sealed = event.kind === 'event' ? recordPayload(this.#options, id, event.payload) : undefined;
    const end = isOver(state) ? recordOutput(this.#options, id, state.ending?.output) : undefined;
    const compose = ({ values }: Facts): { readonly writes?: Writes; readonly result: Delivered } => {
      if ((values.get(seq) ?? 0) !== standing.seq - 1) return { result: 'stale' };
      if (key !== undefined && values.has(runEventKey(key))) return { result: 'taken' };
      const fields: JsonObject = {
        run: { id, program, seq: standing.seq },
        after: (values.get(here) ?? 0) - 1,
        ...(key === undefined ? {} : { key }),
        event: eventFields({ event, ...(of === undefined ? {} : { of }) }),
        ...(sealed === undefined ? {} : { args: sealed.value }),
        ...standingFields(standing),
        ...(end === undefined ? {} : endedFields(state, end.value)),
      };
      const type = end === undefined ? 'program.moved' : 'program.ended';
      const bodies = [...(sealed?.bodies ?? []), ...(end?.bodies ?? [])];
      return { writes: { entries: [draft(world, type, fields)], bodies }, result: 'moved' };
    };
    return patiently(this.#options, () => this.#options.ledger.transact({ facts }, compose));
  }

  #perform(command: Command): void {
    // A timer is not performed: whoever looks after all runs sees when it is over.
    if (command.kind === 'wait' || command.kind === 'abandon') return;
    const controller = new AbortController();
    this.#track(command.id, controller, this.#following.perform(this, command, controller.signal));
  }

  /** What fails keeps the run from coming to rest as if nothing was wrong. */
  #track(name: string, controller: AbortController, work: Promise<void>): void {
    this.#performing.set(name, controller);
    void this.#finish(name, work);
  }

  async #finish(name: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error('something that is no error was thrown');
    }
    this.#performing.delete(name);
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }

  #abandon(command: CommandId, wait: Wait | undefined): void {
    this.#performing.get(command)?.abort();
    if (wait === undefined || wait.kind === 'event') return;
    this.#track(`abandon/${command}`, new AbortController(), this.#following.withdraw(wait));
  }

  /** The run as its entries say it, in the place of what is kept in memory. */
  async #replay(): Promise<boolean> {
    const loaded = await loadRun(this.#options, this.id);
    if (!loaded.ok || loaded.value.standing.seq !== this.#run.standing.seq) return false;
    this.#run = loaded.value;
    return true;
  }
}

/** What is full or locked may not be so a moment later; nothing was written. */
export async function patiently<T>({ world }: Pick<RuntimeOptions, 'world'>, write: () => Promise<T>): Promise<T> {
  const until = world.monotonic() + BUSY_MS;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const mayPass = error instanceof LedgerError && (error.code === 'busy' || error.code === 'disk-full');
      if (!mayPass || world.monotonic() >= until) throw error;
    }
    await world.sleep(BUSY_EVERY_MS);
  }
}

interface Sealed {
  readonly value: JsonValue;
  readonly bodies: readonly SealedBody[];
}

function recordPayload({ vault }: RuntimeOptions, run: string, payload: JsonValue): Sealed {
  return recordArgs(vault, run, payloadArgs(payload));
}

/** The output of a run as it is kept: sealed, and without its secrets. */
export function recordOutput(
  { vault, authority }: RuntimeOptions,
  run: string,
  output: JsonValue | undefined,
): { readonly value: JsonValue | undefined; readonly bodies: readonly SealedBody[] } {
  if (output === undefined) return { value: undefined, bodies: [] };
  const kept = keptOutput({}, authority.policy, { tool: '', secrets: NO_SECRETS }, output);
  const isRedacted = kept.live !== undefined;
  return sealBody(vault, run, 'output', { value: kept.value, ...(isRedacted ? { redacted: true } : {}) }, []);
}
