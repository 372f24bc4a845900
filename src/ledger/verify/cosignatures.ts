/** Which witnesses have cosigned checkpoints that were found to be the log's. */

import { verifyCosignature } from '../../tlog/cosignature.ts';
import type { WitnessKey } from '../../tlog/cosignature.ts';
import type { SignatureCheck, SignedNote } from '../../tlog/note.ts';
import { formatInstant } from '../../value/time.ts';
import { shown } from './leaf.ts';
import { PROBLEMS_MAX } from './report.ts';
import type { Cosigner } from './report.ts';

/** The end of the year 9999, seconds since the epoch: what lies behind it has no RFC 3339 text. */
const TIME_MAX = 253_402_300_799;

export interface Cosignatures {
  /**
   * Looks at who else signed a checkpoint of `size` that is right. `isOwn` tells the log's own lines. Answers what is
   * wrong, where a witness whose key is known has a line that is no cosignature of it.
   */
  see(note: SignedNote, size: number, isOwn: (line: { name: string; keyId: string }) => boolean): string | undefined;
  /** By name, each with the largest size that it cosigned. */
  told(): readonly Cosigner[];
}

/** `known` are the witnesses whose keys are there to check with; the word of others is told as unknown. */
export function collectCosignatures(known: readonly WitnessKey[], check: SignatureCheck): Cosignatures {
  const seen = new Map<string, Cosigner>();
  const add = (cosigner: Cosigner): void => {
    const name = `${cosigner.witness} ${cosigner.keyId}`;
    if (seen.has(name) || seen.size < PROBLEMS_MAX) seen.set(name, cosigner);
  };
  return {
    see: (note, size, isOwn) => {
      let problem: string | undefined;
      for (const key of known) {
        const cosigned = verifyCosignature(note, key, check);
        const of = { witness: key.name, keyId: key.keyId, size, known: true };
        if (cosigned.state === 'valid') add({ ...of, at: formatInstant(Math.min(cosigned.time, TIME_MAX) * 1_000) });
        if (cosigned.state === 'invalid') {
          problem ??= `expected a cosignature of ${shown(key.name)} on size ${size}, got one that does not verify`;
        }
      }
      for (const line of note.signatures) {
        const { name, keyId } = line;
        const isKnown = known.some((key) => key.name === name && key.keyId === keyId);
        if (!isKnown && !isOwn(line)) add({ witness: name, keyId, size, known: false });
      }
      return problem;
    },
    told: () => [...seen.values()].toSorted((a, b) => (a.witness < b.witness ? -1 : 1)),
  };
}
