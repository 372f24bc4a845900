/** Verifies a bundle where signatures can only be checked in a later turn, as with WebCrypto in a page. */

import { toBase64 } from '../../value/encoding.ts';
import { verifyBundle } from './bundle.ts';
import type { VerifyReport } from './report.ts';
import type { VerifyOptions } from './verify.ts';

/** Whether `signature` of `message` verifies under the Ed25519 key `publicKey`; rejects only when nobody can tell. */
export type LaterSignatureCheck = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Promise<boolean>;

export interface LaterOptions extends Omit<VerifyOptions, 'checkSignature'> {
  readonly checkSignature: LaterSignatureCheck;
}

/**
 * The report that `verifyBundle` gives: a bundle in whatever state is a report. Rejects with what `checkSignature` rejects
 * with. The verifier runs with the answers that are there, taking the others for yes, until it asks nothing new.
 */
export async function verifyBundleLater(bytes: Uint8Array, options: LaterOptions): Promise<VerifyReport> {
  const answers = new Map<string, boolean>();
  for (;;) {
    const asked = new Map<string, Parameters<LaterSignatureCheck>>();
    const report = verifyBundle(bytes, {
      ...options,
      checkSignature: (...question) => {
        const name = question.map(toBase64).join(' ');
        const answer = answers.get(name);
        if (answer === undefined) asked.set(name, question);
        return answer ?? true;
      },
    });
    if (asked.size === 0) return report;
    for (const [name, question] of asked) answers.set(name, await options.checkSignature(...question));
  }
}
