/** Finds the address to dial for a target: the name is looked up once, and every address of it is classified. */

import { lookup } from 'node:dns/promises';
import { addressRefusal, canonicalAddress } from './address.ts';
import type { Reach } from './address.ts';
import { refuse } from './answer.ts';
import type { NetRefusal } from './answer.ts';
import type { NetTarget } from './target.ts';

/** The addresses of a name, the preferred first; rejects when there are none. */
export type Resolver = (name: string) => Promise<readonly string[]>;

/** The machine's resolver: what every other program here would get, `hosts` file included. */
export const systemResolver: Resolver = async (name) => {
  const found = await lookup(name, { all: true, order: 'ipv4first' });
  return found.map(({ address }) => address);
};

export type Resolved = { readonly ok: true; readonly address: string } | NetRefusal;

/**
 * The one address to dial, in its canonical form: the first of those that `reach` allows. A name with a private address
 * among others is not refused for it, since only what was classified is dialled.
 */
export async function resolveTarget(
  { host, isAddress }: NetTarget,
  reach: Reach,
  resolver: Resolver,
): Promise<Resolved> {
  let first: NetRefusal | undefined;
  for (const text of isAddress ? [host] : await addressesOf(host, resolver)) {
    const address = canonicalAddress(text);
    const refusal =
      address === undefined
        ? refuse('address-forbidden', `\`${host}\` leads to something that is no address`)
        : addressRefusal(address, reach);
    if (address !== undefined && refusal === undefined) return { ok: true, address };
    first ??= refusal;
  }
  if (first === undefined) return refuse('name-unresolvable', `\`${host}\` has no address that can be found`);
  return isAddress ? first : refuse(first.code, `\`${host}\` leads there: ${first.reason}`);
}

async function addressesOf(host: string, resolver: Resolver): Promise<readonly string[]> {
  try {
    return await resolver(host);
  } catch {
    return [];
  }
}
