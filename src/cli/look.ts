/** Whether the files that a configuration was read from have changed since. */

import { type Loaded, identityOf } from './configuration.ts';

/** The files that tell whether to read again. */
export type Looked = Pick<Loaded, 'file' | 'identity' | 'shadow'>;

/** The same files as they are now. */
export async function lookAt(taken: Looked | undefined): Promise<Looked | undefined> {
  if (taken === undefined) return undefined;
  const { file, shadow } = taken;
  const identity = await identityOf(file);
  if (shadow === undefined) return { file, identity };
  return { file, identity, shadow: { ...shadow, identity: await identityOf(shadow.file) } };
}

export function isAlike(a: Looked | undefined, b: Looked | undefined): boolean {
  return a?.identity === b?.identity && a?.shadow?.identity === b?.shadow?.identity;
}
