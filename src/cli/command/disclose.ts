/** `interlock disclose CALL`: hands out sealed values with what proves them, and records to whom. */

import { type CommonOptions, requireNamed } from '../configuration.ts';
import { type DisclosureOrder, handOut } from '../disclosure.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface DiscloseOptions extends CommonOptions, DisclosureOrder {}

export async function discloseCommand(terminal: Terminal, options: DiscloseOptions): Promise<ExitCode> {
  const { call, json } = options;
  await requireNamed(terminal, options);
  const handed = await handOut(terminal, options, options);
  if (!handed.ok) {
    if (json) writeLine(terminal.output, inertJson(handed));
    else writeLine(terminal.errors, `interlock: ${inert(handed.message)} [${handed.code}]`);
    return EXIT.wrong;
  }
  const { disclosures } = handed;
  if (json) writeLine(terminal.output, inertJson({ ok: true, call, disclosures }));
  else {
    for (const { pointer, value, disclosure } of disclosures) {
      writeLine(terminal.output, `${inert(pointer)}  ${inertJson(value)}\n  ${disclosure}`);
    }
  }
  return EXIT.ok;
}
