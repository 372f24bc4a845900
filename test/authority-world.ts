/** An authority over a ledger in memory, with a tool whose effects are counted outside of it. */

import { DeepVerifier, type DeepReport } from '../src/audit/deep.ts';
import type { DeepProblem } from '../src/audit/problem.ts';
import { Authority } from '../src/authority/authority.ts';
import type { Answer, Performed } from '../src/authority/answer.ts';
import type { Proposal, Reach } from '../src/authority/proposal.ts';
import type { SecretSearch } from '../src/guard/secret/find.ts';
import type { Entry } from '../src/ledger/entry.ts';
import { parseEntry } from '../src/ledger/entry.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { StoredBody } from '../src/ledger/keep.ts';
import { bodyName, createMemoryDisk, type MemoryDisk } from '../src/ledger/memory/disk.ts';
import { openMemoryLedger } from '../src/ledger/memory/store.ts';
import { createVault, type Vault } from '../src/ledger/vault.ts';
import { compilePolicy, type Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { createManualWorld, type ManualWorld } from './manual-world.ts';

export const POLICY = `
interlock: 1
tools:
  bank.pay:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
  bank.wire:
    input: { type: object, properties: { amount: {type: integer}, note: {type: string} } }
  bank.balance: { effect: read, input: { type: object, properties: {} } }
  bank.hidden: { input: { type: object, properties: {} } }
  bank.asked: { input: { type: object, properties: {} } }
  bank.private:
    input: { type: object, properties: { email: {type: string}, customer: {type: string} } }
    personal: [args.email]
    subject: args.customer
rules:
  - allow: bank.pay
    when: args.amount <= 20000
  - allow: bank.wire
  - allow: bank.balance
  - allow: bank.asked
  - ask: bank.asked
  - allow: bank.private
`;

export function policyOf(text: string): Policy {
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  if (!parsed.ok) throw new Error(parsed.issues.map((issue) => issue.message).join('\n'));
  const { policy, issues } = compilePolicy(parsed.value, new Map());
  if (policy === undefined) throw new Error(issues.map((issue) => issue.message).join('\n'));
  return policy;
}

/** One opening of a disk. `effects` outlive it, like the world they happen in. */
export interface Opening {
  readonly world: ManualWorld;
  readonly disk: MemoryDisk;
  readonly vault: Vault;
  readonly ledger: Ledger;
  readonly authority: Authority;
  readonly effects: unknown[];
  /** Proposes a call whose tool counts an effect and answers `{ done: n }`. */
  call(tool: string, args?: Proposal['args'], more?: Partial<Proposal>): Promise<Answer>;
  entries(): Entry[];
}

export interface OpeningOptions {
  readonly disk?: MemoryDisk;
  readonly world?: ManualWorld;
  readonly effects?: unknown[];
  readonly vault?: Vault;
  /** The text of a configuration with its tools, or what is compiled of one. */
  readonly policy?: string | Policy;
  /** 1 if not given. */
  readonly attemptsMax?: number;
  /** How the authority reaches tools by itself. */
  readonly reach?: Reach;
  /** Looks for secrets in the place of the product's own search. */
  readonly searchSecrets?: () => SecretSearch;
  /** Stands between the authority and the ledger, to fail on purpose. */
  readonly between?: (ledger: Ledger) => Ledger;
  /** As that of a ledger in memory. */
  readonly later?: (commit: () => void) => void;
}

export async function openWorld(options: OpeningOptions = {}): Promise<Opening> {
  const world = options.world ?? createManualWorld();
  const disk = options.disk ?? createMemoryDisk();
  const vault = options.vault ?? createVault(new Uint8Array(32).fill(7), world);
  const effects = options.effects ?? [];
  const { policy = POLICY, later } = options;
  const stored = await openMemoryLedger({ world, vault, disk, ...(later === undefined ? {} : { later }) });
  const ledger = options.between?.(stored) ?? stored;
  const authority = new Authority(ledger, {
    vault,
    world,
    resolveRoot: (within) => within,
    protectedPaths: [],
    ...(options.attemptsMax === undefined ? {} : { attemptsMax: options.attemptsMax }),
    ...(options.reach === undefined ? {} : { reach: options.reach }),
    ...(options.searchSecrets === undefined ? {} : { searchSecrets: options.searchSecrets }),
  });
  await authority.load(typeof policy === 'string' ? policyOf(policy) : policy);
  const perform = async (args: Proposal['args']): Promise<Performed> => {
    effects.push(args);
    return { kind: 'succeeded', output: { done: effects.length } };
  };
  return {
    world,
    disk,
    vault,
    ledger,
    authority,
    effects,
    call: (tool, args = {}, more = {}) =>
      authority.call({
        principal: 'local',
        session: 'session',
        tool,
        args,
        timeoutMs: 60_000,
        available: true,
        perform,
        signal: new AbortController().signal,
        ...more,
      }),
    entries: () =>
      disk.leaves.map((leaf) => {
        const parsed = parseEntry(leaf);
        if (!parsed.ok) throw new Error('a leaf is no entry');
        return parsed.value;
      }),
  };
}

/** Claims what was approved, and waits until it has run. */
export async function claimed({ authority }: Opening, ...principals: readonly string[]): Promise<void> {
  await Promise.all(await authority.claim(principals.length === 0 ? ['local'] : principals));
}

/** What is counted, but for how many parts of recorded texts there are. */
export function countersOf({ disk }: Opening): ReadonlyMap<string, number> {
  return new Map([...disk.tables.counters()].filter(([key]) => !/^content(?:-at)?\//u.test(key)));
}

/** What a deep verification of the log says, with all sealed values that are kept; `entries` in the place of its own. */
export function deepReport(world: Opening, own: readonly Entry[] = world.entries()): DeepReport {
  const { disk, vault } = world;
  const body = (call: string, role: string, position: number): StoredBody | undefined => {
    const kept = disk.bodies.get(bodyName(call, role))?.find((one) => one.position === position)?.body;
    if (kept === undefined) return undefined;
    return { ...kept, shares: kept.shares.map((share) => ({ ...share, record: disk.subjects.get(share.subject) })) };
  };
  const verifier = new DeepVerifier({ bodies: { body, vault, salt: (call) => disk.tables.call(call)?.salt } });
  for (const [position, entry] of own.entries()) verifier.take(entry, position);
  return verifier.report();
}

export function typesOf(opening: Opening): string[] {
  return opening
    .entries()
    .map((entry) => entry.type)
    .filter((type) => type.startsWith('call.'));
}

/** What a deep verification of the entries finds. */
export function deepProblems(opening: Opening): readonly DeepProblem[] {
  const deep = new DeepVerifier();
  for (const [position, entry] of opening.entries().entries()) deep.take(entry, position);
  return deep.report().problems;
}

/** `ledger`, with some of its methods replaced: a store that fails on purpose, or that takes its time. */
export function overriding(ledger: Ledger, own: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(own, name) ? own : target, name);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
