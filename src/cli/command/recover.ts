/** `interlock recover`: a person decides how a ledger goes on that does not go on by itself. */

import { existsSync } from 'node:fs';
import { acceptClock } from '../../authority/clock.ts';
import { liftRollback } from '../../authority/rollback.ts';
import { acceptSeen } from '../../authority/witnessing.ts';
import { dataFiles } from '../../ledger/directory.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { configuredWitnesses } from '../witnesses.ts';

/** What there is to decide; each is an option of the command, and one is given. */
type Action = 'acceptClock' | 'acceptRollback' | 'lift';

const ACTIONS: Readonly<
  Record<Action, (terminal: Terminal, options: CommonOptions, said: Said) => Promise<Recovered>>
> = {
  acceptClock: takeClock,
  acceptRollback,
  lift,
};

export interface RecoverOptions extends CommonOptions {
  readonly asked: Readonly<Record<Action, boolean>>;
  readonly reason: string;
}

type Recovered =
  | { readonly ok: true; readonly done: string; readonly told: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

export async function recoverCommand(terminal: Terminal, options: RecoverOptions): Promise<ExitCode> {
  const asked = (Object.keys(ACTIONS) as Action[]).filter((action) => options.asked[action]);
  const [action] = asked;
  if (action === undefined || asked.length > 1) {
    throw new CliError('usage', 'expected one of --accept-clock, --accept-rollback and --lift', {
      hint: 'the clock after it jumped; what was restored, and later lift that calls with effects are asked about',
    });
  }
  const reason = reasonOf(options.reason, 'a recovery');
  await requireNamed(terminal, options);
  const recovered = await ACTIONS[action](terminal, options, { reason, by: systemUser() });
  if (options.json) {
    const { ok } = recovered;
    const { code, message } = recovered.ok ? {} : recovered;
    writeLine(terminal.output, inertJson(recovered.ok ? { ok, done: recovered.done } : { ok, code, message }));
  } else if (recovered.ok) {
    writeLine(terminal.output, inert(recovered.told));
  } else {
    writeLine(terminal.errors, `interlock: ${inert(recovered.message)} [${recovered.code}]`);
  }
  return recovered.ok ? EXIT.ok : EXIT.wrong;
}

interface Said {
  readonly reason: string;
  readonly by: string;
}

async function takeClock(terminal: Terminal, options: CommonOptions, said: Said): Promise<Recovered> {
  await using data = await openData(terminal, options, { create: false });
  const accepted = await acceptClock(data.ledger, systemWorld, said);
  if (!accepted.ok) return accepted;
  return { ok: true, done: 'clock-accepted', told: 'the clock is accepted as it is: writes are decided again' };
}

async function acceptRollback(terminal: Terminal, options: CommonOptions, said: Said): Promise<Recovered> {
  // A directory that was emptied has no ledger yet; one where nobody ever looked for one is a mistake.
  const create = existsSync(dataFiles(dataDirectory(terminal, options)).ledger);
  const witnesses = await configuredWitnesses(terminal, options);
  await using data = await openData(terminal, options, { create, acceptRollback: said });
  const { ledger, world } = data;
  const log = (line: string): void => writeLine(terminal.errors, `interlock: ${inert(line)}`);
  const isAccepted = await acceptSeen({ ledger, world, witnesses: () => witnesses, log }, said);
  if (ledger.outside !== 'accepted' && !isAccepted) {
    const message = 'the log is not older than its checkpoint outside: there is nothing to accept';
    return { ok: false, code: 'not-rolled-back', message };
  }
  const told = 'accepted: this log goes on; calls with effects are asked about until interlock recover --lift';
  return { ok: true, done: 'rollback-accepted', told };
}

async function lift(terminal: Terminal, options: CommonOptions, said: Said): Promise<Recovered> {
  await using data = await openData(terminal, options, { create: false });
  const lifted = await liftRollback(data.ledger, systemWorld, said);
  if (!lifted.ok) return lifted;
  return { ok: true, done: 'rollback-lifted', told: 'lifted: calls are decided by their rules again' };
}
