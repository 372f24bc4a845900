/** The files of cases that `interlock test` runs: those beside the configuration, or those it names. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FILE_LENGTH_MAX } from '../document/document.ts';
import { parseCases } from '../policy/case/case.ts';
import type { CaseFile } from '../policy/case/case.ts';
import { fromUtf8 } from '../value/encoding.ts';
import type { Issue } from '../value/issue.ts';
import { type CommonOptions, configurationFile } from './configuration.ts';
import { CliError } from './exit.ts';
import { readNamed } from './file.ts';
import type { Terminal } from './terminal.ts';

/** A file of cases as read: `cases` is absent when its issues forbid its use. */
export interface LoadedCases {
  /** As the user named it; shown in messages. */
  readonly shown: string;
  /** What relative paths of the file are relative to. Absolute. */
  readonly directory: string;
  readonly source: string | undefined;
  readonly cases: CaseFile | undefined;
  readonly issues: readonly Issue[];
}

const ENDINGS = ['.test.yaml', '.test.yml', '.test.json'];

/**
 * The names of the files beside the configuration `NAME.yaml`: `NAME.test.yaml`, and `NAME.ANYTHING.test.yaml` where the
 * cases are many; `.yml` and `.json` as well. Throws a `CliError` where there are none.
 */
export async function casesBeside(terminal: Terminal, options: CommonOptions): Promise<readonly string[]> {
  const file = configurationFile(terminal, options);
  const stem = `${path.basename(file, path.extname(file))}.`;
  const names = await readdir(path.dirname(file)).catch(() => []);
  const found = names.filter((name) =>
    ENDINGS.some((ending) => name.endsWith(ending) && `${name.slice(0, -ending.length)}.`.startsWith(stem)),
  );
  const beside = path.dirname(options.config ?? '');
  const shown = found.filter((name) => name !== path.basename(file)).map((name) => path.join(beside, name));
  if (shown.length > 0) return shown.toSorted();
  const message = `there are no cases beside \`${options.config ?? path.basename(file)}\``;
  throw new CliError('usage', message, { hint: `write them to ${path.join(beside, `${stem}test.yaml`)}` });
}

/** Reads and parses one file. Throws `unreadable` for a file that cannot be read. */
export async function loadCases(terminal: Terminal, shown: string): Promise<LoadedCases> {
  const directory = path.dirname(path.resolve(terminal.directory, shown));
  const bytes = await readNamed(terminal, shown, 4 * FILE_LENGTH_MAX);
  const source = fromUtf8(bytes);
  if (source === undefined) throw new CliError('unreadable', `\`${shown}\` is not UTF-8`);
  const parsed = parseCases(source, { file: shown, environment: terminal.environment });
  return { shown, directory, source, cases: parsed.ok ? parsed.value : undefined, issues: parsed.issues };
}
