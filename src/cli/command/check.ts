/** `interlock check`: parses, types and lints the policy. */

import { type CommonOptions, loadConfiguration, showIssues } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, writeLine } from '../terminal.ts';

export async function checkCommand(
  terminal: Terminal,
  options: CommonOptions & { readonly offline: boolean },
): Promise<ExitCode> {
  const loaded = await loadConfiguration(terminal, options);
  const { configuration } = loaded;
  const typed = configuration === undefined ? undefined : await typePolicy(terminal, { ...loaded, configuration }, options);
  const issues = [...loaded.issues, ...(typed?.issues ?? [])];
  const errors = issues.filter((issue) => issue.severity === 'error').length;
  const digest = configuration?.digest ?? null;
  if (options.json) {
    writeLine(terminal.output, JSON.stringify({ ok: errors === 0, digest, issues }));
    return errors === 0 ? EXIT.ok : EXIT.usage;
  }
  showIssues(terminal, issues, loaded.source);
  const { colour } = terminal;
  const counted = `${errors} errors, ${issues.length - errors} warnings`;
  const verdict = errors === 0 ? colour.green('ok') : colour.red('not usable');
  writeLine(terminal.output, `${loaded.shown}: ${verdict}, ${counted}${digest === null ? '' : `, ${digest}`}`);
  return errors === 0 ? EXIT.ok : EXIT.usage;
}
