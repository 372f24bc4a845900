/** `interlock breakglass RULE…`: an approver sets rules aside for a while, with a signature and a reason. */

import { breakGlass } from '../../authority/exception.ts';
import type { Configuration } from '../../policy/document/configuration.ts';
import { ruleDigest, unliftable } from '../../policy/approval/exception.ts';
import type { Rule } from '../../policy/document/rule.ts';
import { formatInstant, parseDuration } from '../../value/time.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, loadConfiguration } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { showIssues } from '../issues.ts';
import { reasonOf } from '../reason.ts';
import { type SigningOptions, signingKey } from '../signed-change.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface BreakGlassOptions extends CommonOptions, SigningOptions {
  readonly rules: readonly string[];
  readonly expires: string;
  readonly reason: string;
}

const RULES_MAX = 32;
/** What lasts longer belongs into the configuration. */
const EXPIRES_MS_MAX = 7 * 24 * 3_600_000;

export async function breakGlassCommand(terminal: Terminal, options: BreakGlassOptions): Promise<ExitCode> {
  const reason = reasonOf(options.reason, 'an exception');
  const lastsMs = durationOf(options.expires);
  const loaded = await loadConfiguration(terminal, options);
  if (loaded.configuration === undefined) {
    showIssues(terminal, loaded.issues, loaded.shown, loaded.source);
    return EXIT.usage;
  }
  const { configuration } = loaded;
  const { by, publicKey } = signerOf(configuration, options);
  const rules = [...new Set(options.rules)].map((id) => ruleOf(configuration, id, by));
  if (rules.length > RULES_MAX) throw new CliError('usage', `expected at most ${RULES_MAX} rules, got ${rules.length}`);
  await using data = await openData(terminal, options, { create: false, loaded });
  const expires = systemWorld.now() + lastsMs;
  // Whoever signs has seen what.
  if (!options.json) {
    for (const rule of rules) writeLine(terminal.errors, `sets aside ${shownRule(rule)}`);
    writeLine(terminal.errors, `  until      ${formatInstant(expires)}`);
  }
  const key = await signingKey(terminal, options, by);
  if (key.publicKey !== publicKey) {
    throw new CliError('usage', `this is not the key that the configuration names for \`${by}\``);
  }
  const named = rules.map((rule) => ({ id: rule.id, digest: ruleDigest(rule) }));
  const order = { by, key: publicKey, rules: named, reason, expires, sign: (text: string) => key.sign(text) };
  const exception = await breakGlass(data.ledger, systemWorld, order);
  const told = { ok: true, exception, rules: rules.map(({ id }) => id), expires: formatInstant(expires) };
  const text = `${exception} is in force until ${told.expires}; end it with interlock refuse ${exception} --reason TEXT`;
  writeLine(terminal.output, options.json ? inertJson(told) : text);
  return EXIT.ok;
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= EXPIRES_MS_MAX) return ms;
  throw new CliError('usage', `expected --expires to be a time of at most seven days like 30m or 4h, got \`${text}\``, {
    hint: 'what lasts longer belongs into the configuration',
  });
}

function signerOf(
  { principals }: Configuration,
  { as: by }: BreakGlassOptions,
): { readonly by: string; readonly publicKey: string } {
  if (by === undefined) throw new CliError('usage', 'an exception needs its approver', { hint: '--as ID' });
  const publicKey = principals?.get(by)?.key;
  if (publicKey !== undefined) return { by, publicKey };
  throw new CliError('usage', `\`${by}\` is no principal with a \`key\` in the configuration`, {
    hint: 'interlock approver add ID makes a key and says what to write there',
  });
}

function ruleOf(configuration: Configuration, id: string, by: string): Rule {
  const rule = configuration.rules.find((each) => each.id === id);
  if (rule === undefined) {
    throw new CliError('usage', `there is no rule \`${id}\` in the configuration`, {
      hint: 'a rule is named by its `id:`, or as rules/N from 0',
    });
  }
  const problem = unliftable(configuration, rule, by);
  if (problem === undefined) return rule;
  throw new CliError('usage', `\`${id}\` cannot be set aside: ${problem}`);
}

function shownRule({ id, effect, pattern, when }: Rule): string {
  const condition = when === undefined ? '' : ` when ${inert(when.text)}`;
  return `${inert(id)}: ${effect} ${inert(pattern.text)}${condition}`;
}
