/** What approvers signed of a policy: whether the signature in an entry verifies. */

import type { SignatureCheck } from '../../tlog/note.ts';
import { isSigned } from '../signed-text.ts';
import { shown } from './leaf.ts';
import type { Envelope } from './leaf.ts';

/** Why an entry that needs a signature has none under the key that it names; whose key that is, the policy says. */
export function authorFault(envelope: Envelope, check: SignatureCheck): string | undefined {
  const { type, fields } = envelope;
  if (type !== 'policy.approved' && type !== 'policy.exception') return undefined;
  const key = typeof fields['key'] === 'string' ? fields['key'] : '';
  if (isSigned(envelope, key, check)) return undefined;
  return `expected a signature of ${shown(fields['by'])}, got one that does not verify`;
}
