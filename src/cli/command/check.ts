/** `interlock check`: parses, types and lints the policy. */

import { type CommonOptions, loadConfiguration } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { counted, showIssues, toldIssues } from '../issues.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export async function checkCommand(
  terminal: Terminal,
  options: CommonOptions & { readonly offline: boolean },
): Promise<ExitCode> {
  const loaded = await loadConfiguration(terminal, options);
  const { issues: own, shadowIssues } = await typePolicy(terminal, loaded, options);
  const issues = [...own, ...shadowIssues];
  const errors = issues.filter((issue) => issue.severity === 'error').length;
  const ok = errors === 0;
  const digest = loaded.configuration?.digest;
  if (options.json) {
    const answer = { ok, digest: digest ?? null, issues: toldIssues(issues, loaded.shown) };
    writeLine(terminal.output, inertJson(answer));
  } else {
    showIssues(terminal, own, loaded.shown, loaded.source);
    if (loaded.shadow !== undefined) showIssues(terminal, shadowIssues, loaded.shadow.shown, loaded.shadow.source);
    const { colour } = terminal;
    const verdict = ok ? colour.green('ok') : colour.red('not usable');
    const said = [verdict, counted(errors, 'error'), counted(issues.length - errors, 'warning'), digest ?? ''];
    writeLine(terminal.output, `${inert(loaded.shown)}: ${said.filter((one) => one !== '').join(', ')}`);
  }
  return ok ? EXIT.ok : EXIT.usage;
}
