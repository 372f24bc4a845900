/** What the docs promise of programs and their runs: a part of `requirement.ts`. */

import type { Requirement } from './requirement.ts';

export const PROGRAM_REQUIREMENTS: readonly Requirement[] = [
  {
    id: 'R-program-check',
    text: 'a program with a step that is never reached, leads nowhere or reads what is not there does not come to be',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-semantics',
    text: 'transition agrees with an independent interpreter over every sequence of events',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-undo',
    text: 'a run that fails undoes what it did, the last first, each once',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-parallel',
    text: 'no more branches run than may, and none begins after a failure',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-builder',
    text: 'a program has one digest, in YAML, in JSON and in TypeScript',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-prove',
    text: 'what is proved of a program holds in every run; what is not is told with a way that breaks it, and no shorter one is',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-size',
    text: 'ten thousand steps are checked in seconds, and so are their properties proved',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-schema',
    text: 'the schema for editors has every key of programs, and no other',
    where: ['docs/programs.md'],
  },
  { id: 'R-program-corpus', text: 'each run of the corpus goes as its case says', where: ['docs/programs.md'] },
  {
    id: 'R-run-crash',
    text: 'a run whose process is killed at any point goes on elsewhere, and does nothing twice',
    where: ['docs/programs.md'],
  },
  { id: 'R-run-once', text: 'of several events that come at once one moves the run', where: ['docs/programs.md'] },
  {
    id: 'R-run-capability',
    text: 'a call of a run is denied once the policy says anything else of what the run may do',
    where: ['docs/programs.md'],
  },
];
