/** `interlock erase SUBJECT | --value V`: destroys what is kept of a person, and prints a receipt. */

import { type Erased, eraseSubject } from '../../authority/erase.ts';
import { daysLeft, epochOf } from '../../authority/rotate.ts';
import { formatBundle } from '../../ledger/bundle/format.ts';
import { makeBundle } from '../../ledger/bundle/make.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import type { JsonObject } from '../../value/json.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { epochLasts } from '../epoch.ts';
import { textOf } from '../entry-filter.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type NamedSubject, requireImpersonal, subjectOf } from '../subject.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface EraseOptions extends CommonOptions, NamedSubject {
  readonly reason: string;
}

export async function eraseCommand(terminal: Terminal, options: EraseOptions): Promise<ExitCode> {
  const reason = reasonOf(options.reason, 'an erasure');
  requireImpersonal(reason, options);
  await requireNamed(terminal, options);
  const epochMs = await epochLasts(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  const { ledger, vault } = data;
  const subject = subjectOf(vault, options);
  const backupDays = daysLeft(await epochOf(ledger, vault.keyring), systemWorld.now(), epochMs);
  const erased = await eraseSubject(ledger, systemWorld, { subject, reason, by: systemUser(), backupDays });
  const receipt = erased.ok
    ? receiptFor(terminal, options, { key: ledger.key, checkpoint: await ledger.checkpoint() }, erased.position)
    : undefined;
  tell(terminal, options, subject, erased, receipt);
  return erased.ok ? EXIT.ok : EXIT.wrong;
}

/** The bundle of the entry at `position`, and that entry. */
interface Receipt {
  readonly bundle: JsonObject;
  readonly entry: JsonObject;
}

function receiptFor(
  terminal: Terminal,
  options: CommonOptions,
  signed: { readonly key: string; readonly checkpoint: string },
  position: number,
): Receipt {
  using reader = openReader(dataDirectory(terminal, options));
  const leaves = function* (): Generator<Uint8Array, void> {
    for (const { leaf } of reader.leaves()) yield leaf;
  };
  const bundle = makeBundle({ ...signed, leaves }, (_leaf, at) => at === position);
  const entry = bundle?.entries.find((one) => one.position === position)?.leaf;
  if (bundle !== undefined && entry !== undefined) {
    return { bundle: formatBundle(bundle), entry: JSON.parse(entry) as JsonObject };
  }
  throw new LedgerError('tampered', `the last checkpoint does not cover entry ${position}: run interlock verify`);
}

function tell(
  terminal: Terminal,
  { json }: EraseOptions,
  subject: string,
  erased: Erased,
  receipt: Receipt | undefined,
): void {
  if (!erased.ok) {
    const { ok, code, message } = erased;
    if (json) writeLine(terminal.output, inertJson({ ok, code, message, subject }));
    else writeLine(terminal.errors, `interlock: ${inert(message)} [${code}]`);
    return;
  }
  const { entry = {}, bundle = {} } = receipt ?? {};
  const { calls = 0, values = 0, backupDays = 0, disclosures = [], at = '' } = entry;
  const { ok, again } = erased;
  if (json) {
    writeLine(
      terminal.output,
      inertJson({ ok, subject, again, calls, values, backupDays, disclosures, receipt: bundle }),
    );
    return;
  }
  const done = again ? `was erased before, at ${inert(textOf(at) ?? '')}` : 'is erased';
  writeLine(terminal.output, `${subject} ${done}: ${Number(values)} sealed values of ${Number(calls)} calls`);
  writeLine(
    terminal.output,
    `  backups without epochs/ are shredded too in ${Number(backupDays)} days, by the next key rotation`,
  );
  if (Array.isArray(disclosures) && disclosures.length > 0) {
    writeLine(terminal.output, `  beyond reach is what was handed out: entries ${disclosures.map(Number).join(', ')}`);
  }
  writeLine(terminal.output, `  receipt, which interlock verify checks as a file: ${inertJson(bundle)}`);
}
