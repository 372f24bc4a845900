/** Identifiers: UUIDs made from a given time and given random bytes. */

import { toHex } from './encoding.ts';
import { ValueError } from './error.ts';

const RANDOM_BYTES = 10;
const TIME_MAX = 2 ** 48 - 1;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * A UUIDv7 (RFC 9562, section 5.7): `nowMs` milliseconds since the epoch in front, then 74 of the 80 bits of `random`
 * (10 bytes). Equal input gives the equal id. Throws `out-of-range` for a time before the epoch or another length.
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (!Number.isInteger(nowMs) || nowMs < 0 || nowMs > TIME_MAX) {
    throw new ValueError('out-of-range', `expected whole milliseconds since the epoch, got ${nowMs}`);
  }
  if (random.length !== RANDOM_BYTES) {
    throw new ValueError('out-of-range', `expected ${RANDOM_BYTES} random bytes, got ${random.length}`);
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(nowMs / 2 ** 32));
  view.setUint32(2, nowMs % 2 ** 32);
  bytes.set(random, 6);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether `text` is a UUID of versions 1 to 8 in the lower-case form of RFC 9562, section 4. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** When `uuid`, in the form that `isUuid` takes, was made: milliseconds since the epoch. Nothing of another version than 7. */
export function timeOfUuidV7(uuid: string): number | undefined {
  return uuid[14] === '7' ? Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) : undefined;
}
