/** `interlock learn`: the least policy that would have allowed what was recorded, for somebody to review. */

import { type Learned, learn } from '../../audit/learn.ts';
import { parseConfiguration } from '../../policy/document/configuration.ts';
import { yamlText } from '../../policy/document/yaml-text.ts';
import { parseInstant } from '../../value/time.ts';
import { type CommonOptions, configurationFile, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted } from '../issues.ts';
import { openRecordedLog, policyFile } from '../recorded-log.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export interface LearnOptions extends CommonOptions {
  /** RFC 3339. */
  readonly since?: string;
}

export async function learnCommand(terminal: Terminal, options: LearnOptions): Promise<ExitCode> {
  const since = options.since === undefined ? undefined : parseInstant(options.since);
  if (options.since !== undefined && since === undefined) {
    throw new CliError('usage', `expected \`--since\` to be an RFC 3339 time, got \`${options.since}\``);
  }
  const { configuration } = await policyFile(terminal, options, configurationFile(terminal, options));
  using log = openRecordedLog(terminal, dataDirectory(terminal, options));
  const { environment } = terminal;
  const read = (data: Learned['data']) => {
    const parsed = parseConfiguration(yamlText(data), { file: 'learned', environment });
    return parsed.ok ? parsed.value : undefined;
  };
  const learned = learn(() => log.recording(), configuration, read, since);
  if (learned === undefined) {
    throw new CliError('usage', 'too many different calls were recorded to be allowed one by one', {
      hint: 'name a later time with --since',
    });
  }
  const { data, rules, calls, dropped, left } = learned;
  const text = headOf(learned) + yamlText(data);
  const ok = left.length === 0;
  if (options.json)
    writeLine(terminal.output, inertJson({ ok, policy: text, rules: rules.length, calls, dropped, left }));
  else terminal.output.write(text);
  return ok ? EXIT.ok : EXIT.wrong;
}

/** What somebody who reviews it must know; nothing of it comes from outside. */
function headOf({ rules, calls, dropped, left }: Learned): string {
  const lines = [
    `Written by \`interlock learn\` from ${counted(calls, 'recorded call')}: ${counted(rules.length, 'rule')} allow exactly those.`,
    'Review it: what was recorded is not what should be allowed. Rules that ask or deny stand as they were.',
    ...(dropped.length === 0 ? [] : [`Left out, because it stops calls that were made: ${dropped.join(', ')}.`]),
    ...(left.length === 0 ? [] : [`${counted(left.length, 'call')} could not be learned: see \`learn --json\`.`]),
  ];
  return `${lines.map((line) => `# ${line}`).join('\n')}\n`;
}
