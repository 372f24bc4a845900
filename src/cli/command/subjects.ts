/** `interlock subjects`: whose data is kept, by ids that say nothing, and how much. */

import type { StoredSubject } from '../../ledger/sqlite/reader.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import { readVault } from '../../ledger/vault.ts';
import { holdKey } from '../../ledger/vault-step.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { counted } from '../issues.ts';
import { type NamedSubject, subjectOf } from '../subject.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export type SubjectsOptions = CommonOptions & NamedSubject;

export async function subjectsCommand(terminal: Terminal, options: SubjectsOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const directory = dataDirectory(terminal, options);
  using reader = openReader(directory);
  const isOne = options.subject !== undefined || options.value !== undefined;
  const wanted = isOne ? subjectOf(readVault(directory, systemWorld), options) : undefined;
  const holds = reader.countersOf('hold/');
  const all = wanted === undefined ? reader.subjects() : [reader.kept(wanted)].filter(({ values }) => values > 0);
  const subjects = all.map((one) => ({ ...one, held: holds.has(holdKey(one.subject)) }));
  if (options.json) writeLine(terminal.output, inertJson({ subjects }));
  else for (const one of subjects) writeLine(terminal.output, lineOf(one));
  if (!options.json && subjects.length === 0)
    writeLine(terminal.output, 'nothing is kept of anybody who was asked for');
  return EXIT.ok;
}

function lineOf({ subject, calls, values, held }: StoredSubject & { readonly held: boolean }): string {
  const kept = `${counted(values, 'sealed value')} of ${counted(calls, 'call')}`;
  return `${inert(subject)}  ${kept}${held ? ', on hold' : ''}`;
}
