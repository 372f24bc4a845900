/** A process that takes changed configurations: what may allow more waits until an approver of the policy in force has signed it. */

import type { Ledger } from '../ledger/ledger.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { World } from '../world/world.ts';
import { answerTo, approversOf, awaitReload, withdrawReload } from './reload.ts';

/** From the configuration that calls are decided under, to what the file says now. */
export interface Change {
  /** Absent where there is none yet. */
  readonly before: Configuration | undefined;
  readonly after: Configuration;
  /** In lines for people, what may allow more. */
  readonly widens: readonly string[];
}

export interface ReloadingOptions {
  readonly ledger: Ledger;
  readonly world: World;
  /** Takes one line. */
  readonly log: (line: string) => void;
  /** Records in order, and tells what the ledger refuses. Never rejects. */
  readonly write: (record: () => Promise<void>) => Promise<void>;
}

export interface Reloading {
  /**
   * Whether the change is taken now; else it waits, and is recorded and told, unless it waits already. Whatever waited
   * before waits no more. `approved` is the id of the reload that was signed for it.
   */
  takes(change: Change, approved?: string): boolean;
  /** Nothing waits any more. */
  withdraw(): void;
  /**
   * Looks once for an answer to what waits. Where it was approved, resolves with what `load` gives then, and with the id
   * of the reload if that is what was signed. Rejects with `LedgerError`: then it still waits.
   */
  answered<File extends { readonly configuration: Configuration | undefined }>(
    inForce: () => Configuration | undefined,
    load: () => Promise<File>,
  ): Promise<{ readonly file: File; readonly approved?: string } | undefined>;
}

interface Waiting {
  readonly digest: string;
  /** Once it is recorded. */
  id?: string;
  recorded: Promise<void>;
}

export function reloading({ ledger, world, log, write }: ReloadingOptions): Reloading {
  let waiting: Waiting | undefined;

  const withdraw = (): void => {
    const before = waiting;
    waiting = undefined;
    if (before === undefined) return;
    void write(async () => {
      // After its own entry, which may not be written yet.
      await before.recorded;
      const order = { by: 'gateway', reason: 'the file says something else now' };
      if (before.id !== undefined) await withdrawReload(ledger, world, { id: before.id, ...order });
    });
  };

  const wait = (from: Configuration, to: string, widens: readonly string[]): void => {
    withdraw();
    const now: Waiting = { digest: to, recorded: Promise.resolve() };
    waiting = now;
    for (const line of widens) log(line);
    log('the policy in force stays as it was until an approver signs this change, which may allow more');
    now.recorded = write(async () => {
      try {
        now.id = await awaitReload(ledger, world, { before: from.digest, after: to, widens }, approversOf(from));
      } catch (error) {
        // What nobody can approve does not wait: the next reading of the file asks again.
        if (waiting === now) waiting = undefined;
        throw error;
      }
      log(`approve it with: interlock approve ${now.id} --as ID`);
    });
  };

  return {
    takes: ({ before, after, widens }, approved) => {
      const mayWait = before !== undefined && widens.length > 0 && approversOf(before).size > 0;
      if (approved !== undefined || !mayWait) {
        withdraw();
        return true;
      }
      if (waiting?.digest !== after.digest) wait(before, after.digest, widens);
      return false;
    },
    withdraw,
    answered: async (inForce, load) => {
      const now = waiting;
      const before = inForce();
      if (now?.id === undefined || before === undefined) return undefined;
      const { id, digest } = now;
      const answer = await answerTo(ledger, { id, after: digest }, before);
      if (answer === undefined) return undefined;
      const file = answer.taken ? await load() : undefined;
      // Meanwhile another file may have been taken: what was signed is a change of the policy that was in force.
      if (waiting !== now || inForce() !== before) return undefined;
      waiting = undefined;
      log(`the change ${id} waits no more: ${answer.said}`);
      if (file === undefined) return undefined;
      // What was signed is what is taken; any other content of the file is a change like any other.
      return file.configuration?.digest === digest ? { file, approved: id } : { file };
    },
  };
}
