/** `principals:` — who may act, in which roles, and whose approval counts. */

import type { Place } from '../../value/issue.ts';
import { LATER } from './later.ts';
import { readEntries, readFields, readText, readTexts, refuse, shown } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';

export interface PrincipalDeclaration {
  readonly id: string;
  readonly place: Place;
  readonly roles: readonly string[];
  readonly labels: readonly string[];
  /** An approver's public key, `ed25519:` and base64. */
  readonly key?: string;
}

const PRINCIPALS_MAX = 10_000;
export const PRINCIPAL_LENGTH_MAX = 256;
/** 32 bytes in base64. */
const PUBLIC_KEY = /^ed25519:[A-Za-z0-9+/]{43}=$/u;

export function readPrincipals(reader: Reader, entry: Entry): ReadonlyMap<string, PrincipalDeclaration> {
  const principals = new Map<string, PrincipalDeclaration>();
  const entries = readEntries(reader, entry.value, entry.place, '`principals`') ?? [];
  if (entries.length > PRINCIPALS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${PRINCIPALS_MAX} principals, got ${entries.length}`);
    return principals;
  }
  for (const principal of entries) {
    if (principal.key === '' || principal.key.length > PRINCIPAL_LENGTH_MAX) {
      const message = `expected a principal's id to have 1 to ${PRINCIPAL_LENGTH_MAX} characters`;
      refuse(reader, principal.keyPlace, 'wrong-value', `${message}, got ${principal.key.length}`);
    } else principals.set(principal.key, readPrincipal(reader, principal));
  }
  return principals;
}

function readPrincipal(reader: Reader, principal: Entry): PrincipalDeclaration {
  const what = `principal \`${shown(principal.key)}\``;
  let roles: readonly string[] = [];
  let labels: readonly string[] = [];
  let key: string | undefined;
  const texts = (entry: Entry): readonly string[] =>
    (readTexts(reader, entry.value, entry.place, `\`${entry.key}\` of ${what}`) ?? []).map((item) => item.text);
  const parsers = {
    roles: (entry: Entry) => void (roles = texts(entry)),
    labels: (entry: Entry) => void (labels = texts(entry)),
    key: (entry: Entry) => {
      key = readText(reader, entry.value, entry.place, `\`key\` of ${what}`)?.text;
      if (key === undefined || PUBLIC_KEY.test(key)) return;
      const message = `expected \`key\` of ${what} to be an Ed25519 public key, got \`${shown(key)}\``;
      refuse(reader, entry.place, 'wrong-value', message, 'write `ed25519:` and 32 bytes in base64');
    },
  };
  readFields(reader, principal.value, principal.place, what, parsers, LATER.principal);
  const read = { id: principal.key, place: principal.keyPlace, roles, labels };
  return Object.freeze(key === undefined ? read : { ...read, key });
}
