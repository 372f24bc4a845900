/** Runs over a real runtime and authority whose tools do as they are told: their world, its clock, and what is on its way. */

import assert from 'node:assert/strict';
import { textOf } from '../src/audit/problem.ts';
import type { Performed } from '../src/authority/answer.ts';
import type { Reach } from '../src/authority/proposal.ts';
import type { Entry } from '../src/ledger/entry.ts';
import type { Policy } from '../src/policy/compile.ts';
import { modelNameOf } from '../src/policy/tool/model.ts';
import type { JsonObject } from '../src/value/json.ts';
import { type ManualWorld, createManualWorld } from './manual-world.ts';
import { type Came, type Said, spoil } from './program-script.ts';
import { type RuntimeWorld, openRuntimeWorld } from './runtime-world.ts';

const TIMEOUT_MS = 60_000;

/** What was sent, as the tools and models saw it. */
export interface Sent {
  readonly calls: (readonly [tool: string, args: JsonObject])[];
  readonly asked: (readonly [model: string, prompt: string])[];
}

/** An outcome on its way. */
interface Coming {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly arrive: () => void;
  /** Writes into what arrived, if its tool does. */
  readonly spoil: () => void;
}

export interface PlayingOptions {
  readonly policy: Policy;
  readonly programs: Readonly<Record<string, string>>;
  readonly outcome: Said;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly alwaysReplay?: boolean;
  /** The process dies after so many commits, the next one after so many more, and so on. */
  readonly deaths?: readonly number[];
}

/** Nothing happens of itself: outcomes arrive and time passes only when they are told to. */
export class Playing {
  readonly sent: Sent = { calls: [], asked: [] };
  /** What tools may have carried out. */
  readonly effects: (readonly [tool: string, args: JsonObject])[] = [];
  readonly clock: ManualWorld;
  readonly #options: PlayingOptions;
  readonly #deaths: number[];
  #world: RuntimeWorld | undefined;
  #coming: Coming[] = [];
  #commits = 0;
  readonly #faults: unknown[] = [];

  constructor(options: PlayingOptions) {
    this.#options = options;
    this.#deaths = [...(options.deaths ?? [])];
    this.clock = createManualWorld(options.start);
  }

  get world(): RuntimeWorld {
    assert.ok(this.#world !== undefined, 'the world is open');
    return this.#world;
  }

  get isDead(): boolean {
    return !this.world.disk.alive.has(this.world.ledger.instance);
  }

  get isQuiet(): boolean {
    return this.#coming.length === 0;
  }

  /** Opens the world, or another process on the same disk while the one before is dead with all that was under way. */
  async open(): Promise<void> {
    const before = this.#world;
    this.#coming = [];
    if (before !== undefined) before.disk.alive.delete(before.ledger.instance);
    const { policy, programs, alwaysReplay = false } = this.#options;
    this.#world = await openRuntimeWorld({
      policy,
      programs,
      alwaysReplay,
      world: this.clock,
      reach: (tool, timeoutMs) => this.#reach(tool, timeoutMs),
      later: (commit) => this.#later(commit),
      ...(before === undefined ? {} : { disk: before.disk, vault: before.vault }),
    });
    if (before === undefined) return;
    await this.#world.authority.recover();
    await this.#world.runtime.recover();
  }

  /** Resolves once nothing happens without an outcome that arrives or time that passes. */
  async quiet(): Promise<void> {
    do await turn();
    while (this.#commits > 0);
    assert.deepEqual(this.#faults, []);
  }

  /** From now on no process dies of itself. */
  spare(): void {
    this.#deaths.length = 0;
  }

  /** Whether no run is under way. */
  async isIdle(): Promise<boolean> {
    return Promise.race([this.world.runtime.idle().then(() => true), turn().then(() => false)]);
  }

  /** Outcomes arrive, the earliest first, and pauses end, until nothing is under way, or `until`, or `isEnough`. */
  async settle(isEnough: () => Promise<boolean>, until: number = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await this.quiet();
      if (await isEnough()) return;
      const [first] = this.#coming.toSorted((one, other) => one.at - other.at);
      const wake = (await this.isIdle()) ? undefined : this.clock.untilWake();
      const wakes = wake === undefined ? Number.POSITIVE_INFINITY : this.clock.now() + Math.ceil(wake);
      const at = Math.min(first?.at ?? Number.POSITIVE_INFINITY, wakes);
      if (at === Number.POSITIVE_INFINITY || at > until) return;
      this.clock.advance(Math.max(0, at - this.clock.now()));
      if (first === undefined || first.at > at) continue;
      this.#coming = this.#coming.filter((one) => one !== first);
      first.arrive();
      await this.quiet();
      first.spoil();
    }
  }

  entries(): readonly Entry[] {
    return this.world.entries();
  }

  #later(commit: () => void): void {
    this.#commits += 1;
    setImmediate(() => {
      this.#commits -= 1;
      commit();
      this.#age();
    });
  }

  /** The process that wrote may die of it: what it had asked for is answered, and nothing more is written. */
  #age(): void {
    const [left] = this.#deaths;
    if (left === undefined || this.#world === undefined || this.isDead) return;
    this.#deaths[0] = left - 1;
    if (left > 1) return;
    this.#deaths.shift();
    this.#world.disk.alive.delete(this.#world.ledger.instance);
  }

  #reach(tool: string, timeoutMs = TIMEOUT_MS): ReturnType<Reach> {
    let isFirst = true;
    const perform = async (args: JsonObject): Promise<Performed> => {
      const model = modelNameOf(tool);
      if (isFirst && model === undefined) this.sent.calls.push([tool, structuredClone(args)]);
      if (isFirst && model !== undefined) this.sent.asked.push([model, textOf(args['prompt'])]);
      isFirst = false;
      const came = this.#next(tool, model);
      if (came.end !== 'not-started') this.effects.push([tool, structuredClone(args)]);
      const isLate = came.takesMs > timeoutMs;
      const performed: Performed = isLate ? { kind: 'unknown', reason: 'it took too long' } : performedOf(came, model);
      const taken = Promise.withResolvers<void>();
      this.#coming.push({
        at: this.clock.now() + Math.min(came.takesMs, timeoutMs),
        arrive: taken.resolve,
        spoil: () => {
          if (!came.mutates) return;
          if (performed.kind === 'succeeded') spoil(performed.output);
        },
      });
      if (came.mutates) spoil(args);
      await taken.promise;
      return performed;
    };
    return { timeoutMs, perform };
  }

  #next(tool: string, model: string | undefined): Came {
    try {
      return this.#options.outcome(model === undefined ? { kind: 'call', tool } : { kind: 'model', model });
    } catch (error) {
      this.#faults.push(error);
      throw error;
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function performedOf({ end, output, message = '', usage }: Came, model: string | undefined): Performed {
  if (end === 'unknown' || end === 'not-started') return { kind: end, reason: message };
  const text = end === 'succeeded' && typeof output === 'string' ? output : message;
  const { tokens = 0, microUsd = 0 } = usage;
  const said = {
    text: end === 'succeeded' ? text : '',
    model: model ?? '',
    tokens: { input: tokens, output: 0 },
    microUsd,
  };
  if (end === 'succeeded')
    return { kind: end, output: { structuredContent: model === undefined ? (output ?? null) : said } };
  const content = [{ type: 'text', text }];
  return {
    kind: 'failed',
    output: { content, isError: true, ...(model === undefined ? {} : { structuredContent: said }) },
  };
}
