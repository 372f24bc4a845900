/** What was given on a command line, and the options that every command takes. */

import type { Command } from 'commander';
import type { CommonOptions } from './configuration.ts';
import { CliError, type ExitCode } from './exit.ts';

export type Given = Readonly<Record<string, unknown>>;

/** Adds a command; `run` gets its options and its operands. */
export type Add = (
  usage: string,
  summary: string,
  run: (given: Given, operands: readonly string[]) => Promise<ExitCode>,
) => Command;

/** The text of option `name` under the key `as`, or nothing, to be spread into options. */
export function text<K extends string>(given: Given, name: string, as: K): { readonly [N in K]?: string };
export function text(given: Given, name: string, as: string): Given {
  const value = given[name];
  if (value === '') throw new CliError('usage', `\`--${name}\` is empty`);
  return typeof value === 'string' ? { [as]: value } : {};
}

/** What was given before the command's name and after it; after it counts. */
export function givenTo(command: Command): Given {
  return { ...command.parent?.opts(), ...command.opts() };
}

export function common(given: Given): CommonOptions {
  return { ...text(given, 'config', 'config'), ...text(given, 'data', 'data'), json: given['json'] === true };
}

/** Adds the options every command takes, which may stand before its name and after it. */
export function withCommon(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file (default: interlock.yaml in this directory)')
    .option('--data <dir>', 'data directory (default: .interlock beside the configuration)')
    .option('--json', 'machine-readable output');
}
