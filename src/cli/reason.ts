/** Who does something on this machine, and why: what every entry that a person makes says. */

import os from 'node:os';
import { withoutSecrets } from '../guard/secret/find.ts';
import { CliError } from './exit.ts';

/** Characters of a reason: it stands in the entry itself. */
const REASON_MAX = 4_096;

/**
 * The reason as it is recorded, without what looks like a secret; `what` needs it, `a settlement` for one. Throws `usage`
 * for none or too long a one.
 */
export function reasonOf(reason: string, what: string): string {
  if (reason.trim() === '') throw new CliError('usage', `${what} needs a reason`, { hint: '--reason TEXT' });
  if (reason.length <= REASON_MAX) return withoutSecrets(reason.toWellFormed());
  throw new CliError('usage', `expected a reason of at most ${REASON_MAX} characters, got ${reason.length}`);
}

/** A claim of the system the command runs on; a container may have no name for its user. */
export function systemUser(): string {
  try {
    return `os:${os.userInfo().username}`;
  } catch {
    return `os:${process.getuid?.() ?? 'unknown'}`;
  }
}
