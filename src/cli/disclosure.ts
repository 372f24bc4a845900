/** Hands out sealed values of a call with what proves them, once it is recorded to whom. */

import { draft } from '../authority/draft.ts';
import type { CommittedBody, Reader } from '../ledger/sqlite/reader.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import type { Vault } from '../ledger/vault.ts';
import type { JsonValue } from '../value/json.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, dataDirectory } from './configuration.ts';
import { openData } from './data.ts';
import { CliError } from './exit.ts';
import { reasonOf, systemUser } from './reason.ts';
import type { Terminal } from './terminal.ts';

export interface DisclosureOrder {
  /** The whole id. */
  readonly call: string;
  /** As `/args/email` or `/output`; none: everything that is kept of the call. */
  readonly pointers: readonly string[];
  readonly to: string;
  readonly reason: string;
}

/** One disclosure (RFC 9901): the entry at `position` commits to it. */
export interface Disclosure {
  readonly position: number;
  readonly pointer: string;
  readonly value: JsonValue;
  readonly disclosure: string;
  readonly commitment: string;
}

/** `not-kept`: one of the values is not there, or there is none; nothing was recorded. */
export type HandedOut =
  | { readonly ok: true; readonly disclosures: readonly Disclosure[] }
  | { readonly ok: false; readonly code: 'not-kept'; readonly message: string };

/** Throws `usage` for a call that is not there, and without a recipient or a reason. */
export async function handOut(terminal: Terminal, options: CommonOptions, order: DisclosureOrder): Promise<HandedOut> {
  const { call } = order;
  const reason = reasonOf(order.reason, 'a disclosure');
  const to = reasonOf(order.to, 'a disclosure to somebody');
  await using data = await openData(terminal, options, { create: false });
  if ((await data.ledger.call(call)) === undefined) {
    throw new CliError('usage', `there is no call \`${call}\` in this ledger`);
  }
  using reader = openReader(dataDirectory(terminal, options));
  const { disclosures, missing } = find(reader, data.vault, order);
  if (disclosures.length === 0 || missing !== undefined) {
    const message = missing === undefined ? 'nothing sealed is kept of this call' : `\`${missing}\` is not kept`;
    return { ok: false, code: 'not-kept', message };
  }
  const pointers = disclosures.map(({ pointer }) => pointer);
  // Before anything is shown: a crash leaves an entry of a disclosure that was not made, never the reverse.
  await data.ledger.append({
    entries: [draft(systemWorld, 'disclosure.made', { call, pointers, to, by: systemUser(), reason })],
  });
  return { ok: true, disclosures };
}

function find(
  reader: Reader,
  vault: Vault,
  { call, pointers }: DisclosureOrder,
): { readonly disclosures: readonly Disclosure[]; readonly missing?: string } {
  const kept = reader.rolesOf(call).map(({ role, position }) => ({ pointer: `/${role}`, position }));
  const missing = pointers.find((pointer) => !kept.some((one) => one.pointer === pointer));
  if (missing !== undefined) return { disclosures: [], missing };
  const wanted = pointers.length === 0 ? kept : kept.filter(({ pointer }) => pointers.includes(pointer));
  const disclosures = wanted.flatMap(({ pointer, position }): Disclosure[] => {
    const stored = storedAt(reader, call, pointer, position);
    const disclosure = stored && vault.disclose(stored.body, stored.commitment);
    const value = stored && vault.open(stored.body, stored.commitment);
    if (stored === undefined || disclosure === undefined || value === undefined) return [];
    return [{ position, pointer, value, disclosure, commitment: stored.commitment }];
  });
  return { disclosures };
}

function storedAt(reader: Reader, call: string, pointer: string, position: number): CommittedBody | undefined {
  if (pointer === '/output') return reader.body(call, 'output');
  return reader.argument(position, pointer.slice('/args'.length));
}
