/** `interlock canonical`: JSON on standard input, its canonical bytes (RFC 8785) on standard output. */

import { canonicalBytes } from '../../value/canonical.ts';
import { renderIssue } from '../../value/issue.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type Terminal, readAll, writeLine } from '../terminal.ts';

export async function canonicalCommand(terminal: Terminal, options: { json: boolean }): Promise<ExitCode> {
  const bytes = await readAll(terminal.input, JSON_LIMITS.bytesMax);
  const parsed =
    bytes === undefined
      ? { ok: false as const, issues: [tooLarge()] }
      : parseJson(bytes);
  if (parsed.ok) {
    terminal.output.write(canonicalBytes(parsed.value));
    return EXIT.ok;
  }
  if (options.json) {
    writeLine(terminal.output, JSON.stringify({ ok: false, issues: parsed.issues }));
    return EXIT.usage;
  }
  const source = bytes === undefined ? undefined : fromUtf8(bytes);
  for (const issue of parsed.issues) writeLine(terminal.errors, renderIssue({ file: '<stdin>', ...issue }, source));
  return EXIT.usage;
}

function tooLarge(): Parameters<typeof renderIssue>[0] {
  const message = `expected at most ${JSON_LIMITS.bytesMax} bytes`;
  return { code: 'json-size', severity: 'error', message, line: 1, column: 1 };
}
