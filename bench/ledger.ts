/** What durable entries cost: against the raw disk of the same run, by number of callers, and as the log grows. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { EntryDraft } from '../src/ledger/entry.ts';
import { encodeEntry } from '../src/ledger/entry.ts';
import type { StoredLedger } from '../src/ledger/sqlite/store.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import type { Vault } from '../src/ledger/vault.ts';
import { openVault } from '../src/ledger/vault.ts';
import { EMPTY_FRONTIER, appendLeaf, leafHash } from '../src/tlog/tree.ts';
import { digestOf } from '../src/value/digest.ts';
import { uuidV7 } from '../src/value/id.ts';
import { formatInstant } from '../src/value/time.ts';
import { systemWorld } from '../src/world/system.ts';
import { machine, measureBeside, measureCallers, row } from './measure.ts';

const CALLERS = [1, 8, 32, 128, 512];
/** Entries of one append while the log is only grown. */
const GROW_BY = 64;

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, saturate: { type: 'string' } },
});
const ENTRIES = Number(values.entries);

function newId(): string {
  return uuidV7(systemWorld.now(), systemWorld.random(10));
}

const DIGEST = digestOf('policy');

function bare(): EntryDraft {
  return { id: newId(), type: 'policy.loaded', fields: { digest: DIGEST } };
}

/** The writes around one call: its intent, which reads a key first, and its sealed outcome. */
async function guardedCall(ledger: StoredLedger, vault: Vault): Promise<void> {
  const [call, attempt] = [newId(), newId()];
  const key = vault.keyHmac('caller', 'local', call);
  const salt = systemWorld.random(16);
  await ledger.transact({ keys: [key] }, ({ at }) => ({
    writes: {
      entries: [
        {
          id: newId(),
          type: 'call.intent',
          fields: {
            call,
            attempt,
            instance: ledger.instance,
            deadline: formatInstant(at + 60_000),
            principal: 'local',
            run: { id: 'bench' },
            keys: [key],
            tool: { name: 'payments.create_refund', effect: 'write' },
            policy: { digest: DIGEST, effect: 'allow', rules: ['rules/3'] },
            args: { charge: 'ch_1', amount: 1250, currency: 'usd' },
          },
        },
      ],
      fingerprints: [{ call, salt, mac: vault.fingerprint(salt, 'local', 'payments.create_refund', '{}') }],
    },
    result: undefined,
  }));
  const { commitment, body } = vault.seal(call, 'output', { content: [{ type: 'text', text: 'refunded' }] });
  const fields = { call, attempt, output: { $body: commitment } };
  await ledger.append({ entries: [{ id: newId(), type: 'call.succeeded', fields }], bodies: [body] });
}

/** Canonical bytes, leaf hash and tree, without a disk. Microseconds an entry. */
function measureEncoding(log: string): number {
  const drafts = Array.from({ length: 20_000 }, bare);
  // Once to warm up.
  for (const draft of drafts) leafHash(encodeEntry(draft, { log, at: 0 }));
  let frontier = EMPTY_FRONTIER;
  const start = performance.now();
  for (const draft of drafts) frontier = appendLeaf(frontier, leafHash(encodeEntry(draft, { log, at: 0 })));
  return ((performance.now() - start) * 1_000) / drafts.length;
}

interface Measuring {
  readonly ledger: StoredLedger;
  /** Where the disk is measured. */
  readonly directory: string;
}

async function timedRow(
  name: string,
  { ledger, directory }: Measuring,
  callers: number,
  write: () => Promise<void>,
): Promise<void> {
  const before = ledger.stats();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const { measured, base } = await measureBeside(directory, async () => {
    delay.enable();
    const callersMeasured = await measureCallers(callers, write);
    delay.disable();
    return callersMeasured;
  });
  const after = ledger.stats();
  const perCommit = (after.entries - before.entries) / (after.transactions - before.transactions);
  const lag = `loop p99 ${(delay.percentile(99) / 1e6 - 1).toFixed(1)} ms`;
  row(`${name}, ${callers} callers`, measured, base, `, ${perCommit.toFixed(1)} entries a commit, ${lag}`);
}

/** Appends until the log has `size` entries; microseconds an entry over the last tenth. */
async function growTo(ledger: StoredLedger, size: number, have: number): Promise<number> {
  const tail = Math.ceil(size / 10);
  let next = have;
  let tailFrom = 0;
  let measured = 0;
  const grow = async (): Promise<void> => {
    while (next < size) {
      const count = Math.min(GROW_BY, size - next);
      next += count;
      if (tailFrom === 0 && next >= size - tail) {
        tailFrom = performance.now();
        measured = size - next;
      }
      await ledger.append({ entries: Array.from({ length: count }, bare) });
    }
  };
  await Promise.all(Array.from({ length: 8 }, grow));
  return ((performance.now() - tailFrom) * 1_000) / measured;
}

async function timeOpening(dataDirectory: string, vault: Vault): Promise<number> {
  const start = performance.now();
  await using ledger = await openLedger({ dataDirectory, world: systemWorld, vault });
  const opened = performance.now() - start;
  await ledger.append({ entries: [bare()] });
  return opened;
}

/** Writes from 128 callers until its standard input ends. Run as a process of its own. */
async function saturate(dataDirectory: string): Promise<void> {
  await using ledger = await openLedger({
    dataDirectory,
    world: systemWorld,
    vault: openVault(dataDirectory, systemWorld),
  });
  let isOver = false;
  process.stdin.resume().once('end', () => (isOver = true));
  const caller = async (): Promise<void> => {
    while (!isOver) await ledger.append({ entries: [bare()] });
  };
  const callers = Promise.all(Array.from({ length: 128 }, caller));
  process.stdout.write('open\n');
  await callers;
  process.stdout.write(`${ledger.stats().entries}\n`);
}

/** One caller of whole calls here, while another process on the same directory writes as fast as it can. */
async function measureSibling({ ledger, directory }: Measuring, dataDirectory: string, vault: Vault): Promise<void> {
  let wrote = '';
  const { measured, base } = await measureBeside(directory, async () => {
    const sibling = spawn(process.execPath, [import.meta.filename, '--saturate', dataDirectory]);
    await once(sibling.stdout, 'data');
    const call = await measureCallers(1, () => guardedCall(ledger, vault));
    sibling.stdin.end();
    const [chunk] = (await once(sibling.stdout, 'data')) as [Buffer];
    wrote = chunk.toString().trim();
    await once(sibling, 'exit');
    return call;
  });
  row('a call beside a full process', measured, base, `, the other wrote ${wrote} entries`);
}

async function main(directory: string): Promise<void> {
  console.log(machine());

  const dataDirectory = join(directory, 'data');
  const vault = openVault(dataDirectory, systemWorld);
  const ledger = await openLedger({ dataDirectory, world: systemWorld, vault });
  // Once to warm up.
  await measureCallers(32, () => guardedCall(ledger, vault));
  for (const callers of CALLERS) {
    await timedRow('bare entries', { ledger, directory }, callers, () => ledger.append({ entries: [bare()] }));
  }
  for (const callers of CALLERS) {
    await timedRow('guarded calls (2 commits)', { ledger, directory }, callers, () => guardedCall(ledger, vault));
  }
  await measureSibling({ ledger, directory }, dataDirectory, vault);
  console.log(`canonical bytes, hash and tree: ${measureEncoding(ledger.log).toFixed(1)} µs an entry`);
  await ledger[Symbol.asyncDispose]();

  const grownDirectory = join(directory, 'grown');
  const grownVault = openVault(grownDirectory, systemWorld);
  const grown = await openLedger({ dataDirectory: grownDirectory, world: systemWorld, vault: grownVault });
  let have = 2;
  let first: number | undefined;
  for (let size = 10_000; size <= ENTRIES; size *= 10) {
    const cost = await growTo(grown, size, have);
    first ??= cost;
    have = size;
    const ratio = (cost / first).toFixed(2);
    const memory = (process.memoryUsage.rss() / 2 ** 20).toFixed(0);
    const at = `durable entry at ${String(size).padStart(9)} entries`;
    console.log(`${at}: ${cost.toFixed(1)} µs (${ratio}× of the first), ${memory} MiB resident`);
  }
  const crashed = join(directory, 'crashed');
  // By another process: closing a copied file in this one would drop the locks SQLite has on it here.
  execFileSync('cp', ['-r', grownDirectory, crashed]);
  console.log(`reopen at ${have} entries, as after a crash: ${(await timeOpening(crashed, grownVault)).toFixed(0)} ms`);
  await grown[Symbol.asyncDispose]();
  const closed = await timeOpening(grownDirectory, grownVault);
  console.log(`reopen at ${have} entries, after closing: ${closed.toFixed(0)} ms`);
}

if (values.saturate !== undefined) await saturate(values.saturate);
else {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
  try {
    await main(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
