/** People who approve, the policy that asks them, and how their answers are written into the log. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { approvalText } from '../src/authority/approval.ts';
import { newId } from '../src/authority/draft.ts';
import { toBase64, utf8 } from '../src/value/encoding.ts';
import type { JsonObject } from '../src/value/json.ts';
import type { Opening } from './authority-world.ts';

export interface Person {
  readonly id: string;
  readonly key: KeyObject;
  readonly publicKey: string;
}

export function person(id: string): Person {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { id, key: privateKey, publicKey: `ed25519:${toBase64(raw)}` };
}

export const ANN: Person = person('ann');
export const BOB: Person = person('bob');
export const PAY: { readonly charge: string; readonly amount: number } = { charge: 'ch_1', amount: 100 };

/** Payments above 10 are asked about, as `ask` says. */
export const askingPolicy = (ask: string, principals = ''): string => `
interlock: 1
principals:
  local: {}
  ann: { roles: [finance], key: "${ANN.publicKey}" }
  bob: { roles: [finance], key: "${BOB.publicKey}" }
${principals}
tools:
  bank.pay:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
rules:
  - allow: bank.pay
  - ask: bank.pay
    when: args.amount > 10
    ${ask}
`;
export const FINANCE: string = askingPolicy('approvers: [finance]\n    expires: 30m');

/** Records the answer that `author` signed over `digest` as `by`. */
export async function answer(
  world: Opening,
  call: string,
  author: Person,
  more: { by?: string; digest?: string } = {},
): Promise<void> {
  const row = await world.ledger.call(call);
  const digest = more.digest ?? row?.approval?.digest ?? '';
  const by = more.by ?? author.id;
  const signature = toBase64(sign(null, utf8(approvalText(digest, by)), author.key));
  const fields: JsonObject = { call, by, digest: row?.approval?.digest ?? '', signature };
  await world.ledger.append({ entries: [{ id: newId(world.world), type: 'call.approved', fields }] });
}
