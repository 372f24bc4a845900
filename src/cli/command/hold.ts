/** `interlock hold add|lift SUBJECT|CALL`: what may not be erased, nor expire, until that is lifted. */

import { setHold } from '../../authority/hold.ts';
import { isUuid } from '../../value/id.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type NamedSubject, requireImpersonal, subjectOf } from '../subject.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface HoldOptions extends CommonOptions, NamedSubject {
  readonly action: string;
  readonly reason: string;
}

export async function holdCommand(terminal: Terminal, options: HoldOptions): Promise<ExitCode> {
  const { action } = options;
  if (action !== 'add' && action !== 'lift') throw new CliError('usage', `expected add or lift, got \`${action}\``);
  const reason = reasonOf(options.reason, 'a hold');
  requireImpersonal(reason, options);
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  const target = subjectOf(data.vault, options);
  if (isUuid(target) && (await data.ledger.call(target)) === undefined) {
    throw new CliError('usage', `there is no call \`${target}\` in this ledger`);
  }
  const held = action === 'add';
  const set = await setHold(data.ledger, systemWorld, { target, held, reason, by: systemUser() });
  if (options.json) {
    writeLine(terminal.output, inertJson(set.ok ? { ok: true, target, held } : { ...set, target }));
  } else if (set.ok) {
    const told = held ? 'on hold: it is neither erased nor does it expire' : 'not on hold any more';
    writeLine(terminal.output, `${inert(target)} is ${told}`);
  } else {
    writeLine(terminal.errors, `interlock: ${inert(set.message)} [${set.code}]`);
  }
  return set.ok ? EXIT.ok : EXIT.wrong;
}
