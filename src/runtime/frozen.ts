/** The program that a run started with, and those that it calls, made again from their recorded texts. Pure. */

import type { Policy } from '../policy/compile.ts';
import { linkContent } from '../program/compile.ts';
import type { Parsed } from '../value/issue.ts';
import { type Linked, linkSource } from './catalog.ts';
import type { Started } from './entry.ts';

/** The digests of the texts that `linkStarted` needs. */
export function frozenDigests({ program, programs }: Started): readonly string[] {
  return [program, ...programs.values()];
}

/** The program over the tools of `policy`; `textOf` has the text of each of `frozenDigests`. */
export function linkStarted(policy: Policy, started: Started, textOf: (digest: string) => string): Parsed<Linked> {
  const sourceOf = (digest: string) => ({ file: digest, text: textOf(digest) });
  const programs = (name: string) => {
    const digest = started.programs.get(name);
    return digest === undefined ? undefined : sourceOf(digest);
  };
  return linkSource(policy, started.principal, sourceOf(started.program), programs, linkContent);
}
