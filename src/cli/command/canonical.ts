/** `interlock canonical`: JSON on standard input, its canonical bytes (RFC 8785) on standard output. */

import { canonicalBytes } from '../../value/canonical.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import type { Issue } from '../../value/issue.ts';
import { parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { showIssues, toldIssues } from '../issues.ts';
import { type Terminal, inertJson, readAll, writeLine } from '../terminal.ts';

const SHOWN = '<stdin>';

export async function canonicalCommand(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const bytes = await readAll(terminal.input, JSON_LIMITS.bytesMax);
  const parsed = bytes === undefined ? TOO_LARGE : parseJson(bytes);
  if (parsed.ok) {
    terminal.output.write(canonicalBytes(parsed.value));
    return EXIT.ok;
  }
  const { issues } = parsed;
  if (options.json) writeLine(terminal.output, inertJson({ ok: false, issues: toldIssues(issues, SHOWN) }));
  else showIssues(terminal, issues, SHOWN, bytes === undefined ? undefined : fromUtf8(bytes));
  return EXIT.usage;
}

const TOO_LARGE: { readonly ok: false; readonly issues: readonly Issue[] } = {
  ok: false,
  issues: [
    {
      code: 'json-size',
      severity: 'error',
      message: `expected at most ${JSON_LIMITS.bytesMax} bytes`,
      line: 1,
      column: 1,
    },
  ],
};
