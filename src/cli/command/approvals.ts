/** `interlock approvals`: the calls that wait for an approval, and what each waits for. */

import { type Asked, askedOf } from '../../authority/asked.ts';
import { waitingReloads } from '../../authority/reload.ts';
import { formatInstant } from '../../value/time.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { readData } from '../data.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { exceptionLines, openExceptions, reloadLines, toldException, toldReload } from '../signed-change.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export async function approvalsCommand(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  using data = readData(dataDirectory(terminal, options));
  const now = systemWorld.now();
  const waiting: Asked[] = [];
  for (const row of await data.parked()) {
    // Nobody can answer it any more; the next proposal of the call records that.
    if (row.deadline <= now) continue;
    const asked = await askedOf(data, row);
    if (asked === undefined) {
      const message = `call ${inert(row.id)} is not what was parked, and is left out: run interlock verify`;
      writeLine(terminal.errors, `interlock: ${message}`);
    } else waiting.push(asked);
  }
  const reloads = await waitingReloads(data);
  const exceptions = await openExceptions(data, now);
  if (options.json) {
    const told = {
      approvals: waiting.map(toldOf),
      reloads: reloads.map(toldReload),
      exceptions: exceptions.map(toldException),
    };
    writeLine(terminal.output, inertJson(told));
    return EXIT.ok;
  }
  if (waiting.length === 0) writeLine(terminal.output, 'no call waits for an approval');
  for (const asked of waiting) for (const line of linesOf(asked)) writeLine(terminal.output, line);
  for (const entry of exceptions) for (const line of exceptionLines(entry)) writeLine(terminal.output, line);
  for (const reload of reloads) for (const line of reloadLines(reload)) writeLine(terminal.output, line);
  return EXIT.ok;
}

/** The question in lines for a person: everything that an approval binds. */
export function linesOf({ row, approval, shown }: Asked): string[] {
  const given = row.approvals.length === 0 ? '' : ` (${row.approvals.map(({ by }) => inert(by)).join(', ')})`;
  const approvers = approval.approvers.length === 0 ? 'anybody who can' : approval.approvers.map(inert).join(', ');
  const others = approval.notRequester ? `, not ${inert(approval.requester)}` : '';
  return [
    `call ${inert(row.id)}`,
    `  tool       ${inert(row.tool)}`,
    `  arguments  ${inertJson(shown)}`,
    `  principal  ${inert(row.principal)}`,
    `  approvers  ${approvers}${others}`,
    `  given      ${row.approvals.length} of ${approval.quorum}${given}`,
    `  until      ${formatInstant(approval.expires)}`,
  ];
}

function toldOf({ row, approval, shown }: Asked): Record<string, unknown> {
  const { digest, approvers, quorum, notRequester, requester, expires } = approval;
  return {
    call: row.id,
    tool: row.tool,
    principal: row.principal,
    args: shown,
    digest,
    approvers,
    quorum,
    notRequester,
    requester,
    given: row.approvals.map(({ by, signature }) => ({ by, signed: signature !== undefined })),
    expires: formatInstant(expires),
  };
}
