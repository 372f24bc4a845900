/** What stands and is no call, by the id that `approvals` lists: a reload that waits for a signature, an exception. */

import path from 'node:path';
import { type WaitingReload, approveReload, waitingReloads, withdrawReload } from '../authority/reload.ts';
import { endException, exceptionEntries } from '../authority/exception.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { exceptedRules, standingKind } from '../ledger/standing.ts';
import type { JsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { systemWorld } from '../world/system.ts';
import { type ApproverKey, approverKeyFile, openApproverKey } from './approver-key.ts';
import type { CommonOptions } from './configuration.ts';
import { textOf } from './entry-filter.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { type PassphraseOptions, readPassphrase } from './passphrase.ts';
import { type Terminal, inert, inertJson, writeLine } from './terminal.ts';

export interface SigningOptions extends CommonOptions, PassphraseOptions {
  readonly as?: string;
  readonly key?: string;
}

/** The private key of `by`, opened with the passphrase. Throws a `CliError`. */
export async function signingKey(terminal: Terminal, options: SigningOptions, by: string): Promise<ApproverKey> {
  const { key } = options;
  const file = key === undefined ? approverKeyFile(terminal, by) : path.resolve(terminal.directory, key);
  return openApproverKey(file, await readPassphrase(terminal, options));
}

/** Signs a reload. Who may is what the policy in force says, which is not the file that waits. */
export async function approveWaiting(
  terminal: Terminal,
  ledger: Ledger,
  id: string,
  options: SigningOptions,
): Promise<ExitCode> {
  const { as: by } = options;
  if (by === undefined) throw new CliError('usage', 'an approval needs its approver', { hint: '--as ID' });
  const waiting = (await waitingReloads(ledger)).find((each) => each.id === id);
  if (waiting === undefined) return tell(terminal, options, id, undefined);
  // Whoever signs has seen what.
  if (!options.json) for (const line of reloadLines(waiting)) writeLine(terminal.errors, line);
  const expected = waiting.approvers.get(by);
  if (expected === undefined) {
    const hint = `it takes ${[...waiting.approvers.keys()].map(inert).join(' or ')}`;
    throw new CliError('usage', `\`${by}\` is no approver of the policy in force`, { hint });
  }
  const key = await signingKey(terminal, options, by);
  if (key.publicKey !== expected) {
    throw new CliError('usage', `this is not the key that the policy in force names for \`${by}\``);
  }
  const order = { by, key: key.publicKey, sign: (text: string) => key.sign(text) };
  const done = await approveReload(ledger, systemWorld, waiting, order);
  return tell(terminal, options, id, done ? `approved by ${inert(by)}` : undefined);
}

/** Refuses a reload, so that the policy in force stays, or ends an exception. */
export async function refuseStanding(
  terminal: Terminal,
  ledger: Ledger,
  options: CommonOptions & { readonly id: string; readonly by: string; readonly reason: string },
): Promise<ExitCode> {
  const { id, by } = options;
  const end = standingKind(id) === 'exception' ? endException : withdrawReload;
  const done = await end(ledger, systemWorld, options);
  return tell(terminal, options, id, done ? `refused by ${inert(by)}` : undefined);
}

function tell(terminal: Terminal, { json }: CommonOptions, id: string, done: string | undefined): ExitCode {
  const message = `\`${id}\` does not stand, or not any more`;
  const code = 'not-standing';
  if (json) writeLine(terminal.output, inertJson(done === undefined ? { ok: false, code, message } : { ok: true, id }));
  else if (done === undefined) writeLine(terminal.errors, `interlock: ${inert(message)} [${code}]`);
  else writeLine(terminal.output, `${inert(id)} is ${done}`);
  return done === undefined ? EXIT.wrong : EXIT.ok;
}

/** A reload in lines for a person: everything that a signature binds, and what it may allow. */
export function reloadLines({ id, at, before, after, widens, approvers }: WaitingReload): string[] {
  return [
    `change ${inert(id)}, since ${inert(at)}`,
    `  in force   ${inert(before)}`,
    `  waiting    ${inert(after)}`,
    ...widens.map((line, index) => `  ${index === 0 ? 'may widen ' : '          '} ${inert(line)}`),
    `  approvers  ${[...approvers.keys()].map(inert).join(', ')}`,
  ];
}

/** The exceptions that have not expired, whoever signed them: whether they count, every gateway decides. */
export async function openExceptions(
  ledger: Pick<Ledger, 'counters' | 'entry'>,
  now: number,
): Promise<readonly Entry[]> {
  const entries = await exceptionEntries(ledger);
  return entries.filter(({ expires }) => typeof expires === 'string' && (parseInstant(expires) ?? 0) > now);
}

export function exceptionLines({ exception, rules, by, reason, expires }: Entry): string[] {
  const ids = (exceptedRules(rules) ?? []).map(({ id }) => inert(id));
  return [
    `exception ${inert(textOf(exception) ?? '')}`,
    `  rules      ${ids.join(', ')}`,
    `  by         ${inert(textOf(by) ?? '')}: ${inert(textOf(reason) ?? '')}`,
    `  until      ${inert(textOf(expires) ?? '')}`,
  ];
}

export function toldException({ exception, rules, by, reason, expires }: Entry): JsonObject {
  const ids = (exceptedRules(rules) ?? []).map(({ id }) => id);
  return { id: exception ?? '', rules: ids, by: by ?? '', reason: reason ?? '', expires: expires ?? '' };
}

export function toldReload({ id, at, before, after, widens, approvers }: WaitingReload): Record<string, unknown> {
  return { id, at, before, after, widens, approvers: [...approvers.keys()] };
}
