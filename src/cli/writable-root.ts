/** Warns of guarded directories that hold what the policy itself rests on: who may write there could write it. */

import path from 'node:path';
import type { Issue } from '../value/issue.ts';
import { type Usable, protectedPaths, realPath } from './configuration.ts';

/** One warning for each tool that may write below a directory with the configuration, the lock or the data directory in it. */
export function writableRoots(loaded: Usable, data: string): Issue[] {
  const { configuration, directory, shown } = loaded;
  const kept = protectedPaths(loaded, data);
  return configuration.tools.flatMap(({ pattern, declared, places }): Issue[] => {
    const within = declared.guard?.path?.within;
    if (within === undefined || declared.effect === 'read') return [];
    const root = realPath(path.resolve(directory, within));
    const held = kept.find((one) => one === root || one.startsWith(root.endsWith(path.sep) ? root : root + path.sep));
    if (held === undefined) return [];
    const { line, column } = places.get('guard') ?? pattern.place;
    const message = `\`within\` of \`${pattern.text}\` holds \`${path.relative(root, held) || within}\`, which the policy rests on`;
    const hint = 'calls that lead there are refused all the same; give the tool a directory of its own';
    return [{ code: 'guard-root-holds-policy', severity: 'warning', message, file: shown, line, column, hint }];
  });
}
