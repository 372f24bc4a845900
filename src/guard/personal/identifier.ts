/**
 * Finds what identifies a person by its form alone: e-mail addresses, phone numbers with a `+`, IBANs with a right
 * checksum. In linear time, whatever the text.
 */

import { domainToASCII } from 'node:url';

export type IdentifierKind = 'email' | 'phone' | 'iban';

export interface Identifier {
  readonly kind: IdentifierKind;
  /** Normal form: two spellings of one identifier have one. */
  readonly name: string;
  /** Where it stands, UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** RFC 5321, section 4.5.3.1. */
const LOCAL_MAX = 64;
const DOMAIN_MAX = 255;
const isLocal = characterClass(/[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u);
const isDomain = characterClass(/[\p{L}\p{M}\p{N}.-]/u);

/** ITU-T E.164: at most 15 digits; fewer than 8 are no number of a person. */
const DIGITS_MIN = 8;
const DIGITS_MAX = 15;
const PHONE = /\+[ \t]?\(?\d(?:[ \t().\u00A0\u202F/-]{0,3}\d){6,20}/gu;

/** How long the IBANs of each country are (ISO 13616). */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    15: 'NO',
    16: 'BE BI',
    18: 'DK FI FK FO GL NL SD',
    19: 'MK SI',
    20: 'AT BA EE KZ LT LU MN XK',
    21: 'CH CR HN HR LI LV',
    22: 'BG BH DE GB GE IE ME RS',
    23: 'AE GI IL IQ OM SO TL',
    24: 'AD CZ ES MD PK RO SA SE SK TN VG',
    25: 'LY PT ST',
    26: 'IS TR',
    27: 'BF BJ CI CM DJ DZ FR GR IT MC MG MR NE SM SN',
    28: 'AL AZ BY CY DO GT HU LB NI PL SV',
    29: 'BR EG PS QA UA',
    30: 'JO KW MU YE',
    31: 'MT SC',
    32: 'LC',
    33: 'RU',
  }).flatMap(([length, countries]) => countries.split(' ').map((country) => [country, Number(length)] as const)),
);
const IBAN_MIN = 15;
/** Country, check digits, then letters and digits, in groups or in one piece. */
const IBAN = /(?<![\p{L}\p{N}])[A-Za-z]{2}\d{2}(?:[ \u00A0-]?[A-Za-z0-9]){11,30}/gu;

/** All identifiers in `text`, each kind in the order of the text; whoever wants only some pays for no more. */
export function* identifiersIn(text: string): Generator<Identifier, void> {
  // Most texts have none of these characters.
  if (text.includes('@')) yield* emailsIn(text);
  if (text.includes('+')) yield* phonesIn(text);
  if (text.length >= IBAN_MIN) yield* ibansIn(text);
}

/** Whether there is one. */
export function hasIdentifier(text: string): boolean {
  return identifiersIn(text).next().done !== true;
}

/** The identifier that `text` is, and nothing else; for what a person types. */
export function identifierOf(text: string): Identifier | undefined {
  const trimmed = text.trim();
  return [...identifiersIn(trimmed)].find(({ start, end }) => start === 0 && end === trimmed.length);
}

/** `text` with `[email]`, `[phone]`, `[iban]` in the place of each identifier: for what people read. */
export function withoutIdentifiers(text: string): string {
  let shown = '';
  let from = 0;
  for (const { kind, start, end } of [...identifiersIn(text)].toSorted((a, b) => a.start - b.start)) {
    if (start < from) continue;
    shown += `${text.slice(from, start)}[${kind}]`;
    from = end;
  }
  return shown + text.slice(from);
}

function* emailsIn(text: string): Generator<Identifier> {
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < LOCAL_MAX && isLocal(text, start - 1)) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at <= DOMAIN_MAX && isDomain(text, end)) end += 1;
    // Punctuation of the sentence around it.
    while (/[.-]/u.test(text[end - 1] ?? '')) end -= 1;
    while (start < at && text[start] === '.') start += 1;
    const domain = domainName(text.slice(at + 1, end));
    if (start === at || domain === undefined) continue;
    const local = text.slice(start, at).normalize('NFC').toLowerCase();
    yield { kind: 'email', name: `${local}@${domain}`, start, end };
  }
}

/** With at least one dot, and a last label that is no number; international ones in their ASCII form. */
function domainName(text: string): string | undefined {
  if (!/[^.]\.[^.\d][^.]*$/u.test(text)) return undefined;
  const lower = text.toLowerCase();
  // oxlint-disable-next-line no-control-regex -- what is ASCII already
  if (/^[\x00-\x7f]*$/u.test(lower)) return lower;
  const ascii = domainToASCII(lower);
  return ascii === '' ? undefined : ascii;
}

function* phonesIn(text: string): Generator<Identifier> {
  for (const { 0: match, index } of text.matchAll(PHONE)) {
    const digits = match.replaceAll(/\D/gu, '');
    if (digits.length < DIGITS_MIN || digits.length > DIGITS_MAX) continue;
    yield { kind: 'phone', name: `+${digits}`, start: index, end: index + match.length };
  }
}

function* ibansIn(text: string): Generator<Identifier> {
  for (const { 0: match, index } of text.matchAll(IBAN)) {
    // Words may follow in the same form.
    const length = IBAN_LENGTHS.get(match.slice(0, 2).toUpperCase());
    if (length === undefined) continue;
    let end = 0;
    let name = '';
    while (end < match.length && name.length < length) {
      const character = match.charAt(end);
      if (/[A-Za-z0-9]/u.test(character)) name += character.toUpperCase();
      end += 1;
    }
    if (name.length === length && isIban(name)) yield { kind: 'iban', name, start: index, end: index + end };
  }
}

/** ISO 7064, MOD 97-10: the first four characters last, letters as 10 to 35, remainder 1. */
function isIban(name: string): boolean {
  let rest = 0;
  for (const character of name.slice(4) + name.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** Whether the UTF-16 unit at `at` is in `set`; told from a table where it is ASCII, since most are. */
function characterClass(set: RegExp): (text: string, at: number) => boolean {
  const ascii = Array.from({ length: 128 }, (_, code) => set.test(String.fromCodePoint(code)));
  return (text, at) => ascii[text.charCodeAt(at)] ?? set.test(text.charAt(at));
}
