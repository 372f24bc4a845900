/** What evidence costs: a log of real calls is verified, verified deeply, exported and proved, by whole commands, as it grows. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Authority } from '../src/authority/authority.ts';
import { newId } from '../src/authority/draft.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import { openVault } from '../src/ledger/vault.ts';
import { type Policy, compilePolicy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { type HashReader, inclusionProof } from '../src/tlog/proof.ts';
import { leafHash, nodeHash } from '../src/tlog/tree.ts';
import { systemWorld } from '../src/world/system.ts';
import { machine } from './measure.ts';

const POLICY = `
interlock: 1
tools:
  bank.pay:
    input:
      type: object
      required: [charge, amount, note]
      properties: { charge: {type: string}, amount: {type: integer, minimum: 1}, note: {type: string} }
    key: args.charge
    cost: { money: args.amount }
    personal: [args.note]
budgets: { money: { limit: 1000000000000, unit: usd-cents, window: 24h, per: [principal] } }
rules:
  - allow: bank.pay
    when: args.amount <= 20000
`;
const CALLERS = 128;
/** One call in so many is denied. */
const DENIED = 10;

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, proof: { type: 'string', default: '10000000' } },
});

function policyOf(text: string): Policy {
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  const policy = parsed.ok ? compilePolicy(parsed.value, new Map()).policy : undefined;
  if (policy === undefined) throw new Error('the policy of this benchmark does not compile');
  return policy;
}

/** Makes calls until the log in `data`, which has `have` entries, has `size`; answers the id of one. */
async function growTo(data: string, have: number, size: number): Promise<string> {
  const vault = openVault(data, systemWorld);
  await using ledger = await openLedger({ dataDirectory: data, world: systemWorld, vault });
  const around = { vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [] };
  const authority = new Authority(ledger, around);
  await authority.load(policyOf(POLICY));
  let id = '';
  let made = 0;
  const caller = async (nth: number): Promise<void> => {
    while (have + ledger.stats().entries < size) {
      for (let n = 0; n < 32; n += 1) {
        made += 1;
        const answer = await authority.call({
          principal: `agent-${nth}`,
          session: `session-${nth}`,
          tool: 'bank.pay',
          args: { charge: newId(systemWorld), amount: made % DENIED === 0 ? 30_000 : 100, note: `for order ${made}` },
          timeoutMs: 60_000,
          signal: new AbortController().signal,
          available: true,
          perform: () => Promise.resolve({ kind: 'succeeded', output: { paid: true, receipt: `r-${made}` } }),
        });
        id = answer.call;
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, nth) => caller(nth)));
  return id;
}

interface Ran {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly said: { readonly entries?: number; readonly added?: number };
}

/** A whole process of the command, from nothing to its end. */
function command(...args: readonly string[]): Ran {
  const peak = path.join(import.meta.dirname, 'peak.ts');
  const program = path.join(import.meta.dirname, '..', 'bin', 'interlock.js');
  const start = performance.now();
  const ran = spawnSync(process.execPath, ['--import', peak, program, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const seconds = (performance.now() - start) / 1_000;
  if (ran.status !== 0) throw new Error(`interlock ${args.join(' ')} exited with ${ran.status}: ${ran.stdout}`);
  return { seconds, peakBytes: Number(ran.output[3]), said: JSON.parse(ran.stdout) as Ran['said'] };
}

function tell(name: string, { seconds, peakBytes }: Ran, entries: number): void {
  const rate = `${Math.round(entries / seconds).toLocaleString('en')} entries/s`;
  const memory = `${(peakBytes / 2 ** 20).toFixed(0)} MiB at most`;
  console.log(`  ${name.padEnd(30)}${seconds.toFixed(2).padStart(8)} s  ${rate.padStart(20)}  ${memory}`);
}

/** The nodes of a tree of `size` made-up leaves, level by level. */
function treeOf(size: number): HashReader {
  const levels: Buffer[] = [Buffer.alloc(size * 32)];
  const seed = new Uint8Array(8);
  for (let index = 0; index < size; index += 1) {
    new DataView(seed.buffer).setUint32(0, index);
    levels[0]?.set(leafHash(seed), index * 32);
  }
  const read: HashReader = (level, index) => levels[level]?.subarray(index * 32, index * 32 + 32) ?? seed;
  for (let count = Math.floor(size / 2); count > 0; count = Math.floor(count / 2)) {
    const above = Buffer.alloc(count * 32);
    const level = levels.length - 1;
    for (let index = 0; index < count; index += 1) {
      above.set(nodeHash(read(level, 2 * index), read(level, 2 * index + 1)), index * 32);
    }
    levels.push(above);
  }
  return read;
}

function measureProofs(size: number): void {
  const read = treeOf(size);
  const times: number[] = [];
  for (let n = 0; n < 10_000; n += 1) {
    const index = Math.floor((n / 10_000) * size);
    const start = performance.now();
    inclusionProof(read, index, size);
    times.push(performance.now() - start);
  }
  times.sort((left, right) => left - right);
  const at = (share: number): string => ((times[Math.floor(share * (times.length - 1))] ?? 0) * 1_000).toFixed(1);
  console.log(`inclusion proof, ${size} entries whose tree is at hand: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs`);
}

async function main(directory: string): Promise<void> {
  console.log(machine());
  const start = command('eval', 'true').seconds;
  console.log(`a command that does nothing takes ${start.toFixed(2)} s; it is in every figure below`);
  const data = path.join(directory, 'data');
  const out = path.join(directory, 'export');
  let have = 0;
  for (let size = 10_000; size <= Number(values.entries); size *= 10) {
    const before = performance.now();
    const call = await growTo(data, have, size);
    const deep = command('verify', '--data', data, '--deep');
    const entries = deep.said.entries ?? 0;
    have = entries;
    console.log(
      `${entries} entries (log made in ${((performance.now() - before) / 1_000 - deep.seconds).toFixed(0)} s)`,
    );
    tell('verify', command('verify', '--data', data), entries);
    tell('verify --deep', deep, entries);
    const first = command('export', '--data', data, '-o', out);
    tell('export, what was not there', first, first.said.added ?? 0);
    tell('export again', command('export', '--data', data, '-o', out), entries);
    tell('verify of the export', command('verify', out), entries);
    tell(
      'receipt of one call',
      command('receipt', call, '--data', data, '-o', path.join(directory, 'receipt')),
      entries,
    );
  }
  measureProofs(Number(values.proof));
}

const directory = mkdtempSync(path.join(tmpdir(), 'interlock-bench-'));
try {
  await main(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
