/** A gateway session: the configuration file as it changes, the tools as they come, and the policy of both. */

import type { Authority } from '../authority/authority.ts';
import type { Door } from '../gateway/door.ts';
import { recordKept, recordedWidens } from '../authority/reload.ts';
import { type Reloading, reloading } from '../authority/reloading.ts';
import { type OwnTool, getCallTool } from '../gateway/own.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { isSameServer } from '../gateway/gateway.ts';
import { type Policy, compilePolicy } from '../policy/compile.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { Lock } from '../policy/pin/lock.ts';
import type { Pins, TrustedPin } from '../policy/pin/pin.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import { type Widening, wideningsOf } from '../policy/approval/widening.ts';
import type { Issue } from '../value/issue.ts';
import type { JsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import type { Loaded, Usable } from './configuration.ts';
import { counted, firstError, forbidUse } from './issues.ts';
import { type Looked, isAlike, lookAt } from './look.ts';
import { withPrograms } from './program-file.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { typeShadow } from './shadow.ts';

/** How often approvals are looked for, milliseconds. */
const CLAIM_EVERY_MS = 200;
/** How often calls are looked for that a process left between intent and outcome, milliseconds. */
const TEND_EVERY_MS = 1_000;
/** How often the configuration file is looked at, milliseconds. */
const LOOK_EVERY_MS = 250;

export interface SessionOptions {
  readonly authority: Authority;
  readonly ledger: Ledger;
  readonly world: World;
  /** The id of this session: its calls are one run. */
  readonly id: string;
  readonly load: () => Promise<Loaded>;
  /** Takes one line. */
  readonly log: (line: string) => void;
  readonly show: (issues: readonly Issue[], loaded: Loaded) => void;
  /** Interlock's tools beside `get_call`. */
  readonly own?: () => readonly OwnTool[];
  /** Looks after the vault once, under the configuration in force; answers with what there is to tell. */
  readonly upkeep?: (configuration: Configuration) => Promise<readonly string[]>;
  /** `Authority.trusted` at the start; none if not given. */
  readonly trusted?: ReadonlyMap<string, TrustedPin>;
}

/** Keeps the authority's policy true to the file and to what the servers offer. One writer, in order. */
export class Session {
  readonly #options: SessionOptions;
  /** What waits for an approver. */
  readonly #reloading: Reloading;
  #offered = new Map<string, readonly ToolDefinition[]>();
  /** The file as it was last read, whether it could be used or not. */
  #read: Loaded | undefined;
  /** The file that the policy in force was made of. */
  #used: Usable | undefined;
  /** What calls are decided under. */
  #policy: Policy | undefined;
  /** What was shown of the file last read. */
  #shown = new Set<string>();
  /** By policy name: what the ledger remembers, or is being told to. */
  #trusted: ReadonlyMap<string, TrustedPin>;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { ledger, world, log } = options;
    this.#reloading = reloading({ ledger, world, log, write: (record) => this.#write(record) });
    this.#trusted = options.trusted ?? new Map();
  }

  /** What the policy in force was made of; absent while there is none. */
  get used(): Usable | undefined {
    return this.#used;
  }

  get configuration(): Configuration | undefined {
    return this.#used?.configuration;
  }

  /** Who the host is. */
  get principal(): string {
    return this.configuration?.principal ?? 'local';
  }

  /**
   * Takes a file as it is now. A good one replaces the policy, unless it may allow more and nobody has approved that; a
   * bad one keeps the old policy and says why, or, when there was none, denies everything until it is mended. Answers
   * whether the configuration changed. `approved` is the id of the reload that was signed.
   */
  take(loaded: Loaded, approved?: string): boolean {
    const before = this.#used;
    const { configuration } = loaded;
    const offered = configuration === undefined ? this.#offered : this.#offeredStill(configuration);
    const compiled =
      configuration === undefined ? undefined : compile({ ...loaded, configuration }, offered, this.#trusted);
    const issues = [...loaded.issues, ...(compiled?.issues ?? [])];
    this.#read = loaded;
    this.#shown = new Set();
    this.#show(issues, loaded);
    // A mistake that only some tools would notice is still a mistake of whoever wrote the file just now.
    if (configuration !== undefined && compiled?.policy !== undefined && !forbidUse(issues)) {
      const widens = this.#policy === undefined ? [] : wideningsOf(this.#policy, compiled.policy).map(lineIn(loaded));
      const change = { before: before?.configuration, after: configuration, widens };
      if (!this.#reloading.takes(change, approved)) return false;
      this.#used = { ...loaded, configuration };
      this.#offered = offered;
      const how = approved === undefined ? {} : { reload: approved };
      this.#enforce(compiled.policy, this.#used, widens.length === 0 ? how : { ...how, ...recordedWidens(widens) });
      return !isSameFile(before, this.#used);
    }
    this.#keep(firstError(issues, loaded.shown));
    return false;
  }

  /** A file that cannot be used leaves everything as it was. */
  #keep(message: string): void {
    const { authority, ledger, world, log } = this.#options;
    this.#reloading.withdraw();
    const kept = this.#used?.configuration.digest;
    if (kept === undefined) {
      log('every call is denied until the file is mended');
      void this.#write(() => authority.refuse(message));
    } else {
      log('the policy in force stays as it was');
      void this.#write(() => recordKept(ledger, world, message, kept));
    }
  }

  /** Takes over a change that was approved since, until `signal` aborts; calls `changed` after it was taken. */
  answers(signal: AbortSignal, changed: () => void): Promise<void> {
    return this.#repeat(CLAIM_EVERY_MS, signal, 'the answer to a change could not be looked for', async () => {
      const answered = await this.#reloading.answered(() => this.configuration, this.#options.load);
      if (answered !== undefined && this.take(answered.file, answered.approved)) changed();
    });
  }

  /** The door of the gateway whose host is the configured principal. */
  door(): Door {
    const { authority, id, own } = this.#options;
    const getCall = getCallTool((call) => authority.status(this.principal, call));
    const interactive = (): boolean => this.configuration?.approvals.interactive === true;
    return {
      get interactive() {
        return interactive();
      },
      get own() {
        return [getCall, ...(own?.() ?? [])];
      },
      visible: (tool) => authority.visible(this.principal, tool),
      shown: (definition) => authority.shown(definition),
      call: (proposed) => authority.call({ ...proposed, principal: this.principal, session: id }),
      malformed: (reason) => authority.malformed(this.principal, id, reason),
      offered: (server, tools) => {
        // What a server offered stays known while it is away: its tools are then unavailable, not unheard of.
        if (tools === undefined) return;
        this.#offered.set(server, tools);
        this.#typeAgain();
      },
    };
  }

  /** Looks at the file that was taken until `signal` aborts; calls `changed` after each change that was taken. */
  async watch(signal: AbortSignal, changed: () => void): Promise<void> {
    const { world, load } = this.#options;
    let taken = this.#read;
    let last: Looked | undefined = taken;
    while (!signal.aborted) {
      await world.sleep(LOOK_EVERY_MS, signal);
      const now = await lookAt(taken);
      // A file that is still being written is left alone: half of a policy may be one that allows more.
      const isStill = isAlike(now, last);
      last = now;
      if (isAlike(now, taken) || !isStill || signal.aborted) continue;
      const loaded = await load();
      if (loaded.identity !== now?.identity) continue;
      taken = loaded;
      last = loaded;
      if (this.take(loaded)) changed();
    }
  }

  /** Runs the host's calls that were approved while they waited, until `signal` aborts and they have ended. */
  async claim(signal: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    await this.#repeat(CLAIM_EVERY_MS, signal, 'approved calls could not be looked for', async () => {
      for (const claimed of await this.#options.authority.claim([this.principal])) {
        running.add(claimed);
        void claimed.finally(() => running.delete(claimed));
      }
    });
    await Promise.all(running);
  }

  /** Looks after the calls that processes left behind, and after results past their time, until `signal` aborts. */
  async tend(signal: AbortSignal): Promise<void> {
    const { authority, log, upkeep } = this.#options;
    await this.#repeat(TEND_EVERY_MS, signal, 'calls without outcome could not be looked for', async () => {
      const recovered = await authority.recover();
      if (recovered > 0) log(`${counted(recovered, 'call')} ended without a recorded outcome: unknown from now on`);
      await authority.expire();
      await authority.tally('over');
      const { configuration } = this;
      if (configuration !== undefined) for (const line of (await upkeep?.(configuration)) ?? []) log(line);
    });
  }

  /** Looks into calls of unknown outcome whose tools have a probe, until `signal` aborts. */
  probe(signal: AbortSignal): Promise<void> {
    const { authority } = this.#options;
    return this.#repeat(TEND_EVERY_MS, signal, 'calls of unknown outcome could not be looked into', () =>
      authority.probe(),
    );
  }

  /** Looks for exceptions that were made or ended, until `signal` aborts; calls `changed` after each. */
  exceptions(signal: AbortSignal, changed: () => void): Promise<void> {
    const { authority } = this.#options;
    return this.#repeat(TEND_EVERY_MS, signal, 'exceptions could not be looked for', async () => {
      if (await authority.refresh()) changed();
    });
  }

  /** Takes up runs of programs that dead processes left, and looks at what runs wait for, until `signal` aborts. */
  async drive(runtime: Pick<Runtime, 'recover' | 'look'>, signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#repeat(TEND_EVERY_MS, signal, 'runs that were left could not be looked for', async () => {
        await runtime.recover();
      }),
      this.#repeat(CLAIM_EVERY_MS, signal, 'what runs wait for could not be looked at', () => runtime.look()),
    ]);
  }

  /** Resolves when what was taken so far is recorded, and the denials that were only counted by now. */
  async recorded(): Promise<void> {
    await this.#writing;
    try {
      await this.#options.authority.tally('all');
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#options.log(`how many denials were counted could not be recorded: ${error.message}`);
    }
  }

  /** What `work` leaves undone because the ledger refuses it is tried again; the next call says what is wrong. */
  async #repeat(everyMs: number, signal: AbortSignal, failed: string, work: () => Promise<void>): Promise<void> {
    const { world, log } = this.#options;
    while (!signal.aborted) {
      await world.sleep(everyMs, signal);
      try {
        if (!signal.aborted) await work();
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        if (!signal.aborted) log(`${failed}: ${error.message}`);
      }
    }
  }

  /** What is offered by servers that `configuration` starts as they run now; of others nothing is known yet. */
  #offeredStill(configuration: Configuration): Map<string, readonly ToolDefinition[]> {
    const same = (id: string): boolean => {
      const [before, after] = [this.configuration?.servers.get(id), configuration.servers.get(id)];
      return before !== undefined && after !== undefined && isSameServer(before, after);
    };
    return new Map([...this.#offered].filter(([id]) => same(id)));
  }

  /** The file that is in force over what is known of tools by now. */
  #typeAgain(): void {
    if (this.#used === undefined) return;
    const { policy, issues } = compile(this.#used, this.#offered, this.#trusted);
    this.#show(issues, this.#used);
    if (policy !== undefined) this.#enforce(policy, this.#used);
  }

  /** What no lock pins is remembered as it is before anybody sees it; the ledger's word stands where it has another. */
  #remember({ tools }: Policy): void {
    const { authority } = this.#options;
    const fresh = [...tools.values()].filter(
      ({ name, pin }) =>
        pin.trustKey !== undefined && !this.#trusted.has(name) && authority.visible(this.principal, name),
    );
    if (fresh.length === 0) return;
    const pins = new Map(fresh.map(({ name, definition }) => [name, { digest: definition.digest, definition }]));
    this.#trusted = new Map([...this.#trusted, ...pins]);
    void this.#write(async () => {
      try {
        if (!(await authority.trust([...pins.keys()]))) return;
        this.#trusted = await authority.trusted();
        this.#typeAgain();
      } catch (error) {
        // What is not recorded is not trusted: the first call of each is written with its pin.
        this.#trusted = new Map([...this.#trusted].filter(([name, pin]) => pins.get(name) !== pin));
        throw error;
      }
    });
  }

  /** Says what is new: a list of tools that arrives compiles the same file again. */
  #show(issues: readonly Issue[], loaded: Loaded): void {
    const fresh = issues.filter((issue) => !awaitsList(issue) && !this.#shown.has(JSON.stringify(issue)));
    for (const issue of fresh) this.#shown.add(JSON.stringify(issue));
    if (fresh.length > 0) this.#options.show(fresh, loaded);
  }

  /** A shadow that does not load is told like one that does: calls go on without it. */
  #enforce(policy: Policy, { configuration, shadow, ...loaded }: Usable, how: JsonObject = {}): void {
    this.#policy = policy;
    const typed =
      shadow === undefined
        ? undefined
        : typeShadow(
            configuration,
            shadow,
            withPrograms(this.#offered, loaded.programs),
            pinsOf(loaded, this.#trusted),
          );
    if (shadow !== undefined && typed !== undefined) this.#show(typed.issues, { ...loaded, ...shadow });
    if (typed?.state.kind === 'invalid') this.#options.log('the shadow is not decided: calls go on without it');
    void this.#write(() => this.#options.authority.load(policy, typed?.state, how));
    this.#remember(policy);
  }

  /** The authority changes its policy at once; its entry follows in order, and a ledger that refuses it denies calls itself. */
  #write(record: () => Promise<void>): Promise<void> {
    const recorded = record().catch((error: unknown) => {
      this.#options.log(`the policy could not be recorded: ${error instanceof Error ? error.message : 'no reason'}`);
    });
    this.#writing = Promise.all([this.#writing, recorded]).then(() => undefined);
    return recorded;
  }
}

/** A change in one line, with its place: in the file, or in what the file said before. */
function lineIn({ shown }: Loaded): (widening: Widening) => string {
  return ({ message, place, of }) => {
    const was = of === 'now' ? '' : ' as it was';
    return `${shown}:${place.line}:${place.column}${was}: ${message}`;
  };
}

function compile(
  { configuration, lock, programs }: Pick<Usable, 'configuration' | 'lock' | 'programs'>,
  offered: ReadonlyMap<string, readonly ToolDefinition[]>,
  trusted: ReadonlyMap<string, TrustedPin>,
): ReturnType<typeof compilePolicy> {
  const all = withPrograms(offered, programs);
  const tools = new Map([...all.values()].flat().map((tool) => [tool.name, tool] as const));
  const pins = pinsOf({ lock }, trusted);
  return compilePolicy(configuration, tools, { complete: new Set(offered.keys()), pins });
}

function pinsOf({ lock }: { readonly lock?: Lock | undefined }, trusted: ReadonlyMap<string, TrustedPin>): Pins {
  return lock === undefined ? { trusted } : { lock, trusted };
}

function isSameFile(before: Usable | undefined, now: Usable): boolean {
  if (before?.configuration.digest !== now.configuration.digest) return false;
  return before.lock?.digest === now.lock?.digest && before.programs?.identity === now.programs?.identity;
}

/** At the start no list of tools is there yet, and that patterns match nothing then is no news. */
function awaitsList({ code, severity }: Issue): boolean {
  return code === 'pattern-matches-nothing' && severity === 'warning';
}
