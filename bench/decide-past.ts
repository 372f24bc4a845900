/** What a decision costs by how many calls the ledger holds: the facts read from it, and the decision on them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, composeCall, readsOf } from '../src/authority/compose.ts';
import { intentDraft } from '../src/authority/draft.ts';
import { watchFloods } from '../src/authority/flood.ts';
import { prepare } from '../src/authority/prepare.ts';
import type { EntryDraft } from '../src/ledger/entry.ts';
import { openReader } from '../src/ledger/sqlite/reader.ts';
import type { Reader } from '../src/ledger/sqlite/reader.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import type { StoredLedger } from '../src/ledger/sqlite/store.ts';
import { openVault } from '../src/ledger/vault.ts';
import type { Vault } from '../src/ledger/vault.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { decide, needs } from '../src/policy/decide/decide.ts';
import type { Request } from '../src/policy/decide/decision.ts';
import { uuidV7 } from '../src/value/id.ts';
import { systemWorld } from '../src/world/system.ts';
import type { World } from '../src/world/world.ts';
import { measureCallers, measureDisk, row } from './measure.ts';
import { TIMER, print, race } from './race.ts';
import type { Contestant } from './race.ts';
import { benchRequest } from './request.ts';

const { values: options } = parseArgs({ options: { past: { type: 'string', default: '1000000' } } });
/** Calls that the large ledger holds, and the small one. */
const PAST = Number(options.past);
const PRINCIPALS = 10_000;
/** The small ledger has one call of each principal, all of today; the large one has as much of today, and the past. */
const FEW = PRINCIPALS;
const TODAY_MS = 12 * 3_600_000;
const MONTH_MS = 30 * 86_400_000;
const END_MS = Date.UTC(2026, 0, 31, 12);
/** Calls of one append, and appends at once. */
const AT_ONCE = 128;
const WRITERS = 8;
const REQUESTS = 1_000;
const TOOL = 'bank.pay';

const POLICY = `
interlock: 1
tools:
  ${TOOL}:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
    cost: { payments: args.amount }
rules:
  - allow: ${TOOL}
    when: args.amount <= 20000 && budget.payments.left > 100
budgets:
  payments: { limit: 1000000000, unit: usd-cents, per: [principal], window: 24h }
limits:
  - { tools: "*", rate: 600/1m, per: [principal] }
  - { tools: "*", concurrency: 4, per: [principal] }
  - { tools: "*", count: 1000000, per: [run] }
`;

function policy(): Policy {
  const parsed = parseConfiguration(POLICY, { file: 'interlock.yaml', environment: {} });
  const made = parsed.ok ? compilePolicy(parsed.value, new Map()).policy : undefined;
  if (made === undefined) throw new Error('the policy of this benchmark does not compile');
  return made;
}

const principalOf = (at: number): string => `clerk${at % PRINCIPALS}@example.com`;

/** One past call: allowed, charged and answered, as the policy decided it at `now` over what came before. */
function pastCall(deciding: Policy, vault: Vault, request: Request, world: World): EntryDraft[] {
  const { principal, tool, args, run, now } = request;
  const decision = decide(deciding, request);
  if (decision.effect !== 'allow') throw new Error(`a past call is ${decision.explanation}`);
  const [call, attempt, id] = [newId(world), newId(world), newId(world)];
  const intent = intentDraft(world, {
    call,
    attempt,
    instance: attempt,
    deadlineMs: now + 60_000,
    principal,
    run: { id: run.id },
    keys: [vault.keyHmac('tool', tool, JSON.stringify(args['charge']))],
    tool: { name: tool, effect: 'irreversible' },
    policy: deciding.digest,
    decision,
    layers: {},
    subject: [],
    args,
  });
  return [intent, { id, type: 'call.succeeded', fields: { call, attempt, output: { $body: 'none' } } }];
}

function newId(world: World): string {
  return uuidV7(world.now(), world.random(10));
}

function requestAt(at: number, now: number): Request {
  const request = benchRequest(TOOL, { charge: `ch_${at}`, amount: 100 + (at % 900) }, at, principalOf(at));
  return { ...request, run: { id: `run${at % 1_000}`, depth: 0 }, now };
}

/** Fills a ledger with `count` calls, each with its key, its charge, two entries and a row, without their results. */
async function fill(ledger: StoredLedger, vault: Vault, count: number, clock: { now: number }): Promise<void> {
  const deciding = policy();
  const spanMs = count > FEW ? MONTH_MS : TODAY_MS;
  const world = { ...systemWorld, now: () => clock.now };
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const entries: EntryDraft[] = [];
      for (const last = Math.min(count, next + AT_ONCE); next < last; next += 1) {
        clock.now = END_MS - spanMs + Math.floor((spanMs * next) / count);
        entries.push(...pastCall(deciding, vault, requestAt(next, clock.now), world));
      }
      await ledger.append({ entries });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  clock.now = END_MS;
}

interface Past {
  readonly name: string;
  readonly ledger: StoredLedger;
  readonly vault: Vault;
  readonly reader: Reader;
}

async function pastOf(directory: string, count: number): Promise<Past> {
  const dataDirectory = join(directory, String(count));
  const vault = openVault(dataDirectory, systemWorld);
  const clock = { now: END_MS - MONTH_MS };
  const ledger = await openLedger({ dataDirectory, vault, world: { ...systemWorld, now: () => clock.now } });
  const start = performance.now();
  await fill(ledger, vault, count, clock);
  console.log(`${count} calls written in ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return { name: `${count} past calls`, ledger, vault, reader: openReader(dataDirectory) };
}

/** Reads what the policy needs as a transaction would and decides, on one thread and without the lock. */
function decider({ name, reader }: Past, deciding: Policy): Contestant {
  const requests = Array.from({ length: REQUESTS }, (_, at) => requestAt(PAST + at * 7, END_MS));
  return {
    name,
    allows: (call) => {
      const request = requests[call];
      if (request === undefined) throw new Error('there is no such call');
      return decide(deciding, request, reader.values(needs(deciding, request), request.now)).effect === 'allow';
    },
  };
}

const unsent = (): Promise<never> => Promise.reject(new Error('nothing is sent here'));

/** Everything the authority does under the write lock but the writing: keys, open calls, facts, decision. */
async function underLock({ ledger, vault }: Past, deciding: Policy): Promise<() => Promise<void>> {
  const around: Bench = {
    vault,
    world: systemWorld,
    instance: ledger.instance,
    log: ledger.log,
    resolveRoot: (within) => within,
    recorded: new Set(),
    protectedPaths: [],
    floods: watchFloods(ledger, systemWorld),
    admits: () => true,
  };
  const state = { kind: 'loaded', policy: deciding } as const;
  const prepared = await Promise.all(
    Array.from({ length: REQUESTS }, (_, at) => {
      const { principal, tool, args, run } = requestAt(PAST + at * 7, END_MS);
      const call = { session: run.id, timeoutMs: 60_000, signal: new AbortController().signal, available: true };
      return prepare(around, state, { principal, tool, args, perform: unsent, ...call });
    }),
  );
  let turn = 0;
  return async () => {
    const proposal = prepared[turn++ % REQUESTS];
    if (proposal === undefined) throw new Error('there is no such call');
    const reads = readsOf(proposal, END_MS);
    const read = new Set(reads.facts);
    const kind = await ledger.transact(reads, (facts) => ({
      result: composeCall(around, proposal, facts, read).result.kind,
    }));
    if (kind !== 'dispatch') throw new Error(`a call is ${kind}`);
  };
}

/** A ledger of today's calls beside one of a million, over the same policy and requests. */
export async function byPast(): Promise<void> {
  console.log(
    `\nfacts read from the ledger, and the decision: budget, rate, slots and count of ${PRINCIPALS} principals`,
  );
  const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
  try {
    const deciding = policy();
    const pasts = [await pastOf(directory, FEW), await pastOf(directory, PAST)];
    const deciders = pasts.map((past) => decider(past, deciding));
    for (const { allows } of deciders) if (!allows(0)) throw new Error('a call is not allowed');
    print(race([TIMER, ...deciders], REQUESTS), deciders[0]?.name ?? '');
    console.log('under the write lock, with the key and the open calls, as a call is decided');
    const base = measureDisk(directory);
    for (const past of pasts) row(past.name, await measureCallers(1, await underLock(past, deciding)), base);
    for (const { reader, ledger } of pasts) {
      reader[Symbol.dispose]();
      await ledger[Symbol.asyncDispose]();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
