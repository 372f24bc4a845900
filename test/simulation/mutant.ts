/** What a planted defect is: exact replacements in the real source, and the promises that must break by them. */

export interface Replacement {
  /** Under `src/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** The invariants that may be the first to break; which one it is, the order of events decides. */
  readonly breaks: readonly [string, ...string[]];
  readonly replacements: readonly Replacement[];
}

export function one(file: string, find: string, replace: string): readonly Replacement[] {
  return [{ file, find, replace }];
}
