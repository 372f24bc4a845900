/** `interlock recover --accept-clock`: a person says that the wall clock is right, after it jumped. */

import { acceptClock } from '../../authority/clock.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface RecoverOptions extends CommonOptions {
  readonly acceptClock: boolean;
  readonly reason: string;
}

export async function recoverCommand(terminal: Terminal, options: RecoverOptions): Promise<ExitCode> {
  if (!options.acceptClock) {
    throw new CliError('usage', 'expected what to recover from', { hint: '--accept-clock, after a clock jump' });
  }
  const reason = reasonOf(options.reason, 'a recovery');
  await requireNamed(terminal, options);
  await using data = await openData(dataDirectory(terminal, options), { create: false });
  const accepted = await acceptClock(data.ledger, systemWorld, { reason, by: systemUser() });
  if (options.json) writeLine(terminal.output, inertJson(accepted));
  else if (accepted.ok) writeLine(terminal.output, 'the clock is accepted as it is: writes are decided again');
  else writeLine(terminal.errors, `interlock: ${inert(accepted.message)} [${accepted.code}]`);
  return accepted.ok ? EXIT.ok : EXIT.wrong;
}
