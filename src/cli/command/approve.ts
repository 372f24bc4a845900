/** `interlock approve CALL`: a person approves a parked call, with a signature where the configuration wants one. */

import { type Answered, type ApproveOrder, approve, question } from '../../authority/approve.ts';
import type { Asked } from '../../authority/asked.ts';
import { standingKind } from '../../ledger/standing.ts';
import type { ApprovalRequest } from '../../ledger/ledger.ts';
import type { Configuration } from '../../policy/document/configuration.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, loadConfiguration } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { showIssues } from '../issues.ts';
import type { PassphraseOptions } from '../passphrase.ts';
import { systemUser } from '../reason.ts';
import { approveWaiting, signingKey } from '../signed-change.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { type Derived, type StandingOptions, carryOut, derive, standingOrder, toldStanding } from '../standing.ts';
import { linesOf } from './approvals.ts';

export interface ApproveOptions extends CommonOptions, PassphraseOptions, StandingOptions {
  readonly call: string;
  /** The approver, an id of `principals:`. */
  readonly as?: string;
  readonly key?: string;
}

export async function approveCommand(terminal: Terminal, options: ApproveOptions): Promise<ExitCode> {
  const { call } = options;
  const order = standingOrder(options);
  if (standingKind(call) === 'reload') {
    if (order !== undefined)
      throw new CliError('usage', '`--standing` derives a rule from a call, and this is a change');
    await using data = await openData(terminal, options, { create: false });
    return await approveWaiting(terminal, data.ledger, call, options);
  }
  const loaded = await loadConfiguration(terminal, options);
  if (loaded.configuration === undefined) {
    showIssues(terminal, loaded.issues, loaded.shown, loaded.source);
    return EXIT.usage;
  }
  const { configuration } = loaded;
  const who = approverOf(configuration, options);
  await using data = await openData(terminal, options, { create: false, loaded });
  const asked = await question(data.ledger, { call, by: who.by, at: systemWorld.now() });
  if (!asked.ok) return tellAnswer(terminal, options, asked, '');
  const notes = notesOf(configuration, asked.approval, who.by);
  let derived: Derived | undefined;
  // Before the approval, which could not be taken back.
  if (order !== undefined) {
    requireLast(asked, notes);
    derived = await derive(
      terminal,
      { ...loaded, configuration },
      { asked, data: dataDirectory(terminal, options), order },
    );
  }
  // Whoever signs has seen what.
  if (!options.json) for (const line of linesOf(asked)) writeLine(terminal.errors, line);
  const how = who.signed ? { sign: await signing(terminal, options, who) } : { unsigned: true as const };
  const approval: ApproveOrder = { call, by: who.by, ...how };
  const answered = await approve(data.ledger, systemWorld, approval);
  for (const note of notes) writeLine(terminal.errors, `note: ${note}`);
  const given = answered.ok ? `${answered.given} of ${asked.approval.quorum}` : '';
  const done = `approved by ${inert(who.by)}, ${given}`;
  if (derived === undefined || !answered.ok) return tellAnswer(terminal, options, answered, done);
  if (!options.json) tellAnswer(terminal, options, answered, done);
  const stands = carryOut(terminal, derived, options.json);
  if (options.json) tellAnswer(terminal, options, answered, done, toldStanding(derived, derived.write && stands));
  return stands ? EXIT.ok : EXIT.wrong;
}

/** What somebody alone cannot approve once cannot be approved for a month by one either. */
function requireLast({ row, approval }: Asked, notes: readonly string[]): void {
  const [note] = notes;
  const given = row.approvals.length + 1;
  if (note !== undefined) throw new CliError('usage', `no standing rule can be derived: ${note}`);
  if (given >= approval.quorum) return;
  const message = `no standing rule can be derived: this is approval ${given} of ${approval.quorum}`;
  throw new CliError('usage', message, { hint: 'it comes with the last one' });
}

/** The end of `approve` and of `refuse`: one line, or one object, and the exit code. */
export function tellAnswer(
  terminal: Terminal,
  { call, json }: { readonly call: string; readonly json: boolean },
  answered: Answered,
  done: string,
  standing?: Record<string, unknown>,
): ExitCode {
  const { ok } = answered;
  if (json) {
    const { code, message } = answered.ok ? { code: undefined, message: undefined } : answered;
    const told = answered.ok ? { ok, call, given: answered.given, standing } : { ok, code, message };
    writeLine(terminal.output, inertJson(told));
  } else if (answered.ok) {
    writeLine(terminal.output, `call ${inert(call)} (${inert(answered.row.tool)}) is ${done}`);
  } else {
    writeLine(terminal.errors, `interlock: ${inert(answered.message)} [${answered.code}]`);
  }
  if (answered.ok) return EXIT.ok;
  return answered.code === 'no-such-call' ? EXIT.usage : EXIT.wrong;
}

type Approver =
  | { readonly signed: false; readonly by: string }
  | { readonly signed: true; readonly by: string; readonly publicKey: string };

/** Unsigned it is the operating-system user and nobody else; an id of `principals:` takes its key. */
function approverOf({ approvals, principals }: Configuration, { as, key }: ApproveOptions): Approver {
  if (as === undefined && key === undefined && !approvals.signed) return { signed: false, by: systemUser() };
  if (as === undefined) {
    const hint = key === undefined ? '--as ID, an id of `principals:` with a `key`' : '--key needs --as ID';
    throw new CliError('usage', 'an approval needs its approver', { hint });
  }
  const declared = principals?.get(as);
  if (declared?.key !== undefined) return { signed: true, by: as, publicKey: declared.key };
  const problem = declared === undefined ? 'is no principal' : 'has no `key`';
  throw new CliError('usage', `\`${as}\` ${problem} in the configuration`, {
    hint: 'interlock approver add ID makes a key and says what to write there',
  });
}

async function signing(
  terminal: Terminal,
  options: ApproveOptions,
  { by, publicKey }: Approver & { readonly signed: true },
): Promise<(text: string) => string> {
  const key = await signingKey(terminal, options, by);
  if (key.publicKey === publicKey) return (text) => key.sign(text);
  throw new CliError('usage', `this is not the key that the configuration names for \`${by}\``);
}

/** Why an approval that is recorded may not count; the policy has the last word. */
function notesOf(
  { principals }: Configuration,
  { approvers, notRequester, requester }: ApprovalRequest,
  by: string,
): string[] {
  const roles = principals?.get(by)?.roles ?? [];
  const isAsked = approvers.length === 0 || by === requester || [by, ...roles].some((one) => approvers.includes(one));
  return [
    ...(isAsked ? [] : [`the rules ask ${approvers.map(inert).join(', ')}, and ${inert(by)} is none of them`]),
    ...(notRequester && by === requester ? ['a rule does not take the answer of the requester'] : []),
  ];
}
