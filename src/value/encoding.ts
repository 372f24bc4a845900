/** Bytes as text and back: UTF-8, hexadecimal, base64. Each text has one byte string and each byte string one text. */

const encoder = new TextEncoder();
const fatalDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `text` in UTF-8; lone surrogates become U+FFFD, so check `isWellFormed` first where it matters. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text that `bytes` are the UTF-8 of, a leading U+FEFF kept; nothing when they are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return fatalDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const HEX = '0123456789abcdef';

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

/** The bytes of lower-case hexadecimal `text`; nothing when it is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const COMMON = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

interface Alphabet {
  readonly symbols: Uint8Array;
  /** By character code: the six bits, or 255. */
  readonly values: Uint8Array;
  readonly padded: boolean;
}

function alphabet(characters: string, padded: boolean): Alphabet {
  const symbols = encoder.encode(characters);
  const values = new Uint8Array(128).fill(255);
  symbols.forEach((symbol, value) => {
    values[symbol] = value;
  });
  return { symbols, values, padded };
}

const BASE64 = alphabet(`${COMMON}+/`, true);
const BASE64_URL = alphabet(`${COMMON}-_`, false);
const PAD = '='.charCodeAt(0);

function encode(bytes: Uint8Array, { symbols, padded }: Alphabet): string {
  const padding = (3 - (bytes.length % 3)) % 3;
  const length = Math.ceil(bytes.length / 3) * 4;
  const out = new Uint8Array(padded ? length : length - padding).fill(PAD);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out[at++] = symbols[(held >> bits) & 63] ?? PAD;
    }
    held &= 63;
  }
  if (bits > 0) out[at] = symbols[(held << (6 - bits)) & 63] ?? PAD;
  return fatalDecoder.decode(out);
}

function decode(text: string, { values, padded }: Alphabet): Uint8Array | undefined {
  if (padded && text.length % 4 !== 0) return undefined;
  const end = padded ? text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0) : text.length;
  if (end % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < end; i += 1) {
    const value = values[text.charCodeAt(i)] ?? 255;
    if (value === 255) return undefined;
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  // Bits left over must be zero, or two texts would mean the same bytes (RFC 4648, section 3.5).
  return held === 0 ? bytes : undefined;
}

/** Base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  return encode(bytes, BASE64);
}

/** The bytes of padded base64; nothing when `text` is not exactly what `toBase64` writes for some bytes. */
export function fromBase64(text: string): Uint8Array | undefined {
  return decode(text, BASE64);
}

/** Base64url without padding (RFC 4648, section 5; RFC 7515, section 2). */
export function toBase64Url(bytes: Uint8Array): string {
  return encode(bytes, BASE64_URL);
}

/** The bytes of unpadded base64url; nothing when `text` is not exactly what `toBase64Url` writes for some bytes. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  return decode(text, BASE64_URL);
}
