/** `interlock learn`: the least policy that would have allowed what was recorded, for somebody to review. */

import { type Learned, type SealedCalls, learn } from '../../audit/learn.ts';
import { replaceRules } from '../../policy/document/amend.ts';
import { type Configuration, parseConfiguration } from '../../policy/document/configuration.ts';
import { yamlText } from '../../policy/document/yaml-text.ts';
import { canonicalText } from '../../value/canonical.ts';
import type { JsonObject } from '../../value/json.ts';
import { parseInstant } from '../../value/time.ts';
import { type CommonOptions, configurationFile, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted } from '../issues.ts';
import { openRecordedLog, policyFile } from '../recorded-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface LearnOptions extends CommonOptions {
  /** RFC 3339. */
  readonly since?: string;
}

/** What an earlier run wrote at the top, up to the empty line behind it. */
const HEAD = /^# Written by `interlock learn`[^\n]*\n(?:#[^\n]*\n)*\n?/u;

export async function learnCommand(terminal: Terminal, options: LearnOptions): Promise<ExitCode> {
  const since = options.since === undefined ? undefined : parseInstant(options.since);
  if (options.since !== undefined && since === undefined) {
    throw new CliError('usage', `expected \`--since\` to be an RFC 3339 time, got \`${options.since}\``);
  }
  const { configuration, source } = await policyFile(terminal, options, configurationFile(terminal, options));
  using log = openRecordedLog(terminal, dataDirectory(terminal, options));
  const { environment } = terminal;
  const parse = (text: string): Configuration | undefined => {
    const parsed = parseConfiguration(text, { file: 'learned', environment });
    return parsed.ok ? parsed.value : undefined;
  };
  const learned = learn(
    () => log.recording(),
    configuration,
    (data) => parse(yamlText(data)),
    since,
  );
  if (learned === undefined) {
    throw new CliError('usage', 'too many different calls were recorded to be allowed one by one', {
      hint: 'name a later time with --since',
    });
  }
  const { data, rules, calls, dropped, left, sealed } = learned;
  const text = headOf(learned) + (writtenAround(source ?? '', learned, parse) ?? yamlText(data));
  const ok = left.length === 0;
  if (options.json)
    writeLine(terminal.output, inertJson({ ok, policy: text, rules: rules.length, calls, dropped, left, sealed }));
  else terminal.output.write(text);
  return ok ? EXIT.ok : EXIT.wrong;
}

/** What somebody who reviews it must know; nothing of it comes from outside. */
function headOf({ rules, calls, dropped, left, sealed }: Learned): string {
  const lines = [
    `Written by \`interlock learn\` from ${counted(calls, 'recorded call')}: ${counted(rules.length, 'rule')} allow exactly those.`,
    'Review it: what was recorded is not what should be allowed. Rules that ask or deny stand as they were.',
    ...(dropped.length === 0 ? [] : [`Left out, because it stops calls that were made: ${dropped.join(', ')}.`]),
    ...(left.length === 0 ? [] : [`${counted(left.length, 'call')} could not be learned: see \`learn --json\`.`]),
    ...sealed.map((of) => `${sealedSentence(of)}.`),
  ];
  return `${lines.map((line) => `# ${inert(line)}`).join('\n')}\n\n`;
}

/** What is sealed is never written into a rule; somebody who knows what it may be writes that rule. */
function sealedSentence({ tool, places, calls }: SealedCalls): string {
  const where = places.map((place) => (place === '' ? 'the arguments' : place)).join(', ');
  return `Of ${tool} ${counted(calls, 'call')} left out, sealed in: ${where}. A rule of yours must say what may stand there`;
}

/** The file as it is, with other rules; nothing when that would not say what was learned. */
function writtenAround(
  source: string,
  { data, rules, kept, dropped }: Learned,
  parse: (text: string) => Configuration | undefined,
): string | undefined {
  const without = dropped.filter((name) => name === 'preset');
  const added = rules.map((rule) => ({ ...rule }));
  const text = replaceRules(source.replace(HEAD, ''), { kept, added, without });
  const read = text === undefined ? undefined : parse(text);
  return read !== undefined && canonicalText(read.data) === canonicalText(withoutPlaces(data)) ? text : undefined;
}

/** In the file the place of a rule is its id. */
function withoutPlaces(data: JsonObject): JsonObject {
  const rules = (data['rules'] ?? []) as readonly JsonObject[];
  const told = rules.map((rule) => {
    const { id, ...rest } = rule;
    return typeof id === 'string' && /^kept\/\d+$/u.test(id) ? rest : rule;
  });
  return { ...data, rules: told };
}
