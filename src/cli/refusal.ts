/** How a command line is refused: what went wrong in one line, a hint, and the exit code. */

import { CommanderError } from 'commander';
import { LedgerError } from '../ledger/ledger.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

/** Says on standard error why a command line did not do what it was asked, in our words. `command` is the one named, if any. */
export function refuse(terminal: Terminal, error: unknown, command: string | undefined): ExitCode {
  const say = (line: string): void => writeLine(terminal.errors, inert(line));
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code !== 'commander.help') for (const line of sentences(error.message, command)) say(line);
    return EXIT.usage;
  }
  if (error instanceof CliError) {
    say(`interlock: ${error.message}`);
    if (error.hint !== undefined) say(`  hint: ${error.hint}`);
    return EXIT.usage;
  }
  if (error instanceof LedgerError) {
    say(`interlock: ${error.message} [${error.code}]`);
    return EXIT.ledger;
  }
  say('interlock: this is a bug, please report it');
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  for (const line of shown.split('\n')) say(line);
  return EXIT.bug;
}

/** What the parser says of wrong arguments, in the form of all our errors. */
function sentences(message: string, command: string | undefined): string[] {
  const [problem = '', ...suggestions] = message.replace(/^error: /u, '').split('\n');
  const quoted = problem.replaceAll(/'([^']*)'/gu, '`$1`').replace(/\.$/u, '');
  const hints = suggestions.map((one) => one.replaceAll(/^\(|\)$/gu, '').replace(/^D/u, 'd'));
  const help = ['interlock', command, '--help'].filter((word) => word !== undefined).join(' ');
  return [`interlock: ${quoted}`, ...(hints.length > 0 ? hints : [`see \`${help}\``]).map((one) => `  hint: ${one}`)];
}
