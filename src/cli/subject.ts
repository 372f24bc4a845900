/** Which subject a command line names: a name as `subject:` gives it, an id, a call, or a value with `--value`. */

import { identifierOf } from '../guard/personal/identifier.ts';
import type { Vault } from '../ledger/vault.ts';
import { isUuid } from '../value/id.ts';
import { CliError } from './exit.ts';

export interface NamedSubject {
  /** A name, `s_…`, or the id of a call. */
  readonly subject?: string;
  /** An e-mail address, a phone number or an IBAN. */
  readonly value?: string;
}

const ID = /^s_[\w-]{43}$/u;

/** `s_…` or the id of a call. Throws `usage` for none, for both, and for a value that is not found by its form. */
export function subjectOf(vault: Vault, { subject, value }: NamedSubject): string {
  if ((subject === undefined) === (value === undefined)) {
    throw new CliError('usage', 'expected a subject or --value, and not both', {
      hint: 'a subject is a name as `subject:` gives it, an id `s_…`, or the id of a call',
    });
  }
  if (value !== undefined) {
    const found = identifierOf(value);
    if (found !== undefined) return vault.subject(found.kind, found.name);
    throw new CliError('usage', 'expected --value to be an e-mail address, a phone number with `+`, or an IBAN', {
      hint: 'other values are found by their subject, or by their call: interlock subjects',
    });
  }
  const named = subject ?? '';
  if (named === '') throw new CliError('usage', 'the subject is empty');
  return ID.test(named) || isUuid(named) ? named : vault.subject('id', named);
}

/** A reason stands in the log for ever, and so must not say what is erased. Throws `usage`. */
export function requireImpersonal(reason: string, { subject, value }: NamedSubject): void {
  const says = [subject, value].some((one) => one !== undefined && one.length > 2 && reason.includes(one));
  if (!says) return;
  throw new CliError('usage', 'the reason names what it is about, and is kept for ever', { hint: 'name a ticket' });
}
