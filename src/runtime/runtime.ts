/** Runs of programs: started, moved by what happens, taken up again after a crash. Every effect goes through the authority. */

import { refuse } from '../authority/approve.ts';
import { newId } from '../authority/draft.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { runEventKey } from '../ledger/run.ts';
import type { Command } from '../program/event.ts';
import { isOver } from '../program/transition.ts';
import type { Issue } from '../value/issue.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { callThrough } from './call.ts';
import { type ProgramSource, linkedSource, unprovedIn } from './catalog.ts';
import { childRun } from './child.ts';
import type { RuntimeOptions } from './deps.ts';
import type { RecordedEvent, Standing, Wait } from './entry.ts';
import { type Delivered, LiveRun } from './live.ts';
import { loadRun, principalOf, standingOf } from './load.ts';
import { eventProblem, recordIgnored } from './signal.ts';
import { type NotStartedCode, type Starting, startRun } from './start.ts';
import { type RunView, viewOf } from './view.ts';
import { Watch } from './watch.ts';

export interface RunOrder {
  /** A UUID, where whoever starts it again must find it; a new one if not given. */
  readonly id?: string;
  readonly principal: string;
  readonly source: ProgramSource;
  readonly input: JsonObject;
  /** Starts it although properties are not proved; that is recorded. */
  readonly acceptUnproved?: boolean;
}

export type StartedRun =
  | { readonly ok: true; readonly run: string }
  | {
      readonly ok: false;
      readonly code: NotStartedCode;
      readonly message: string;
      /** Of a program that cannot be used. */
      readonly issues?: readonly Issue[];
    };

/** What an event from outside came to. `status` is how the run then stands. */
export type Signalled =
  | { readonly ok: true; readonly outcome: 'moved' | 'taken'; readonly status: string }
  | {
      readonly ok: false;
      readonly code: 'no-such-run' | 'over' | 'not-waiting' | 'event-invalid' | 'secret-cannot-wait' | 'unreadable';
      readonly message: string;
    };

const TURNS_MAX = 8;

/**
 * Guarantees: every move of a run is durable before anything is done because of it; what was done under a command's key
 * is never done again; of two that move a run at once one does, and the other finds out. All methods may be called
 * concurrently, and from several processes on one data directory.
 */
export class Runtime {
  readonly #options: RuntimeOptions;
  readonly #live = new Map<string, LiveRun>();
  readonly #following = new Map<string, Promise<void>>();
  readonly #watch: Watch;
  #isStopped = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#watch = new Watch(options, {
      live: this.#live,
      deliver: (run, recorded) => this.#deliver(run, recorded).then(() => undefined),
      again: (run, command) => this.#again(run, command),
      take: (run) => this.#take(run).then(() => undefined),
    });
  }

  /** Starts a run; it goes on by itself. Throws `LedgerError`: then it was not started, or will be found by `recover`. */
  async start({ id: given, principal, source, input, acceptUnproved = false }: RunOrder): Promise<StartedRun> {
    const { policy } = this.#options.authority;
    if (policy === undefined) return { ok: false, code: 'policy-invalid', message: 'no policy is in force' };
    const linked = linkedSource(policy, principal, source, this.#options.programs);
    if (!linked.ok) {
      const fault = linked.issues.find(({ severity }) => severity === 'error');
      return { ok: false, code: 'program-invalid', message: fault?.message ?? '', issues: linked.issues };
    }
    const unproved = unprovedIn(linked.value);
    if (unproved.length > 0 && !acceptUnproved) {
      return { ok: false, code: 'unproved', message: `not proved: ${unproved.join('; ')}` };
    }
    const id = given ?? newId(this.#options.world);
    const started = await this.#start({ id, principal, linked: linked.value, input, unproved });
    return started ?? { ok: true, run: id };
  }

  /** Resolves once nothing of the run is under way here: it is over, or waits. Rejects with what kept it from going on. */
  async settled(run: string): Promise<void> {
    await this.#following.get(run);
  }

  /**
   * An event from outside. `id` tells one that comes twice. What no run waits for is recorded, and changes nothing. With
   * `principal` only its runs are there. Throws `LedgerError`.
   */
  async signal(
    run: string,
    event: string,
    payload: JsonValue,
    { id, principal }: { readonly id?: string; readonly principal?: string } = {},
  ): Promise<Signalled> {
    const { vault } = this.#options;
    const ignore = async (answer: Signalled & { readonly ok: false }): Promise<Signalled> => {
      await recordIgnored(this.#options, { run, event, code: answer.code });
      return answer;
    };
    const standing = await this.#standingFor(run, principal);
    if (standing === undefined) {
      return ignore({ ok: false, code: 'no-such-run', message: `there is no run \`${run}\` in this ledger` });
    }
    const key = id === undefined ? undefined : vault.keyHmac('event', run, id);
    const over = (status: string): Promise<Signalled> =>
      ignore({ ok: false, code: 'over', message: `run \`${run}\` is over: ${status}` });
    const { status } = standing;
    if (!isOpen(status)) return over(status);
    if (key !== undefined && (await this.#isTaken(key))) return { ok: true, outcome: 'taken', status };
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const answer = await this.#present(run, async (live): Promise<Signalled | undefined> => {
        if (isOver(live.state)) return over(live.state.status);
        const wait = live.waits.find((one) => one.kind === 'event' && one.of === event);
        if (wait === undefined) {
          const message = `run \`${run}\` does not wait for \`${event}\` now`;
          return ignore({ ok: false, code: 'not-waiting', message });
        }
        const problem = eventProblem(this.#options, live.loaded, event, payload);
        if (problem !== undefined) return ignore({ ok: false, ...problem });
        const delivered = await live.deliver({ event: { kind: 'event', command: wait.command, payload } }, key);
        if (delivered === 'stale') this.#forget(live);
        if (delivered === 'stale' || delivered === 'ignored') return undefined;
        return { ok: true, outcome: delivered, status: live.state.status };
      });
      if (answer === 'absent') {
        return { ok: false, code: 'unreadable', message: `run \`${run}\` cannot be moved now` };
      }
      if (answer !== undefined) return answer;
    }
    return ignore({ ok: false, code: 'not-waiting', message: `run \`${run}\` was moved by somebody else` });
  }

  /** Where a run stands, for a principal that may know of it, or for nobody in particular. */
  async #standingFor(run: string, principal: string | undefined): Promise<Standing | undefined> {
    const { ledger } = this.#options;
    if (principal !== undefined && (await principalOf(ledger, run)) !== principal) return undefined;
    return standingOf(ledger, run);
  }

  /** Whether the event with this key moved its run before: then it has nothing to say to what the run waits for now. */
  async #isTaken(key: string): Promise<boolean> {
    const fact = runEventKey(key);
    return (await this.#options.ledger.counters(fact)).has(fact);
  }

  /** From now on the run begins nothing; what it did is undone. False when it is over, or not there. */
  async cancel(run: string, { principal }: { readonly principal?: string } = {}): Promise<boolean> {
    const standing = await this.#standingFor(run, principal);
    if (standing === undefined || !isOpen(standing.status)) return false;
    return (await this.#deliver(run, { event: { kind: 'cancel' } })) === 'moved';
  }

  get(run: string): Promise<RunView | undefined> {
    return viewOf(this.#options.ledger, run);
  }

  /** Takes up what waits, and what a dead process left. Resolves with how many runs go on. Throws `LedgerError`. */
  recover(): Promise<number> {
    return this.#watch.recover();
  }

  /** Looks once at what runs wait for: events whose time is over, calls that were answered or settled. Throws `LedgerError`. */
  look(): Promise<void> {
    return this.#watch.look();
  }

  /**
   * From now on runs begin nothing here. What is under way is recorded when it ends, but for refusals: those may come of
   * the stop. Another process goes on from there.
   */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves once nothing is under way here. */
  async idle(): Promise<void> {
    while (this.#following.size > 0) await Promise.allSettled(this.#following.values());
  }

  async #start(starting: Starting): Promise<(StartedRun & { readonly ok: false }) | undefined> {
    const started = await startRun(this.#options, starting);
    if (started.kind === 'refused') return { ok: false, code: started.code, message: started.message };
    if (started.kind === 'exists') await this.#take(starting.id);
    else {
      const live = this.#register(new LiveRun(this.#options, this.#hooks(), started.run));
      live.resume();
      this.#follow(live);
    }
    return undefined;
  }

  /** The run as this process moves it; nothing when it cannot be loaded now. Throws `LedgerError`. */
  async #take(run: string): Promise<LiveRun | undefined> {
    const known = this.#live.get(run);
    if (known !== undefined) return known;
    const loaded = await loadRun(this.#options, run);
    // Somebody here was faster.
    const meanwhile = this.#live.get(run);
    if (meanwhile !== undefined) return meanwhile;
    if (!loaded.ok) {
      this.#options.log(`run ${run} cannot go on: ${loaded.message} [${loaded.code}]`);
      return undefined;
    }
    const live = this.#register(new LiveRun(this.#options, this.#hooks(), loaded.value));
    live.resume();
    this.#follow(live);
    return live;
  }

  #register(live: LiveRun): LiveRun {
    this.#live.set(live.id, live);
    this.#watch.forget(live.id);
    return live;
  }

  #forget(live: LiveRun): void {
    if (this.#live.get(live.id) === live) this.#live.delete(live.id);
  }

  /** What is at rest is not kept in memory: the ledger has all of it. */
  #follow(live: LiveRun): void {
    const { id } = live;
    const following = this.#toRest(live);
    this.#following.set(id, following);
    void this.#untilRest(id, following);
  }

  async #untilRest(id: string, following: Promise<void>): Promise<void> {
    try {
      await following;
    } catch (error) {
      // The ledger has all of the run, and `recover` finds it there. A bug ends what is done for this run, not the others.
      const { message, stack } = error instanceof Error ? error : { message: 'no reason', stack: undefined };
      this.#options.log(`run ${id} could not be moved: ${error instanceof LedgerError ? message : (stack ?? message)}`);
    } finally {
      if (this.#following.get(id) === following) this.#following.delete(id);
    }
  }

  async #toRest(live: LiveRun): Promise<void> {
    try {
      do await live.idle();
      while (!live.isIdle);
    } finally {
      this.#forget(live);
    }
    if (isOver(live.state)) await this.#ended(live);
    else this.#watch.keep(live.id, live.loaded.standing);
  }

  async #ended({ id, state, loaded }: LiveRun): Promise<void> {
    const { parent } = loaded.started;
    if (parent !== undefined) await this.#deliver(parent.run, await this.#childEvent(parent.command, id, state.status));
  }

  async #childEvent(command: string, child: string, status: string): Promise<RecordedEvent> {
    const output = await this.#options.ledger.body(child, 'output');
    return { event: { kind: 'child', command, status, ...(output === undefined ? {} : { output }) }, of: child };
  }

  async #deliver(run: string, recorded: RecordedEvent): Promise<Delivered> {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const delivered = await this.#present(run, async (live) => {
        const came = await live.deliver(recorded);
        if (came === 'stale') this.#forget(live);
        return came;
      });
      if (delivered === 'absent') return 'ignored';
      if (delivered !== 'stale') return delivered;
    }
    return 'stale';
  }

  async #again(run: string, command: string): Promise<void> {
    await this.#present(run, async (live) => live.again(command));
  }

  /** Does something with a run before it can come to rest; `absent` when it cannot be loaded now. */
  async #present<T>(run: string, act: (live: LiveRun) => Promise<T>): Promise<T | 'absent'> {
    const taken = await this.#take(run);
    if (taken === undefined) return 'absent';
    const known = this.#live.get(run);
    const live = known ?? this.#register(taken);
    const acting = act(live);
    if (known === undefined) this.#follow(live);
    return acting;
  }

  #hooks(): ConstructorParameters<typeof LiveRun>[1] {
    return {
      perform: (run, command, signal) => this.#perform(run, command, signal),
      withdraw: (wait) => this.#withdraw(wait),
    };
  }

  async #perform(run: LiveRun, command: Command, signal: AbortSignal): Promise<void> {
    if (this.#isStopped) return;
    switch (command.kind) {
      case 'call':
      case 'model':
      case 'ask': {
        const came = await callThrough(this.#options, run.loaded, command, signal);
        if (came === undefined || (this.#isStopped && wasRefused(came))) return;
        const delivered = await this.#deliver(run.id, came);
        const { event, of } = came;
        const isAwaited = this.#live.get(run.id)?.pending(command.id) !== undefined;
        // The run does not wait for it any more, so nobody has to be asked.
        if (delivered === 'ignored' && !isAwaited && event.kind === 'waits' && of !== undefined) await this.#refuse(of);
        return;
      }
      case 'child': {
        const child = childRun(run.loaded, command);
        const refused = await this.#start(child);
        if (refused !== undefined) {
          const { id } = command;
          const event = { kind: 'call', command: id, end: 'denied', message: refused.message } as const;
          await this.#deliver(run.id, { event: { ...event, kind: 'child', status: refused.code }, of: child.id });
          return;
        }
        await this.settled(child.id);
        const view = await viewOf(this.#options.ledger, child.id);
        if (view === undefined) return;
        const isWaiting = isOpen(view.status);
        const waits: RecordedEvent = { event: { kind: 'waits', command: command.id }, of: child.id };
        await this.#deliver(run.id, isWaiting ? waits : await this.#childEvent(command.id, child.id, view.status));
        return;
      }
      case 'wait':
      case 'abandon':
        return;
    }
  }

  async #withdraw({ kind, of }: Wait): Promise<void> {
    if (kind === 'approval') await this.#refuse(of);
    if (kind === 'run') await this.cancel(of);
  }

  async #refuse(call: string): Promise<void> {
    await refuse(this.#options.ledger, this.#options.world, { call, by: 'interlock', reason: 'its run was cancelled' });
  }
}

/** Whether nothing was done: it is proposed again, and refused again where the stop was not the reason. */
function wasRefused({ event }: RecordedEvent): boolean {
  return event.kind === 'call' && (event.end === 'denied' || event.end === 'not-started');
}

/** Whether something can still move a run with this status. */
export function isOpen(status: string): boolean {
  return status === 'running' || status === 'suspended';
}
