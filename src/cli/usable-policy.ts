/** The policy that a command works with, or why there is none. */

import type { Policy } from '../policy/compile.ts';
import { type CommonOptions, type Usable, loadConfiguration } from './configuration.ts';
import { CliError } from './exit.ts';
import { firstError, forbidUse } from './issues.ts';
import { typePolicy } from './schemas.ts';
import type { Terminal } from './terminal.ts';

/** Throws `unreadable` where `check` would find an error. */
export async function usablePolicy(
  terminal: Terminal,
  options: CommonOptions & { readonly offline: boolean },
): Promise<{ readonly policy: Policy; readonly loaded: Usable }> {
  const loaded = await loadConfiguration(terminal, options);
  const { configuration } = loaded;
  const { policy, issues } = await typePolicy(terminal, loaded, options);
  if (policy !== undefined && configuration !== undefined && !forbidUse(issues)) {
    return { policy, loaded: { ...loaded, configuration } };
  }
  throw new CliError('unreadable', `the policy cannot be used: ${firstError(issues, loaded.shown)}`, {
    hint: 'a program is checked against the tools of the policy: `interlock check` says more',
  });
}
