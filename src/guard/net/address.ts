/** What kind of address an IP address is, and whether it may be dialled. */

import ipaddr from 'ipaddr.js';
import type { IPv4, IPv6 } from 'ipaddr.js';
import { refuse } from './answer.ts';
import type { NetRefusal } from './answer.ts';

/** What a call site may reach. It is the operator's word, never taken from what came from outside. */
export interface Reach {
  /** Also this machine and its private networks. */
  readonly private: boolean;
}

/** `public` anybody's; `private` this machine or its networks; `forbidden` nobody's: metadata, multicast, reserved, … */
type AddressKind = 'forbidden' | 'private' | 'public';

/** Where clouds answer whoever asks from a machine with that machine's credentials. Some lie in public ranges. */
const METADATA: ReadonlySet<string> = new Set([
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure's wire server
  '192.0.0.192', // Oracle, classic
  '169.254.169.254', // most others
  '169.254.169.253', // AWS: names
  '169.254.169.123', // AWS: time
  '169.254.170.2', // AWS: containers
  '169.254.170.23', // AWS: pods
  '169.254.42.42', // Scaleway
  'fd00:42::42', // Scaleway
  'fd00:ec2::23', // AWS: pods
  'fd00:ec2::253', // AWS: names
  'fd00:ec2::254', // AWS
  'fd20:ce::254', // Google
]);

/** Ranges of `ipaddr.js` that are this machine's or its networks'. */
const PRIVATE: ReadonlySet<string> = new Set(['carrierGradeNat', 'linkLocal', 'loopback', 'private', 'uniqueLocal']);

/** All that is allocated to the public (RFC 4291, section 2.4); what lies outside is no address to talk to. */
const GLOBAL = ipaddr.IPv6.parseCIDR('2000::/3');
/** Within it, ranges that `ipaddr.js` takes for unicast: documentation (RFC 9637), and protocol assignments. */
const RESERVED = [ipaddr.IPv6.parseCIDR('3fff::/20'), ipaddr.IPv6.parseCIDR('2001::/23')];
/** The NAT64 prefix that stands for public IPv4 only (RFC 6052, section 3.1). */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/** An address in its one canonical spelling; nothing when `text` is none. Takes dotted decimals, no older form of IPv4. */
export function canonicalAddress(text: string): string | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString();
  if (!ipaddr.IPv6.isValid(text) || text.includes('%')) return undefined;
  return process(text).toString();
}

/** An IPv4 address that is written as an IPv6 one (`::ffff:0:0/96`) is the IPv4 address. */
function process(text: string): IPv4 | IPv6 {
  return ipaddr.process(text);
}

/** The kind of the address that `canonical` spells, as `canonicalAddress` gives it. */
function kindOfAddress(canonical: string): AddressKind {
  if (METADATA.has(canonical)) return 'forbidden';
  const address = ipaddr.parse(canonical);
  const range = address.range();
  if (PRIVATE.has(range)) return 'private';
  if (address instanceof ipaddr.IPv4) return range === 'unicast' ? 'public' : 'forbidden';
  if (address.match(NAT64)) {
    // The gateway behind it may know the private addresses that are written so.
    const inner = canonicalAddress(address.toByteArray().slice(12).join('.'));
    return inner !== undefined && kindOfAddress(inner) === 'public' ? 'public' : 'forbidden';
  }
  const isPublic =
    range === 'unicast' && address.match(GLOBAL) && !RESERVED.some((reserved) => address.match(reserved));
  return isPublic ? 'public' : 'forbidden';
}

/** Why `canonical` may not be dialled within `reach`; nothing when it may. */
export function addressRefusal(canonical: string, reach: Reach): NetRefusal | undefined {
  const kind = kindOfAddress(canonical);
  if (kind === 'public' || (kind === 'private' && reach.private)) return undefined;
  if (kind === 'private') return refuse('address-private', `\`${canonical}\` is an address of a private network`);
  return refuse('address-forbidden', `\`${canonical}\` is an address that nothing may be sent to`);
}
