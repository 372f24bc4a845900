/** Names toward the host: `server__tool`, always within what every host accepts, the same in every run. */

import { sha256 } from '../value/digest.ts';
import { toHex, utf8 } from '../value/encoding.ts';

/** The longest name that every host accepts, in characters of `[A-Za-z0-9_-]`. */
export const NAME_MAX = 64;

const HASH_DIGITS = 10;
const SEPARATOR = '__';
const PLAIN = /^[A-Za-z0-9_-]+$/;

/**
 * The name of `own`, a tool or prompt of `server`, toward the host. A server's id has no underscore, so the first one
 * always ends it. A name that is too long or has other characters keeps what it can and ends in ten digits of its
 * SHA-256: `splitName` cannot undo that, so whoever lists names keeps a map.
 */
export function hostName(server: string, own: string): string {
  const plain = `${server}${SEPARATOR}${own}`;
  if (plain.length <= NAME_MAX && PLAIN.test(own)) return plain;
  const hash = toHex(sha256(utf8(`${server}.${own}`))).slice(0, HASH_DIGITS);
  const room = NAME_MAX - server.length - SEPARATOR.length - 1 - HASH_DIGITS;
  return `${server}${SEPARATOR}${own.replaceAll(/[^A-Za-z0-9_-]/gu, '_').slice(0, room)}_${hash}`;
}

/** The parts of a name toward the host, as if it were plain; nothing when it cannot be one of ours. */
export function splitName(name: string): { readonly server: string; readonly own: string } | undefined {
  const at = name.indexOf(SEPARATOR);
  return at <= 0 ? undefined : { server: name.slice(0, at), own: name.slice(at + SEPARATOR.length) };
}

/** The name that policies know a tool or method by. */
export function policyName(server: string, own: string): string {
  return `${server}.${own}`;
}
