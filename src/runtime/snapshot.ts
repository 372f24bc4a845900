/**
 * What stands for where a run is: each digest is over the one before, the event and the commands that it gave, and the
 * first over program, policy and input. Two runs with one digest have seen the same. It is an HMAC under a key of the
 * vault, because a bare hash of an amount or a name can be guessed.
 */

import type { Vault } from '../ledger/vault.ts';
import type { Command, RunEvent } from '../program/event.ts';
import { canonicalText } from '../value/canonical.ts';
import type { JsonObject } from '../value/json.ts';

const NAMESPACE = 'snapshot';

export function firstSnapshot(
  vault: Pick<Vault, 'keyHmac'>,
  { program, policy }: { readonly program: string; readonly policy: string },
  input: JsonObject,
  commands: readonly Command[],
): string {
  return vault.keyHmac(NAMESPACE, program, policy, canonicalText(input), textOf(commands));
}

export function nextSnapshot(
  vault: Pick<Vault, 'keyHmac'>,
  before: string,
  event: RunEvent,
  commands: readonly Command[],
): string {
  return vault.keyHmac(NAMESPACE, before, textOf(event), textOf(commands));
}

/** Both are JSON as they stand: src/program/event.ts. */
function textOf(value: RunEvent | readonly Command[]): string {
  return canonicalText(value);
}
