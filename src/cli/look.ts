/** Whether the files that a configuration was read from have changed since. */

import { type Loaded, identityOf, identityOfAll } from './configuration.ts';

/** The files that tell whether to read again. */
export type Looked = Pick<Loaded, 'file' | 'identity' | 'shadow'> & {
  readonly programs?: Pick<NonNullable<Loaded['programs']>, 'files' | 'identity'>;
};

/** The same files as they are now. */
export async function lookAt(taken: Looked | undefined): Promise<Looked | undefined> {
  if (taken === undefined) return undefined;
  const { file, shadow, programs } = taken;
  const identity = await identityOf(file);
  const files = programs?.files ?? [];
  return {
    file,
    identity,
    ...(programs === undefined ? {} : { programs: { files, identity: await identityOfAll(files) } }),
    ...(shadow === undefined ? {} : { shadow: { ...shadow, identity: await identityOf(shadow.file) } }),
  };
}

export function isAlike(a: Looked | undefined, b: Looked | undefined): boolean {
  return (
    a?.identity === b?.identity &&
    a?.shadow?.identity === b?.shadow?.identity &&
    a?.programs?.identity === b?.programs?.identity
  );
}
