/** A process of its own on a data directory, for the tests that kill one or run two: `node ledger-child.ts MODE DIR`. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { LedgerError } from '../src/ledger/ledger.ts';
import type { StoredLedger } from '../src/ledger/sqlite/store.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import { openVault } from '../src/ledger/vault.ts';
import { systemWorld } from '../src/world/system.ts';
import { intent, newId, one } from './ledger-drafts.ts';
import { spend } from './ledger-spend.ts';

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Tries to take every key for a call of its own, all at once; says the ids of the calls that got one. */
export async function takeKeys(ledger: StoredLedger, keys: readonly string[]): Promise<string[]> {
  const taken = await Promise.all(
    keys.map((key) => {
      const call = newId();
      return ledger.transact({ keys: [key] }, (facts) => {
        if (facts.keys.has(key)) return { result: [] };
        const writes = intent({ call, attempt: newId(), instance: ledger.instance, keys: [key] });
        return { writes, result: [call] };
      });
    }),
  );
  return taken.flat();
}

/** So many callers at once reserve one of `limit`; says how many found room. */
export async function spendAll(ledger: StoredLedger, key: string, limit: number, callers: number): Promise<number> {
  const spent = await Promise.all(Array.from({ length: callers }, () => spend(ledger, key, limit)));
  return spent.filter(Boolean).length;
}

/** Writes until a write fails; says which were acknowledged, how the failed one ended and how the one after it did. */
async function fill(ledger: StoredLedger): Promise<void> {
  const acknowledged: string[] = [];
  for (;;) {
    const digest = `${acknowledged.length}`;
    try {
      await ledger.append(one('policy.loaded', { digest, text: 'x'.repeat(60_000) }));
      acknowledged.push(digest);
    } catch (error) {
      const next = await ledger.append(one('policy.loaded', { digest: 'after' })).catch(codeOf);
      const read = await ledger.call(newId());
      say({ acknowledged, code: codeOf(error), next, read: read ?? 'absent' });
      return;
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof LedgerError ? error.code : String(error);
}

const [mode = '', dataDirectory = ''] = process.argv.slice(2);
if (import.meta.main) {
  const vault = openVault(dataDirectory, systemWorld);
  const ledger = await openLedger({ dataDirectory, world: systemWorld, vault });
  switch (mode) {
    case 'intend': {
      const call = newId();
      await ledger.append(intent({ call, attempt: newId(), instance: ledger.instance, keys: ['h_k'] }));
      say({ call, instance: ledger.instance });
      // Until it is killed.
      await once(process.stdin, 'end');
      break;
    }
    case 'take': {
      say('open');
      const [chunk] = (await once(process.stdin, 'data')) as [Buffer];
      say(await takeKeys(ledger, JSON.parse(chunk.toString()) as string[]));
      await ledger[Symbol.asyncDispose]();
      break;
    }
    case 'spend': {
      say('open');
      const [chunk] = (await once(process.stdin, 'data')) as [Buffer];
      const asked = JSON.parse(chunk.toString()) as { key: string; limit: number; callers: number };
      say(await spendAll(ledger, asked.key, asked.limit, asked.callers));
      await ledger[Symbol.asyncDispose]();
      break;
    }
    case 'open':
      say(ledger.log);
      await ledger[Symbol.asyncDispose]();
      break;
    case 'flood':
      // Says what is acknowledged, from 16 callers, until it is killed.
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (;;) {
            const digest = newId();
            await ledger.append(one('policy.loaded', { digest }));
            say(digest);
          }
        }),
      );
      break;
    case 'serve':
      // Writes what it is told, a line each, and says how that ended; a line that begins with `asking` asks first.
      for await (const digest of createInterface(process.stdin)) {
        const text = 'x'.repeat(Number(process.env['TEXT_BYTES'] ?? 0));
        const tell = (code: string, message = ''): void => say({ digest, code, message, ...ledger.stats() });
        const writes = one('policy.loaded', { digest, text });
        const isAsking = digest.startsWith('asking');
        const writing = isAsking ? ledger.transact({}, () => ({ writes, result: undefined })) : ledger.append(writes);
        writing.then(
          () => tell('written'),
          (error: unknown) => tell(codeOf(error), String(error)),
        );
      }
      await ledger[Symbol.asyncDispose]();
      break;
    case 'fill':
      // The limit on file sizes is told by a signal first, which ends a process that does not listen.
      process.on('SIGXFSZ', () => undefined);
      await fill(ledger);
      await ledger[Symbol.asyncDispose]();
      break;
    default:
      throw new Error(`expected a mode, got \`${mode}\``);
  }
  process.exit(0);
}
