/** What happened in a simulated world, line by line: the same seed gives the same bytes. */

import { createHash } from 'node:crypto';
import { toHex } from '../../src/value/encoding.ts';

export interface Trace {
  readonly lines: readonly string[];
  /** `at`: milliseconds since the world began. */
  add(at: number, text: string): void;
  /** SHA-256 of all lines and of `more`, in hexadecimal. */
  digest(more: Uint8Array): string;
}

export function createTrace(): Trace {
  const lines: string[] = [];
  return {
    lines,
    add: (at, text) => void lines.push(`${String(at).padStart(6)}  ${text}`),
    digest: (more) => toHex(createHash('sha256').update(lines.join('\n')).update(more).digest()),
  };
}
