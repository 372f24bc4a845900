/** `interlock refuse CALL --reason TEXT`: a person refuses a parked call, which ends it. */

import { refuse } from '../../authority/approve.ts';
import { standingKind } from '../../ledger/standing.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import type { ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { refuseStanding } from '../signed-change.ts';
import { type Terminal, inert } from '../terminal.ts';
import { tellAnswer } from './approve.ts';

export interface RefuseOptions extends CommonOptions {
  readonly call: string;
  readonly reason: string;
  /** Recorded as a claim: a refusal widens nothing, so nobody has to prove who refuses. */
  readonly as?: string;
}

export async function refuseCommand(terminal: Terminal, options: RefuseOptions): Promise<ExitCode> {
  const { call, as: by = systemUser() } = options;
  const reason = reasonOf(options.reason, 'a refusal');
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  if (standingKind(call) !== undefined) {
    return await refuseStanding(terminal, data.ledger, { ...options, id: call, by, reason });
  }
  const answered = await refuse(data.ledger, systemWorld, { call, by, reason });
  return tellAnswer(terminal, options, answered, `refused by ${inert(by)}`);
}
