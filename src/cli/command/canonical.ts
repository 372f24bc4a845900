/** `interlock canonical`: JSON on standard input, its canonical bytes (RFC 8785) on standard output. */

import { canonicalBytes } from '../../value/canonical.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import type { Issue } from '../../value/issue.ts';
import { parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { readInput } from '../file.ts';
import { showIssues, toldIssues } from '../issues.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

const SHOWN = '<stdin>';

export async function canonicalCommand(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const read = await readInput(terminal, JSON_LIMITS.bytesMax);
  const parsed = read.ok ? parseJson(read.bytes) : { ok: false as const, issues: [unreadable(read.reason)] };
  if (parsed.ok) {
    terminal.output.write(canonicalBytes(parsed.value));
    return EXIT.ok;
  }
  const { issues } = parsed;
  if (options.json) writeLine(terminal.output, inertJson({ ok: false, issues: toldIssues(issues, SHOWN) }));
  else showIssues(terminal, issues, SHOWN, read.ok ? fromUtf8(read.bytes) : undefined);
  return EXIT.usage;
}

function unreadable(reason: string): Issue {
  const message = `standard input cannot be read: ${reason}`;
  return { code: 'input-unreadable', severity: 'error', message, line: 1, column: 1 };
}
