/** What the documentation promises of runs of programs once they are recorded. */

import type { Requirement } from './requirement.ts';

export const RUN_REQUIREMENTS: readonly Requirement[] = [
  {
    id: 'R-run-again',
    text: 'runs are moved again from the log alone, and a move, event or call that does not follow is found',
    where: ['docs/ledger.md', 'docs/programs.md'],
  },
  {
    id: 'R-contract-again',
    text: 'whether a run might still do what it could when it started is decided again from the log',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-run-receipt',
    text: 'a receipt of a run is a function of its entries, and verifies for whoever has nothing but the file and a key',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-run-health',
    text: 'figures of runs are what their formulas give, whatever the order of the runs, and flagged above their thresholds',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-replay-run',
    text: 'a run is replayed move by move without the world, also under another policy and up to a step',
    where: ['docs/ledger.md'],
  },
];
