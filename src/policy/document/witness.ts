/** `checkpoints.witnesses`: who is asked to cosign checkpoints, and under which key. */

import { sha256 } from '../../value/digest.ts';
import { fromBase64, toHex, utf8 } from '../../value/encoding.ts';
import { readFields, readItems, readText, refuse, shown } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';

export interface WitnessSettings {
  /** `name+id+key`, as C2SP signed-note writes keys. */
  readonly key: string;
  /** http or https. */
  readonly url: string;
}

const WITNESSES_MAX = 16;
const KEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u;
/** Of a key for cosignatures (C2SP tlog-cosignature), before its 32 bytes. */
const COSIGNATURE = 0x04;
const KEY_BYTES = 32;

export function readWitnesses(reader: Reader, entry: Entry): readonly WitnessSettings[] {
  const what = '`witnesses` of `checkpoints`';
  const items = readItems(reader, entry.value, entry.place, what) ?? [];
  if (items.length > WITNESSES_MAX) {
    refuse(reader, entry.place, 'too-many', `expected at most ${WITNESSES_MAX} witnesses, got ${items.length}`);
    return [];
  }
  const witnesses: WitnessSettings[] = [];
  for (const { item, place } of items) {
    const read: { key?: string | undefined; url?: string | undefined } = {};
    const parsers = {
      key: (inner: Entry) => void (read.key = readKey(reader, inner)),
      url: (inner: Entry) => void (read.url = readUrl(reader, inner)),
    };
    if (!readFields(reader, item, place, 'a witness', parsers)) continue;
    for (const name of ['key', 'url'] as const) {
      if (name in read) continue;
      const hint = 'write {key: NAME+ID+KEY, url: https://…}: the key is what its operator publishes';
      refuse(reader, place, 'wrong-value', `a witness needs \`${name}\``, hint);
    }
    const { key, url } = read;
    if (key !== undefined && url !== undefined) witnesses.push(Object.freeze({ key, url }));
  }
  const twice = witnesses.find(({ key }, nth) => witnesses.findIndex((other) => other.key === key) !== nth);
  if (twice !== undefined)
    refuse(reader, entry.place, 'wrong-value', `the witness \`${shown(twice.key)}\` is named twice`);
  return Object.freeze(witnesses);
}

function readKey(reader: Reader, entry: Entry): string | undefined {
  const key = readText(reader, entry.value, entry.place, '`key` of a witness')?.text;
  if (key === undefined || isWitnessKey(key)) return key;
  const message = `expected \`key\` of a witness to be a key for cosignatures, got \`${shown(key)}\``;
  return refuse(reader, entry.place, 'wrong-value', message, 'copy the line NAME+ID+KEY that its operator publishes');
}

function isWitnessKey(text: string): boolean {
  const [, name = '', id = '', encoded = ''] = KEY.exec(text) ?? [];
  const typed = fromBase64(encoded);
  if (typed?.length !== 1 + KEY_BYTES || typed[0] !== COSIGNATURE) return false;
  return toHex(sha256(utf8(`${name}\n`), typed).subarray(0, 4)) === id;
}

function readUrl(reader: Reader, entry: Entry): string | undefined {
  const url = readText(reader, entry.value, entry.place, '`url` of a witness')?.text;
  if (url === undefined || (/^https?:\/\/[^@\s]+$/u.test(url) && URL.canParse(url))) return url;
  const message = `expected \`url\` of a witness to be an http or https URL, got \`${shown(url)}\``;
  return refuse(reader, entry.place, 'wrong-value', message);
}
