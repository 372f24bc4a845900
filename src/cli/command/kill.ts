/** `interlock kill TARGET` and `interlock revive TARGET`: the kill switch, from the next decision on. */

import { type KillTarget, liftKill, parseKillTarget, setKill } from '../../authority/kill.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface KillOptions extends CommonOptions {
  readonly target: string;
  readonly reason: string;
}

/** Before the first call there is no ledger yet, and a switch is set all the same. */
export async function killCommand(terminal: Terminal, options: KillOptions): Promise<ExitCode> {
  const target = targetOf(options);
  const reason = reasonOf(options.reason, 'a kill');
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: true });
  await setKill(data.ledger, systemWorld, { target, reason, by: systemUser() });
  const text = `killed ${inert(target)}: from now on such calls are denied; lift it with interlock revive`;
  writeLine(terminal.output, options.json ? inertJson({ ok: true, target, killed: true }) : text);
  return EXIT.ok;
}

export async function reviveCommand(terminal: Terminal, options: KillOptions): Promise<ExitCode> {
  const target = targetOf(options);
  const reason = reasonOf(options.reason, 'a revival');
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  const lifted = await liftKill(data.ledger, systemWorld, { target, reason, by: systemUser() });
  if (options.json) {
    const { ok } = lifted;
    const told = lifted.ok ? { ok, target, killed: false } : { ok, code: lifted.code, message: lifted.message };
    writeLine(terminal.output, inertJson(told));
  } else if (lifted.ok) {
    writeLine(terminal.output, `revived ${inert(target)}`);
  } else {
    writeLine(terminal.errors, `interlock: ${inert(lifted.message)} [${lifted.code}]`);
  }
  if (!options.json) await tellOthers(terminal, data.ledger);
  return lifted.ok ? EXIT.ok : EXIT.wrong;
}

/** What is still off: who revives one target must not believe that everything runs again. */
async function tellOthers(terminal: Terminal, ledger: Ledger): Promise<void> {
  for (const { target, by, reason } of await ledger.kills()) {
    writeLine(terminal.errors, `still killed: ${inert(target)} (by ${inert(by)}: ${inert(reason)})`);
  }
}

function targetOf({ target }: KillOptions): KillTarget {
  const parsed = parseKillTarget(target);
  if (parsed !== undefined) return parsed;
  throw new CliError('usage', `expected all, principal:ID, server:NAME or tool:SERVER.TOOL, got \`${target}\``, {
    hint: 'a switch names one thing exactly; * is not looked at',
  });
}
