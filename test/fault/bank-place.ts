/** A directory with a policy over the bank server, and what can be read from outside: its books and the ledger. */

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { verifyEd25519 } from '../../src/ledger/ed25519.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import { type CallRow, LedgerError } from '../../src/ledger/ledger.ts';
import { type Reader, openReader } from '../../src/ledger/sqlite/reader.ts';
import { type Tables, foldLog } from '../../src/ledger/tables.ts';
import { verifyLog } from '../../src/ledger/verify/verify.ts';
import { fromUtf8 } from '../../src/value/encoding.ts';
import { textOf } from '../simulation/reading.ts';
import { GatewayProcess, INTERLOCK } from '../whole/gateway-process.ts';

const SERVER = join(import.meta.dirname, 'bank-server.ts');
/** How many calls may run or be unknown at once. */
const SLOTS = 3;

/** The rules ask about 500, ask for a second only about 501, and deny 13. */
function policyOf(books: string): string {
  return `interlock: 1
servers:
  bank: { command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify([SERVER, books])}, timeoutMs: 60000 }
tools:
  bank.look: { effect: read }
  bank.pay: { cost: { money: args.amount } }
  bank.pay_probed:
    cost: { money: args.amount }
    probe: { tool: bank.look, args: { charge: args.charge }, executed: output.count > 0 }
  bank.pay_keyed: { cost: { money: args.amount }, downstreamKey: { arg: key } }
budgets:
  money: { limit: 100000, unit: eur-cents, per: [principal], window: 24h }
limits:
  - { tools: "bank.pay*", concurrency: ${SLOTS} }
approvals: { signed: false }
rules:
  - allow: bank.*
  - { deny: bank.pay, when: args.amount == 13 }
  - { ask: bank.pay, when: args.amount == 500 }
  - { ask: bank.pay, when: args.amount == 501, expires: 1s }
`;
}

export interface BankPlace extends Disposable {
  readonly directory: string;
  /** A new gateway, which kills itself at the point `dieAt`, and at the latest when the place is given up. */
  gateway(dieAt?: string): GatewayProcess;
  /** Appends to the configuration as it was at first. */
  configure(more: string): void;
  /** How often `charge` was paid, as the bank's books say. */
  effects(charge: string): number;
  /** Resolves once no server runs any more: what was sent to one has had its effect. */
  quiet(): Promise<void>;
  command(args: readonly string[], environment?: Readonly<Record<string, string>>): SpawnSyncReturns<string>;
  /** The last call for `charge` as the ledger's table has it. */
  row(charge: string): CallRow | undefined;
  /** How many entries of this type there are, or checkpoints. */
  count(type: string): number;
  /** What the last entry of this type says in `field`, a text. */
  said(type: string, field: string): string;
  /** What is wrong with the closed ledger: its proof, its tables, its budget of `spent`, its slots. */
  problems(spent: number): Promise<readonly string[]>;
}

export function bankPlace(): BankPlace {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'interlock-fault-')));
  const [file, books, data] = [
    join(directory, 'interlock.yaml'),
    join(directory, 'books'),
    join(directory, '.interlock'),
  ];
  const policy = policyOf(books);
  const gateways: GatewayProcess[] = [];
  writeFileSync(file, policy);
  const lines = (): string[] => (existsSync(books) ? readFileSync(books, 'utf8').split('\n') : []);
  const read = <T>(look: (reader: Reader) => T, none: T): T => {
    try {
      using reader = openReader(data);
      return look(reader);
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'cannot-open') return none;
      throw error;
    }
  };
  return {
    directory,
    gateway: (dieAt) => {
      const gateway = new GatewayProcess({ directory }, dieAt === undefined ? {} : { INTERLOCK_DIE_AT: dieAt });
      gateways.push(gateway);
      return gateway;
    },
    configure: (more) => writeFileSync(file, policy + more),
    effects: (charge) => lines().filter((line) => line.startsWith(`paid ${charge} `)).length,
    quiet: async () => {
      const servers = lines().filter((line) => line.startsWith('server '));
      while (servers.some((line) => isRunning(Number(line.slice('server '.length))))) await turn();
    },
    command: (args, environment = {}) =>
      spawnSync(process.execPath, [INTERLOCK, ...args], {
        cwd: directory,
        encoding: 'utf8',
        env: {
          ...process.env,
          XDG_CONFIG_HOME: join(directory, 'home'),
          INTERLOCK_PASSPHRASE: 'a long one',
          ...environment,
        },
      }),
    row: (charge) => read((reader) => rowFor(reader, charge), undefined),
    count: (type) =>
      read(
        (reader) =>
          type === 'checkpoint'
            ? [...reader.checkpoints()].length
            : entriesOf(reader).filter((entry) => entry.type === type).length,
        0,
      ),
    said: (type, field) =>
      read((reader) => textOf(entriesOf(reader).findLast((entry) => entry.type === type) ?? {}, field), ''),
    problems: async (spent) => {
      using reader = openReader(data);
      return await problemsOf(reader, spent);
    },
    [Symbol.dispose]: () => {
      for (const { process: child } of gateways) child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function entriesOf(reader: Reader): Entry[] {
  return [...reader.leaves()].map(({ leaf }) => JSON.parse(fromUtf8(leaf) ?? '') as Entry);
}

/** Of calls that were denied, because the server was away for a moment, only when there is no other. */
function rowFor(reader: Reader, charge: string): CallRow | undefined {
  const of = entriesOf(reader).filter(({ type, tool, args }) => {
    const named = (tool as { name?: string } | undefined)?.name?.startsWith('bank.pay') === true;
    return named && type.startsWith('call.') && (args as { charge?: string }).charge === charge;
  });
  const entry = of.findLast(({ type }) => type !== 'call.denied') ?? of.at(-1);
  return entry === undefined ? undefined : reader.call(textOf(entry, 'call'));
}

async function problemsOf(reader: Reader, spent: number): Promise<readonly string[]> {
  const checkpoints = [...reader.checkpoints()].map(({ note, frontier }) => ({ note, size: frontier.size }));
  const { problems } = await verifyLog({ entries: reader.leaves(), checkpoints }, { checkSignature: verifyEd25519 });
  const found = problems.map(({ message }) => message);
  const folded = foldLog(entriesOf(reader));
  if (!folded.ok) return [...found, `the log does not fold: ${folded.message}`];
  const [kept, again] = [stored(reader), foldedContent(folded.tables)];
  for (const name of Object.keys(kept) as (keyof typeof kept)[])
    if (!isDeepStrictEqual(kept[name], again[name])) found.push(`the table of ${name} is not the fold of the entries`);
  const money = [...reader.countersOf('budget/money/').values()].reduce((sum, value) => sum + value, 0);
  if (money !== spent) found.push(`the budget says ${money}, and ${spent} were spent`);
  for (const { attempt } of reader.leases()) found.push(`attempt ${attempt} still holds a slot`);
  return found;
}

function stored(reader: Reader) {
  return {
    calls: [...reader.calls()].map(derived),
    counters: new Map(reader.counters()),
    leases: reader.leases(),
    kills: reader.kills(),
    trusted: reader.trusted(),
  };
}

/** In the order of a text. */
function by<T>(key: (value: T) => string): (left: T, right: T) => number {
  return (left, right) => (key(left) < key(right) ? -1 : 1);
}

function foldedContent(tables: Tables): ReturnType<typeof stored> {
  return {
    calls: [...tables.rows()].map(derived).sort(by(({ id }) => id)),
    counters: new Map([...tables.counters()].sort(by(([key]) => key))),
    leases: [...tables.leases()].sort(by(({ key, attempt }) => `${key} ${attempt}`)),
    kills: [...tables.kills()].sort(by(({ target }) => target)),
    trusted: [...tables.allTrusted()].sort(by(({ tool }) => tool)),
  };
}

/** A row but for what no entry says. */
function derived({ salt: _salt, fingerprint: _fingerprint, ...row }: CallRow) {
  return row;
}
