/** A gateway session: the configuration file as it changes, the tools as they come, and the policy of both. */

import { stat } from 'node:fs/promises';
import type { Authority } from '../authority/authority.ts';
import type { Door } from '../gateway/door.ts';
import { type Policy, compilePolicy } from '../policy/compile.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { ToolDefinition } from '../policy/tool.ts';
import type { Issue } from '../value/issue.ts';
import type { World } from '../world/world.ts';
import { type Loaded, firstError } from './configuration.ts';

/** How often the configuration file is looked at, milliseconds. */
const LOOK_EVERY_MS = 250;

export interface SessionOptions {
  readonly authority: Authority;
  readonly world: World;
  /** The id of this session: its calls are one run. */
  readonly id: string;
  readonly load: () => Promise<Loaded>;
  /** The configuration file, absolute. */
  readonly file: string;
  /** Takes one line. */
  readonly log: (line: string) => void;
  readonly show: (issues: readonly Issue[], source: string) => void;
}

/** Keeps the authority's policy true to the file and to what the servers offer. One writer, in order. */
export class Session {
  readonly #options: SessionOptions;
  readonly #offered = new Map<string, readonly ToolDefinition[]>();
  #source = '';
  #configuration: Configuration | undefined;
  #shown = '';
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  /**
   * Takes a file as it is now. A good one replaces the policy; a bad one keeps the old policy and says why, or, when
   * there was none, denies everything until it is mended. Answers whether the configuration changed.
   */
  take(loaded: Loaded): boolean {
    const before = this.#configuration;
    const compiled = loaded.configuration === undefined ? undefined : this.#compile(loaded.configuration);
    const issues = [...loaded.issues, ...(compiled?.issues ?? [])];
    this.#source = loaded.source;
    this.#show(issues);
    if (loaded.configuration !== undefined && compiled?.policy !== undefined) {
      this.#configuration = loaded.configuration;
      this.#enforce(compiled.policy);
      return before?.digest !== loaded.configuration.digest;
    }
    this.#options.log(
      before === undefined ? 'every call is denied until the file is mended' : 'the policy in force stays as it was',
    );
    if (before === undefined) this.#write(() => this.#options.authority.refuse(firstError(issues)));
    return false;
  }

  /** The door of the gateway whose host is the configured principal. */
  door(): Door {
    const { authority, id } = this.#options;
    return {
      visible: (tool) => authority.visible(this.#principal(), tool),
      call: (proposed) => authority.call({ ...proposed, principal: this.#principal(), session: id }),
      malformed: (reason) => authority.malformed(this.#principal(), id, reason),
      offered: (server, tools) => {
        // What a server offered stays known while it is away: its tools are then unavailable, not unheard of.
        if (tools === undefined) return;
        this.#offered.set(server, tools);
        if (this.#configuration === undefined) return;
        const { policy, issues } = this.#compile(this.#configuration);
        this.#show(issues);
        if (policy !== undefined) this.#enforce(policy);
      },
    };
  }

  /** Looks at the file until `signal` aborts; calls `changed` after each change that was taken. */
  async watch(signal: AbortSignal, changed: () => void): Promise<void> {
    const { world, load } = this.#options;
    let seen = await identity(this.#options.file);
    while (!signal.aborted) {
      await world.sleep(LOOK_EVERY_MS, signal);
      const now = await identity(this.#options.file);
      if (now === seen || signal.aborted) continue;
      seen = now;
      if (this.take(await load())) changed();
    }
  }

  /** Resolves when what was taken so far is recorded. */
  recorded(): Promise<void> {
    return this.#writing;
  }

  #principal(): string {
    return this.#configuration?.principal ?? 'local';
  }

  #compile(configuration: Configuration): ReturnType<typeof compilePolicy> {
    const known = [...this.#offered].filter(([server]) => configuration.servers.has(server));
    const tools = new Map(known.flatMap(([, offered]) => offered.map((tool) => [tool.name, tool] as const)));
    return compilePolicy(configuration, tools, { complete: new Set(known.map(([server]) => server)) });
  }

  /** Says what is new: a list of tools that arrives compiles the same file again. */
  #show(issues: readonly Issue[]): void {
    const said = JSON.stringify([issues, this.#source]);
    if (said !== this.#shown) this.#options.show(issues, this.#source);
    this.#shown = said;
  }

  #enforce(policy: Policy): void {
    this.#write(() => this.#options.authority.load(policy));
  }

  /** The authority changes its policy at once; its entry follows in order, and a ledger that refuses it denies calls itself. */
  #write(record: () => Promise<void>): void {
    const recorded = record().catch((error: unknown) => {
      this.#options.log(`the policy could not be recorded: ${error instanceof Error ? error.message : 'no reason'}`);
    });
    this.#writing = Promise.all([this.#writing, recorded]).then(() => undefined);
  }
}

async function identity(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
}
