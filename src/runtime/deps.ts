/** What runs of programs are driven with. */

import type { Authority } from '../authority/authority.ts';
import type { Reach } from '../authority/proposal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Vault } from '../ledger/vault.ts';
import type { World } from '../world/world.ts';
import type { Programs } from './catalog.ts';

export interface RuntimeOptions {
  readonly authority: Authority;
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly world: World;
  /** How tools and models are carried out; nothing while one cannot be reached. */
  readonly reach: Reach;
  /** The programs that are configured. */
  readonly programs: Programs;
  /** Whose runs are taken up here by themselves; everybody's if not given. Others are moved where they are spoken of. */
  readonly principals?: () => readonly string[];
  /** Takes one line. */
  readonly log: (line: string) => void;
  /** Rebuilds every run from the ledger before each of its moves: for tests that what is kept in memory is nothing more. */
  readonly alwaysReplay?: boolean;
}
