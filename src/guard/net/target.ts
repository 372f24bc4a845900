/** Reads a URL that somebody wrote, and refuses what two readers could read differently. Asks no resolver. */

import { domainToUnicode } from 'node:url';
import { canonicalAddress } from './address.ts';
import { refuse } from './answer.ts';
import type { NetRefusal } from './answer.ts';

/** Where a URL leads, as everybody reads it. */
export interface NetTarget {
  readonly url: URL;
  /** Lower case, in ASCII, without a last dot; an address in its canonical form, without brackets. */
  readonly host: string;
  /** Whether `host` is an address, so that no name is looked up. */
  readonly isAddress: boolean;
}

const URL_CHARACTERS_MAX = 8_192;
/** What some readers drop, some take for a slash and some for the end. */
const TREACHEROUS = /[\p{Cc}\p{White_Space}\\]/u;
const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i;
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/;

/** Names of letters, digits, `-` and `_`, each part at most 63 long (RFC 1035, section 2.3.4). */
const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Names under which clouds serve credentials; their addresses differ from cloud to cloud. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'instance-data',
  'instance-data.ec2.internal',
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'metadata.tencentyun.com',
  'rancher-metadata',
]);

export type ReadTarget = { readonly ok: true; readonly target: NetTarget } | NetRefusal;

/** The target of the URL `text`, or why it is refused. The host as written must be the host as it is read. */
export function readTarget(text: string): ReadTarget {
  if (text.length > URL_CHARACTERS_MAX) return refuse('url-malformed', 'the URL is too long');
  if (TREACHEROUS.test(text) || !text.isWellFormed()) {
    return refuse('url-malformed', 'the URL contains a blank, a control character or a backslash');
  }
  const [, scheme = '', authority = ''] = SHAPE.exec(text) ?? [];
  if (scheme === '') return refuse('url-malformed', 'expected `http://HOST…` or `https://HOST…`');
  if (!/^https?$/i.test(scheme)) return refuse('url-scheme', `expected http or https, got \`${scheme.slice(0, 40)}\``);
  if (authority.includes('@')) return refuse('url-userinfo', 'the URL contains a user name or a password');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const [, written = '', port] = HOST_AND_PORT.exec(authority) ?? [];
  if (url === undefined || written === '') return refuse('url-malformed', 'its host or port cannot be read');
  if (portOf(url) !== (port === undefined ? portOf(new URL(`${url.protocol}//h`)) : Number(port))) {
    return refuse('url-ambiguous', 'its port can be read in two ways');
  }
  return written.startsWith('[') ? readAddress(url, written) : readName(url, lowerCase(written));
}

/** The port that a URL leads to, also where it is the scheme's own. */
function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function readAddress(url: URL, written: string): ReadTarget {
  const host = canonicalAddress(written.slice(1, -1));
  if (host === undefined || host !== canonicalAddress(url.hostname.slice(1, -1))) {
    return refuse('url-ambiguous', 'its address can be read in two ways');
  }
  return { ok: true, target: { url, host, isAddress: true } };
}

/** Lower case that makes no ASCII of what is none: U+212A, the sign for Kelvin, would become a `k`. */
function lowerCase(text: string): string {
  return text.replaceAll(/./gsu, (character) => {
    const lower = character.toLowerCase();
    return character > '\u007f' && lower < '\u0080' ? character : lower;
  });
}

function readName(url: URL, written: string): ReadTarget {
  const read = url.hostname;
  if (read !== written && domainToUnicode(read) !== written.normalize('NFC')) {
    return refuse('url-ambiguous', `its host is written \`${written.slice(0, 80)}\` and read as \`${read}\``);
  }
  const address = canonicalAddress(read);
  if (address !== undefined) return { ok: true, target: { url, host: address, isAddress: true } };
  const host = read.replace(/\.$/, '');
  if (!NAME.test(host)) return refuse('url-malformed', `expected a name of a host, got \`${read.slice(0, 80)}\``);
  if (METADATA_NAMES.has(host)) return refuse('name-forbidden', `\`${host}\` is where a cloud keeps credentials`);
  return { ok: true, target: { url, host, isAddress: false } };
}
