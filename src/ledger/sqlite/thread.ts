/** Starts the thread that writes, and waits until it has opened the log. */

import { Worker } from 'node:worker_threads';
import { LedgerError } from '../ledger.ts';
import type { FromWorker, WorkerSettings } from './message.ts';

export type Opened = FromWorker & { readonly kind: 'opened' };

/** Rejects as `openLedger` does; then no thread is left. */
export async function startThread(
  settings: WorkerSettings,
): Promise<{ readonly worker: Worker; readonly opened: Opened }> {
  // The file's own ending tells whether the sources run or what was built from them.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: settings, name: 'interlock-ledger' });
  return { worker, opened: await firstMessage(worker) };
}

function firstMessage(worker: Worker): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(new LedgerError('cannot-open', `the ledger's thread failed: ${error.message}`, { cause: error }));
    worker.once('error', fail);
    worker.once('message', (message: FromWorker) => {
      worker.off('error', fail);
      if (message.kind === 'opened') resolve(message);
      else if (message.kind === 'refused') reject(new LedgerError(message.code, message.message));
      else reject(new LedgerError('cannot-open', `the ledger's thread answered \`${message.kind}\` first`));
    });
  });
}
