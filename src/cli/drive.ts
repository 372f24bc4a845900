/** The authority over an open data directory, and the runs of programs that are moved over it. */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { Authority } from '../authority/authority.ts';
import type { Reach } from '../authority/proposal.ts';
import type { RuntimeOptions } from '../runtime/deps.ts';
import { Runtime } from '../runtime/runtime.ts';
import { type Loaded, protectedPaths } from './configuration.ts';
import type { OpenData } from './data.ts';

export interface DriveOptions extends Pick<RuntimeOptions, 'programs' | 'principals' | 'log'> {
  readonly loaded: Loaded;
  /** The data directory. */
  readonly directory: string;
  /** How tools are carried out, and models. */
  readonly reach: Reach;
  /** How many attempts a call makes by itself, where that is safe. */
  readonly attemptsMax?: number;
}

export interface Driven {
  readonly authority: Authority;
  readonly runtime: Runtime;
}

export function drive(
  { ledger, vault, world }: OpenData,
  { loaded, directory, reach, attemptsMax, ...runs }: DriveOptions,
): Driven {
  const authority = new Authority(ledger, {
    vault,
    world,
    resolveRoot: (within) => path.resolve(loaded.directory, within),
    protectedPaths: protectedPaths(loaded, realpathSync(directory)),
    ...(attemptsMax === undefined ? {} : { attemptsMax }),
    reach,
  });
  return { authority, runtime: new Runtime({ authority, ledger, vault, world, reach, ...runs }) };
}
