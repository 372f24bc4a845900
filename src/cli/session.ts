/** A gateway session: the configuration file as it changes, the tools as they come, and the policy of both. */

import type { Authority } from '../authority/authority.ts';
import type { Door } from '../gateway/door.ts';
import { getCallTool } from '../gateway/own.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { isSameServer } from '../gateway/gateway.ts';
import { type Policy, compilePolicy } from '../policy/compile.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { Lock } from '../policy/lock.ts';
import type { Pins, TrustedPin } from '../policy/pin.ts';
import type { ToolDefinition } from '../policy/tool.ts';
import type { Issue } from '../value/issue.ts';
import type { World } from '../world/world.ts';
import { type Loaded, type Usable, identityOf } from './configuration.ts';
import { counted, firstError, forbidUse } from './issues.ts';
import { typeShadow } from './shadow.ts';

/** How often approvals are looked for, milliseconds. */
const CLAIM_EVERY_MS = 200;
/** How often calls are looked for that a process left between intent and outcome, milliseconds. */
const TEND_EVERY_MS = 1_000;
/** How often the configuration file is looked at, milliseconds. */
const LOOK_EVERY_MS = 250;

export interface SessionOptions {
  readonly authority: Authority;
  readonly world: World;
  /** The id of this session: its calls are one run. */
  readonly id: string;
  readonly load: () => Promise<Loaded>;
  /** Takes one line. */
  readonly log: (line: string) => void;
  readonly show: (issues: readonly Issue[], loaded: Loaded) => void;
  /** `Authority.trusted` at the start; none if not given. */
  readonly trusted?: ReadonlyMap<string, TrustedPin>;
}

/** Keeps the authority's policy true to the file and to what the servers offer. One writer, in order. */
export class Session {
  readonly #options: SessionOptions;
  #offered = new Map<string, readonly ToolDefinition[]>();
  /** The file as it was last read, whether it could be used or not. */
  #read: Loaded | undefined;
  /** The file that the policy in force was made of. */
  #used: Usable | undefined;
  /** What was shown of the file last read. */
  #shown = new Set<string>();
  /** By policy name: what the ledger remembers, or is being told to. */
  #trusted: ReadonlyMap<string, TrustedPin>;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#trusted = options.trusted ?? new Map();
  }

  /** What the policy in force was made of; absent while there is none. */
  get used(): Usable | undefined {
    return this.#used;
  }

  get configuration(): Configuration | undefined {
    return this.#used?.configuration;
  }

  /**
   * Takes a file as it is now. A good one replaces the policy; a bad one keeps the old policy and says why, or, when
   * there was none, denies everything until it is mended. Answers whether the configuration changed.
   */
  take(loaded: Loaded): boolean {
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
      this.#used = { ...loaded, configuration };
      this.#offered = offered;
      this.#enforce(compiled.policy, this.#used);
      return before?.configuration.digest !== configuration.digest || before.lock?.digest !== loaded.lock?.digest;
    }
    if (before !== undefined) this.#options.log('the policy in force stays as it was');
    else {
      this.#options.log('every call is denied until the file is mended');
      this.#write(() => this.#options.authority.refuse(firstError(issues, loaded.shown)));
    }
    return false;
  }

  /** The door of the gateway whose host is the configured principal. */
  door(): Door {
    const { authority, id } = this.#options;
    return {
      own: [getCallTool((call) => authority.status(this.#principal(), call))],
      visible: (tool) => authority.visible(this.#principal(), tool),
      shown: (definition) => authority.shown(definition),
      call: (proposed) => authority.call({ ...proposed, principal: this.#principal(), session: id }),
      malformed: (reason) => authority.malformed(this.#principal(), id, reason),
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

  /** Runs calls that were approved while they waited, until `signal` aborts. */
  claim(signal: AbortSignal): Promise<void> {
    const { authority } = this.#options;
    return this.#repeat(CLAIM_EVERY_MS, signal, 'approved calls could not be looked for', () => authority.claim());
  }

  /** Looks after the calls that processes left behind, and after results past their time, until `signal` aborts. */
  async tend(signal: AbortSignal): Promise<void> {
    const { authority, log } = this.#options;
    await this.#repeat(TEND_EVERY_MS, signal, 'calls without outcome could not be looked for', async () => {
      const recovered = await authority.recover();
      if (recovered > 0) log(`${counted(recovered, 'call')} ended without a recorded outcome: unknown from now on`);
      await authority.expire();
    });
  }

  /** Looks into calls of unknown outcome whose tools have a probe, until `signal` aborts. */
  probe(signal: AbortSignal): Promise<void> {
    const { authority } = this.#options;
    return this.#repeat(TEND_EVERY_MS, signal, 'calls of unknown outcome could not be looked into', () =>
      authority.probe(),
    );
  }

  /** Resolves when what was taken so far is recorded. */
  recorded(): Promise<void> {
    return this.#writing;
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

  #principal(): string {
    return this.configuration?.principal ?? 'local';
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
        pin.trustKey !== undefined && !this.#trusted.has(name) && authority.visible(this.#principal(), name),
    );
    if (fresh.length === 0) return;
    const pins = new Map(fresh.map(({ name, definition }) => [name, { digest: definition.digest, definition }]));
    this.#trusted = new Map([...this.#trusted, ...pins]);
    this.#write(async () => {
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
  #enforce(policy: Policy, { configuration, shadow, ...loaded }: Usable): void {
    const typed =
      shadow === undefined
        ? undefined
        : typeShadow(configuration, shadow, this.#offered, pinsOf(loaded, this.#trusted));
    if (shadow !== undefined && typed !== undefined) this.#show(typed.issues, { ...loaded, ...shadow });
    if (typed?.state.kind === 'invalid') this.#options.log('the shadow is not decided: calls go on without it');
    this.#write(() => this.#options.authority.load(policy, typed?.state));
    this.#remember(policy);
  }

  /** The authority changes its policy at once; its entry follows in order, and a ledger that refuses it denies calls itself. */
  #write(record: () => Promise<void>): void {
    const recorded = record().catch((error: unknown) => {
      this.#options.log(`the policy could not be recorded: ${error instanceof Error ? error.message : 'no reason'}`);
    });
    this.#writing = Promise.all([this.#writing, recorded]).then(() => undefined);
  }
}

/** The files that tell whether to read again. */
type Looked = Pick<Loaded, 'file' | 'identity' | 'shadow'>;

/** The same files as they are now. */
async function lookAt(taken: Looked | undefined): Promise<Looked | undefined> {
  if (taken === undefined) return undefined;
  const { file, shadow } = taken;
  const identity = await identityOf(file);
  if (shadow === undefined) return { file, identity };
  return { file, identity, shadow: { ...shadow, identity: await identityOf(shadow.file) } };
}

function isAlike(a: Looked | undefined, b: Looked | undefined): boolean {
  return a?.identity === b?.identity && a?.shadow?.identity === b?.shadow?.identity;
}

function compile(
  { configuration, lock }: Pick<Usable, 'configuration' | 'lock'>,
  offered: ReadonlyMap<string, readonly ToolDefinition[]>,
  trusted: ReadonlyMap<string, TrustedPin>,
): ReturnType<typeof compilePolicy> {
  const tools = new Map([...offered.values()].flat().map((tool) => [tool.name, tool] as const));
  const pins = pinsOf({ lock }, trusted);
  return compilePolicy(configuration, tools, { complete: new Set(offered.keys()), pins });
}

function pinsOf({ lock }: { readonly lock?: Lock | undefined }, trusted: ReadonlyMap<string, TrustedPin>): Pins {
  return lock === undefined ? { trusted } : { lock, trusted };
}

/** At the start no list of tools is there yet, and that patterns match nothing then is no news. */
function awaitsList({ code, severity }: Issue): boolean {
  return code === 'pattern-matches-nothing' && severity === 'warning';
}
