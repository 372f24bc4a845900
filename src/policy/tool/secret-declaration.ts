/** `secrets:` — which expressions give what is secret of a tool, and whether nothing of it may wait. */

import { isSeq } from 'yaml';
import { readTexts, readWord, refuse, target } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import type { Located } from '../../document/source.ts';

export interface SecretDeclaration {
  /** Over `args`, or paths into `output`. */
  readonly expressions: readonly Located[];
  /** Nothing secret of a call may wait anywhere. */
  readonly neverStored: boolean;
}

const NEVER_STORE = 'never-store';

/** `never-store`, or a list of expressions, which may have that word among them. */
export function readSecrets(reader: Reader, entry: Entry, what: string): SecretDeclaration | undefined {
  if (!isSeq(target(reader, entry.value))) {
    const word = readWord(reader, entry.value, entry.place, what, [NEVER_STORE]);
    return word === undefined ? undefined : Object.freeze({ expressions: [], neverStored: true });
  }
  const texts = readTexts(reader, entry.value, entry.place, what);
  if (texts === undefined) return undefined;
  if (texts.length === 0) {
    const hint = 'write `[args.password]`, `[output.token]` or `never-store`';
    return refuse(reader, entry.place, 'wrong-value', `${what} is empty: it would name nothing`, hint);
  }
  const expressions = texts.filter(({ text }) => text !== NEVER_STORE);
  return Object.freeze({ expressions, neverStored: expressions.length < texts.length });
}
